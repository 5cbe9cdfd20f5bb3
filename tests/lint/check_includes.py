"""The arrows between the boxes (docs/architecture.md), for #include and for CMake's LINKS.

    check_includes.py ROOT
"""

import os
import re
import sys

import lint

# box -> boxes it may include directly; what those may include follows, except kernels, which only
# those that name it may call.
ARROWS = {
    "base": [],
    "config": ["base"],
    "doctor": ["base"],
    "plan": ["base", "config"],
    "model": ["plan"],
    "kernels": ["base"],
    "reference": ["base"],
    "cuda_units": ["base", "reference"],
    "parallel": ["base"],
    "engine": ["model", "plan", "kernels", "parallel"],
    "io": ["base", "plan", "parallel"],
    "data": ["base", "config", "plan"],
    "recipe": ["model", "data", "io", "stats"],
    "judge": ["base", "config", "plan", "data", "io", "recipe", "stats"],
    "verification": ["engine", "model", "kernels", "io"],
    "train": ["recipe", "verification", "engine", "data", "io", "stats"],
    "infer": ["engine", "data", "io"],
    "sim": ["plan", "model"],
    "stats": ["base"],
    "report": ["base", "plan", "io", "stats", "judge"],
    "app": ["base", "config", "plan", "model", "engine", "io", "data", "recipe", "train", "infer",
            "sim", "stats", "doctor", "judge", "report", "verification", "kernels"],
}
ANYTHING = {"bench", "tests"}

# (include, places that may have it, may a header have it there). A place is a path's beginning.
FOREIGN = [
    (re.compile(r"Kokkos_|KokkosExp"), ["kernels/", "src/engine/", "tests/", "bench/"], True),
    (re.compile(r"mpi\.h$"), ["parallel/", "src/io/", "tests/"], True),
    (re.compile(r"boost/"), ["src/stats/"], False),
    (re.compile(r"toml\+\+/"), ["src/config/", "src/sim/"], False),
    (re.compile(r"CLI/"), ["src/app/", "bench/"], False),
    (re.compile(r"nlohmann/"), ["src/", "parallel/", "kernels/", "tests/", "bench/"], False),
    (re.compile(r"(?:hdf5|H5\w*)\.h$"), ["src/io/", "tests/"], False),
    (re.compile(r"(?:oneapi/)?dnnl"), ["kernels/", "tests/", "bench/"], False),
    (re.compile(r"cuda_runtime|cublas|cudnn|nccl\.h$"),
     ["kernels/", "parallel/", "src/engine/", "cmake/", "tests/"], True),
]
# Headers of these never include MPI, since a header passes its weight on.
NO_MPI_IN_HEADERS = ("src/", "kernels/", "bench/")
# A header that says this serves its own folder only, so that its weight goes no further.
PRIVATE = "// Private to the box"
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def reachable(box, seen=None):
    seen = set() if seen is None else seen
    for other in ARROWS[box]:
        if other not in seen:
            seen.add(other)
            reachable(other, seen)
    return seen


def allowed(box):
    boxes = reachable(box) | {box, "base"}
    return boxes if "kernels" in ARROWS[box] or box == "kernels" else boxes - {"kernels"}


def box_of(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "src" and len(parts) > 2 else parts[0]


def check_own(path, target, known):
    box, other = box_of(path), box_of(target)
    if target not in known:
        return (f'"{target}" does not exist below the root (includes are written from there). '
                "Write for example \"src/base/error.hpp\"")
    if box in ANYTHING:
        return None
    if box not in ARROWS:
        return f"box '{box}' has no arrows. Add it to docs/architecture.md and to ARROWS"
    if other not in allowed(box):
        return (f'box {box} includes "{target}" of box {other} (it may include: '
                f"{', '.join(sorted(allowed(box) - {box}))}). Move the code or turn the arrow")
    if path.startswith("kernels/reference/") and not target.startswith(("kernels/reference/",
                                                                        "src/base/")):
        return f'the reference includes "{target}" (an oracle must not use what it judges)'
    return None


def check_foreign(path, target, private):
    header = path.endswith(".hpp")
    for pattern, places, in_headers in FOREIGN:
        if not pattern.match(target):
            continue
        if not path.startswith(tuple(places)) or path.startswith("kernels/reference/"):
            return f"<{target}> is not for this box (only for: {', '.join(places)})"
        heavy = not in_headers and not private
        heavy |= target == "mpi.h" and path.startswith(NO_MPI_IN_HEADERS)
        if header and heavy:
            return (f"<{target}> in a header (every includer pays for it). Include it in the .cpp, "
                    f"or write '{PRIVATE}' where only this folder needs it")
    return None


def check_private(path, target, private):
    """A private header reaches sources and private headers of its folder only."""
    if target in private and (os.path.dirname(path) != os.path.dirname(target) or
                              path.endswith(".hpp") and path not in private):
        return (f'includes "{target}", which is private to its box (whoever includes this file '
                "would pay for it). Include it in a .cpp of its folder")
    return None


def check_file(path, code, known, private):
    for match in INCLUDE.finditer(code):
        quote, target = match.groups()
        problem = (check_own(path, target, known) or check_private(path, target, private)
                   if quote == '"' else check_foreign(path, target, path in private))
        if problem:
            yield f"{path}:{lint.line_of(code, match.start())}: {problem}"
    if path.endswith(".hpp"):
        if "#pragma once" not in code:
            yield f"{path}:1: has no #pragma once (it must survive being included twice)"
        if re.search(r"#\s*include\s*<Kokkos_(?!Macros)", code) and "Kokkos::" not in code:
            yield f"{path}:1: includes Kokkos and names nothing of it (2 s for every includer)"


def check_links(path, text):
    for match in re.finditer(r"vlmark_add_library\(\s*(\w+)([^)]*)\)", text):
        box, arguments = match.groups()
        for other in re.findall(r"\bvlmark_(\w+)", arguments):
            if other in ARROWS and (box not in ARROWS or other not in allowed(box)):
                yield (f"{path}:{lint.line_of(text, match.start())}: box {box} links vlmark_{other}"
                       " (no arrow leads there). Link along the arrows only")


def main(root):
    known = set(lint.files(root))
    paths = [p for p in lint.files(root, lint.CODE) if p.split("/")[0] in lint.TOP_FOLDERS]
    private = {p for p in paths if p.endswith(".hpp") and PRIVATE in lint.read(root, p)}
    problems, io_units = [], []
    for path in paths:
        code = lint.without_comments(lint.read(root, path))
        problems += check_file(path, code, known, private)
        if path.startswith("src/io/") and re.search(r"#\s*include\s*<mpi\.h>", code):
            io_units.append(path)
    if len(io_units) > 1:
        problems.append(f"{', '.join(io_units)}: include <mpi.h> (one unit of box io talks to MPI)."
                        " Join them")
    for path in lint.files(root, ("CMakeLists.txt",)):
        problems += check_links(path, lint.read(root, path))
    lint.finish("includes", len(paths), problems)


if __name__ == "__main__":
    main(sys.argv[1])
