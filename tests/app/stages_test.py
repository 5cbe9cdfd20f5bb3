"""Two pipeline stages of which the second cannot open a picture."""
import json
import os
import shutil

import program


class Stages(program.ProgramTest):
    def folder_with(self, name, pictures):
        """A working folder whose `media` has the captions, and the pictures if asked for."""
        media = os.path.join(program.SCRATCH, name, "media")
        os.makedirs(media)
        for file in os.listdir(os.path.join(program.SOURCE, "configs", "media")):
            if pictures or file == "captions.json":
                shutil.copy(os.path.join(program.SOURCE, "configs", "media", file), media)
        return os.path.dirname(media)

    def run_stages(self, folders, *settings, exit_code=0):
        command = program.short_run(
            os.path.join(program.SCRATCH, "results"), 2, "verify.loss_ratio_limit=10",
            "data.folder=media", f"data.tokenizer={program.SOURCE}/configs/tokenizer-nano",
            "parallel.layout=pp2", "output.export=false", "output.overwrite=true", *settings)
        ranks = [["-n", "1", "--wdir", f, program.BINARY, *command, "--json"] for f in folders]
        done = program.start([*program.MPIEXEC, *ranks[0], ":", *ranks[1]])
        self.assertEqual(done.returncode, exit_code, done.stdout + done.stderr)
        return done

    def test_only_the_first_stage_opens_pictures(self):
        with_pictures = self.folder_with("with", True)
        without = self.folder_with("without", False)
        for shapes in ("index", "broadcast"):
            done = self.run_stages([with_pictures, without], f"parallel.shapes={shapes}")
            self.assertTrue(json.loads(done.stdout)["valid"])
        done = self.run_stages([without, with_pictures], exit_code=3)
        self.assertIn("rank 0: media/", done.stderr)


if __name__ == "__main__":
    program.main()
