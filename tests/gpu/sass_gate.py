#!/usr/bin/env python3
"""Holds the kernels of a library against the table of docs/gpu.md, which is read from the document.

    sass_gate.py LIBRARY... --table docs/gpu.md --tools FOLDER [--report]

A row is a family of kernels: functions of kernels/ (a regular expression that a name in the
kernel's symbol must match whole), the most registers, whether local memory (spills, arrays that
are indexed) is allowed, how many loads and stores of global memory must move how many bits at
least (`128 x 3`: three of 128), and the tensor-core instruction it must use. A family without a kernel fails, and so does a
kernel without a family. Exit code: 0 all hold, 1 one does not, 2 usage or a tool is missing.
"""

import argparse
import re
import sys

import sass

COLUMNS = ["family", "functions", "registers", "local memory", "load", "store", "tensor cores"]


def table(path):
    """The rows of the document's table whose head names COLUMNS."""
    rows, inside = [], False
    with open(path, encoding="utf-8") as document:
        for line in document:
            cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
            if cells == COLUMNS:
                inside = True
            elif inside and not line.startswith("|"):
                inside = False
            elif inside and not set(line) <= set("|-: \n"):
                if len(cells) != len(COLUMNS):
                    raise SystemExit(f"{path}: a row of the table has {len(cells)} cells (expected "
                                     f"{len(COLUMNS)}): {line.strip()}")
                rows.append(dict(zip(COLUMNS, cells)))
    if not rows:
        raise SystemExit(f"{path}: has no table with the columns {', '.join(COLUMNS)} (nothing would "
                         "be checked). Keep the table and its head")
    return rows


def belongs(kernel, row):
    pattern = re.compile(row["functions"].strip("`").replace("\\|", "|"))
    return any(pattern.fullmatch(name) for name in kernel.names)


def failures(kernel, row):
    if kernel.registers > int(row["registers"]):
        yield f"{kernel.registers} registers (at most {row['registers']})"
    stores, loads = kernel.count("STL"), kernel.count("LDL")
    if row["local memory"] == "none" and (kernel.stack or stores or loads):
        yield (f"local memory: {kernel.stack} byte of stack, {stores} stores, {loads} loads (the "
               "family must have none)")
    for column, head in (("load", "LDG"), ("store", "STG")):
        if row[column] == "-":
            continue
        bits, count = (int(part) for part in row[column].split(" x "))
        widths = kernel.widths(head)
        wide = sum(n for width, n in widths.items() if width >= bits)
        if wide < count:
            found = ", ".join(f"{n} of {width} bits" for width, n in sorted(widths.items()))
            yield f"{column}s: {found or 'none'} (expected at least {count} of {bits} bits)"
    if row["tensor cores"] != "-" and not kernel.count(row["tensor cores"]):
        yield f"no {row['tensor cores']} instruction (the family claims tensor cores)"
    if not kernel.operations:
        yield "no instructions could be read"


def own(kernel):
    """Whether it is the project's and not one of Kokkos' own."""
    return ("vlmark", "kernels") in zip(kernel.names, kernel.names[1:])


def short(kernel):
    """The names in the symbol that tell kernels apart."""
    noise = {"vlmark", "kernels", "Kokkos", "Impl", "View", "Cuda", "CudaSpace", "CudaTeamMember",
             "TeamPolicy", "LayoutRight", "ParallelFor", "FunctorWrapper"}
    return " ".join(name for name in dict.fromkeys(kernel.names)
                    if name not in noise and not name.startswith(("_", "cuda_parallel_launch")))[:150]


def check(found, rows, report=False):
    """Problems of these kernels, as lines of text."""
    problems = []
    ours = [kernel for kernel in found if own(kernel)]
    for row in rows:
        members = [kernel for kernel in ours if belongs(kernel, row)]
        if not members:
            problems.append(f"family '{row['family']}': no kernel matches {row['functions']} (it "
                            "would never fail). Correct the row or remove it")
        for kernel in members:
            if report:
                print(f"{row['family']}: {short(kernel)}: {kernel.registers} registers, stack "
                      f"{kernel.stack}, STL {kernel.count('STL')}, LDL {kernel.count('LDL')}, LDG "
                      f"{dict(kernel.widths('LDG'))}, STG {dict(kernel.widths('STG'))}")
            problems += [f"family '{row['family']}': {short(kernel)}: {text}"
                         for text in failures(kernel, row)]
    for kernel in ours:
        if not any(belongs(kernel, row) for row in rows):
            problems.append(f"{short(kernel)}: belongs to no family. Add it to the table")
    return problems, len(ours)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("libraries", nargs="+")
    parser.add_argument("--table", required=True)
    parser.add_argument("--tools", default="", help="folder of cuobjdump and nvdisasm")
    parser.add_argument("--report", action="store_true", help="print what every kernel is made of")
    options = parser.parse_args()
    if missing := sass.find_tools(options.tools):
        print(f"sass_gate: {' and '.join(missing)} not found in '{options.tools}' or on PATH (no "
              "kernel can be read). Run scripts/bootstrap cuda", file=sys.stderr)
        return 2
    found = [kernel for path in options.libraries for kernel in sass.kernels(path)]
    problems, count = check(found, table(options.table), options.report)
    for problem in problems:
        print(f"FAILED: {problem}")
    print(f"{count} kernels, {len(problems)} problems")
    return 1 if problems or not count else 0


if __name__ == "__main__":
    sys.exit(main())
