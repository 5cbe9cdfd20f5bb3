"""Every error text ends in what to do.

    check_messages.py ROOT

Looks at the literals of each `throw SomeError(...)`: after the problem, with both values or why it
matters, they must end in a sentence of at least two words, or in a constant that holds one (kReadAgain). A
text that is handed on is read where a helper puts it together.
"""

import re
import sys

import lint

THROW = re.compile(r"\bthrow\s+(?:\w+::)*\w*Error\s*\(")
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
CONSTANT = re.compile(r"\bk[A-Z]\w*Again\b")


def literals(code, start):
    """The string literals from the opening parenthesis at `start` to its match."""
    found, depth, i = [], 0, start
    while i < len(code):
        literal = LITERAL.match(code, i)
        if literal:
            found.append(literal.group(1))
            i = literal.end()
            continue
        if CONSTANT.match(code, i):
            return []
        depth += {"(": 1, ")": -1}.get(code[i], 0)
        i += 1
        if depth == 0:
            break
    return found


def says_what_to_do(texts):
    text = " ".join(texts)
    return len(re.findall(r"[A-Za-z]{2,}", text)) < 2 or re.search(r"[.;] +[A-Za-z]+ +\S+", text)


def main(root):
    problems, checked = [], 0
    for path in lint.files(root, lint.CODE):
        if not path.startswith(("src/", "parallel/", "kernels/")):
            continue
        code = lint.without_comments(lint.read(root, path))
        for throw in THROW.finditer(code):
            checked += 1
            if not says_what_to_do(literals(code, throw.end() - 1)):
                problems.append(f"{path}:{lint.line_of(code, throw.start())}: the error does not say "
                                "what to do (a user is left alone with it). End it in a sentence")
    lint.finish("messages", checked, problems)


if __name__ == "__main__":
    main(sys.argv[1])
