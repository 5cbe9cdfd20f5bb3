#!/usr/bin/env python3
"""Runs a command that must fail and checks how: exit code, text, time, files left behind.

Example:
  expect_failure.py --exit-code 3 --within 10 --once 'rank 1 of 2' --contains 'shard 7' -- \\
      mpiexec -n 2 build/dev/tests/failure/comm_fault throw_io

Text is searched in stdout and stderr together. The report of a sanitizer is a problem whatever the
exit code. All problems are printed, with the output; the
last line says PASSED or FAILED. The command's whole process group ends with the check.
"""
import argparse
import glob
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from sanitizer_reports import first_report  # noqa: E402


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exit-code", type=int, required=True, help="exact exit code")
    parser.add_argument("--within", type=float, default=10,
                        help="seconds it may take (default 10), times the environment's "
                             "VLMARK_SLOWDOWN")
    parser.add_argument("--contains", action="append", default=[], metavar="TEXT",
                        help="must be in the output (repeat)")
    parser.add_argument("--once", action="append", default=[], metavar="TEXT",
                        help="must be in the output exactly once (repeat)")
    parser.add_argument("--absent", action="append", default=[], metavar="TEXT",
                        help="must not be in the output (repeat)")
    parser.add_argument("--no-file", action="append", default=[], metavar="GLOB",
                        help="no such file may exist afterwards (repeat; ** reaches down)")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="-- COMMAND [ARGUMENT]...")
    args = parser.parse_args(argv)
    if args.command[:1] == ["--"]:
        args.command = args.command[1:]
    if not args.command:
        parser.error("no command after --")
    return args


def run(command, within):
    """Returns (exit code or None when it took too long, output, seconds)."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output, _ = process.communicate(timeout=within)
        code = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        code = None
    return code, output.decode(errors="replace"), time.monotonic() - start


def problems(args, code, output):
    if code is None:
        yield f"still running after {args.within} s"
    elif code != args.exit_code:
        yield f"exit code is {code} (expected {args.exit_code})"
    report = first_report(output)
    if report:
        yield f"a sanitizer found an error: {report}"
    for text in args.contains:
        if text not in output:
            yield f"output lacks: {text}"
    for text in args.once:
        if output.count(text) != 1:
            yield f"output has {output.count(text)} times (expected once): {text}"
    for text in args.absent:
        if text in output:
            yield f"output has: {text}"
    for pattern in args.no_file:
        for name in glob.glob(pattern, recursive=True):
            yield f"left behind: {name}"


def main(argv):
    args = parse(argv)
    args.within *= float(os.environ.get("VLMARK_SLOWDOWN", 1))
    code, output, seconds = run(args.command, args.within)
    found = list(problems(args, code, output))
    print(output, end="" if output.endswith("\n") else "\n")
    for problem in found:
        print(f"expect_failure: {problem}")
    print(f"expect_failure: {'FAILED' if found else 'PASSED'} in {seconds:.1f} s")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
