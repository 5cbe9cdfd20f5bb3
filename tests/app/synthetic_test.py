"""Runs on synthetic documents are judged like any other: the same bits on other ranks and stages, checked
again by `recheck`, INVALID with a fault planted, and decided by a challenge."""
import json
import os

import program

SETTINGS = ("data.kind=synthetic", "data.samples=6", "data.text_tokens=24",
            "data.pictures=56x56, none, 112x56+56x56", "model.layers=2", "model.vision_depth=1",
            "train.micro_batches=3", "verify.loss_ratio_limit=2", "output.export=false",
            "output.overwrite=true", "train.steps=4", "train.warmup_steps=0")
NAME = "nano-2of4-layers-1of4-blocks"


class Synthetic(program.ProgramTest):
    def run_in(self, name, *settings, ranks=None, exit_code=0, more=()):
        folder = os.path.join(program.SCRATCH, name)
        done = self.vlmark(*program.short_run(folder, 4, *SETTINGS, *settings), "--json",
                           "--progress", "off", *more, ranks=ranks, exit_code=exit_code)
        return folder, json.loads(done.stdout)

    def manifest(self, folder):
        """Of the record, where it is a text of its own."""
        with open(os.path.join(folder, "samples.h5"), "rb") as file:
            data = file.read()
        start = data.index(b'{"model":{"hidden"')
        return json.JSONDecoder().raw_decode(data[start:].decode("utf-8", "replace"))[0]

    def test_layouts_agree_and_the_record_says_what_was_trained(self):
        folder, alone = self.run_in("alone")
        self.assertTrue(alone["valid"])
        self.assertEqual(alone["model"], NAME)
        manifest = self.manifest(folder)
        self.assertEqual(manifest["data"], "synthetic")
        # 4 and 8 + 4 merged patches beside 24 tokens of text.
        self.assertEqual([s["tokens"] for s in manifest["samples"]], [28, 24, 36] * 2)
        self.assertEqual([s["supervised"] for s in manifest["samples"]], [22, 23, 20] * 2)
        for layout in ("dp2", "pp2"):
            _, result = self.run_in(layout, f"parallel.layout={layout}", ranks=2)
            self.assertTrue(result["valid"])
            self.assertEqual(result["manifest_sha256"], alone["manifest_sha256"])
        done = self.vlmark("recheck", folder, "--steps", "4", "--layout", "pp2", "--json", ranks=2)
        again = json.loads(done.stdout)
        self.assertTrue(again["agrees"] and again["exact"], again)

    def test_other_data_is_another_figure_of_merit(self):
        hashes = {self.run_in("other", *settings)[1]["manifest_sha256"] for settings in (
            (), ("data.text_tokens=25",), ("data.pictures=56x56, none",), ("data.samples=7",))}
        self.assertEqual(len(hashes), 4)

    def test_a_challenge_decides_the_documents(self):
        _, result = self.run_in("challenge", more=("--challenge", "a nonce"))
        self.assertTrue(result["valid"])

    def test_a_planted_fault_is_found(self):
        _, result = self.run_in("fault", "test.fault=skipped_layer", exit_code=5)
        self.assertFalse(result["valid"])
        self.assertIn("R5", {c["rule"] for c in result["checks"] if not c["passed"]})

    def test_what_does_not_fit_together_is_refused(self):
        for setting, text in (("data.pictures=56", "it holds something that is no size"),
                              ("data.text_tokens=3", "data.text_tokens: 3 is below 6"),
                              ("control.grey=true", "made-up pictures have no captions"),
                              ("output.export=true", "there is no tokenizer to write"),
                              ("model.layers=5", "model.layers: 5 is above the 4 layers of nano")):
            done = self.vlmark(*program.short_run(os.path.join(program.SCRATCH, "bad"), 4, *SETTINGS,
                                                  setting), exit_code=2)
            self.assertIn(text, done.stderr)


if __name__ == "__main__":
    program.main()
