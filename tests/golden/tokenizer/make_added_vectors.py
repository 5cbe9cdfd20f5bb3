"""Vectors for added tokens with every combination of flags, some of which overlap.

Each line is one tokenizer: the small one of this folder with more added tokens, and random texts
with the ids that Hugging Face's `tokenizers` 0.22.2 gives. Texts are drawn by the functions of
scripts/compare_tokenizer; kept are the shortest that hold an added token next to white space.
Usage: make_added_vectors.py > added_vectors.jsonl
"""
import importlib.machinery
import importlib.util
import json
import pathlib
import random

HERE = pathlib.Path(__file__).resolve().parent
loader = importlib.machinery.SourceFileLoader(
    "compare_tokenizer", str(HERE.parent.parent.parent / "scripts/compare_tokenizer"))
compare = importlib.util.module_from_spec(
    importlib.util.spec_from_loader("compare_tokenizer", loader))
loader.exec_module(compare)

tokenizer = compare.reference(HERE)
rng = random.Random(5)
for _ in range(8):
    flagged, contents = compare.flagged(tokenizer, rng)
    known = json.loads(tokenizer.to_str())["added_tokens"]
    added = [token for token in json.loads(flagged.to_str())["added_tokens"] if token not in known]
    texts = {"".join(rng.choice((rng.choice(contents), rng.choice(compare.SPACES),
                                 rng.choice(compare.WORDS), compare.part(rng, contents)))
                     for _ in range(rng.randint(2, 6))) for _ in range(2000)}
    hard = sorted((text for text in texts if compare.is_text(text) and len(text) < 60 and
                   any(content + space in text or space + content in text
                       for content in contents for space in compare.SPACES)), key=len)
    cases = [{"text": text, "ids": compare.their_ids(flagged, text)}
             for text in sorted(rng.sample(hard, 30), key=len)]
    print(json.dumps({"added": added, "cases": [c for c in cases if c["ids"] != "panic"]}))
