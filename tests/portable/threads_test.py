"""Training steps with text and a picture leave the same bits on every number of threads.

    threads_test.py VLMARK_STEP THREADS...
"""

import json
import os
import subprocess
import sys
import unittest

PROGRAM, THREADS = sys.argv[1], [int(word) for word in sys.argv[2:]]


def step(threads, precision):
    # Wide enough that the products are cut differently for each number of threads.
    arguments = ["--model", "nano", "--layers", "1", "--vision-blocks", "1", "--vocab", "320",
                 "--text", "150", "--picture", "112x84", "--steps", "1", "--precision", precision]
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
    run = subprocess.run([PROGRAM, *arguments], env=environment, capture_output=True, text=True,
                         check=True)
    return json.loads(run.stdout)


class Threads(unittest.TestCase):
    def test_same_bits(self):
        for precision in ("fp32", "bf16"):
            results = [step(threads, precision) for threads in THREADS]
            self.assertEqual([r["threads"] for r in results], THREADS)
            self.assertEqual(len({r["parameter_hash"] for r in results}), 1, results)
            self.assertEqual(len({r["loss"] for r in results}), 1, results)

    def test_every_product_is_our_own(self):
        kernels = step(THREADS[0], "bf16")["kernels"]
        self.assertIn("kokkos_tiled", kernels)
        self.assertTrue(all(name.startswith("kokkos_") for name in kernels), kernels)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
