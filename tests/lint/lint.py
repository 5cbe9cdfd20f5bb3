"""Shared by the lint checks: which files there are, and how problems are reported."""

import os
import re
import subprocess
import sys

CODE = (".hpp", ".cpp")
TOP_FOLDERS = ("src", "kernels", "parallel", "bench", "tests")
SKIPPED_FOLDERS = {".git", ".deps", "build", ".cache", "__pycache__"}


def files(root, suffixes=None):
    """Paths of the project's files relative to root: what git tracks or would track; without git
    (an unpacked archive), all that lies there."""
    git = subprocess.run(
        ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True)
    if git.returncode == 0:
        found = [f for f in git.stdout.split("\0") if f]
    else:
        found = []
        for folder, folders, names in os.walk(root):
            folders[:] = [f for f in folders if f not in SKIPPED_FOLDERS]
            found += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    # The index may still name a file that was removed, and a link is no file of its own.
    full = [(f, os.path.join(root, f)) for f in sorted(set(found))]
    return [f for f, path in full
            if os.path.isfile(path) and not os.path.islink(path)
            and (suffixes is None or f.endswith(suffixes))]


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def without_comments(code):
    """The code with comments blanked out; strings and line numbers stay as they are."""
    pattern = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.S)

    def blank(match):
        text = match.group(0)
        return text if text[0] == '"' else re.sub(r"[^\n]", " ", text)

    return pattern.sub(blank, code)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def finish(name, checked, problems):
    """Prints every problem and one closing line; exit code 1 when there is any, or when nothing
    was checked."""
    for problem in problems:
        print(problem)
    if not checked:
        print(f"{name}: found nothing to check (a check of nothing proves nothing)")
        sys.exit(1)
    print(f"{name}: {len(problems)} problems in {checked} checked")
    sys.exit(1 if problems else 0)
