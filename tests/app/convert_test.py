"""`vlmark convert` on the folder that a run exported, and with random weights."""
import filecmp
import json
import os
import tempfile

import program

MODEL = os.path.join(program.TRAINED, "model")


def files(folder):
    return sorted(os.listdir(folder))


class Convert(program.ProgramTest):
    def setUp(self):
        self.scratch = tempfile.mkdtemp()

    def convert(self, model, name, *arguments):
        out = os.path.join(self.scratch, name)
        return out, self.vlmark("convert", model, out, *arguments).stdout

    def answer(self, model, *arguments):
        return json.loads(self.vlmark("generate", "--model", model, "--image", program.CAT,
                                      "--max-new-tokens", "6", "--json", *arguments).stdout)

    def assert_same_folder(self, a, b):
        self.assertEqual(files(a), files(b))
        match, mismatch, errors = filecmp.cmpfiles(a, b, files(a), shallow=False)
        self.assertEqual((mismatch, errors), ([], []))
        self.assertGreater(len(match), 3)

    def test_there_and_back_is_byte_for_byte(self):
        there, said = self.convert(MODEL, "there", "--names", "nested", "--shard-size", "5MB")
        self.assertRegex(said, r"there: 105 tensors, 0\.042 GB, \d+ files\n$")
        self.assertGreater(len(files(there)), len(files(MODEL)))
        back, said = self.convert(there, "back", "--names", "original", "--shard-size", "1TB")
        self.assertRegex(said, "1 file\n$")
        self.assert_same_folder(MODEL, back)

    def test_every_form_gives_the_same_answer(self):
        expected = self.answer(MODEL)["tokens"]
        for i, arguments in enumerate((["--names", "nested"], ["--names", "bare"],
                                       ["--shard-size", "1200KB"])):
            out, _ = self.convert(MODEL, f"form{i}", *arguments)
            self.assertEqual(self.answer(out)["tokens"], expected, arguments)
        narrow, _ = self.convert(MODEL, "narrow", "--dtype", "bf16")
        result = self.answer(narrow)
        self.assertEqual(result["precision"], "bf16")
        self.assertEqual(result["tokens"], self.answer(MODEL, "--precision", "bf16")["tokens"])

    def test_random_weights_follow_from_the_seed(self):
        folders = [self.convert("nano", name, "--random-weights", seed)[0]
                   for name, seed in (("a", "7"), ("b", "7"), ("c", "8"))]
        self.assert_same_folder(*folders[:2])
        weights = [os.path.join(f, "model.safetensors") for f in folders]
        self.assertFalse(filecmp.cmp(weights[0], weights[2], shallow=False))
        result = self.answer(folders[0])
        self.assertEqual((result["precision"], len(result["tokens"])), ("bf16", 6))
        if "ASAN_OPTIONS" in os.environ:
            return  # a sanitizer keeps memory of its own
        # What was planned is what the system saw, but for the few megabytes of a program.
        self.assertLess(abs(result["peak_bytes"] - result["planned_peak_bytes"]), 25e6)

    def test_random_weights_keep_the_tokenizer_of_a_folder(self):
        out, _ = self.convert(MODEL, "random", "--random-weights", "1", "--dtype", "fp32")
        self.assertTrue(filecmp.cmp(os.path.join(MODEL, "tokenizer.json"),
                                    os.path.join(out, "tokenizer.json"), shallow=False))
        self.assertEqual(self.answer(out)["precision"], "fp32")


if __name__ == "__main__":
    program.main()
