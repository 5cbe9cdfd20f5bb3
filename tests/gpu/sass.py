"""What ptxas made of each kernel in an object file, library or program, read by cuobjdump and
nvdisasm. Only for the project's own kernels: the licences of the vendor's libraries forbid to
disassemble theirs.
"""

import collections
import os
import re
import shutil
import subprocess

INSTRUCTION = re.compile(
    r"^\s+/\*[0-9a-f]{4,}\*/\s+(?:\{\s*)?(?:@!?U?P[0-9T]+\s+)?([A-Z][A-Z0-9_.]*)")


# What is neither a name nor the length of one: substitutions, template parameters, literals.
NO_NAME = re.compile(r"S[0-9A-Z]*_|T[0-9]*_|L[a-z][0-9]+E")


def names_in(symbol):
    """The names in a mangled symbol, in order (Itanium C++ ABI, 5.1.3: length, then name). Binutils'
    demangler gives up on nvcc's lambdas."""
    names, at = [], 0
    while at < len(symbol):
        if skipped := NO_NAME.match(symbol, at):
            at = skipped.end()
        elif length := re.compile(r"[0-9]+").match(symbol, at):
            at = length.end() + int(length[0])
            names.append(symbol[length.end():at])
        else:
            at += 1
    return names


class Kernel:
    """One kernel: the names in its symbol, its resources and counts of instructions (not of
    executions)."""

    def __init__(self, symbol, resources, operations):
        self.names = names_in(symbol)
        self.registers = resources["REG"]
        self.stack = resources["STACK"]
        self.operations = operations

    def count(self, *heads):
        return sum(n for op, n in self.operations.items() if op.split(".")[0] in heads)

    def widths(self, head):
        """How many instructions `head` (LDG, STG) move so many bits of a thread."""
        marks = {"128": 128, "64": 64, "U16": 16, "S16": 16, "U8": 8, "S8": 8}
        found = collections.Counter()
        for op, n in self.operations.items():
            parts = op.split(".")
            if parts[0] == head:
                found[next((marks[p] for p in parts if p in marks), 32)] += n
        return found


def find_tools(folder):
    """Puts both tools of `folder` (or of PATH) within reach; says what is missing."""
    os.environ["PATH"] = folder + os.pathsep + os.environ["PATH"]
    # cuobjdump calls nvdisasm by name.
    return [tool for tool in ("cuobjdump", "nvdisasm") if not shutil.which(tool)]


def cuobjdump(option, path):
    run = subprocess.run(["cuobjdump", option, path], capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(f"cuobjdump {option} {path}: failed (nothing can be checked): "
                         f"{(run.stderr or run.stdout).strip()}")
    return run.stdout.splitlines()


def kernels(path):
    """Every kernel in the file."""
    resources, operations, name = {}, collections.defaultdict(collections.Counter), None
    for line in cuobjdump("-res-usage", path):
        if match := re.match(r"\s*Function (.+):$", line):
            name = match[1]
        elif name and "REG:" in line:
            resources[name] = {k: int(v) for k, v in re.findall(r"([A-Z]+):(\d+)", line)}
            name = None
    for line in cuobjdump("-sass", path):
        if match := re.match(r"\s*Function : (.+)$", line):
            name = match[1]
        elif name and (match := INSTRUCTION.match(line)):
            operations[name][match[1]] += 1
    return [Kernel(symbol, used, operations[symbol]) for symbol, used in resources.items()]
