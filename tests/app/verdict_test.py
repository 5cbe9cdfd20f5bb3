"""A run whose loss does not fall enough is INVALID: exit code 5, and it says so everywhere."""
import json
import os

import program


class Verdict(program.ProgramTest):
    def test_invalid_as_json(self):
        folder = os.path.join(program.SCRATCH, "invalid")
        done = self.vlmark(*program.short_run(folder, 2, "verify.loss_ratio_limit=1e-9",
                                              "output.export=false", "control.captions=true",
                                              "control.grey=true", "control.max_new_tokens=2"),
                           "--json", "--progress", "off", ranks=2, exit_code=5)
        result = json.loads(done.stdout)
        self.assertIs(result["valid"], False)
        self.assertIs(result["official"], False)
        self.assertEqual(result["fom"]["name"], "train.positions_per_s")
        self.assertGreater(result["fom"]["value"], 0)
        self.assertEqual((result["model"], result["precision"], result["ranks"]),
                         ("nano", "fp32", 2))
        self.assertEqual((result["steps"]["window"], result["steps"]["excluded"]), (1, 1))
        self.assertTrue(os.path.isfile(result["record"]))
        failed = [c for c in result["checks"] if not c["passed"]]
        self.assertEqual([(c["rule"], c["item"], c["limit"]) for c in failed],
                         [("V5", "last / first loss", 1e-9)])
        self.assertEqual({c["rule"] for c in result["checks"]}, {"R3", "R4", "R5", "R6", "R9", "V1", "V2", "V3", "V4", "V5", "V6", "V7", "V9"})
        self.assertTrue(any("grey picture" in c["item"] for c in result["checks"]))
        self.assertEqual(len(result["captions"]), 8)
        self.assertEqual(result["captions"][0]["truth"], "A smiling astronaut in an orange suit.")
        # The line goes to stderr then, so that stdout is one JSON object.
        lines = [l for l in done.stderr.splitlines() if l.startswith("VLMARK RESULT")]
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertRegex(lines[0], r'^VLMARK RESULT INVALID rule=V5 detail="last / first loss '
                                   r'\S+ limit 1e-09" official=no checked=R3,R4,R5,R6,R9,V1,V2,V3,V4,V5,V6,V7,V9 ')
        self.assertNotIn("train  step", done.stderr)
        self.assertFalse(os.path.exists(os.path.join(folder, "model")))

    def test_copies_of_tensor_ranks_are_averaged_before_they_are_compared(self):
        folder = os.path.join(program.SCRATCH, "offline")
        done = self.vlmark(*program.short_run(folder, 3, "verify.loss_ratio_limit=1",
                                              "parallel.layout=tp2", "parallel.offline_interval=2",
                                              "parallel.shared_parameters=offline"), ranks=2)
        self.assertRegex(done.stdout.splitlines()[-1],
                         r"^VLMARK RESULT VALID .* checked=R3,R4,R5,R6,R9,V1,V2,V3,V4,V5,V6,V7,V9 .* ranks=2 ")
        self.assertTrue(os.path.exists(os.path.join(folder, "model")))

    def test_one_rank_needs_no_launcher_and_bf16_works(self):
        folder = os.path.join(program.SCRATCH, "alone")
        done = self.vlmark(*program.short_run(folder, 2, "verify.loss_ratio_limit=1",
                                              "model.precision=bf16", "output.export=false"))
        self.assertRegex(done.stdout.splitlines()[-1],
                         r"^VLMARK RESULT VALID .* prec=bf16 .* ranks=1 ")


if __name__ == "__main__":
    program.main()
