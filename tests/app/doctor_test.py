"""`vlmark doctor` and `vlmark topo` look at this machine, as one process and as a job."""
import json
import os
import re
import subprocess
import unittest

import program

STATES = {"ok", "absent", "warn", "fail"}
NAMES = ["instruction set", "CPU frequency", "CPU governor", "clock source", "GPU", "memory",
         "memory of the job", "huge pages", "locked memory", "stack", "open files",
         "memory of a process", "shared memory", "MPI", "launcher", "thread number",
         "results folder", "HDF5", "ranks x threads", "binding", "host"]


def start(*arguments, ranks=None, **variables):
    launcher = [] if ranks is None else program.MPIEXEC + ["-n", str(ranks)]
    return subprocess.run([*launcher, program.BINARY, *arguments], cwd=program.SOURCE,
                          capture_output=True, text=True, timeout=100 * program.SLOWDOWN,
                          env={**os.environ, **variables})


class Doctor(program.ProgramTest):
    def checks(self, *arguments, ranks=None, exit_code=0, **variables):
        done = start("doctor", "--folder", program.SCRATCH, *arguments, "--json", ranks=ranks,
                     **variables)
        self.assertEqual(done.returncode, exit_code, done.stdout + done.stderr)
        found = json.loads(done.stdout)
        self.assertEqual([c["name"] for c in found["checks"]], NAMES)
        self.assertEqual(found["fails"], sum(c["status"] == "fail" for c in found["checks"]))
        self.assertEqual(found["ranks"], ranks or 1)
        for check in found["checks"]:
            self.assertIn(check["status"], STATES)
            if check["status"] in ("warn", "fail"):
                self.assertTrue(check["advice"], check)
        return {c["name"]: c for c in found["checks"]}

    def test_every_check_is_made_with_and_without_a_launcher(self):
        for ranks in (None, 1, 2):
            checks = self.checks(ranks=ranks)
            self.assertEqual(checks["instruction set"]["status"], "ok")
            self.assertEqual(checks["MPI"]["status"], "ok")
            self.assertIn("can be written", checks["results folder"]["found"])
            self.assertEqual(checks["HDF5"]["status"], "ok")
        self.assertEqual(os.listdir(program.SCRATCH), [], "the probes leave nothing behind")

    def test_text_says_the_same(self):
        done = self.vlmark("doctor", "--folder", program.SCRATCH, ranks=2)
        lines = done.stdout.splitlines()
        self.assertEqual([l[8:27].rstrip() for l in lines if l[:6].strip() in STATES], NAMES)
        self.assertRegex(lines[-1],
                         r"^VLMARK DOCTOR OK ok=\d+ absent=\d+ warn=\d+ fail=0 ranks=2$")

    def test_more_threads_than_cores_are_found(self):
        many = str(4 * os.cpu_count())
        checks = self.checks(ranks=2, OMP_NUM_THREADS=many)
        for name in ("ranks x threads", "binding"):
            self.assertEqual(checks[name]["status"], "warn")
        self.assertIn(f"2 ranks, {8 * os.cpu_count()} threads", checks["ranks x threads"]["found"])
        self.assertRegex(checks["binding"]["found"],
                         r"^2 ranks not as planned, rank 0: shares cores? \S+ with rank 1: \d+ thr")

    def test_a_fail_is_exit_code_2(self):
        checks = self.checks(exit_code=2, OMP_NUM_THREADS="many")
        self.assertEqual(checks["thread number"]["found"],
                         "OMP_NUM_THREADS is no number of at least 1")
        done = start("doctor", "--folder", "/proc/results", ranks=2)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stdout, r"(?m)^fail    results folder       /proc/results ")
        self.assertIn("VLMARK DOCTOR FAIL ", done.stdout)

    def test_the_worst_rank_is_named(self):
        with_limit = ["sh", "-c", 'ulimit -s 512; exec "$0" "$@"']
        command = [program.BINARY, "doctor", "--folder", program.SCRATCH, "--json"]
        done = program.start([*program.MPIEXEC, "-n", "1", *command, ":", "-n", "1", *with_limit,
                              *command])
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        stack = [c for c in json.loads(done.stdout)["checks"] if c["name"] == "stack"][0]
        self.assertEqual(stack["found"], "0.5 MiB (rank 1, 1 of 2 ranks)")

    def test_an_mpi_of_another_launcher_is_found(self):
        # As where `mpiexec` of one MPI starts a program of another: every rank believes it is alone.
        checks = self.checks(exit_code=2, PMI_SIZE="4")
        self.assertEqual(checks["launcher"]["found"], "PMI_SIZE started 4, MPI counts 1")


