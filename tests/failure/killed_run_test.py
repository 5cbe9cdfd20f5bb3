#!/usr/bin/env python3
"""One rank of a training run is killed: the job ends within ten seconds, keeps its journals and
leaves no record; a later run does not mistake the rest for a result."""
import glob
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from sanitizer_reports import first_report  # noqa: E402

SOURCE, BINARY, SCRATCH = (os.environ[f"VLMARK_{n}"] for n in ("SOURCE_DIR", "BINARY", "SCRATCH"))
MPIEXEC = os.environ["VLMARK_MPIEXEC"].split()
KILLS = int(os.environ.get("VLMARK_KILLS", 4))  # at random times; a night may want 50
WITHIN = 10 * int(os.environ.get("VLMARK_SLOWDOWN", 1))  # seconds
STEP_SCALARS, END = 3, 12  # record types (src/io/journal_records.hpp)


def command(folder, *settings):
    every = [f"output.folder={folder}", "control.captions=false", "control.grey=false",
             "train.steps=5000", *settings]
    return ["run", "configs/quickstart.toml", "--progress", "log",
            *(a for s in every for a in ("--set", s))]


def journals(folder):
    return [os.path.join(folder, "journals", f"rank-{rank:05d}.journal") for rank in range(2)]


def record_types(path):
    """Of every whole record of a journal (src/io/journal.hpp)."""
    with open(path, "rb") as file:
        data = file.read()
    types, at = [], 0
    while at + 12 <= len(data):
        length, kind = struct.unpack_from("<II", data, at)
        at += 12 + length
        if at <= len(data):
            types.append(kind)
    return types


def ranks_below(launcher):
    """Process ids of the program below mpiexec."""
    found = []
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
        except OSError:
            continue  # ended meanwhile
        name = text[text.index("(") + 1:text.rindex(")")]
        parent = int(text[text.rindex(")") + 2:].split()[1])
        if parent == launcher and name in ("vlmark", "vlmark-device"):
            found.append(int(os.path.basename(os.path.dirname(path))))
    return sorted(found)


class KilledRun(unittest.TestCase):
    def start(self, folder):
        """A job that has done its first step."""
        shutil.rmtree(folder, ignore_errors=True)
        job = subprocess.Popen([*MPIEXEC, "-n", "2", BINARY, *command(folder)], cwd=SOURCE,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, start_new_session=True)
        self.addCleanup(self.end, job)
        seen = ""
        for line in job.stdout:
            seen += line
            if line.startswith("train  step 1/"):
                self.wait_for_journals(folder)
                return job
        self.fail("the job ended before its first step:\n" + seen)

    def wait_for_journals(self, folder):
        """The other rank may be a moment behind."""
        end = time.monotonic() + WITHIN
        while not all(STEP_SCALARS in record_types(path) for path in journals(folder)):
            self.assertLess(time.monotonic(), end, "no step stands in the journals")
            time.sleep(0.05)

    def end(self, job):
        if job.poll() is None:
            os.killpg(job.pid, signal.SIGKILL)
        job.stdout.close()
        job.wait()

    def expect_end(self, job, folder):
        start = time.monotonic()
        output, _ = job.communicate(timeout=WITHIN)
        self.assertLess(time.monotonic() - start, WITHIN)
        self.assertNotEqual(job.returncode, 0, output)
        self.assertIsNone(first_report(output), output)
        self.assertNotIn("VLMARK RESULT", output)
        self.assertFalse(glob.glob(os.path.join(folder, "samples.h5*")))
        for journal in journals(folder):
            types = record_types(journal)
            self.assertIn(STEP_SCALARS, types)
            self.assertNotIn(END, types)

    def test_a_killed_rank_ends_the_job(self):
        for victim in (0, 1):
            folder = os.path.join(SCRATCH, f"victim-{victim}")
            job = self.start(folder)
            ranks = ranks_below(job.pid)
            self.assertEqual(len(ranks), 2)
            os.kill(ranks[victim], signal.SIGKILL)
            self.expect_end(job, folder)

    def test_what_is_left_is_not_taken_for_a_result(self):
        folder = os.path.join(SCRATCH, "left")
        job = self.start(folder)
        os.kill(job.pid, signal.SIGTERM)  # as a batch system ends a job
        self.expect_end(job, folder)
        again = subprocess.run([BINARY, *command(folder, "output.overwrite=false")], cwd=SOURCE,
                               capture_output=True, text=True, timeout=WITHIN)
        self.assertEqual(again.returncode, 3, again.stderr)
        self.assertIn("holds the journals of a run that did not end", again.stderr)
        # Asked to overwrite, a run begins anew.
        done = subprocess.run([BINARY, *command(folder, "train.steps=2", "train.warmup_steps=1",
                                                "verify.loss_ratio_limit=2", "output.export=false",
                                                "output.overwrite=true")],
                              cwd=SOURCE, capture_output=True, text=True, timeout=6 * WITHIN)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(os.path.isfile(os.path.join(folder, "samples.h5")))


