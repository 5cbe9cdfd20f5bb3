#!/usr/bin/env python3
"""The checker must itself refuse what it should: each case runs it on a small shell command."""
import os
import subprocess
import sys
import tempfile
import unittest

CHECKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "expect_failure.py")


def check(script, *options):
    command = [sys.executable, CHECKER, *options, "--", "sh", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout


class ExpectFailure(unittest.TestCase):
    def test_passes_when_all_is_as_said(self):
        code, text = check("echo cause >&2; exit 3", "--exit-code", "3", "--once", "cause",
                           "--contains", "au", "--absent", "other")
        self.assertEqual(code, 0, text)
        self.assertIn("PASSED", text)

    def test_exit_code(self):
        code, text = check("exit 2", "--exit-code", "3")
        self.assertEqual(code, 1)
        self.assertIn("exit code is 2 (expected 3)", text)

    def test_killed_by_a_signal_is_no_exit_code(self):
        code, text = check("kill -9 $$", "--exit-code", "9")
        self.assertEqual(code, 1)
        self.assertIn("exit code is -9", text)

    def test_text(self):
        code, text = check("echo a; echo b; echo b; exit 1", "--exit-code", "1", "--contains", "c",
                           "--once", "b", "--absent", "a")
        self.assertEqual(code, 1)
        self.assertIn("output lacks: c", text)
        self.assertIn("output has 2 times (expected once): b", text)
        self.assertIn("output has: a", text)

    def test_the_report_of_a_sanitizer_is_not_the_expected_failure(self):
        for line in ("==7==ERROR: AddressSanitizer: attempting double free on 0x1 in thread T0:",
                     "==7==ERROR: LeakSanitizer: detected memory leaks",
                     "a.cpp:5:7: runtime error: load of misaligned address 0x1 for type 'float'",
                     "WARNING: ThreadSanitizer: data race (pid=7)",
                     "stl_vector.h:1123: T& f(): Assertion '__n < this->size()' failed."):
            code, text = check(f'echo "{line}"; exit 3', "--exit-code", "3")
            self.assertEqual(code, 1, line)
            self.assertIn("a sanitizer found an error: ", text)

    def test_time_and_children(self):
        code, text = check("echo begun; sleep 60 & wait", "--exit-code", "0", "--within", "0.5")
        self.assertEqual(code, 1)
        self.assertIn("still running after 0.5 s", text)
        self.assertIn("begun", text)

    def test_files_left_behind(self):
        with tempfile.TemporaryDirectory() as folder:
            name = os.path.join(folder, "run", "samples.h5")
            code, text = check(f"mkdir {folder}/run; touch {name}; exit 1", "--exit-code", "1",
                               "--no-file", f"{folder}/**/samples.h5")
        self.assertEqual(code, 1)
        self.assertIn("left behind: " + name, text)


if __name__ == "__main__":
    unittest.main()
