"""What the environment holds beside the allow-list reaches no output: secrets with random values are
planted, a run on two ranks is made, and every byte that it, `doctor` and `topo` leave is searched for
them, plain and in disguise."""
import base64
import gzip
import os
import secrets
import shutil
import subprocess
import unittest

import program


def disguises(secret):
    """Bytes that give a secret away: itself, backwards, in hex, in base64 at any of three offsets, as
    a URL has it, and in UTF-16."""
    plain = secret.encode()
    found = {plain, plain[::-1], plain.hex().encode(), plain.hex().upper().encode(),
             plain[::-1].hex().encode(), secret.encode("utf-16-le"), secret.upper().encode()}
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + plain)
        # The first and last characters depend on neighbours too.
        inner = coded[(0, 2, 3)[shift]:len(coded) - 4]
        found |= {inner, inner.translate(bytes.maketrans(b"+/", b"-_"))}
    return found


def leaks(data, planted):
    """Names of the secrets that the bytes hold."""
    if data[:2] == b"\x1f\x8b":
        data += gzip.decompress(data)
    return sorted(name for name, secret in planted.items()
                  if any(word in data for word in disguises(secret)))


def files_below(folder):
    for path, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(path, name), "rb") as file:
                yield os.path.relpath(os.path.join(path, name), folder), file.read()


class Secrets(program.ProgramTest):
    @classmethod
    def setUpClass(cls):
        fresh = lambda: secrets.token_hex(4) + "+/" + secrets.token_urlsafe(18)
        word = lambda: secrets.token_hex(16)
        cls.planted = {name: fresh() for name in (
            "AWS_SECRET_ACCESS_KEY", "HF_TOKEN", "GITHUB_TOKEN", "OMPI_MCA_secret", "SLURM_X_SECRET",
            "SLURM_JOB_COMMENT", "OMP_SECRET", "OMP_NUM_THREADS_", "KOKKOS_SECRET", "HWLOC_SECRET",
            "PMIX_SECRET", "HDF5_SECRET", "VLMARK_SECRET", "TOKEN_", "_", "PATH_TO_KEY", "PS1",
            "LS_COLORS", "MAIL", "SSH_CONNECTION")}
        cls.planted.update({name: word() for name in ("HOME", "https_proxy", "USER", "LOGNAME")})
        # A home folder whose name gives the user away, in which everything lies and is started.
        cls.home = os.path.join(program.SCRATCH, "home-" + cls.planted["HOME"])
        for part in ("media", "tokenizer-nano"):
            shutil.copytree(os.path.join(program.SOURCE, "configs", part),
                            os.path.join(cls.home, "configs", part))
        shutil.copy(program.QUICKSTART, os.path.join(cls.home, "configs"))
        cls.allowed = secrets.token_hex(16)  # of a variable that is on the list
        cls.variables = {**os.environ, **cls.planted, "HOME": cls.home, "PWD": cls.home,
                         "OLDPWD": cls.home, "TMPDIR": "/tmp",
                         "https_proxy": f"http://me:{cls.planted['https_proxy']}@proxy:8080",
                         "SLURM_JOB_ID": cls.allowed}

    def start(self, *arguments, ranks=None, exit_code=0):
        launcher = [] if ranks is None else program.MPIEXEC + ["-n", str(ranks)]
        done = subprocess.run([*launcher, program.BINARY, *arguments], cwd=self.home,
                              capture_output=True, timeout=100 * program.SLOWDOWN,
                              env=self.variables)
        self.assertEqual(done.returncode, exit_code, done.stdout + done.stderr)
        return done

    def expect_none(self, name, data):
        self.assertEqual(leaks(data, self.planted), [], f"{name} gives them away")

    def test_the_search_finds_every_disguise(self):
        secret = {"it": self.planted["HF_TOKEN"]}
        plain = secret["it"].encode()
        for around in (b"", b"x", b"xy", b"xyz"):
            for hidden in (plain, plain[::-1], plain.hex().encode(), base64.b64encode(around + plain),
                           base64.urlsafe_b64encode(around + plain + around),
                           secret["it"].encode("utf-16-le"), gzip.compress(around + plain)):
                behind = hidden if hidden[:2] == b"\x1f\x8b" else around + hidden + around
                self.assertEqual(leaks(behind, secret), ["it"], hidden)
        self.assertEqual(leaks(b"nothing", secret), [])

    def test_no_file_of_a_run_and_no_line(self):
        done = self.start("run", "configs/quickstart.toml", *(
            a for s in ("train.steps=3", "train.warmup_steps=1", "control.captions=true",
                        "control.grey=false", "control.max_new_tokens=2", "train.trace_steps=2",
                        "verify.loss_ratio_limit=2", "output.folder=results/run")
            for a in ("--set", s)), "--challenge", "a-nonce-is-no-secret", ranks=2)
        self.expect_none("stdout", done.stdout)
        self.expect_none("stderr", done.stderr)
        files = dict(files_below(os.path.join(self.home, "results")))
        for name in ("samples.h5", "result.json", "topology.xml", "env.allowlist.json",
                     "events.jsonl", "blocks.json", "manifest.sha256", "journals/rank-00000.journal",
                     "journals/rank-00001.journal", "model/model.safetensors", "report.html"):
            self.assertIn(os.path.join("run", name), files)
        for name, data in files.items():
            self.assertNotIn(b"deflate", data, f"{name} is compressed: raw bytes tell nothing")
            self.expect_none(name, data)
        # The search sees what is written: a variable of the list stands where it should.
        found = {os.path.basename(name) for name, data in files.items()
                 if leaks(data, {"allowed": self.allowed})}
        self.assertEqual(found, {"samples.h5", "env.allowlist.json", "report.html",
                                 "rank-00000.journal", "rank-00001.journal"})
        self.expect_none("verify", self.start("verify", "results/run").stdout)

    def test_doctor_topo_and_plan(self):
        for command in (("doctor",), ("doctor", "--json"), ("topo",), ("topo", "--json"),
                        ("topo", "--xml", "-")):
            for ranks in (None, 2):
                done = self.start(*command, ranks=ranks)
                self.expect_none(command, done.stdout + done.stderr)
                self.assertNotIn(self.allowed.encode(), done.stdout)
        done = self.start("plan", "configs/quickstart.toml", "--set", "train.steps=2")
        self.expect_none("plan", done.stdout + done.stderr)

    def test_a_run_that_fails(self):
        done = self.start("run", "configs/quickstart.toml", "--set", "data.folder=absent",
                          ranks=2, exit_code=3)
        self.assertIn(b"absent/captions.json", done.stderr)
        self.expect_none("stderr", done.stdout + done.stderr)


if __name__ == "__main__":
    program.main()
