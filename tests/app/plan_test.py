"""`vlmark plan` says what a run will need before anything is launched."""
import json

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


if __name__ == "__main__":
    program.main()
