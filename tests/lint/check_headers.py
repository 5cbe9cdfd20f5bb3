"""Every header compiles alone, with the flags of the sources beside it.

    check_headers.py ROOT BUILD_FOLDER

A header that some source includes before anything else is checked by the build itself. The others
get a translation unit each: anything shared between them (a unity file, a precompiled header) would
hide exactly the missing include that is looked for. Optimisation is off, units run side by side, and
ccache answers for headers that did not change.
"""

import concurrent.futures
import json
import os
import re
import shlex
import shutil
import subprocess
import sys

import lint


FIRST_INCLUDE = re.compile(r'\s*#[ \t]*include[ \t]*"([^"]+)"')


def shown_by(source, root):
    """The header that a source includes before anything else."""
    match = FIRST_INCLUDE.match(lint.without_comments(lint.read(root, source)))
    return match and match.group(1)


def flags_of(command):
    """The compiler and its flags without launcher, input, outputs and optimisation."""
    words = shlex.split(command["command"])
    if os.path.basename(words[0]) == "ccache":
        words = words[1:]
    kept, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in ("-o", "-MT", "-MF"):
            skip = True
        elif word in ("-c", "-MD") or word.startswith("-O") or word == command["file"]:
            pass
        else:
            kept.append(word)
    return kept


def nearest(header, commands, root):
    """The command of the source that shares most folders with the header; of these the one with
    most flags, since a header may need all libraries of its box."""

    def rank(command):
        source = os.path.relpath(command["file"], root)
        shared = os.path.commonpath([os.path.dirname(header), os.path.dirname(source)])
        return (len(shared.split("/")) if shared else 0, len(command["command"]))

    return max(commands, key=rank)


def compile_alone(root, work, header, flags):
    base = os.path.join(work, header.replace("/", "__"))
    with open(base + ".cpp", "w", encoding="utf-8") as file:
        file.write(f'#include "{header}"\n')
    ccache = shutil.which("ccache")
    # ccache keeps objects only; without it the syntax is enough.
    output = ["-c", "-o", base + ".o"] if ccache else ["-fsyntax-only"]
    run = subprocess.run(([ccache] if ccache else []) + flags + ["-O0", f"-I{root}"] + output +
                         [base + ".cpp"], capture_output=True, text=True)
    if run.returncode == 0:
        return None
    first = [line for line in run.stderr.splitlines() if "error" in line][:2]
    return f"{header}: does not compile alone. Include what it uses\n  " + "\n  ".join(first)


def main(root, build):
    database = os.path.join(build, "compile_commands.json")
    with open(database, encoding="utf-8") as file:
        commands = [c for c in json.load(file) if c["file"].endswith(".cpp")]
    work = os.path.join(build, "lint_headers")
    os.makedirs(work, exist_ok=True)
    headers = [h for h in lint.files(root, (".hpp",)) if h.split("/")[0] in lint.TOP_FOLDERS]
    shown = {shown_by(c["file"], root) for c in commands}
    problems = []
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        jobs = [pool.submit(compile_alone, root, work, h, flags_of(nearest(h, commands, root)))
                for h in headers if h not in shown]
        problems = [job.result() for job in jobs]
    lint.finish("headers", len(headers), [p for p in problems if p])


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]))
