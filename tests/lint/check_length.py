"""No source file or script above 400 lines: beyond that it does more than one thing.

    check_length.py ROOT
"""

import sys

import lint

LIMIT = 400


def main(root):
    paths = lint.files(root, lint.CODE + (".py", ".cmake", ".sh"))
    paths += [p for p in lint.files(root) if p.startswith("scripts/") and p not in paths]
    problems = []
    for path in paths:
        lines = lint.read(root, path).count("\n")
        if lines > LIMIT:
            problems.append(f"{path}: has {lines} lines (at most {LIMIT}). Split it by topic")
    lint.finish("length", len(paths), problems)


if __name__ == "__main__":
    main(sys.argv[1])
