"""`vlmark compare` on made results: every exit code, every bad input."""
import copy
import json
import os
import shutil

import program

MANIFEST = "5f" * 32
# The values that a run of the quick start writes.
RESULT = {"schema": 1, "rules": "1.0", "kind": "measured", "valid": True, "official": True,
          "flags": [],
          "fom": {"name": "train.positions_per_s", "value": 1000.0, "unit": "positions/s",
                  "better": "higher", "work": 1e6, "seconds": 1000.0},
          "model": "nano", "precision": "fp32", "tier": "baseline", "ranks": 2, "layout": "dp2",
          "instruction_set": "avx2", "manifest_sha256": MANIFEST,
          "repetition": {"index": 1, "declared": 6},
          "steps": {"window": 150, "excluded": 20, "median_s": 0.5, "cv": 0.01, "lag1": 0.1}}
STEADY = (-0.002, -0.001, 0.0, 0.0005, 0.001, 0.002)  # CV 0.14 %
LOOSE = tuple(25 * x for x in STEADY)  # CV 3.7 %


def changed(result, key, value):
    """With the value at a.b.c replaced; None removes it."""
    result = copy.deepcopy(result)
    *path, last = key.split(".")
    at = result
    for name in path:
        at = at[name]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return result


class Compare(program.ProgramTest):
    def setUp(self):
        self.root = os.path.join(program.SCRATCH, self.id().split(".")[-1])
        program.fresh(self.root)

    def write(self, folder, result, text=None):
        os.makedirs(os.path.join(self.root, folder))
        with open(os.path.join(self.root, folder, "result.json"), "w") as file:
            file.write(json.dumps(result) if text is None else text)

    def series(self, folder, value, spread=STEADY, declared=None, **keys):
        """A series folder; keys with _ for . change every result."""
        for index, deviation in enumerate(spread, 1):
            result = copy.deepcopy(RESULT)
            for key, new in keys.items():
                result = changed(result, key.replace("__", "."), new)
            result["fom"]["value"] = value * (1 + deviation)
            result["fom"]["seconds"] = result["fom"]["work"] / result["fom"]["value"]
            result["repetition"] = {"index": index, "declared": declared or len(spread)}
            self.write(f"{folder}/run-{index}", result)
        return os.path.join(self.root, folder)

    def compare(self, *arguments, exit_code):
        folders = [a if a.startswith("--") or a.replace(".", "").isdigit()
                   else os.path.join(self.root, a) for a in arguments]
        return self.vlmark("compare", *folders, exit_code=exit_code)

    def refused(self, *arguments, exit_code, says):
        done = self.compare(*arguments, exit_code=exit_code)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr.count("vlmark:"), 1, done.stderr)
        for text in says:
            self.assertIn(text, done.stderr)

    # Verdicts

    def test_equivalent(self):
        self.series("a", 1000)
        self.series("b", 1000.3)
        out = self.compare("a", "b", exit_code=0).stdout
        self.assertIn("A, base case", out)
        self.assertRegex(out, r"(?m)^  FOM, median +1000 positions/s +1001 positions/s$")
        self.assertIn("order statistics, covers 96.9 %", out)
        self.assertIn("noise floor       0.50 % (the least of R16", out)
        self.assertRegex(out, r"(?m)^  EQUIVALENT: B and A \(1000 positions/s\)")
        self.assertRegex(out.splitlines()[-1],
                         r"^VLMARK COMPARE EQUIVALENT fom=train\.positions_per_s ratio=1\.0003 "
                         r"ci95=\[\S+, \S+\] n=6,6 base=1000 noise=0\.0050 rules=1\.0$")

    def test_faster_slower_inconclusive(self):
        self.series("a", 1000)
        self.series("b", 1030)
        self.series("near", 1006)
        out = self.compare("a", "b", exit_code=10).stdout
        self.assertIn("FASTER: B is 1.0300 times as fast as A (1000 positions/s)", out)
        out = self.compare("b", "a", exit_code=11).stdout
        self.assertIn("SLOWER: B is 0.9709 times as fast as A (1030 positions/s)", out)
        out = self.compare("a", "near", exit_code=12).stdout
        self.assertRegex(out, r"INCONCLUSIVE: \d+ runs a side would say FASTER with power 0\.80")

    def test_lower_is_better(self):
        self.series("a", 1000, fom__name="single.p90_latency", fom__unit="s", fom__better="lower")
        self.series("b", 970, fom__name="single.p90_latency", fom__unit="s", fom__better="lower")
        out = self.compare("a", "b", exit_code=10).stdout
        self.assertIn("speed of B over A 1.0309 (a lower FOM is faster)", out)

    def test_more_runs_for_more_power(self):
        self.series("a", 1000)
        self.series("near", 1006)
        few, many = (json.loads(self.compare("a", "near", "--json", "--power", p,
                                             exit_code=12).stdout)["configurations"][0]
                     for p in ("0.8", "0.9"))
        self.assertGreater(many["runs_needed"], few["runs_needed"])

    def test_noise_of_an_a_a_series(self):
        self.series("a", 1000)
        self.series("b", 1030)
        self.series("aa", 700, spread=(-0.03, -0.01, 0, 0.01, 0.02))
        out = self.compare("a", "b", "--noise", "aa", exit_code=12).stdout
        self.assertIn("noise floor       3.09 % (spread of the A/A series)", out)

    def test_noisy_runs_give_no_verdict(self):
        self.series("a", 1000, spread=LOOSE)
        self.series("b", 1100, spread=LOOSE)
        self.series("aa", 1000)
        out = self.compare("a", "b", "--noise", "aa", exit_code=12).stdout
        self.assertIn("the runs are noisy", out)
        self.assertIn("no verdict below", out)

    def test_json(self):
        self.series("a", 1000)
        self.series("b", 1030)
        j = json.loads(self.compare("a", "b", "--json", exit_code=10).stdout)
        self.assertEqual((j["verdict"], j["fom"], j["geometric_mean"]["ratio"] > 1),
                         ("FASTER", "train.positions_per_s", True))
        pair = j["configurations"][0]
        self.assertEqual(pair["base"], "a")
        self.assertAlmostEqual(pair["a"]["median"], 1000.25)
        self.assertEqual(pair["b"]["coverage"], 0.96875)
        self.assertLess(pair["ci95"][0], pair["ratio"])
        self.assertEqual(pair["noise_floor"], 0.005)
        self.assertIsNone(pair["runs_needed"])

    def test_single_runs_and_several_folders(self):
        one = changed(RESULT, "repetition", {"index": 1, "declared": 1})
        for name, value in (("a", 1000.0), ("b", 1500.0), ("c", 1501.0), ("d", 1502.0),
                            ("e", 1001.0), ("f", 1002.0)):
            self.write(name, changed(changed(one, "fom.value", value), "fom.seconds", 1e6 / value))
        out = self.compare("a", "b", exit_code=12).stdout
        self.assertIn("a verdict needs at least 3 runs a side", out)
        self.assertIn("none (one run)", out)
        out = self.compare("a", "e", "f", "--with", "b", "c", "d", exit_code=10).stdout
        self.assertIn("n=3,3", out)
        self.assertIn("Student t on log FOM", out)
        self.refused("a", "b", "c", exit_code=2, says=["3 folders were given", "--with"])
        self.refused("a", exit_code=2, says=["1 folders were given"])

    def test_configurations_are_matched_and_corrected(self):
        for name, manifest, b in (("text", "00" * 32, 1000.2), ("pictures", "11" * 32, 1040)):
            self.series(f"a/{name}", 1000, manifest_sha256=manifest)
            self.series(f"b/{name}", b, manifest_sha256=manifest)
        out = self.compare("a", "b", exit_code=10).stdout
        self.assertIn("(Holm over 2)", out)
        self.assertRegex(out.splitlines()[-1],
                         r"^VLMARK COMPARE FASTER .*geometric_mean=1\.0199 ci95=\[.*configurations=2")
        self.assertRegex(out, r"(?m)^text: train")
        self.compare("b", "a", exit_code=11)
        shutil.rmtree(os.path.join(self.root, "b", "text"))
        self.refused("a", "b", exit_code=21,
                     says=["holds the configurations 'pictures' where A holds 'pictures', 'text'"])

    def test_one_failed_run_may_be_replaced(self):
        self.series("a", 1000, spread=(*STEADY, 0.0015), declared=6)
        self.series("b", 1030)
        os.remove(os.path.join(self.root, "a/run-3/result.json"))
        out = self.compare("a", "b", exit_code=10).stdout
        self.assertIn("6 of 6 declared, 1 failed", out)
        os.remove(os.path.join(self.root, "a/run-4/result.json"))
        self.refused("a", "b", exit_code=21, says=["2 of 7 launches have no result.json",
                                                   "a/run-3", "a/run-4"])

    def test_of_more_runs_the_median_window_counts(self):
        self.series("a", 1000, spread=(0, 0.001, 0.002, 0.003, 0.5), declared=3)
        self.series("b", 1000, spread=(0.001, 0.002, 0.003))
        j = json.loads(self.compare("a", "b", "--json", exit_code=0).stdout)
        self.assertEqual(len(j["configurations"][0]["a"]["runs"]), 3)
        self.assertAlmostEqual(j["configurations"][0]["a"]["max"], 1003)

    # Not comparable

    def test_what_must_be_equal(self):
        self.series("a", 1000)
        for key, value in (("fom__name", "train.samples_per_s"), ("fom__unit", "samples/s"),
                           ("fom__better", "lower"), ("rules", "1.1"), ("model", "2B"),
                           ("manifest_sha256", "60" * 32), ("precision", "bf16"),
                           ("tier", "ported")):
            self.series(key, 1000, **{key: value})
            name = key.replace("__", ".")
            old = RESULT[name] if name in RESULT else RESULT["fom"][name.split(".")[1]]
            self.refused("a", key, exit_code=20,
                         says=[f"'{name}' is {value} where ", f" has {old}",
                               f"{key}/run-1/result.json", "a/run-1/result.json"])
        self.refused("a", "rules", exit_code=20, says=["'rules' is 1.1 where"])

    def test_rules_of_another_version(self):
        for name in "ab":
            self.series(name, 1000, rules="0.9")
        self.refused("a", "b", exit_code=20, says=["'rules' is 0.9", "by rules 1.0"])

    def test_runs_of_a_series_that_differ(self):
        self.series("a", 1000)
        self.series("b", 1000)
        path = os.path.join(self.root, "b/run-4/result.json")
        for key, value, code in (("precision", "bf16", 20), ("ranks", 4, 21), ("layout", "tp2", 21),
                                 ("instruction_set", "avx512", 21)):
            shutil.rmtree(os.path.dirname(path))
            self.write("b/run-4", changed(changed(RESULT, "repetition.index", 4), key, value))
            self.refused("a", "b", exit_code=code, says=[f"run-4/result.json: '{key}' is {value}"])

    def test_noise_of_something_else(self):
        self.series("a", 1000)
        self.series("b", 1000)
        self.series("other", 1000, precision="bf16")
        self.refused("a", "b", "--noise", "other", exit_code=20, says=["'precision' is bf16"])
        self.series("wide", 1000, ranks=8, layout="dp8")
        self.refused("a", "b", "--noise", "wide", exit_code=21, says=["neither A's nor B's"])

    # Invalid input

    def test_runs_that_are_none(self):
        self.series("a", 1000)
        for key, value, says in (("valid", False, "'valid' is false, the run is INVALID"),
                                 ("kind", "projected", "'kind' is \"projected\""),
                                 ("kind", "emulated", "'kind' is \"emulated\"")):
            self.series(f"{key}-{value}", 1000, **{key: value})
            self.refused("a", f"{key}-{value}", exit_code=21, says=[says, "run-1/result.json"])
            self.refused(f"{key}-{value}", "a", exit_code=21, says=[says])

    def test_fewer_runs_than_declared(self):
        self.series("a", 1000)
        self.series("b", 1000, spread=STEADY[:5], declared=6)
        self.refused("a", "b", exit_code=21, says=["b: 5 of the 6 runs declared"])
        self.refused("a", "a/run-2", exit_code=21, says=["run-2: 1 of the 6 runs declared"])
        os.remove(os.path.join(self.root, "b/run-2/result.json"))
        self.refused("a", "b", exit_code=21, says=["b: 4 of the 6 runs declared"])

    def test_launches_that_are_hidden_or_copied(self):
        self.series("a", 1000)
        self.series("b", 1000, spread=(*STEADY, 0), declared=6)
        shutil.rmtree(os.path.join(self.root, "b/run-4"))
        self.refused("a", "b", exit_code=21, says=["has run-5 but no run-4"])
        shutil.rmtree(os.path.join(self.root, "a/run-5"))
        shutil.copytree(os.path.join(self.root, "a/run-6"), os.path.join(self.root, "a/run-5"))
        self.refused("a", "b", exit_code=21, says=["'repetition.index' is 6, as in another run"])

    def test_folders_that_are_none(self):
        self.series("a", 1000)
        self.refused("a", "absent", exit_code=21, says=["absent: cannot be read: No such file"])
        os.makedirs(os.path.join(self.root, "empty"))
        self.refused("a", "empty", exit_code=21, says=["empty: holds neither result.json nor run-1"])
        os.makedirs(os.path.join(self.root, "failed/journals"))
        self.refused("a", "failed", exit_code=21, says=["failed: holds neither", "Launch it again"])
        self.refused("a/run-1/result.json", "a", exit_code=21, says=["cannot be read: Not a direc"])
        for index in (1, 2):
            os.makedirs(os.path.join(self.root, f"dead/run-{index}"))
        self.refused("a", "dead", exit_code=21, says=["2 of 2 launches have no result.json"])

    def test_results_that_cannot_be_read(self):
        self.series("a", 1000)
        text = json.dumps(changed(RESULT, "repetition.declared", 1))
        for name, bad, says in (("cut", text[:100], "is not valid JSON"),
                                ("no-json", "VALID", "is not valid JSON"),
                                ("empty", "", "is not valid JSON"),
                                ("list", "[]", "'schema' is absent"),
                                ("twice", text.replace('{"schema"', '{"valid": true, "schema"'),
                                 "the key 'valid' stands twice"),
                                ("deep", "[" * 100 + "]" * 100, "nest")):
            self.write(name, None, text=bad)
            self.refused("a", name, exit_code=21, says=[f"{name}/result.json", says])
        for key, value in (("schema", 2), ("schema", "1"), ("valid", "yes"), ("valid", None),
                           ("fom", None), ("fom", 7), ("fom.value", -1), ("fom.value", 0),
                           ("fom.value", "fast"), ("fom.value", 1001.0), ("fom.better", "faster"),
                           ("fom.seconds", None), ("flags", "noisy"), ("flags", [1]),
                           ("ranks", 0), ("ranks", 2.5), ("ranks", 1 << 40),
                           ("manifest_sha256", "5f"), ("precision", ""), ("tier", None),
                           ("repetition.declared", 0), ("repetition.index", None),
                           ("steps.window", 0), ("steps.cv", -0.1), ("steps.lag1", 2),
                           ("kind", "guessed"), ("steps.median_s", [])):
            name = f"{key}-{value}"[:40]
            self.write(name, changed(changed(RESULT, "repetition.declared", 1), key, value))
            shown = "absent" if value is None else json.dumps(value)
            if key == "fom" and value is None:
                key = "fom.name"
            elif key == "fom":
                key, shown = "fom.name", "absent"
            self.refused("a", name, exit_code=21, says=[f"'{key}' is {shown} (expected "])


if __name__ == "__main__":
    program.main()
