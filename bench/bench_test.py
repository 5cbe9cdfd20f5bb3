"""The benchmarks at tiny size: what runs, what is skipped, and that a wrong result has no speed."""
import json
import os
import shutil
import stat
import subprocess
import sys
import unittest

SOURCE = os.environ["VLMARK_SOURCE_DIR"]
PROGRAMS = os.environ["VLMARK_PROGRAMS"]  # folder
MPIEXEC = os.environ["VLMARK_MPIEXEC"].split()
SCRATCH = os.environ["VLMARK_SCRATCH"]

# Every kernel that a training step, a decoded token or the optimizer calls.
KERNELS = {
    "linear", "add_linear", "partial_linear", "linear_backward_input", "linear_backward_weight",
    "head", "head_backward_input", "head_backward_weight", "attention", "attention_cached",
    "attention_backward", "rms_norm", "rms_norm_backward", "layer_norm", "layer_norm_backward",
    "activation", "activation_backward", "swiglu", "swiglu_backward", "rotate", "mrope_table",
    "vision_rope_table", "embedding", "embedding_backward", "gather_rows", "scatter_rows",
    "zero_rows", "zero", "convert", "bias_backward", "add_bias", "add_blocks", "sum_blocks",
    "linear_cross_entropy", "softmax_slices", "adamw", "adamw_rounded", "add_in_place",
    "add_in_place_rounded", "mean_of_rows", "convert_parameters", "block_square_sums",
    "count_non_finite"}
PRODUCTS = {"linear", "add_linear", "partial_linear", "linear_backward_input",
            "linear_backward_weight", "head", "head_backward_input", "head_backward_weight"}
SPEEDS = ("GFLOP/s", "GB/s")
FACTORS = {"all_reduce": lambda n: 2 * (n - 1) / n, "reduce_scatter": lambda n: (n - 1) / n,
           "all_gather": lambda n: (n - 1) / n, "broadcast": lambda n: 1, "exchange": lambda n: 1}


class BenchTest(unittest.TestCase):
    def setUp(self):
        self.folder = os.path.join(SCRATCH, self.id().split(".")[-1])
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, *command, exit_code=0):
        done = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, timeout=100)
        self.assertEqual(done.returncode, exit_code, f"{command}:\n{done.stdout}{done.stderr}")
        return done

    def bench(self, *arguments, exit_code=0):
        """Output and rows of a run of the kernels."""
        done = self.start(os.path.join(PROGRAMS, "vlmark_bench"), "--smoke", "--record", self.folder,
                          "--benchmark_filter=-tokenizer", *arguments, exit_code=exit_code)
        return done, self.record()["rows"]

    def collectives(self, ranks, *arguments, exit_code=0):
        done = self.start(*MPIEXEC, "-n", str(ranks), os.path.join(PROGRAMS, "vlmark_collectives"),
                          "--max-bytes", "10000", "--iterations", "3", "--record", self.folder,
                          *arguments, exit_code=exit_code)
        return done, self.record()["rows"]

    def record(self):
        with open(os.path.join(self.folder, "bench.json"), encoding="utf-8") as file:
            return json.load(file)


