"""What `vlmark verify` and `vlmark recheck` find in a record, and what they cannot."""
import glob
import hashlib
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import unittest

try:
    import jsonschema
except ImportError:  # the interpreter has none: Debian's does (scripts/bootstrap)
    os.execv("/usr/bin/python3", ["/usr/bin/python3", "-B", *sys.argv])

import program

RESEAL = os.environ["VLMARK_RESEAL"]
SEED = 14


def files_of(folder):
    """Relative names of all files of a record."""
    found = (os.path.relpath(path, folder)
             for path in glob.glob(os.path.join(folder, "**"), recursive=True)
             if os.path.isfile(path))
    return sorted(found)


def table(folder, name):
    """First byte and length of a table in samples.h5."""
    with open(os.path.join(folder, "blocks.json"), encoding="utf-8") as file:
        return json.load(file)["samples.h5"]["tables"][name]


def rewrite(path, at, new):
    with open(path, "r+b") as file:
        file.seek(at)
        old = file.read(len(new))
        file.seek(at)
        file.write(new)
    return old


class RecordTest(program.ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.original = os.path.join(program.SCRATCH, "original")
        if not os.path.exists(cls.original):
            cls.ran = program.start([
                *program.MPIEXEC, "-n", "2", program.BINARY,
                *program.short_run(cls.original, 6, "verify.loss_ratio_limit=2",
                                   "output.export=false", "data.max_pixels=6272",
                                   "train.micro_batches=2")])
            assert cls.ran.returncode == 0, cls.ran.stdout + cls.ran.stderr
            RecordTest.line = cls.ran.stdout.splitlines()[-1]

    def copy(self):
        folder = program.fresh(os.path.join(program.SCRATCH, self.id().split(".")[-1]))
        shutil.copytree(self.original, folder)
        return folder

    def edit(self, folder, name, index, value):
        """Changes one fp64 of a table; gives what was there."""
        begin, size = table(folder, name)
        self.assertLess(8 * index, size)
        old = rewrite(os.path.join(folder, "samples.h5"), begin + 8 * index,
                      struct.pack("<d", value))
        return struct.unpack("<d", old)[0]

    def reseal(self, folder, *what):
        done = subprocess.run([RESEAL, folder, *what], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)


class Verify(RecordTest):
    def test_the_result_is_recomputed_to_the_last_byte(self):
        done = self.vlmark("verify", self.original)
        self.assertEqual(done.stdout.splitlines(), [self.line])
        with open(os.path.join(self.original, "result.json"), encoding="utf-8") as file:
            self.assertEqual(self.vlmark("verify", self.original, "--json").stdout, file.read())

    def test_a_flipped_byte_is_found_in_every_file(self):
        chance = random.Random(SEED)
        folder = self.copy()
        names = files_of(folder)
        self.assertGreaterEqual(
            set(names), {"samples.h5", "result.json", "events.jsonl", "topology.xml",
                         "env.allowlist.json", "manifest.sha256", "blocks.json"})
        for name in names:
            path = os.path.join(folder, name)
            size = os.path.getsize(path)
            for at in {0, size - 1, *(chance.randrange(size) for _ in range(4))}:
                old = rewrite(path, at, b"\0")
                rewrite(path, at, bytes([old[0] ^ 1 << chance.randrange(7)]))
                done = self.vlmark("verify", folder, exit_code=3)
                self.assertIn(name, done.stderr, f"byte {at} of {name}, seed {SEED}")
                if name not in ("manifest.sha256", "blocks.json"):
                    self.assertRegex(done.stderr, r"bytes \d+ to \d+")
                    first, last = (int(n) for n in done.stderr.split("in bytes ")[1]
                                   .split()[0:3:2])
                    self.assertTrue(first <= at <= last, done.stderr)
                rewrite(path, at, old)
        self.vlmark("verify", folder)

    def test_an_edited_sample_is_named_by_its_table(self):
        for name, index in (("/steps/loss", 3), ("/verification/value", 0)):
            folder = self.copy()
            old = self.edit(folder, name, index, 0.125)
            self.assertNotEqual(old, 0.125)
            done = self.vlmark("verify", folder, exit_code=3)
            self.assertIn("samples.h5: was changed in bytes", done.stderr)
            self.assertIn(name, done.stderr)

    def test_a_sealed_edit_does_not_give_the_stored_result(self):
        folder = self.copy()
        self.edit(folder, "/steps/loss", 5, 1.0)
        self.reseal(folder, "seals")
        done = self.vlmark("verify", folder, exit_code=3)
        self.assertIn("result.json: is not what the record gives: line ", done.stderr)

    def test_other_rules_are_refused_by_name(self):
        folder = self.copy()
        path = os.path.join(folder, "samples.h5")
        with open(path, "rb") as file:
            data = file.read()
        at = data.index(b"1.0", data.index(b"rules_version"))
        rewrite(path, at, b"9.7")
        self.reseal(folder, "seals")
        done = self.vlmark("verify", folder, exit_code=2)
        self.assertIn("judged by rules 9.7, this program knows 1.0", done.stderr)

    def test_a_run_that_did_not_end_is_incomplete(self):
        folder = self.copy()
        os.remove(os.path.join(folder, "samples.h5"))
        done = self.vlmark("verify", folder, exit_code=3)
        self.assertIn("incomplete: holds journals and no samples.h5", done.stderr)

    def test_what_is_no_record_is_said(self):
        done = self.vlmark("verify", os.path.join(program.SCRATCH, "absent"), exit_code=3)
        self.assertIn("absent: is no folder", done.stderr)
        done = self.vlmark("verify", os.path.dirname(self.original), exit_code=3)
        self.assertIn("holds no manifest.sha256", done.stderr)

    def test_the_seal_is_one_that_other_tools_read(self):
        with open(os.path.join(self.original, "manifest.sha256"), encoding="utf-8") as file:
            for line in file.read().splitlines():
                digest, name = line.split("  ")
                with open(os.path.join(self.original, name), "rb") as sealed:
                    self.assertEqual(hashlib.sha256(sealed.read()).hexdigest(), digest, name)


class Schema(RecordTest):
    def test_the_result_follows_its_schema_and_no_other_would(self):
        with open(os.path.join(program.SOURCE, "docs", "result.schema.json"),
                  encoding="utf-8") as file:
            schema = json.load(file)
        jsonschema.Draft202012Validator.check_schema(schema)
        valid = jsonschema.Draft202012Validator(schema).is_valid
        with open(os.path.join(self.original, "result.json"), encoding="utf-8") as file:
            text = file.read()
        self.assertTrue(valid(json.loads(text)),
                        list(jsonschema.Draft202012Validator(schema).iter_errors(json.loads(text))))
        for key in json.loads(text):
            for change in ("pop", "object"):
                result = json.loads(text)
                if change == "pop":
                    result.pop(key)
                else:
                    result[key] = {"other": 0}
                self.assertFalse(valid(result), f"{key}: {change}")


class Recheck(RecordTest):
    def test_other_layouts_and_ranks_agree(self):
        for ranks, *layout in ((None,), (2, "--layout", "pp2"), (2, "--layout", "tp2"),
                               (3, "--layout", "dp3")):
            if ranks == 3:  # two micro-batches are too few for three replicas: one message
                done = self.vlmark("recheck", self.original, *layout, ranks=ranks, exit_code=2)
                self.assertIn("micro", done.stderr)
                continue
            done = self.vlmark("recheck", self.original, "--steps", "3", "--seed", "5", *layout,
                               "--json", ranks=ranks)
            result = json.loads(done.stdout)
            self.assertTrue(result["agrees"], done.stdout)
            self.assertEqual(len(result["steps"]), 3)
            self.assertEqual(result["exact"], "tp2" not in layout)
            for step in result["steps"]:
                self.assertEqual(step["limit"] == 0, result["exact"])
                if result["exact"]:
                    self.assertEqual(step["loss"], step["recorded_loss"])

    def test_one_changed_loss_does_not_agree(self):
        folder = self.copy()
        begin, _ = table(folder, "/steps/loss")
        with open(os.path.join(folder, "samples.h5"), "rb") as file:
            file.seek(begin + 8 * 4)
            loss = struct.unpack("<d", file.read(8))[0]
        self.edit(folder, "/steps/loss", 4, loss * (1 + 1e-12))
        self.reseal(folder)
        # No seal and no rule can tell: the numbers agree with each other.
        self.vlmark("verify", folder)
        for ranks, *layout in ((None,), (2, "--layout", "pp2")):
            done = self.vlmark("recheck", folder, "--steps", "6", *layout, ranks=ranks, exit_code=5)
            rows = [line for line in done.stdout.splitlines() if line.endswith("DIFFERS")]
            self.assertEqual([row.split()[0] for row in rows], ["4"], done.stdout)
            self.assertIn("VLMARK RECHECK DIFFERS steps=6 of=6", done.stdout)
        # Within the tolerance of another tp it agrees; a loss one would lie about does not.
        self.edit(folder, "/steps/loss", 4, loss * 1.001)
        self.reseal(folder)
        self.vlmark("recheck", folder, "--steps", "6", "--layout", "tp2", ranks=2, exit_code=5)


class Challenge(RecordTest):
    def losses(self, folder):
        begin, size = table(folder, "/steps/loss")
        with open(os.path.join(folder, "samples.h5"), "rb") as file:
            return file.read()[begin:begin + size]

    def test_the_nonce_decides_weights_and_order(self):
        short = ("verify.loss_ratio_limit=2", "output.export=false", "data.max_pixels=3136",
                 "verify.replayed_steps=0")
        runs = {}
        for name, nonce in (("a", "centre 7, 2026"), ("b", "12345"), ("again", "12345")):
            folder = os.path.join(program.SCRATCH, "challenge-" + name)
            self.vlmark(*program.short_run(folder, 3, *short), "--challenge", nonce,
                        ranks=2 if name == "again" else None)
            self.vlmark("verify", folder)
            runs[name] = self.losses(folder)
        self.assertEqual(runs["b"], runs["again"])
        self.assertNotEqual(runs["a"][:8], runs["b"][:8])
        folder = os.path.join(program.SCRATCH, "challenge-b")
        self.vlmark("recheck", folder, "--challenge", "12345", "--steps", "1")
        done = self.vlmark("recheck", folder, "--challenge", "12346", exit_code=2)
        self.assertIn("answers the challenge '12345', asked was '12346'", done.stderr)
        done = self.vlmark("recheck", self.original, "--challenge", "12346", exit_code=2)
        self.assertIn("answers no challenge", done.stderr)
        done = self.vlmark(*program.short_run(folder + "-own", 3, "model.challenge=12345",
                                              "model.seed=1"), exit_code=2)
        self.assertIn("model.seed: is 1, but model.challenge decides", done.stderr)


class Series(RecordTest):
    def test_of_declared_launches(self):
        series = program.fresh(os.path.join(program.SCRATCH, "series"))
        arguments = program.short_run(series, 3, "verify.loss_ratio_limit=2",
                                      "output.export=false", "window.repetitions=2",
                                      "verify.replayed_steps=0")
        self.vlmark(*arguments)
        done = self.vlmark("verify", series, exit_code=5)
        self.assertIn('VLMARK SERIES INVALID rule=R11 detail="', done.stdout)
        self.assertIn("1 of the 2 runs declared", done.stdout)
        self.vlmark(*arguments)
        done = self.vlmark("verify", series)
        lines = done.stdout.splitlines()
        self.assertEqual([line.split()[1] for line in lines], ["RESULT", "RESULT", "SERIES"])
        self.assertRegex(lines[2], r"^VLMARK SERIES VALID official=no fom=train.positions_per_s "
                                   r"value=\S+ ci95=\[\S+\] min=\S+ max=\S+ cv=\S+ noisy=(yes|no) "
                                   r"n=2/2 failed=0 model=nano ")
        result = json.loads(self.vlmark("verify", series, "--json").stdout)
        foms = [run["value"] for run in result["runs"]["foms"]]
        self.assertAlmostEqual(result["fom"]["value"], sum(foms) / 2)
        self.assertEqual(result["fom"]["interval"]["method"], "Student t on log FOM")
        # A third is refused, and one that is taken away is missed.
        self.vlmark(*arguments, exit_code=3)
        os.rename(os.path.join(series, "run-1"), os.path.join(series, "best-left-out"))
        done = self.vlmark("verify", series, exit_code=5)
        self.assertIn("has run-2 but no run-1", done.stdout)


if __name__ == "__main__":
    program.main()
