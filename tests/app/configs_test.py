"""Every run description in configs/ is accepted by `vlmark plan`, says first which machine it suits, and
the memory it claims is what is planned. Those of reduced size run here."""
import glob
import json
import os
import re

import program

ALL = sorted(glob.glob(os.path.join(program.SOURCE, "configs", "*.toml")))
H100 = os.path.join(program.SOURCE, "configs", "machines", "h100.toml")
# Least free memory, in GB, that a test of these needs.
MEMORY = {"2b": 6, "7b": 12}
REDUCED = {"train-2b-2layers-text": "2B-2of28-layers-1of32-blocks-16384of151936-tokens",
           "train-2b-2layers-mixed": "2B-2of28-layers-1of32-blocks-16384of151936-tokens",
           "train-7b-1layer-text": "7B-1of28-layers-1of32-blocks-16384of152064-tokens",
           "train-7b-1layer-mixed": "7B-1of28-layers-1of32-blocks-16384of152064-tokens"}


def header(path):
    lines = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#"):
                break
            lines.append(line[1:].strip())
    return " ".join(lines)


def free_gigabytes():
    with open("/proc/meminfo", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("MemAvailable")) / 1e6

WIDTHS = os.environ.get("VLMARK_WIDTHS", "2b").split(",")  # that are run, not only planned


class Configs(program.ProgramTest):
    def plan(self, *arguments):
        return json.loads(self.vlmark("plan", *arguments, "--json").stdout)

    def test_all_sizes_are_there(self):
        names = {os.path.basename(path) for path in ALL}
        for size in ("2b", "7b", "72b"):
            for data in ("text", "mixed"):
                for kind in ("quick", "official"):
                    self.assertIn(f"train-{size}-{data}-{kind}.toml", names)

    def test_plan_accepts_every_file(self):
        for path in ALL:
            with self.subTest(path):
                self.assertGreater(self.plan(path)["arena_bytes"], 0)
                self.assertGreater(len(header(path)), 60, "says nothing of itself")

    def test_headers_tell_what_is_planned(self):
        for path in ALL:
            claim = re.search(r"For (?:one node|(\d+) nodes) of 8 GPUs with 80 GB: ([\d.]+) GB a rank "
                              r"as (\S+) ", header(path))
            if not claim:
                self.assertNotRegex(path, r"-(quick|official)\.toml$")
                continue
            with self.subTest(path):
                plan = self.plan(path, "--machine", H100)
                self.assertTrue(plan["fits"])
                self.assertEqual(8 * int(claim[1] or 1), plan["ranks"])
                self.assertEqual(claim[3], plan["layout"])
                self.assertAlmostEqual(float(claim[2]), plan["rank_bytes"] / 1e9, delta=0.06)

    def test_official_is_what_it_says(self):
        for path in ALL:
            with open(path, encoding="utf-8") as file:
                official = "official = true" in file.read()
            self.assertEqual(official, path.endswith("-official.toml"), path)

    def run_reduced(self, name):
        """A few steps, and what the record says of the model."""
        width = name.split("-")[1]
        if width not in WIDTHS:
            self.skipTest(f"the widths of {width} have a test of their own")
        least = MEMORY[width]
        if free_gigabytes() < least:
            self.skipTest(f"less than {least} GB of memory are free")
        folder = os.path.join(program.SCRATCH, name)
        sets = ("train.steps=3", "train.untimed_steps=1", "data.text_tokens=32", "data.samples=2",
                "train.micro_batches=1", "verify.replayed_steps=0", "verify.loss_ratio_limit=2",
                f"output.folder={folder}")
        done = self.vlmark("run", f"configs/{name}.toml", "--progress", "off",
                           *(a for s in sets for a in ("--set", s)), within=300)
        line = done.stdout.splitlines()[-1]
        self.assertRegex(line, r"^VLMARK RESULT VALID official=no ")
        self.assertIn(f" model={REDUCED[name]} ", line)
        self.vlmark("verify", folder)
        with open(os.path.join(folder, "result.json"), encoding="utf-8") as file:
            self.assertEqual(json.load(file)["model"], REDUCED[name])

    def test_the_widths_of_2b_on_text(self):
        self.run_reduced("train-2b-2layers-text")

    def test_the_widths_of_2b_on_text_and_pictures(self):
        self.run_reduced("train-2b-2layers-mixed")

    def test_the_widths_of_7b_on_text(self):
        self.run_reduced("train-7b-1layer-text")

    def test_the_widths_of_7b_on_text_and_pictures(self):
        self.run_reduced("train-7b-1layer-mixed")


if __name__ == "__main__":
    program.main()
