"""Tells a sanitizer's report from the failure that a test expects. Imported by the Python tests."""
import re

# What g++'s and clang++'s sanitizers and libstdc++'s assertions (_GLIBCXX_ASSERTIONS) print first.
REPORT = re.compile(r"(?:ERROR|WARNING): \w+Sanitizer.*|: runtime error: .*|: Assertion '.*' failed.*")


def first_report(output):
    """The first line of a report in the output of a program; None if it has none."""
    match = REPORT.search(output)
    return match.group(0) if match else None