class Kernels(BenchTest):
    def test_every_kernel_is_checked_and_timed(self):
        out = os.path.join(SCRATCH, "kernels.json")
        done, rows = self.bench(f"--benchmark_out={out}")
        with open(out, encoding="utf-8") as file:
            self.assertEqual(len(json.load(file)["benchmarks"]), len(rows))
        self.assertEqual({r["kernel"] for r in rows}, KERNELS)
        self.assertEqual(len({r["name"] for r in rows}), len(rows))
        for row in rows:
            self.assertEqual(row["status"], "ok", row)
            self.assertLessEqual(row["error_over_allowed"], 1)
            self.assertGreater(row["seconds"]["median"], 0)
            self.assertGreater(row["bytes"], 0)
            self.assertGreater(row["roofline_percent"], 0)
            if row["kernel"] in PRODUCTS:
                m, n, k = map(int, row["shape"].split("x"))
                self.assertEqual(row["flops"], 2 * m * n * k)
                self.assertEqual(row["counted_by"], "recorder")
        timed = {(r["kernel"], r["precision"]) for r in rows}
        for kernel in PRODUCTS:
            self.assertLessEqual({(kernel, "fp32"), (kernel, "bf16")}, timed)
        self.assertIn("roofline: fp32", done.stdout + done.stderr)
        record = self.record()
        self.assertEqual((record["schema"], record["kind"]), ("vlmark.bench/1", "measured"))
        for key in ("instruction_set", "compute_library", "cpu", "threads"):
            self.assertTrue(record["provenance"][key], key)
        self.assertGreater(record["rooflines"]["gemm_fp32_flop_per_s"], 0)

    def test_a_wrong_result_has_no_speed(self):
        done, rows = self.bench("--spoil", exit_code=5)
        self.assertEqual({r["kernel"] for r in rows}, KERNELS)
        for row in rows:
            self.assertEqual(row["status"], "failed", row)
            self.assertIn("the result is wrong", row["detail"])
            for key in ("seconds", "flop_per_s", "byte_per_s", "roofline_percent"):
                self.assertNotIn(key, row)
        for speed in SPEEDS:
            self.assertNotIn(speed + "=", done.stdout)
        self.assertIn(f"{len(rows)} results are wrong", done.stderr)

    def test_what_does_not_fit_is_skipped_by_name(self):
        for arguments, reason in ((("--case-seconds", "1e-9"), "a case may take 1e-09 s"),
                                  (("--memory", "1e-9"), "a case may take 1e-09 GB"),
                                  (("--budget", "1e-9"), "the budget of 1e-09 s is spent")):
            self.setUp()
            done, rows = self.bench(*arguments, "--tp", "1", "--precision", "fp32")
            self.assertGreater(len(rows), 50)
            for row in rows:
                self.assertEqual(row["status"], "skipped", row)
                self.assertIn(reason, row["detail"])
                self.assertIn(row["name"], done.stdout)
            self.assertNotIn("GB/s=", done.stdout)

    def test_a_layout_that_cannot_be_is_skipped_by_name(self):
        done, rows = self.bench("--tp", "3", "--precision", "bf16")
        self.assertEqual([(r["name"], r["status"]) for r in rows], [("nano/tp3/bf16", "skipped")])
        self.assertIn("nano/tp3/bf16 skipped: ", done.stdout)

    def test_a_record_is_never_overwritten(self):
        os.makedirs(self.folder)
        with open(os.path.join(self.folder, "bench.json"), "w") as file:
            file.write("mine")
        done = self.start(os.path.join(PROGRAMS, "vlmark_bench"), "--smoke", "--record",
                          self.folder, exit_code=3)
        self.assertIn("Name another folder", done.stderr)


