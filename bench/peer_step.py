"""Training steps of a case that vlmark_step wrote, in PyTorch and transformers: one JSON object.

    python peer_step.py CASE --precision fp32 --steps 3 --threads 2

CASE holds config.json and weights as Hugging Face has them, batch.json and pixels.f32
(bench/case_folder.hpp). A step is forward, backward, clipping of the gradient's norm and AdamW; the
loss is the mean over the supervised tokens. Attention is `sdpa`, AdamW the fused one, weights decay
where they have two or more dimensions. Precisions:

    fp32         weights, gradients and moments
    bf16         weights, gradients and moments
    bf16-master  weights and gradients in bf16; master weights and moments in fp32

`gemm_peak` is the FLOP/s of a square product in the weights' type, the better of one before and one
after the steps. THP_MEM_ALLOC_ENABLE=1 in the environment asks PyTorch for huge pages.
"""
import argparse
import json
import os
import time
from importlib.metadata import version


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case")
    parser.add_argument("--precision", choices=["fp32", "bf16", "bf16-master"], default="fp32")
    parser.add_argument("--steps", type=int, default=3, help="timed, after one that warms up")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--gemm-peak", type=int, default=4096, metavar="SIZE")
    return parser.parse_args()


def gemm_rate(torch, dtype, size):
    x, w = (torch.rand(size, size).to(dtype) for _ in range(2))
    best = float("inf")
    with torch.no_grad():
        for other in (w.t(), w):
            for _ in range(3):  # the first warms up
                begin = time.perf_counter()
                torch.mm(x, other)
                best = min(best, time.perf_counter() - begin)
    return 2 * size ** 3 / best


def inputs(torch, folder, model, dtype):
    """Keyword arguments of the forward pass, and the number of supervised tokens."""
    with open(os.path.join(folder, "batch.json"), encoding="utf-8") as file:
        batch = json.load(file)
    ids, labels = torch.tensor([batch["ids"]]), torch.tensor([batch["labels"]])
    grids = torch.tensor(batch["grids"]) if batch["grids"] else None
    positions, _ = model.model.get_rope_index(ids, grids)
    call = {"input_ids": ids, "labels": labels, "position_ids": positions, "use_cache": False}
    if grids is not None:
        with open(os.path.join(folder, "pixels.f32"), "rb") as file:
            pixels = torch.frombuffer(bytearray(file.read()), dtype=torch.float32)
        patches = int(grids.prod(dim=1).sum())
        call.update(pixel_values=pixels.view(patches, -1).to(dtype), image_grid_thw=grids)
    return call, int((labels[:, 1:] != -100).sum()), batch["settings"]


class Step:
    """Model, optimizer and one batch."""

    def __init__(self, torch, folder, precision):
        from transformers import Qwen2VLForConditionalGeneration
        self.torch = torch
        dtype = torch.float32 if precision == "fp32" else torch.bfloat16
        self.model = Qwen2VLForConditionalGeneration.from_pretrained(
            folder, dtype=dtype, attn_implementation="sdpa").train()
        self.call, supervised, self.settings = inputs(torch, folder, self.model, dtype)
        self.call["num_items_in_batch"] = supervised
        self.weights = list(self.model.parameters())
        master = precision == "bf16-master"
        self.master = [w.detach().float() for w in self.weights] if master else self.weights
        decay = self.settings["weight_decay"]
        self.optimizer = torch.optim.AdamW(
            [{"params": [w for w in self.master if w.ndim >= 2], "weight_decay": decay},
             {"params": [w for w in self.master if w.ndim < 2], "weight_decay": 0.0}],
            lr=self.settings["learning_rate"], betas=tuple(self.settings["betas"]),
            eps=self.settings["eps"], fused=True)

    def run(self):
        """One step: seconds, processor seconds and loss."""
        begin, processor = time.perf_counter(), time.process_time()
        loss = self.model(**self.call).loss
        loss.backward()
        if self.master is not self.weights:
            for m, w in zip(self.master, self.weights):
                m.grad = None if w.grad is None else w.grad.float()
        self.torch.nn.utils.clip_grad_norm_(self.master, self.settings["clip_norm"])
        self.optimizer.step()
        if self.master is not self.weights:
            with self.torch.no_grad():
                self.torch._foreach_copy_(self.weights, self.master)
        for w in [*self.weights, *self.master]:
            w.grad = None
        return (time.perf_counter() - begin, time.process_time() - processor,
                float(loss.detach()))


def main():
    options = parse()
    import torch
    torch.set_num_threads(options.threads)
    step = Step(torch, options.case, options.precision)
    dtype = step.weights[0].dtype
    peak = gemm_rate(torch, dtype, options.gemm_peak)
    runs = [step.run() for _ in range(options.steps + 1)]
    print(json.dumps({
        "torch": torch.__version__, "transformers": version("transformers"),
        "threads": torch.get_num_threads(), "precision": options.precision,
        "capability": torch.backends.cpu.get_cpu_capability(),
        "huge_pages": os.environ.get("THP_MEM_ALLOC_ENABLE") == "1",
        "seconds": [run[0] for run in runs[1:]], "cpu_seconds": [run[1] for run in runs[1:]],
        "first_loss": runs[0][2], "loss": runs[-1][2],
        "gemm_peak": max(peak, gemm_rate(torch, dtype, options.gemm_peak))}))


if __name__ == "__main__":
    main()
