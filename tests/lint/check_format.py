"""clang-format of every source file, by the repository's .clang-format.

    check_format.py ROOT
"""

import shutil
import subprocess
import sys

import lint


def main(root):
    # Other major versions break lines differently.
    tool = shutil.which("clang-format-14") or shutil.which("clang-format")
    if not tool:
        sys.exit("clang-format-14: is not installed (the format cannot be checked). "
                 "Run scripts/bootstrap")
    paths = lint.files(root, lint.CODE)
    problems = []
    if paths:
        run = subprocess.run([tool, "--dry-run", "-Werror", "--style=file", *paths], cwd=root,
                             capture_output=True, text=True)
        problems = [line for line in run.stderr.splitlines() if "error:" in line]
        if run.returncode and not problems:
            problems = [run.stderr.strip() or f"{tool}: exit code {run.returncode}"]
    if problems:
        problems.append(f"Run {tool} -i on these files")
    lint.finish("format", len(paths), problems)


if __name__ == "__main__":
    main(sys.argv[1])
