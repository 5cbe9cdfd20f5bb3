"""`vlmark report` of benchmark records: numbers as they are written, and files that are none."""
import copy
import json
import os
import xml.etree.ElementTree

from page import HOSTILE, PageTest
import program

MEDIAN = {"linear/a": 1e-3, "linear/b": 3e-3, "zero/c": 2e-6}


def kernel_row(name, seconds):
    flops = 0 if name.startswith("zero") else 2e6
    return {"name": name, "status": "ok", "kernel": name.split("/")[0], "layer": "vit",
            "model": HOSTILE, "tensor_ranks": 2, "precision": "fp32", "shape": "3x5x7",
            "counted_by": "recorder", "bound_by": "products", "flops": flops, "bytes": 4096,
            "error_over_allowed": 0.125, "flop_per_s": flops / seconds,
            "byte_per_s": 4096 / seconds, "roofline_percent": 62.5,
            "seconds": {"median": seconds, "min": seconds / 2, "max": seconds * 2, "samples": []}}


def collective_row(size):
    return {"name": f"all_reduce/{size}", "status": "ok", "collective": "all_reduce",
            "precision": "fp32", "ranks": 4, "bytes": size, "wrong_elements": 0,
            "algorithm_byte_per_s": size / 1e-5, "bus_byte_per_s": 1.5 * size / 1e-5,
            "rank_seconds_min": 1e-6, "rank_seconds_median": 5e-6, "rank_seconds_max": 1e-5,
            "seconds": {"median": 1e-5, "min": 9e-6, "max": 2e-5, "samples": []}}


def record(rows, rooflines):
    return {"schema": "vlmark.bench/1", "kind": "measured", "rules": "1.0", "future": HOSTILE,
            "program": "vlmark_bench", "started_utc": "2026-01-01T00:00:00Z",
            "ended_utc": "2026-01-01T00:01:00Z",
            "provenance": {"instruction_set": "avx2", "compute_library": "Kokkos", "cpu": HOSTILE,
                           "threads": 1, "ranks": 4, "compiler": "g++", "contracts": "on",
                           "arguments": ["--record", HOSTILE]},
            "rooflines": rooflines, "rows": rows}


KERNELS = record([*(kernel_row(n, s) for n, s in MEDIAN.items()),
                  {"name": "linear/large", "status": "skipped", "detail": f"too large {HOSTILE}"},
                  {"name": "linear/wrong", "status": "failed", "detail": "the result is wrong",
                   "error_over_allowed": None}],
                 {"gemm_fp32_flop_per_s": 4e9, "gemm_bf16_flop_per_s": 8e9, "copy_byte_per_s": 1e10})
COLLECTIVES = record([collective_row(8), collective_row(65536)], {})


class BenchReport(PageTest):
    def folder(self, name, content):
        folder = os.path.join(self.root, name)
        os.makedirs(folder)
        with open(os.path.join(folder, "bench.json"), "w", encoding="utf-8") as file:
            file.write(content if isinstance(content, str) else json.dumps(content))
        return folder

    def test_numbers_are_those_of_the_record(self):
        page = self.report(self.folder("k", KERNELS), self.folder("c", COLLECTIVES))
        ceilings = {cells[0]["text"]: cells[1]["value"] for where, cells in page.rows
                    if where == "ceilings" and cells[1]["value"]}
        self.assertEqual(sorted(ceilings.values()), [4e9, 8e9, 1e10])
        for row in KERNELS["rows"][:3]:
            cells = page.row("kernels", row["name"])
            self.assertEqual(
                [c["value"] for c in cells[:6]],
                [row["seconds"]["median"], row["seconds"]["max"],
                 row["flop_per_s"] or None, row["byte_per_s"], row["roofline_percent"], None])
            self.assertEqual(cells[6]["value"], row["error_over_allowed"])
        for row in COLLECTIVES["rows"]:
            cells = page.row("collectives", row["name"])
            self.assertEqual([c["value"] for c in cells[:5]],
                             [row["ranks"], row["bytes"], row["bus_byte_per_s"],
                              row["algorithm_byte_per_s"], row["seconds"]["median"]])
        names = [cells[0]["text"] for where, cells in page.rows if where == "no-speed"]
        self.assertEqual(names, ["case", "linear/wrong", "linear/large"])
        self.assertIn(HOSTILE, page.row("no-speed", "linear/large")[2]["text"])
        self.assertEqual([c["text"] for c in page.row("benchmarks", "processor")], [HOSTILE] * 2)

    def test_records_of_one_program_are_matched_by_name(self):
        other = copy.deepcopy(KERNELS)
        other["rows"][0] = kernel_row("linear/a", 4e-3)
        other["rows"][1] = {"name": "linear/b", "status": "failed", "detail": "wrong"}
        page = self.report(self.folder("base", KERNELS), self.folder("other", other))
        self.assertEqual([c["value"] for c in page.row("kernels", "linear/a")],
                         [1e-3, 62.5, 4e-3, 62.5, 4])
        self.assertEqual([c["text"] for c in page.row("kernels", "linear/b")[2:]], ["FAILED"])

    def test_the_same_record_twice_and_a_folder_of_records(self):
        self.folder("all/k", KERNELS)
        self.folder("all/c", COLLECTIVES)
        page = self.report(os.path.join(self.root, "all"))
        self.assertEqual([c["text"] for c in page.row("benchmarks", "cases timed")], ["2", "3"])
        folder = os.path.join(self.root, "all", "k")
        self.assertEqual(self.report(folder, folder).row("kernels", "linear/a")[4]["value"], 1)

    def test_figures_are_svg_files(self):
        figures = os.path.join(self.root, "figures")
        self.report(self.folder("k", KERNELS), self.folder("c", COLLECTIVES),
                    arguments=["--figures", figures])
        names = sorted(os.listdir(figures))
        self.assertEqual(names, ["collectives-c.svg", "kernel-percent-k.svg",
                                 "kernel-roofline-fp32-k.svg"])
        marks = []
        for name in names:
            root = xml.etree.ElementTree.parse(os.path.join(figures, name)).getroot()
            marks.append(len(root.findall("{http://www.w3.org/2000/svg}circle")))
        self.assertEqual(marks, [2, 3, 2])

    def test_what_was_said_of_it_is_printed(self):
        folder = self.folder("k", KERNELS)
        done = self.vlmark("report", folder, "--out", os.path.join(self.root, "r.html"))
        self.assertIn("k: 3 cases timed, 1 failed, 1 skipped", done.stdout)

    def test_what_is_no_record_is_refused_in_one_message(self):
        def changed(**keys):
            return {**KERNELS, **keys}
        for i, (content, text) in enumerate((
                (changed(schema="vlmark.bench/2"),
                 '\'schema\' is "vlmark.bench/2" (expected "vlmark.bench/1"'),
                ({k: v for k, v in KERNELS.items() if k != "rows"}, "'rows' is absent"),
                (changed(rows=[{**KERNELS["rows"][0], "flop_per_s": 7}]),
                 "'rows[0].flop_per_s' is 7 (expected work / seconds.median)"),
                (json.dumps(KERNELS)[:-9], "is not valid JSON"),
                ("[" * 100000, "bench.json"))):
            folder = self.folder(str(i), content)
            out = os.path.join(self.root, "r.html")
            done = self.vlmark("report", folder, "--out", out, exit_code=3)
            self.assertIn(text, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertFalse(os.path.exists(out))


if __name__ == "__main__":
    program.main()
