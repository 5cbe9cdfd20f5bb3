"""Every Kokkos kernel and fence carries a label with the prefix of its place, so that a profile can
be grouped: `vlmark::` in the program, `test::` in tests, `bench::` in benchmarks.

    check_kokkos_labels.py ROOT
"""

import re
import sys

import lint

PREFIXES = {"tests": ("test::", "vlmark::"), "bench": ("bench::", "vlmark::")}
LABELLED = re.compile(r"\bKokkos::(?:parallel_(?:for|reduce|scan)|fence)\s*\(\s*")
# A policy in the first place is a kernel without a label; team and thread ranges have none.
POLICY = re.compile(r"(?:Kokkos::)?(?:Range|Team|MDRange)Policy\b|\d|\)")


def main(root):
    paths = [p for p in lint.files(root, lint.CODE) if p.split("/")[0] in lint.TOP_FOLDERS]
    problems = []
    for path in paths:
        code = lint.without_comments(lint.read(root, path))
        prefixes = PREFIXES.get(path.split("/")[0], ("vlmark::",))
        for call in LABELLED.finditer(code):
            rest = code[call.end():]
            where = f"{path}:{lint.line_of(code, call.start())}"
            if POLICY.match(rest):
                problems.append(f"{where}: a kernel or fence without a label (a profile cannot name "
                                f"it). Begin with \"{prefixes[0]}...\"")
            elif rest.startswith('"') and not rest[1:].startswith(prefixes):
                problems.append(f"{where}: label {rest.split(chr(34))[1]!r} lacks its prefix "
                                f"(expected {' or '.join(prefixes)})")
    lint.finish("kokkos labels", len(paths), problems)


if __name__ == "__main__":
    main(sys.argv[1])
