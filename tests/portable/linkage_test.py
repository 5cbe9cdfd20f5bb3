"""A portable build needs no vendor library, and without threads none for threads.

    linkage_test.py VLMARK openmp|serial|...
"""

import re
import subprocess
import sys
import unittest

PROGRAM, BACK_END = sys.argv[1:3]
VENDOR = re.compile(r"lib(?:dnnl|mkl|openblas|blas|blis|cblas|armpl|cuda|cublas|cudnn|nccl)\b")


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


class Linkage(unittest.TestCase):
    def test_no_vendor_library_is_loaded(self):
        loaded = output("ldd", PROGRAM)
        self.assertIn("libmpi", loaded)  # ldd spoke of the program at all
        self.assertEqual(VENDOR.findall(loaded), [], loaded)

    def test_openmp_is_asked_for_by_that_back_end_alone(self):
        # What other libraries load is theirs: the program's own list counts.
        needed = re.findall(r"NEEDED.*\[(.*)\]", output("readelf", "-d", PROGRAM))
        self.assertNotEqual(needed, [])
        self.assertEqual(any("gomp" in name for name in needed), BACK_END == "openmp", needed)

    def test_the_program_says_so(self):
        said = output(PROGRAM, "--version")
        self.assertRegex(said, r"^vlmark [0-9.]+ \(Kokkos \w+, portable: own products\)$")
        if BACK_END in ("openmp", "serial"):
            self.assertIn(f"kokkos {BACK_END}", said.lower())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
