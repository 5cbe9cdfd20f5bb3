"""A training step at the widths of 2B, with pictures and text, takes the memory that was planned:
VmHWM of each rank, above what it was before set-up, lies within 5 % of the plan. Every layout runs in
processes of its own, because a process keeps its peak."""
import json
import os
import shutil
import struct
import tempfile
import unittest

import program

MEMORY = 6  # record type of a journal (src/io/journal_records.hpp)

STATES_IN_BF16 = ("model.precision=bf16", "optimizer.state=bf16")


def memory_of(path):
    """Of a rank's journal (src/io/journal.hpp): planned bytes, those measured in training, and those
    at the end of verification."""
    with open(path, "rb") as file:
        data = file.read()
    at, found = 0, {}
    while at < len(data):
        length, kind = struct.unpack_from("<II", data, at)
        if kind == MEMORY:
            category, = struct.unpack_from("<I", data, at + 8)
            name = data[at + 12:at + 12 + category].decode()
            found[name] = struct.unpack_from("<qq", data, at + 8 + 4 + category)
        at += 12 + length
    planned, measured = found["total"]
    return planned, measured, found["total, with verification"][1]


@unittest.skipIf(program.SLOWDOWN > 1, "the memory of a sanitizer is not planned")
class Memory(program.ProgramTest):
    @classmethod
    def setUpClass(cls):
        """Two layers and one ViT block with 2B's widths, and two captions of 80 tokens."""
        cls.scratch = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.scratch)
        cls.model = os.path.join(cls.scratch, "model")
        narrow, wide = (os.path.join(cls.scratch, name) for name in ("narrow", "wide"))
        tokenizer = os.path.join(program.SOURCE, "configs", "tokenizer-nano")
        run = cls("vlmark").vlmark
        random = ("--random-weights", "1", "--tokenizer", tokenizer)
        run("convert", "nano", narrow, *random)
        with open(os.path.join(narrow, "config.json"), encoding="utf-8") as file:
            config = json.load(file)
        config.update(hidden_size=1536, intermediate_size=8960, num_attention_heads=12,
                      num_key_value_heads=2, num_hidden_layers=2, max_window_layers=2,
                      vocab_size=2048)
        config["vision_config"].update(depth=1, embed_dim=1280, num_heads=16, hidden_size=1536)
        os.mkdir(wide)
        with open(os.path.join(wide, "config.json"), "w", encoding="utf-8") as file:
            json.dump(config, file)
        run("convert", wide, cls.model, *random)

        media = os.path.join(program.SOURCE, "configs", "media")
        with open(os.path.join(media, "captions.json"), encoding="utf-8") as file:
            captions = json.load(file)[:2]
        for caption in captions:
            caption["file"] = os.path.join(media, caption["file"])
            caption["caption"] = (caption["caption"] * 3)[:80]
        with open(os.path.join(cls.scratch, "captions.json"), "w", encoding="utf-8") as file:
            json.dump(captions, file)

    def check(self, ranks, layout, micro_batches, *settings):
        folder = os.path.join(self.scratch, "run")
        every = ["model.preset=", f"model.folder={self.model}", f"data.folder={self.scratch}",
                 "data.min_pixels=50176", "data.max_pixels=50176", "train.micro_batch_samples=1",
                 f"train.micro_batches={micro_batches}", f"parallel.layout={layout}",
                 "output.export=false", "verify.loss_ratio_limit=2"]
        self.vlmark(*program.short_run(folder, 1, *every, *settings), ranks=ranks)
        for rank in range(ranks):
            planned, measured, whole = memory_of(
                os.path.join(folder, "journals", f"rank-{rank:05d}.journal"))
            print(f"{layout} rank {rank}: planned {planned / 1e9:.3f} GB, measured "
                  f"{measured / 1e9:.3f} GB, {100 * (measured / planned - 1):+.2f} %, with verification "
                  f"{whole / 1e9:.3f} GB", flush=True)
            self.assertGreater(planned, 4e8)
            self.assertLess(abs(measured / planned - 1), 0.05, f"{layout}, rank {rank}")
            # Models of the verification size, whatever the run's (verification::kMostBytes).
            self.assertLess(whole, measured + 300e6, f"{layout}, rank {rank}")

    def test_one_rank(self):
        self.check(1, "dp1", 1, *STATES_IN_BF16)

    def test_replicas(self):
        self.check(2, "dp2", 2)

    def test_tensor_ranks(self):
        self.check(2, "tp2", 1, *STATES_IN_BF16)

    def test_stages(self):
        self.check(2, "pp2", 2)


if __name__ == "__main__":
    program.main()
