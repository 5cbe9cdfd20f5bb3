"""`vlmark report`: one HTML file about runs in any state, read as a browser and as a program would."""
import json
import os
import re
import shutil
import xml.etree.ElementTree

import program
from page import HOSTILE, PageTest


class Report(PageTest):
    @classmethod
    def setUpClass(cls):
        cls.run_folder = os.path.join(program.SCRATCH, "results")
        for folder, ranks, settings in (("good", 2, ["verify.loss_ratio_limit=2"]),
                                        ("invalid", 1, ["verify.loss_ratio_limit=1e-9"])):
            launcher = program.MPIEXEC + ["-n", str(ranks)]
            done = program.start([*launcher, program.BINARY, *program.short_run(
                os.path.join(cls.run_folder, folder), 4, "output.export=false",
                "train.untimed_steps=1", f"data.prompt={HOSTILE}", *settings)])
            expected = 5 if folder == "invalid" else 0
            assert done.returncode == expected, done.stdout + done.stderr

    def folder(self, name):
        return os.path.join(self.run_folder, name)

    def result(self, name):
        with open(os.path.join(self.folder(name), "result.json")) as file:
            return json.load(file)

    def copied(self, source, name):
        target = os.path.join(self.root, name)
        shutil.copytree(self.folder(source), target)
        return target

    def test_numbers_are_those_of_the_result(self):
        page, result = self.report(self.folder("good")), self.result("good")
        self.assertIn("VALID", page.text)
        self.assertNotIn("INVALID", page.text)
        expected = {"value": result["fom"]["value"], "work": result["fom"]["work"],
                    "time of the window": result["fom"]["seconds"]}
        expected |= {"steps": result["steps"]["window"],
                     "untimed steps before": result["steps"]["excluded"]}
        for label, key in (("mean", "mean_s"), ("median", "median_s"), ("5 % quantile", "p5_s"),
                           ("95 % quantile", "p95_s"), ("99 % quantile", "p99_s"),
                           ("least", "min_s"), ("largest", "max_s"),
                           ("coefficient of variation", "cv"), ("lag-1 autocorrelation", "lag1")):
            expected[label] = result["steps"][key]
        for label, value in expected.items():
            self.assertEqual(page.row("numbers", label)[0]["value"], value, label)
        self.assertEqual(page.row("numbers", "manifest, SHA-256")[0]["text"],
                         result["manifest_sha256"])

    def test_every_check_has_its_value_and_limit(self):
        page, result = self.report(self.folder("good")), self.result("good")
        shown = [cells for where, cells in page.rows if where == "checks"][1:]
        for check in result["checks"]:
            cells = page.row("checks", f"{check['rule']} {check['item']}")
            self.assertEqual([cells[0]["value"], cells[1]["value"], cells[2]["text"]],
                             [check["value"], check["limit"], "passed"])
        self.assertEqual(len(shown), len({(c["rule"], c["item"]) for c in result["checks"]}))

    def test_every_rank_has_its_steps(self):
        page = self.report(self.folder("good"))
        for rank in (0, 1):
            cells = page.row("step-times", f"rank {rank}")
            self.assertEqual([c["value"] for c in cells[:2]], [4, 1])
        self.assertEqual(len(page.row("step-times", "0 (untimed)")), 2)
        self.assertEqual(len(page.row("step-times", "3")), 2)
        for part in ("vit", "merger", "decoder", "head"):
            self.assertRegex(page.row("roofline", part)[3]["text"], r"^[\d.]+\s%$")
        self.assertNotIn("No roofline", page.text)

    def test_an_invalid_run_is_shown_with_its_rule(self):
        page = self.report(self.folder("invalid"))
        self.assertIn("INVALID", page.text)
        self.assertIn("Rule V5 failed: last / first loss is ", page.text)
        self.assertIn("The figure is no result", page.text)
        self.assertEqual(page.row("checks", "V5 last / first loss")[2]["text"], "FAILED")

    def test_side_by_side_each_is_a_column(self):
        page = self.report(self.folder("good"), self.folder("invalid"))
        good, invalid = self.result("good"), self.result("invalid")
        self.assertEqual([c["value"] for c in page.row("numbers", "value")],
                         [good["fom"]["value"], invalid["fom"]["value"]])
        self.assertEqual([c["text"] for c in page.row("numbers", "verdict")], ["VALID", "INVALID"])
        self.assertEqual([c["value"] for c in page.row("numbers", "ranks")], [2, 1])
        cells = page.row("configuration", "verify.loss_ratio_limit")
        self.assertEqual([float(c["text"]) for c in cells], [2.0, 1e-9])

    def test_a_folder_of_results_shows_all_of_them(self):
        page = self.report(self.run_folder)
        self.assertEqual([c["text"] for c in page.row("numbers", "verdict")], ["VALID", "INVALID"])

    def test_hostile_texts_are_texts(self):
        hostile = self.copied("good", "<img src=x onerror=alert(1)>&\"'")
        page = self.report(hostile, arguments=["--figures", os.path.join(self.root, "figures")])
        self.assertIn("<img src=x onerror=alert(1)>&\"'", page.text)
        self.assertIn("alert('x')", page.row("configuration", "data.prompt")[0]["text"])
        for name in os.listdir(os.path.join(self.root, "figures")):
            self.assertRegex(name, r"^[\w.-]+\.svg$")

    def test_figures_are_svg_files(self):
        figures = os.path.join(self.root, "figures")
        self.report(self.folder("good"), arguments=["--figures", figures])
        names = sorted(os.listdir(figures))
        self.assertEqual(names, [f"{kind}-good.svg" for kind in
                                 ("imbalance", "memory", "phases", "roofline", "step-times",
                                  "trace")])
        for name in names:
            root = xml.etree.ElementTree.parse(os.path.join(figures, name)).getroot()
            self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")
        with open(os.path.join(figures, "step-times-good.svg")) as file:
            self.assertEqual(file.read().count("h0"), 2 * 4)

    def test_a_run_that_did_not_end_is_shown_from_its_journals(self):
        killed = self.copied("good", "killed")
        for name in ("samples.h5", "result.json", "manifest.sha256", "blocks.json"):
            os.remove(os.path.join(killed, name))
        journal = os.path.join(killed, "journals", "rank-00001.journal")
        with open(journal, "r+b") as file:
            file.truncate(os.path.getsize(journal) // 2)
        page = self.report(killed)
        self.assertIn("INCOMPLETE", page.text)
        self.assertIn("it left journals and no record", page.text)
        self.assertIn("rank-00001.journal", page.text)
        self.assertEqual(page.row("step-times", "rank 0")[0]["value"], 4)
        self.assertLessEqual(page.row("step-times", "rank 1")[0]["value"], 4)
        self.assertEqual(page.row("configuration", "train.steps")[0]["text"], "4")

    def test_a_damaged_record_is_told_and_its_journals_shown(self):
        damaged = self.copied("good", "damaged")
        with open(os.path.join(damaged, "samples.h5"), "r+b") as file:
            file.seek(5000)
            byte = file.read(1)
            file.seek(5000)
            file.write(bytes([byte[0] ^ 1]))
        page = self.report(damaged)
        self.assertIn("DAMAGED", page.text)
        self.assertIn("CRC-32", page.text)
        self.assertEqual(page.row("step-times", "rank 1")[0]["value"], 4)

    def test_an_edited_result_is_a_warning(self):
        edited = self.copied("good", "edited")
        result = self.result("good")
        result["fom"]["value"] *= 2
        with open(os.path.join(edited, "result.json"), "w") as file:
            json.dump(result, file)
        page = self.report(edited)
        self.assertRegex(page.text, r"result\.json: has \d+ bytes \(sealed were \d+\)")
        self.assertIn("is not what the record gives", page.text)
        self.assertEqual(page.row("numbers", "verdict")[0]["text"], "NOT SEALED")
        self.assertEqual(page.row("numbers", "value")[0]["value"],
                         self.result("good")["fom"]["value"])

    def test_a_series_has_its_statistics(self):
        series = os.path.join(self.root, "series")
        settings = ["verify.loss_ratio_limit=2", "output.export=false", "train.untimed_steps=1",
                    "window.repetitions=3", "output.overwrite=false"]
        for _ in range(3):
            self.vlmark(*program.short_run(series, 3, *settings))
        values = []
        for launch in (1, 2, 3):
            with open(os.path.join(series, f"run-{launch}", "result.json")) as file:
                values.append(json.load(file)["fom"]["value"])
        page = self.report(series)
        self.assertEqual(page.row("series", "median")[0]["value"], sorted(values)[1])
        self.assertEqual(page.row("series", "least")[0]["value"], min(values))
        self.assertEqual(page.row("series", "largest")[0]["value"], max(values))
        self.assertEqual(page.row("series", "interval by")[0]["text"], "Student t on log FOM")
        self.assertIn("3 runs were declared before the first; 3 were launched.", page.text)
        self.assertEqual([c["value"] for c in page.row("numbers", "value")], values)
        # A launch that left nothing stays in the report, and the series is none by the rules.
        shutil.rmtree(os.path.join(series, "run-2"))
        os.mkdir(os.path.join(series, "run-2"))
        page = self.report(series)
        self.assertIn("Not a series by rules R10 and R11", page.text)
        self.assertEqual(page.row("series", "series/run-2")[0]["text"], "FAILED")
        self.assertEqual(page.row("series", "runs that count")[0]["value"], 2)

    def test_the_same_runs_give_the_same_bytes(self):
        pages = []
        for _ in range(2):
            self.report(self.run_folder)
            with open(os.path.join(self.root, "report.html"), "rb") as file:
                pages.append(file.read())
        self.assertEqual(pages[0], pages[1])

    def test_a_sealed_folder_stays_as_it_is(self):
        own = os.path.join(self.folder("good"), "report.html")
        self.assertTrue(os.path.isfile(own))  # as the run left it
        for option, name in (("--out", "report.html"), ("--figures", "below/figures")):
            done = self.vlmark("report", self.folder("good"), option,
                               os.path.join(self.folder("good"), name), exit_code=2)
            self.assertIn("seal would break", done.stderr)
        self.vlmark("verify", self.folder("good"))

    def test_what_is_no_run_is_refused(self):
        for folder, text in ((os.path.join(self.root, "absent"), "is no folder"),
                             (self.root, "holds neither samples.h5 nor journals")):
            done = self.vlmark("report", folder, "--out", os.path.join(self.root, "r.html"),
                               exit_code=3)
            self.assertIn(text, done.stderr)
            self.assertFalse(os.path.exists(os.path.join(self.root, "r.html")))
        done = self.vlmark("report", self.folder("good"), "--out", "/proc/none/report.html",
                           exit_code=3)
        self.assertRegex(done.stderr, re.escape("/proc/none/report.html"))


if __name__ == "__main__":
    program.main()
