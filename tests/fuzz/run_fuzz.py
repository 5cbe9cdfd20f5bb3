"""Runs a fuzz target for a while and prints what came of it.

    run_fuzz.py PROGRAM NAME SEEDS [--seconds 6] [--seed 1] [--keep FOLDER]

SEEDS is a pattern of files to begin with; new inputs go to a scratch folder (or to --keep), so that
the repository stays as it is. An input that ends the program is kept in the folder fuzz-findings
and named; run PROGRAM with that file alone to see it again.
"""

import argparse
import glob
import os
import pathlib
import re
import shutil
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
    seeds = sorted(glob.glob(arguments.seeds))
    if not seeds:
        sys.exit(f"run_fuzz: {arguments.seeds} names no file (fuzzing from nothing finds next to "
                 "nothing)")
    for seed in seeds:
        shutil.copy(seed, scratch)
    findings = pathlib.Path("fuzz-findings").resolve()
    findings.mkdir(exist_ok=True)
    command = [arguments.program, *LIMITS, f"-seed={arguments.seed}", "-print_final_stats=1",
               f"-max_total_time={arguments.seconds}",
               f"-artifact_prefix={findings}/{arguments.name}-"]
    dictionary = HERE / "dictionary" / f"{arguments.name}.txt"
    if dictionary.exists():
        command.append(f"-dict={dictionary}")
    command.append(scratch)
    print(" ".join(command), flush=True)
    result = subprocess.run(command, env={**os.environ, **ENVIRONMENT}, capture_output=True,
                            text=True, errors="replace")
    lines = result.stderr.splitlines()
    done = re.findall(r"stat::number_of_executed_units: +(\d+)", result.stderr)
    coverage = re.findall(r"cov: (\d+)", result.stderr)
    if result.returncode != 0 or not done:
        print("\n".join(lines[-60:]))
        sys.exit(f"run_fuzz: {arguments.name}: ended with {result.returncode}; the input lies in "
                 f"{findings}")
    print(f"fuzz {arguments.name}: {done[-1]} inputs, {coverage[-1]} edges, no finding, seed "
          f"{arguments.seed}, {arguments.seconds} s, {len(seeds)} inputs to begin with")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("name")
    parser.add_argument("seeds")
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
