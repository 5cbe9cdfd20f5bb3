"""No marks of unfinished work and no folder of one machine in code, scripts or documents.

    check_words.py ROOT
"""

import re
import sys

import lint

TEXT = lint.CODE + (".py", ".sh", ".cmake", ".md", ".toml", ".txt", ".yml", ".sbatch")
RULES = [
    (re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX)\b"),
     "marks unfinished work (nobody comes back to it). Finish it or file an issue"),
    (re.compile(r"(?<![\w.$}])/(?:home|root|Users|work|scratch|farm)/\w"),
     "names a folder of one machine (it exists nowhere else). Use a path relative to the root"),
]


def main(root):
    paths = [p for p in lint.files(root)
             if (p.endswith(TEXT) or p.startswith(("scripts/", ".ci/"))) and
             not p.startswith("tests/golden/data/")]
    problems = []
    for path in paths:
        for number, line in enumerate(lint.read(root, path).splitlines(), 1):
            for pattern, problem in RULES:
                match = pattern.search(line)
                if match:
                    problems.append(f"{path}:{number}: '{match.group(0)}' {problem}")
    lint.finish("words", len(paths), problems)


if __name__ == "__main__":
    main(sys.argv[1])
