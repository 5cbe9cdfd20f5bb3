"""Plants kernels with one fault each and sees the gates refuse them; needs nvcc, no GPU.

    sass_gate_test.py NVCC TOOLS
"""

import os
import subprocess
import sys
import tempfile
import unittest

import sass
import sass_gate

HERE = os.path.dirname(os.path.abspath(__file__))
NVCC, TOOLS = sys.argv.pop(1), sys.argv.pop(1)
HEAD = "| " + " | ".join(sass_gate.COLUMNS) + " |\n" + "|---" * len(sass_gate.COLUMNS) + "|\n"
SPILLS_ARE_ERRORS = "-Xptxas=-v,-warn-spills,-Werror"  # as kernels/CMakeLists.txt has it


def compile_planted(name, folder, *flags):
    output = os.path.join(folder, f"{name}.o")
    run = subprocess.run([NVCC, "-arch=sm_90", "-O3", *flags, "-c",
                          os.path.join(HERE, "planted", f"{name}.cu"), "-o", output],
                         capture_output=True, text=True, check=False)
    return output, run


class Gates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        missing = sass.find_tools(TOOLS)
        assert not missing, f"{missing} not found in '{TOOLS}'. Run scripts/bootstrap cuda"
        path, run = compile_planted("kernels", cls.folder.name)
        assert run.returncode == 0, run.stderr
        cls.kernels = {k.names[2]: k for k in sass.kernels(path)}

    def problems(self, *names, **row):
        usual = {"family": "f", "functions": "|".join(names), "registers": "64",
                 "local memory": "none", "load": "128 x 1", "store": "128 x 1", "tensor cores": "-"}
        found = [self.kernels[name] for name in names if name in self.kernels]
        return sass_gate.check(found, [usual | row])[0]

    def refuses(self, text, *names, **row):
        problems = self.problems(*names, **row)
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(text, problems[0])

    def test_a_good_kernel_passes(self):
        self.assertEqual(self.problems("good"), [])

    def test_scalar_access_is_seen(self):
        self.refuses("loads: 4 of 32 bits (expected at least 1 of 128 bits)", "scalar_loads")
        self.refuses("stores: 4 of 32 bits (expected at least 1 of 128 bits)", "scalar_stores")
        # One stream of two.
        self.refuses("loads: 1 of 128 bits (expected at least 2 of 128 bits)", "good", load="128 x 2")

    def test_local_memory_is_seen(self):
        self.refuses("local memory: 256 byte of stack", "indexed_array")
        self.assertEqual(self.problems("indexed_array", **{"local memory": "allowed"}), [])

    def test_too_many_registers_are_seen(self):
        self.refuses("registers (at most 2)", "good", registers="2")

    def test_claimed_tensor_cores_are_looked_for(self):
        self.refuses("no HMMA instruction", "good", **{"tensor cores": "HMMA"})
        self.assertEqual(self.problems("tensor_cores", load="-", store="-",
                                       **{"tensor cores": "HMMA"}), [])

    def test_a_family_without_a_kernel_fails(self):
        self.refuses("no kernel matches gone", "gone")

    def test_a_kernel_without_a_family_fails(self):
        row = {"family": "f", "functions": "good", "registers": "64", "local memory": "none",
               "load": "128 x 1", "store": "128 x 1", "tensor cores": "-"}
        problems, _ = sass_gate.check([self.kernels["good"], self.kernels["scalar_loads"]], [row])
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(": belongs to no family", problems[0])

    def test_a_spill_does_not_build(self):
        _, run = compile_planted("spill", self.folder.name, SPILLS_ARE_ERRORS)
        self.assertNotEqual(run.returncode, 0, run.stderr)
        self.assertIn("Registers are spilled", run.stderr)
        path, run = compile_planted("spill", self.folder.name)  # what the flags forbid, built
        self.assertEqual(run.returncode, 0, run.stderr)
        (spilled,) = sass.kernels(path)
        self.assertGreater(spilled.count("STL"), 0)

    def test_the_table_is_read_from_a_document(self):
        path = os.path.join(self.folder.name, "gpu.md")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"text\n\n{HEAD}| norms | `a\\|b` | 64 | none | 128 | 128 | - |\n\ntext\n")
        (row,) = sass_gate.table(path)
        self.assertEqual((row["family"], row["functions"]), ("norms", "`a\\|b`"))
        with open(path, "w", encoding="utf-8") as file:
            file.write("no table\n")
        with self.assertRaisesRegex(SystemExit, "has no table"):
            sass_gate.table(path)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
