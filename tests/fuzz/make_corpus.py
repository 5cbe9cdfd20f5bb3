"""Writes the inputs that the fuzz targets begin with, into tests/fuzz/corpus.

    make_corpus.py PROGRAM

PROGRAM is the built fuzz_make_seeds, which writes a journal and a record; the rest is made here or
copied from the repository's test data. Pictures are not part of it: tests/data/pictures has them.
Run it again where a format gains a kind of file; the corpus is part of the repository.
"""

import json
import pathlib
import shutil
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CORPUS = HERE / "corpus"
sys.path.insert(0, str(ROOT / "tests/support"))
from byte_characters import byte_characters  # noqa: E402


def write(reader, name, data):
    folder = CORPUS / reader
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def safetensors():
    write("safetensors", "all_types", (ROOT / "tests/io/data/all_types.safetensors").read_bytes())

    def file(header, data):
        text = compact(header).encode()
        return struct.pack("<Q", len(text)) + text + data

    entry = lambda dtype, shape, begin, end: {"dtype": dtype, "shape": shape,
                                              "data_offsets": [begin, end]}
    write("safetensors", "two", file({"__metadata__": {"format": "pt"},
                                      "a": entry("F32", [1, 2], 0, 8),
                                      "b": entry("BF16", [], 8, 10)}, bytes(10)))
    write("safetensors", "empty_tensor", file({"e": entry("F64", [0, 3], 0, 0),
                                               "f": entry("F16", [2], 0, 4)}, bytes(4)))
    write("safetensors", "nothing", file({}, b""))


def index():
    shard = "model-0000%d-of-00002.safetensors"
    write("index", "two_shards", compact({"metadata": {"total_size": 16}, "weight_map": {
        "model.embed_tokens.weight": shard % 1, "model.norm.weight": shard % 2}}))
    write("index", "one_shard", compact({"weight_map": {"model.norm.weight": shard % 2}}))


def model_config():
    for path in sorted((ROOT / "tests/io/data").glob("config-*.json")):
        write("model_config", path.stem, compact(json.loads(path.read_text())))
    write("model_config", "generation", compact({
        "bos_token_id": 151643, "pad_token_id": 151643, "do_sample": True,
        "eos_token_id": [151645, 151643], "repetition_penalty": 1.0, "temperature": 0.01,
        "top_p": 0.001, "top_k": 1, "transformers_version": "4.41.2"}))
    write("model_config", "preprocessor", compact({
        "size": {"shortest_edge": 3136, "longest_edge": 12845056}, "patch_size": 14,
        "temporal_patch_size": 2, "merge_size": 2, "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.25, 0.25, 0.25], "do_resize": True, "resample": 3,
        "rescale_factor": 0.00392156862745098}))


def tokenizers():
    golden = ROOT / "tests/golden/tokenizer"
    write("tokenizer_json", "golden", (golden / "tokenizer.json").read_bytes())
    write("vocab_merges", "golden", (golden / "vocab.json").read_bytes() + b"\0" +
          (golden / "merges.txt").read_bytes())
    vocabulary = {character: i for i, character in enumerate(byte_characters())}
    merges = [["a", "b"], ["ab", "a"], ["\u0120", "ab"], ["a", "a"], ["aa", "aa"]]
    for left, right in merges:
        vocabulary[left + right] = len(vocabulary)
    text = json.dumps(vocabulary, separators=(",", ":"), ensure_ascii=False)
    write("vocab_merges", "small", text + "\0#version: 0.2\n" +
          "\n".join(" ".join(merge) for merge in merges) + "\n")
    file = json.loads((golden / "tokenizer.json").read_text())
    flags = ["single_word", "lstrip", "rstrip", "normalized", "special"]
    file["model"].update(vocab=vocabulary, merges=merges, ignore_merges=True)
    file["added_tokens"] = [
        {"id": len(vocabulary) + i, "content": f"<{flag}>", **{f: f == flag for f in flags}}
        for i, flag in enumerate(flags)]
    write("tokenizer_json", "flags", json.dumps(file, separators=(",", ":"), ensure_ascii=False))


def texts():
    lines = (ROOT / "tests/golden/tokenizer/vectors.jsonl").read_text().splitlines()
    for i, line in enumerate(lines):
        if i % 3 == 0 and json.loads(line)["text"]:
            write("text", f"vector_{i}", json.loads(line)["text"])
    write("text", "hangul", "\u1112\u1161\u11ab \ud55c\u11a7 e\u0323\u0301")
    write("text", "invalid", b"a\xed\xa0\x80\xff<|im_end|>")


def captions():
    write("captions", "two", compact([
        {"file": "a.jpg", "caption": "one", "rgb_sha256": "0" * 64},
        {"file": "b.png", "caption": "zw\u00f6lf", "source": {"page": [1, None, True]}}]))


def run_config():
    write("run_config", "quickstart", (ROOT / "configs/quickstart.toml").read_bytes())
    write("run_config", "overrides", "[model]\npreset = \"nano\"\nseed = 7\n\0train.steps=3"
          "\0train.learning_rate=1e-4\0output.folder=x y\0train.schedule=\"constant\"")
    write("run_config", "kinds", "# c\nmodel.preset = '''nano'''\n[train]\ndeterministic = false\n"
          "train_merger = \"default\"\neps = 1e-8\nsteps = 0x10\n[control]\ngrey = true\n"
          "[[unknown]]\nd = 1979-05-27T07:32:00Z\na = [1, {b = inf}]\n")


def main(program):
    shutil.rmtree(CORPUS, ignore_errors=True)
    for make in (safetensors, index, model_config, tokenizers, texts, captions, run_config):
        make()
    for reader in ("journal", "record"):
        (CORPUS / reader).mkdir()
    subprocess.run([program, CORPUS / "journal" / "every_record", CORPUS / "record" / "one_rank"],
                   check=True)
    # A loss that is a scalar, and the shortest list of edits.
    write("record", "scalar_loss", bytes([3, 0, 2, 0, 0, 0, 0]))
    write("record", "text_ranks", bytes([7, 5, 7, 2, 3, 6, 1, 27, 0, 4, 4, 0, 0, 0]))
    size = sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file())
    print(f"{size} bytes in {sum(path.is_file() for path in CORPUS.rglob('*'))} files")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
