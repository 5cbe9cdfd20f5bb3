"""Runs a fuzz target for a while from the corpus in the repository and prints what came of it.

    run_fuzz.py PROGRAM CORPUS [--seconds 6] [--seed 1] [--keep FOLDER]

PROGRAM reads inputs; CORPUS is a folder of tests/fuzz/corpus. New inputs go to a scratch folder
(or to --keep), so that the repository stays as it is. An input that ends the program is kept in
the folder fuzz-findings and named; run PROGRAM with that file alone to see it again.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
# Per input; docs/testing.md states the bounds on the heap, which the targets check themselves.
LIMITS = ["-timeout=10", "-rss_limit_mb=1024", "-malloc_limit_mb=256", "-max_len=65536"]
ENVIRONMENT = {
    # Memory from outside is never a reason to abort: a reader's throw of bad_alloc is seen.
    "ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=0",
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "VLMARK_SOURCE_DIR": str(HERE.parent.parent),
}


def run(arguments, scratch):
    corpus = HERE / "corpus" / arguments.corpus
    seeds = sorted(corpus.iterdir()) if corpus.is_dir() else []
    if not seeds:
        sys.exit(f"run_fuzz: {corpus} holds no input (fuzzing from nothing finds next to nothing)")
    findings = pathlib.Path("fuzz-findings").resolve()
    findings.mkdir(exist_ok=True)
    command = [arguments.program, *LIMITS, f"-seed={arguments.seed}", "-print_final_stats=1",
               f"-max_total_time={arguments.seconds}",
               f"-artifact_prefix={findings}/{arguments.corpus}-"]
    dictionary = HERE / "dictionary" / f"{arguments.corpus}.txt"
    if dictionary.exists():
        command.append(f"-dict={dictionary}")
    command += [scratch, str(corpus)]
    print(" ".join(command), flush=True)
    result = subprocess.run(command, env={**os.environ, **ENVIRONMENT}, capture_output=True,
                            text=True, errors="replace")
    lines = result.stderr.splitlines()
    done = re.findall(r"stat::number_of_executed_units: +(\d+)", result.stderr)
    coverage = re.findall(r"cov: (\d+)", result.stderr)
    if result.returncode != 0 or not done:
        print("\n".join(lines[-60:]))
        sys.exit(f"run_fuzz: {arguments.corpus}: ended with {result.returncode}; the input lies in "
                 f"{findings}")
    print(f"fuzz {arguments.corpus}: {done[-1]} inputs, {coverage[-1]} edges, no finding, seed "
          f"{arguments.seed}, {arguments.seconds} s, {len(seeds)} inputs to begin with")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("corpus")
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", help="folder that new inputs go to and are read from")
    arguments = parser.parse_args()
    if arguments.keep:
        os.makedirs(arguments.keep, exist_ok=True)
        run(arguments, arguments.keep)
    else:
        with tempfile.TemporaryDirectory() as scratch:
            run(arguments, scratch)


if __name__ == "__main__":
    main()
