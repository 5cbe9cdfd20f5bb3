#!/usr/bin/env python3
"""Takes away one barrier of a kernel after another and requires that the tests of the kernel see it.

    check_barriers.py BUILD [KERNEL...]

BUILD is a build with ThreadSanitizer in which `race_tests` is built; KERNEL are files of kernels/
(all that have a barrier, if none is named). A copy of the file without the barrier is compiled and
linked into the kernel's test, beside the sources and the build, which stay as they are. The test
then has to fail with teams of two or of four: by a report or by a wrong result. Prints the table of
docs/testing.md; exit code 1 if a barrier is not missed.
"""
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BARRIER = re.compile(r"\b(\w+)\.team_barrier\(\)")
TEAMS = (2, 4)
LIMIT = 300  # seconds for one test


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def places(text):
    """Every barrier outside of comments."""
    code = re.sub(r"//[^\n]*", lambda match: " " * len(match.group(0)), text)
    return [match for match in BARRIER.finditer(code)]


def tests_of(kernel):
    """Tests whose program runs the kernel: of a header those that include it, of a source the one
    whose name the source's begins with."""
    folder = os.path.join(ROOT, "tests/kernels")
    names = sorted(name[:-len(".cpp")] for name in os.listdir(folder) if name.endswith("_test.cpp"))
    if kernel.endswith(".hpp"):
        found = [name for name in names
                 if f'#include "{kernel}"' in read(os.path.join(folder, name + ".cpp"))]
    else:
        stem = os.path.basename(kernel)[:-len(".cpp")] + "_"
        found = sorted((name for name in names if stem.startswith(name[:-len("test")])),
                       key=len)[-1:]
    if not found:
        sys.exit(f"check_barriers: {kernel} has a barrier and tests/kernels no test for it (nothing "
                 "could miss it). Write one")
    return found


class Program:
    """How the test of a kernel is compiled and linked anew with a changed copy of the kernel."""

    def __init__(self, build, kernel, test, folder):
        self.kernel, self.test, self.folder = kernel, test, folder
        header = kernel.endswith(".hpp")
        self.unit = f"tests/kernels/{self.test}.cpp" if header else kernel
        with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
            command = next(c for c in json.load(file)
                           if c["file"] == os.path.join(ROOT, self.unit))
        self.directory = command["directory"]
        self.compiler = shlex.split(command["command"])
        self.object = self.compiler[self.compiler.index("-o") + 1]
        target = f"tests/kernels/{self.test}"
        commands = subprocess.run(["ninja", "-C", build, "-t", "commands", target], check=True,
                                  capture_output=True, text=True).stdout.splitlines()
        self.linker = commands[-1]
        listed = subprocess.run(["ctest", "--test-dir", build, "-L", "^race$",
                                 "--show-only=json-v1"], check=True, capture_output=True, text=True)
        self.races = {test["name"]: test for test in json.loads(listed.stdout)["tests"]}

    def run(self, command, shell=False):
        return subprocess.run(command, cwd=self.directory, shell=shell, capture_output=True,
                              text=True)

    def make(self, text):
        """The test program with `text` in place of the kernel's."""
        copy = os.path.join(self.folder, self.kernel)
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        with open(copy, "w", encoding="utf-8") as file:
            file.write(text)
        source = os.path.join(ROOT, self.unit)
        if self.unit == self.kernel:
            source = copy
        changed = os.path.join(self.folder, "changed.o")
        words = [source if w == os.path.join(ROOT, self.unit) else
                 changed if w == self.object else w for w in self.compiler]
        words.insert(words.index("-o"), f"-I{self.folder}")
        # The copy of a header is found first, because its folder comes before the root.
        words = [w for w in words if w != f"-I{ROOT}"]
        words.insert(words.index("-o"), f"-I{ROOT}")
        made = self.run(words)
        if made.returncode:
            sys.exit(f"check_barriers: {self.kernel} does not compile:\n{made.stderr}")
        program = os.path.join(self.folder, "test")
        link = self.linker.replace(f"-o tests/kernels/{self.test} ", f"-o {program} ")
        if self.object in link:
            link = link.replace(self.object, changed)
        else:  # before the library that has the unchanged one
            link = link.replace(f"-o {program} ", f"-o {program} {changed} ")
        made = self.run(link, shell=True)
        if made.returncode or program not in link:
            sys.exit(f"check_barriers: {self.test} does not link:\n{made.stderr or link}")
        return program

    def finding(self, program, team):
        """What the test says with teams of this size; None if all is well."""
        race = self.races[f"race.{self.test}.team{team}"]
        environment = dict(pair.split("=", 1) for p in race["properties"]
                           if p["name"] == "ENVIRONMENT" for pair in p["value"])
        try:
            done = subprocess.run([program, *race["command"][1:], "--gtest_fail_fast"],
                                  env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, errors="replace", timeout=LIMIT)
        except subprocess.TimeoutExpired:
            return f"hangs beyond {LIMIT} s"
        output = done.stdout + done.stderr
        if done.returncode == 0:
            return None
        where = (re.findall(r"\[ RUN +\] (\S+)", output) or ["its start"])[-1]
        if "ThreadSanitizer: data race" in output:
            line = re.search(r"SUMMARY: ThreadSanitizer: data race .*?([\w.]+:\d+)", output)
            return f"race reported in {where}" + (f" at {line.group(1)}" if line else "")
        return f"exit code {done.returncode} in {where}"


def first_finding(programs, text):
    """What the first test that fails with `text` says; None if none does."""
    for program in programs:
        made = program.make(text)
        for team in TEAMS:
            found = program.finding(made, team)
            if found:
                return f"teams of {team}: {found} ({program.test})"
    return None


def check(build, kernel):
    """Pairs (line, finding), one for each barrier of one file."""
    text = read(os.path.join(ROOT, kernel))
    with tempfile.TemporaryDirectory() as folder:
        programs = [Program(build, kernel, test, folder) for test in tests_of(kernel)]
        found = first_finding(programs, text)
        if found:
            sys.exit(f"check_barriers: {kernel} with all barriers in place: {found}. Mend that first")
        for match in places(text):
            without = (text[:match.start()] + f"static_cast<void>({match.group(1)})" +
                       text[match.end():])
            yield text.count("\n", 0, match.start()) + 1, first_finding(programs, without)


def main(build, *kernels):
    build = os.path.abspath(build)
    if not kernels:
        kernels = sorted(f"kernels/{name}" for name in os.listdir(os.path.join(ROOT, "kernels"))
                         if name.endswith((".cpp", ".hpp")) and
                         places(read(os.path.join(ROOT, "kernels", name))))
    if not kernels:
        sys.exit("check_barriers: no kernel has a barrier (a check of nothing proves nothing)")
    start, count, missed = time.monotonic(), 0, 0
    print("| barrier taken away | what was seen |\n|---|---|")
    for kernel in kernels:
        for line, finding in check(build, kernel):
            print(f"| `{os.path.basename(kernel)}:{line}` | {finding or '**nothing**'} |", flush=True)
            count, missed = count + 1, missed + (finding is None)
    minutes = (time.monotonic() - start) / 60
    print(f"check_barriers: {count - missed} of {count} barriers are missed by a test "
          f"({minutes:.0f} min)")
    return 1 if missed else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
