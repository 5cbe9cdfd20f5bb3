"""Every command explains itself with an example."""
import program


class Help(program.ProgramTest):
    def test_an_example_everywhere(self):
        for command in ([], ["run"], ["generate"], ["convert"], ["plan"], ["compare"], ["report"],
                        ["topo"], ["doctor"]):
            text = self.vlmark(*command, "--help").stdout
            example = text.split("Example:\n")[1]
            self.assertIn(" ".join(["vlmark", *command]), example)
            self.assertIn("--help", text)

    def test_exit_codes_are_listed(self):
        text = self.vlmark("--help").stdout
        for code in ("0 ok", "1 internal", "2 usage or value", "3 file", "4 communication",
                     "5 INVALID result", "10 faster", "21 invalid input"):
            self.assertIn(code, text)

    def test_usage_errors_are_exit_code_2(self):
        for wrong in ([], ["unheard-of"], ["run"], ["generate"], ["convert"],
                      ["convert", "nano"], ["convert", "a", "b", "--names", "new"],
                      ["convert", "a", "b", "--shard-size", "0"],
                      ["plan", "--ranks", "many"],
                      ["plan", "--no-such-option"],
                      ["compare"], ["compare", "a", "b", "--power", "1"], ["report"]):
            done = self.vlmark(*wrong, exit_code=2)
            self.assertEqual(done.stdout, "")
            self.assertNotEqual(done.stderr, "")

    def test_many_ranks_complain_once(self):
        done = self.vlmark("run", program.QUICKSTART, "--no-such-option", ranks=2, exit_code=2)
        self.assertEqual(done.stderr.count("--no-such-option"), 1, done.stderr)


if __name__ == "__main__":
    program.main()
