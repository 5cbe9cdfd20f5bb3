"""`vlmark generate` on the folder that a run exported."""
import json
import os

import program

MODEL = os.path.join(program.TRAINED, "model")


class Generate(program.ProgramTest):
    def generate(self, *arguments):
        return self.vlmark("generate", "--model", MODEL, "--max-new-tokens", "6", *arguments)

    def test_text_and_json_say_the_same(self):
        text = self.generate("--image", program.CAT)
        result = json.loads(self.generate("--image", program.CAT, "--json").stdout)
        self.assertEqual(text.stdout, result["answer"] + "\n")
        self.assertLessEqual(len(result["tokens"]), 6)
        self.assertTrue(all(0 <= t < 526 for t in result["tokens"]))
        self.assertEqual(result["precision"], "fp32")  # as stored
        self.assertGreater(result["total_s"], 0)
        self.assertGreaterEqual(result["total_s"], result["first_token_s"])
        self.assertRegex(text.stderr, rf"{result['prompt_tokens']} prompt tokens, first token ")
        self.assertRegex(text.stderr, r"peak memory 0\.\d{3} GB, planned 0\.\d{3} GB\n")
        self.assertGreater(result["peak_bytes"], 42e6)
        self.assertLess(abs(result["peak_bytes"] - result["planned_peak_bytes"]), 25e6)

    def test_the_picture_stands_in_the_prompt(self):
        tokens = [json.loads(self.generate("--json", *image).stdout)["prompt_tokens"]
                  for image in ([], ["--image", program.CAT])]
        # 451 x 300 within 12,544 pixels: 6 x 9 patches become at most 15 tokens, and two mark them.
        self.assertGreater(tokens[1], tokens[0] + 4)
        self.assertLessEqual(tokens[1], tokens[0] + 18)

    def test_prompt_and_precision(self):
        result = json.loads(self.generate("--prompt", "Wie heißt die Katze? 猫", "--precision",
                                          "bf16", "--json").stdout)
        self.assertEqual(result["precision"], "bf16")

    def test_the_same_question_gets_the_same_answer(self):
        answers = {self.generate("--image", program.CAT).stdout for _ in range(2)}
        self.assertEqual(len(answers), 1)


if __name__ == "__main__":
    program.main()
