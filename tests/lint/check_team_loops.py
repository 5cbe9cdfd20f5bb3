"""Teams are formed and shared out in kernels/team.hpp alone.

    check_team_loops.py ROOT

The tests force the size of a team there, and show on a host what a missing barrier does. The lanes
of a vector cannot be shown at all: on a host such a loop is a plain one. So no other file forms a
team, asks for its size, or names a range of threads or lanes.
"""

import re
import sys

import lint

HOME = "kernels/team.hpp"
TEAM = re.compile(r"\b(?:Team(?:Thread|Vector)|ThreadVector)(?:MD)?Range\b|\bTeamPolicy\b|"
                  r"\bPerThread\b|\bKokkos::AUTO\b|\bteam_(?:reduce|scan|size_max|size_recommended)\b|"
                  r"\bvector_(?:reduce|length)\b")


def main(root):
    paths = [p for p in lint.files(root, lint.CODE) if p.split("/")[0] in lint.TOP_FOLDERS]
    problems = []
    for path in paths:
        if path == HOME:
            continue
        code = lint.without_comments(lint.read(root, path))
        for match in TEAM.finditer(code):
            problems.append(f"{path}:{lint.line_of(code, match.start())}: {match.group(0)} outside of "
                            f"{HOME} (no test could force its team size). Use for_each_row, "
                            "for_each_tile, for_each or row_sum")
    lint.finish("team loops", len(paths), problems)


if __name__ == "__main__":
    main(sys.argv[1])
