"""Runs the program as a user does."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from sanitizer_reports import first_report  # noqa: E402

SOURCE = os.environ["VLMARK_SOURCE_DIR"]
BINARY = os.environ["VLMARK_BINARY"]
MPIEXEC = os.environ["VLMARK_MPIEXEC"].split()
TRAINED = os.environ["VLMARK_TRAINED"]
SCRATCH = os.environ["VLMARK_SCRATCH"]
SLOWDOWN = int(os.environ.get("VLMARK_SLOWDOWN", 1))  # of time limits, under a sanitizer
QUICKSTART = os.path.join(SOURCE, "configs", "quickstart.toml")
CAT = os.path.join(SOURCE, "configs", "media", "chelsea.jpg")


class ProgramTest(unittest.TestCase):
    """Commands run in the root of the sources, as the paths of the configs want it."""

    def vlmark(self, *arguments, ranks=None, exit_code=0, within=100):
        launcher = [] if ranks is None else MPIEXEC + ["-n", str(ranks)]
        done = start([*launcher, BINARY, *arguments], within)
        self.assertEqual(done.returncode, exit_code, f"{arguments}:\n{done.stdout}{done.stderr}")
        self.assertIsNone(first_report(done.stderr), done.stderr)
        return done


def start(command, within=100):
    return subprocess.run(command, cwd=SOURCE, capture_output=True, text=True,
                          timeout=within * SLOWDOWN)


def short_run(folder, steps, *settings):
    """Arguments of a run of a few steps of the quick start without its controls."""
    base = [f"train.steps={steps}", "train.warmup_steps=1", "control.captions=false",
            "control.grey=false", f"output.folder={folder}"]
    return ["run", QUICKSTART, *(a for s in [*base, *settings] for a in ("--set", s))]


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def main():
    fresh(SCRATCH)
    os.makedirs(SCRATCH)
    tempfile.tempdir = SCRATCH
    unittest.main()