class Collectives(BenchTest):
    def test_bandwidths_are_those_of_nccl_tests(self):
        for ranks in (2, 4):
            self.setUp()
            out = os.path.join(SCRATCH, "collectives.json")
            done, rows = self.collectives(ranks, f"--benchmark_out={out}")
            with open(out, encoding="utf-8") as file:
                self.assertEqual(len(json.load(file)["benchmarks"]), len(rows))
            self.assertEqual({r["collective"] for r in rows}, set(FACTORS))
            for row in rows:
                self.assertEqual((row["status"], row["ranks"]), ("ok", ranks), row)
                self.assertEqual(len(row["seconds"]["samples"]), 3)
                self.assertAlmostEqual(row["algorithm_byte_per_s"] * row["seconds"]["median"],
                                       row["bytes"], delta=1e-6 * row["bytes"])
                self.assertAlmostEqual(row["bus_byte_per_s"] / row["algorithm_byte_per_s"],
                                       FACTORS[row["collective"]](ranks))
                self.assertLessEqual(row["rank_seconds_min"], row["rank_seconds_max"])
            # Rank 0 alone prints.
            self.assertEqual(done.stdout.count("broadcast/8/"), 1)

    def test_a_wrong_sum_has_no_speed_and_ends_all_ranks(self):
        done, rows = self.collectives(2, "--shuffle", exit_code=5)
        wrong = {r["name"] for r in rows if r["status"] == "failed"}
        self.assertIn("all_reduce/512", wrong)
        self.assertIn("reduce_scatter/512", wrong)
        for row in rows:
            if row["status"] == "failed":
                self.assertNotIn("seconds", row)
                self.assertNotIn("bus_byte_per_s", row)
        self.assertIn(f"{len(wrong)} results are wrong", done.stderr)

    def test_one_rank_is_refused(self):
        done = self.start(os.path.join(PROGRAMS, "vlmark_collectives"), exit_code=2)
        self.assertIn("mpiexec -n 2", done.stderr)


class Peers(BenchTest):
    SCRIPT = os.path.join(SOURCE, "bench", "compare_peers")
    TINY = ["--model", "nano", "--layers", "1", "--vision-blocks", "1", "--vocab", "512", "--text",
            "24", "--steps", "1"]

    def compare(self, *arguments, exit_code):
        return self.start(sys.executable, "-B", self.SCRIPT, "--build",
                          os.path.dirname(PROGRAMS), "--tiny", "--rounds", "1", "--steps", "1",
                          "--gemm-peak", "32", "--threads", "1", *arguments, exit_code=exit_code)

    def fake_venv(self, loss):
        """A Python that answers as the other side would, with a loss of its own."""
        binary = os.path.join(self.folder, "bin", "python")
        os.makedirs(os.path.dirname(binary))
        answer = json.dumps({"torch": "0", "transformers": "0", "threads": 1, "seconds": [1.0],
                             "cpu_seconds": [1.0], "first_loss": loss, "loss": loss, "gemm_peak": 1e9})
        with open(binary, "w") as file:
            file.write(f"#!/bin/sh\n[ \"$1\" = -c ] || echo '{answer}'\n")
        os.chmod(binary, os.stat(binary).st_mode | stat.S_IXUSR)

    def test_without_the_packages_it_says_what_to_install(self):
        done = self.compare("--venv", self.folder, exit_code=1)
        self.assertIn("torch==", done.stderr)
        self.assertIn("--make-venv", done.stderr)

    def test_another_loss_gives_no_speed(self):
        self.fake_venv(1.0)
        done = self.compare("--venv", self.folder, "--case", "text", exit_code=5)
        self.assertIn("first losses", done.stderr)
        self.assertNotIn("|", done.stdout)

    def test_the_products_that_measure_the_peak_are_no_part_of_a_step(self):
        program = os.path.join(PROGRAMS, "vlmark_step")
        with_peak, without = (json.loads(self.start(program, *self.TINY, *more).stdout)
                              for more in (["--gemm-peak", "64"], []))
        self.assertGreater(with_peak["gemm_peak"], 0)
        for key in ("gigaflop", "kernels", "parameter_hash"):
            self.assertEqual(with_peak[key], without[key])

    def test_equal_losses_give_a_ratio(self):
        own = json.loads(self.start(os.path.join(PROGRAMS, "vlmark_step"), *self.TINY).stdout)
        self.fake_venv(own["first_loss"] * (1 + 5e-6))
        done = self.compare("--venv", self.folder, "--case", "text", "--precision", "fp32",
                            exit_code=0)
        self.assertIn("| text | fp32 |", done.stdout)
        self.assertIn("5.0e-06", done.stdout)


if __name__ == "__main__":
    os.makedirs(SCRATCH, exist_ok=True)
    unittest.main()