def two_cores():
    """A CPU of each of two cores that this process may use; threads of one core share it."""
    cores = {}
    for cpu in sorted(os.sched_getaffinity(0)):
        try:
            with open(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list",
                      encoding="ascii") as file:
                core = file.read()
        except OSError:
            core = cpu
        cores.setdefault(core, cpu)
    return (*cores.values(), None, None)[:2]


class Topo(program.ProgramTest):
    def test_of_this_machine(self):
        text = self.vlmark("topo").stdout
        self.assertRegex(text, r"(?m)^Machine")
        self.assertRegex(text, r"(?m)^ +Core 0 \(PUs 0")
        self.assertRegex(text, r"(?m)^ +NUMANode 0 [\d.]+ GB$")
        self.assertRegex(text.splitlines()[-1], r"^topology: (complete|partial \(no .+\))$")
        self.assertNotIn("rank", text)
        tree = json.loads(self.vlmark("topo", "--json").stdout)
        self.assertEqual(tree["machine"]["type"], "Machine")
        self.assertNotIn("ranks", tree)

    def test_of_a_made_up_machine(self):
        text = self.vlmark("topo", "--synthetic", "pack:2 numa:2 l3:1 core:4 pu:2").stdout
        self.assertIn("2 packages, 4 NUMA nodes, 16 cores, 32 PUs, 0 GPU objects, ", text)
        self.assertEqual(text.splitlines()[-1], "topology: partial (no PCI devices)")

    def test_xml_is_read_again(self):
        path = os.path.join(program.SCRATCH, "made.xml")
        made = ("topo", "--synthetic", "pack:1 core:3 pu:2")
        text = self.vlmark(*made, "--xml", path).stdout
        self.assertEqual(self.vlmark("topo", "--input", path).stdout, text)
        xml = self.vlmark(*made, "--xml", "-").stdout
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), xml)
        self.assertTrue(xml.startswith("<?xml "))
        os.remove(path)

    def test_of_the_record_of_a_run(self):
        path = os.path.join(program.TRAINED, "topology.xml")
        self.assertIn("topology: ", self.vlmark("topo", "--input", path).stdout)

    def test_a_job_says_where_its_ranks_run(self):
        done = self.vlmark("topo", "--json", ranks=2)
        ranks = json.loads(done.stdout)["ranks"]
        self.assertEqual([r["rank"] for r in ranks], [0, 1])
        for rank in ranks:
            self.assertEqual(rank["planned_cores"], 1)
            self.assertTrue(rank["cores"] and rank["pus"] and rank["host"])
        text = self.vlmark("topo", ranks=3).stdout
        self.assertEqual(len(re.findall(r"(?m)^ +\d  \S+ +\S+ +\S+ +1 core +cores? \S+: .+$", text)), 3)

    def test_bound_ranks_are_as_planned_and_two_on_one_core_are_not(self):
        first, second = two_cores()
        if second is None:
            self.skipTest("one core")
        for cpus, expected in (((first, second), "as planned"),
                               ((first, first), r"shares core \d+ with rank \d: 2 threads together")):
            job = []
            for cpu in cpus:
                job += [":"] if job else []
                job += ["-n", "1", "taskset", "-c", str(cpu), program.BINARY, "topo", "--json"]
            done = program.start([*program.MPIEXEC, *job])
            self.assertEqual(done.returncode, 0, done.stderr)
            for rank in json.loads(done.stdout)["ranks"]:
                self.assertRegex(rank["binding"], f"^{expected}$")

    def test_what_cannot_be_read_is_said_once(self):
        for arguments, code, text in (
                (("--input", "/no/such.xml"), 3, "/no/such.xml: is no topology of hwloc"),
                (("--input", program.QUICKSTART), 3, "quickstart.toml: "),
                (("--synthetic", "core:x"), 2, "'core:x': is no description of a machine"),
                (("--input", "a", "--synthetic", "b"), 2, "Give one of the two"),
                (("--xml", "/proc/no/file"), 3, "/proc/no")):
            done = self.vlmark("topo", *arguments, exit_code=code)
            self.assertIn(text, done.stderr)
            self.assertEqual(done.stderr.count("vlmark:"), 1, done.stderr)


if __name__ == "__main__":
    program.main()
