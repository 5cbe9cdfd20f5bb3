"""Three steps over two ranks: the output, and what the results folder holds. Leaves the folder as a
fixture of other tests."""
import os
import re

import program

RESULT = re.compile(r"VLMARK RESULT VALID official=no checked=R3,R4,R5,R6,R9,V1,V2,V3,V4,V5,V6,V7,V9 "
                    r"fom=train\.positions_per_s "
                    r"value=[0-9.e+]+ n=1/1 steps=1 untimed=2 model=nano prec=fp32 tier=baseline "
                    r"layout=dp2 ranks=2 isa=\w+ rules=\S+")
STEP = re.compile(r"train  step (\d)/3  loss \d\.\d\d  lr \d\.\de-\d\d  [\d,]+ positions/s  "
                  r"\d\d:\d\d left")


class Train(program.ProgramTest):
    def test_three_steps(self):
        program.fresh(program.TRAINED)
        done = self.vlmark(*program.short_run(program.TRAINED, 3, "verify.loss_ratio_limit=1",
                                              "output.overwrite=false"), ranks=2)
        lines = done.stdout.splitlines()
        self.assertRegex(lines[-1], f"^{RESULT.pattern}$")
        self.assertEqual(done.stdout.count("VLMARK RESULT"), 1)
        self.assertIn(f"record: {program.TRAINED}/samples.h5", lines)
        steps = STEP.findall(done.stderr)
        self.assertEqual(steps, ["1", "2", "3"], done.stderr)
        self.assertNotIn("\r", done.stderr)  # stderr is no terminal here

        self.assertEqual(sorted(os.listdir(program.TRAINED)), ["blocks.json", "env.allowlist.json", "events.jsonl", "journals",
                          "manifest.sha256", "model", "report.html", "result.json", "samples.h5", "topology.xml"])
        self.assertEqual(sorted(os.listdir(os.path.join(program.TRAINED, "model"))),
                         ["config.json", "generation_config.json", "model.safetensors",
                          "preprocessor_config.json", "tokenizer.json"])


if __name__ == "__main__":
    program.main()
