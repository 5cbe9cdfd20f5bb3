"""`vlmark plan` says what a run will need before anything is launched."""
import itertools
import json
import pathlib

import program


class Plan(program.ProgramTest):
    def plan(self, *arguments):
        return json.loads(self.vlmark("plan", *arguments, "--json").stdout)

    def test_text_names_every_category(self):
        text = self.vlmark("plan", "--model", "7B", "--ranks", "8").stdout
        self.assertTrue(text.startswith("7B: 8,291,375,616 parameters, bf16 over 8 data-parallel "
                                        "ranks (ZeRO-1), 8 micro-batches a step\n"), text)
        for word in ("parameters", "gradients", "optimizer", "received", "activations", "arena"):
            self.assertRegex(text, rf"(?m)^  {word} +\d+\.\d\d\d GB$")
        self.assertRegex(text, r"(?m)^  decoder +\d+\.\d{4} TFLOP$")

    def test_bytes_follow_from_the_parameters(self):
        plan = self.plan("--model", "7B", "--ranks", "8")
        self.assertEqual(plan["parameters"], 8291375616)
        self.assertEqual((plan["model"], plan["ranks"], plan["precision"]), ("7B", 8, "bf16"))
        sizes = plan["bytes"]
        n = plan["parameters"]
        # Padding to whole blocks adds a little.
        self.assertAlmostEqual(sizes["parameters"] / (2 * n), 1, delta=1e-3)
        self.assertAlmostEqual(sizes["gradients"] / (4 * n), 1, delta=1e-3)
        self.assertAlmostEqual(sizes["optimizer"] / (12 * n / 8), 1, delta=1e-3)
        self.assertAlmostEqual(plan["arena_bytes"] / sum(sizes.values()), 1, delta=1e-6)

    def test_more_ranks_hold_less_each(self):
        few, many = (self.plan("--model", "2B", "--ranks", str(n))["bytes"] for n in (2, 64))
        self.assertLess(many["optimizer"], few["optimizer"])
        self.assertEqual(self.plan("--model", "72B", "--ranks", "100000")["parameters"],
                         73405560320)

    def test_pictures_and_text_cost(self):
        base = self.plan("--model", "2B", "--text-tokens", "512")
        longer = self.plan("--model", "2B", "--text-tokens", "1024")
        picture = self.plan("--model", "2B", "--text-tokens", "512", "--picture", "448x448")
        for more in (longer, picture):
            self.assertGreater(more["flops"], base["flops"])
            self.assertGreater(more["bytes"]["activations"], base["bytes"]["activations"])
            self.assertEqual(more["bytes"]["parameters"], base["bytes"]["parameters"])

    def test_attention_by_cudnn_and_its_deterministic_backward(self):
        text = ("--model", "7B", "--text-tokens", "16384")
        own = self.plan(*text)
        self.assertNotIn("attention_scratch", own)
        fixed = self.plan(*text, "--attention", "cudnn")
        scratch = fixed["attention_scratch"]
        self.assertEqual((scratch["segments"], scratch["longest"]), (1, 16384))
        # 2 byte for each score of each of 28 heads, and little else.
        self.assertAlmostEqual(scratch["bytes"] / (2 * 28 * 16384 ** 2), 1, delta=0.1)
        self.assertGreater(scratch["bytes"], 15 * scratch["bytes_in_any_order"])
        # The peak without it lies elsewhere, so the arena grows by less than the scratch.
        growth = fixed["arena_bytes"] - own["arena_bytes"]
        self.assertTrue(scratch["bytes"] / 2 < growth < scratch["bytes"], growth)
        loose = self.plan(*text, "--attention", "cudnn", "--any-order")
        self.assertEqual(loose["attention_scratch"]["bytes"], scratch["bytes_in_any_order"])
        out = self.vlmark("plan", *text, "--attention", "cudnn").stdout
        self.assertRegex(out, r"(?m)^  attention +\d+\.\d\d\d GB$")
        self.assertIn("score gradients of 1 segments as if each were 16384 long", out)
        by_config = self.plan(program.QUICKSTART, "--set", "model.precision=bf16", "--set",
                              "train.attention=cudnn", "--set", "train.steps=3")
        self.assertGreater(by_config["attention_scratch"]["bytes"], 0)

    def test_attention_by_cudnn_is_refused_where_it_cannot_be(self):
        for arguments, word in ((("--precision", "fp32"), "no attention of fp32"),
                                (("--generate",), "own kernel")):
            result = self.vlmark("plan", "--attention", "cudnn", *arguments, exit_code=2)
            self.assertIn(word, result.stderr)
        result = self.vlmark("plan", program.QUICKSTART, "--attention", "cudnn", exit_code=2)
        self.assertIn("train.attention: is cudnn and model.precision is fp32", result.stderr)

    def test_of_an_answer(self):
        plan = self.plan("--model", "2B", "--generate", "--picture", "448x448", "--text-tokens", "40",
                         "--max-new-tokens", "24")
        self.assertEqual(plan["prompt_tokens"], 40 + 256)
        # Keys and values of 28 layers and two heads of 128, in bf16.
        self.assertEqual(plan["bytes"]["cache"], (296 + 24) * 28 * 2 * 256 * 2)
        self.assertAlmostEqual(plan["bytes"]["parameters"] / 4417971200, 1, delta=1e-3)
        # qwen2vl.md: 1.26 GFLOP a patch, 3.09 GFLOP a token, attention and merger besides.
        self.assertAlmostEqual(plan["flops"] / 2.26e12, 1, delta=0.01)
        text = self.vlmark("plan", "--model", "2B", "--generate").stdout
        self.assertTrue(text.startswith("2B: 2,208,985,600 parameters, bf16, 1024 prompt tokens, "
                                        "at most 64 new ones\n"), text)
        for word in ("parameters", "cache", "activations"):
            self.assertRegex(text, rf"(?m)^  {word} +\d+\.\d\d\d GB$")

    def test_of_a_run_description(self):
        plan = self.plan(program.QUICKSTART, "--ranks", "2", "--set", "train.steps=3")
        self.assertEqual((plan["model"], plan["parameters"]), ("nano", 10565760))
        self.assertIn("activations", plan["bytes"])

    def test_of_a_layout(self):
        whole = self.plan("--model", "7B")
        plan = self.plan("--model", "7B", "--layout", "tp2.pp2")
        self.assertEqual((plan["ranks"], plan["layout"]), (4, "tp2.pp2"))
        # Vision and embedding lie on the first stage, so it holds no exact quarter.
        self.assertTrue(0.2 < plan["bytes"]["parameters"] / whole["bytes"]["parameters"] < 0.35)
        result = self.vlmark("plan", "--model", "7B", "--layout", "tp3.pp2", exit_code=2)
        self.assertIn("layout tp3.pp2: tp3 does not divide", result.stderr)
        result = self.vlmark("plan", "--model", "7B", "--layout", "tp2", "--ranks", "3", exit_code=2)
        self.assertIn("needs 2 ranks, but the job has 3", result.stderr)
        text = self.vlmark("plan", "--model", "7B", "--layout", "tp2.pp2").stdout
        self.assertIn("bf16 over 4 ranks as tp2.pp2, 4 micro-batches a step\n", text)

    def machine(self, name, memory):
        """A machine of four ranks a node and round numbers."""
        path = pathlib.Path(program.SCRATCH) / f"{name}.toml"
        path.write_text(f"""name = "{name}"
launcher = "mpiexec"
ranks_per_node = 4
memory_bytes = {memory}
[rates]
gemm_f32 = 1e11
gemm_bf16 = 2e11
memory = 1e10
launch = 1e-6
[node]
latency = 1e-6
bandwidth = 1e9
[network]
latency = 1e-5
bandwidth = 1e8
""")
        return str(path)

    def test_a_ranking_holds_every_legal_layout_once(self):
        """The rules are those of docs/parallelism.md, written down a second time."""
        nano = {"heads": 2, "vit_heads": 4, "kv_heads": 1, "layers": 4}
        for ranks in (1, 2, 3, 6, 8):
            for batches in (ranks, 2 * ranks, 7):
                legal = set()
                for tp, pp, dp, v in itertools.product(range(1, ranks + 1), range(1, ranks + 1),
                                                       range(1, ranks + 1), range(1, 5)):
                    least, most = batches // dp, -(-batches // dp)
                    heads = nano["heads"] % tp == nano["vit_heads"] % tp == 0
                    group = v == 1 or (pp > 1 and all(
                        m >= pp and (m % pp == 0 or m % pp >= pp) for m in (least, most)))
                    if tp * pp * dp == ranks and pp * v <= nano["layers"] and heads and group \
                            and dp <= batches:
                        parts = (("dp", dp), ("tp", tp), ("pp", pp), ("v", v))
                        legal.add(".".join(f"{k}{n}" for k, n in parts if n > 1) or "dp1")
                plan = self.plan("--model", "nano", "--machine", self.machine("large", "1e12"),
                                 "--ranks", str(ranks), "--micro-batches", str(batches),
                                 "--text-tokens", "16")
                found = [layout["layout"] for layout in plan["layouts"]]
                self.assertEqual(len(found), len(set(found)))
                self.assertEqual(set(found), legal, (ranks, batches))
                times = [layout["step_s"] for layout in plan["layouts"]]
                self.assertEqual(times, sorted(times))
                for layout in plan["layouts"]:
                    self.assertLessEqual(layout["step_at_least_s"], layout["step_s"] * (1 + 1e-9))
                    self.assertEqual(sum(layout["bytes"].values()), layout["rank_bytes"])

    def test_what_fits_and_what_does_not(self):
        few = self.plan("--model", "2B", "--machine", self.machine("small", "8e9"),
                        "--text-tokens", "64")
        self.assertGreater(few["ranks"], 4)
        self.assertGreater(few["fitting"], 0)
        best = few["layouts"][0]
        self.assertTrue(best["fits"] and best["rank_bytes"] <= 8e9)
        self.assertEqual(few["launch"],
                         f"mpiexec -n {few['ranks']} vlmark run RUN.toml --set parallel.layout="
                         + best["layout"])
        less = self.plan("--model", "2B", "--machine", self.machine("small", "8e9"), "--ranks",
                         str(few["ranks"] // 2), "--text-tokens", "64", "--micro-batches",
                         str(few["ranks"] // 2))
        self.assertEqual((less["fitting"], less["launch"]), (0, ""))
        arguments = ("plan", "--model", "2B", "--machine", self.machine("small", "8e9"), "--layout",
                     "dp2")
        self.assertRegex(self.vlmark(*arguments).stdout,
                         r"does not fit: layout dp2, stage 0 of 1: needs \d+\.\d{3} GB, but has 8.000 "
                         r"GB, \d+\.\d{3} GB too few \(the largest item is optimizer with")
        none = self.vlmark("plan", "--model", "2B", "--machine", self.machine("tiny", "1e6"),
                           exit_code=2)
        self.assertIn("no layout fits on tiny", none.stderr)

    def test_bad_machines(self):
        result = self.vlmark("plan", "--machine", "none.toml", exit_code=3)
        self.assertIn("none.toml: cannot be read", result.stderr)
        path = pathlib.Path(program.SCRATCH) / "bad.toml"
        path.write_text("name = 3\nwidth = 2\n")
        result = self.vlmark("plan", "--machine", str(path), exit_code=2)
        for word in ("name is no text", "width is no key", "rates.memory is missing"):
            self.assertIn(word, result.stderr)

    def test_of_a_run_description_on_a_machine(self):
        machine = self.machine("host", "1e10")
        arguments = (program.QUICKSTART, "--machine", machine, "--set", "train.steps=2")
        one = self.plan(*arguments, "--layout", "pp2")
        self.assertEqual((one["layout"], one["ranks"], one["micro_batches"]), ("pp2", 2, 4))
        self.assertTrue(one["launch"].endswith(f"run {program.QUICKSTART} --set "
                                               "parallel.layout=pp2"))
        ranking = self.plan(*arguments, "--ranks", "2")
        self.assertEqual({c["layout"] for c in ranking["layouts"]}, {"dp2", "tp2", "pp2", "pp2.v2"})


if __name__ == "__main__":
    program.main()