SHORT = ("train.steps=4", "train.warmup_steps=1", "data.max_pixels=3136",
         "verify.loss_ratio_limit=2", "output.export=false", "output.overwrite=true")


class KilledAtAnyTime(unittest.TestCase):
    def launch(self, folder):
        return subprocess.Popen([*MPIEXEC, "-n", "2", BINARY, *command(folder, *SHORT)],
                                cwd=SOURCE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, start_new_session=True)

    def verify(self, folder):
        return subprocess.run([BINARY, "verify", folder, "--json"], cwd=SOURCE,
                              capture_output=True, text=True, timeout=WITHIN)

    def expect_whole(self, folder):
        """A clean run in this folder. What it says of its losses, and its seconds."""
        began = time.monotonic()
        job = self.launch(folder)
        output, _ = job.communicate(timeout=6 * WITHIN)
        took = time.monotonic() - began
        self.assertEqual(job.returncode, 0, output)
        verified = self.verify(folder)
        self.assertEqual(verified.returncode, 0, verified.stderr)
        return [c for c in json.loads(verified.stdout)["checks"] if c["rule"] in ("V1", "V5")], took

    def test_nothing_that_is_left_passes_as_a_result(self):
        seed = int(os.environ.get("VLMARK_SEED", 14))
        chance = random.Random(seed)
        folder = os.path.join(SCRATCH, "any-time")
        shutil.rmtree(folder, ignore_errors=True)
        clean, took = self.expect_whole(folder)
        cut = 0
        for kill in range(KILLS):
            at, victim = chance.uniform(0, took), chance.randrange(2)
            where = f"seed {seed}, kill {kill} of rank {victim} after {at:.3f} of {took:.3f} s"
            job = self.launch(folder)  # over what the one before has left
            time.sleep(at)
            ranks = ranks_below(job.pid)
            if len(ranks) == 2:
                os.kill(ranks[victim], signal.SIGKILL)
            elif job.poll() is None:
                os.killpg(job.pid, signal.SIGKILL)
            output, _ = job.communicate(timeout=WITHIN)
            verified = self.verify(folder)
            if verified.returncode == 0:  # its record was whole by then
                with open(os.path.join(folder, "events.jsonl"), encoding="utf-8") as events:
                    self.assertIn('"event":"result"', events.read().splitlines()[-1], where)
                continue
            cut += 1
            self.assertNotIn("VLMARK RESULT", output, where)
            self.assertEqual(verified.returncode, 3, where + verified.stderr)
            self.assertEqual(verified.stdout, "", where)
        print(f"{cut} of {KILLS} kills left no result, seed {seed}")
        self.assertGreater(cut, 0)
        again, _ = self.expect_whole(folder)
        self.assertEqual(again, clean)


if __name__ == "__main__":
    os.makedirs(SCRATCH, exist_ok=True)
    sys.exit(unittest.main())
