"""Every CTest entry has exactly one label, one of those scripts/test runs, and a time limit.

    check_test_labels.py BUILD_FOLDER [CTEST]
"""

import json
import subprocess
import sys

import lint

LABELS = ["unit", "property", "mpi", "golden", "failure", "bench-smoke", "lint", "portable", "race",
          "fuzz", "cuda", "slow"]


def problems_of(tests):
    for test in tests:
        properties = {p["name"]: p["value"] for p in test.get("properties", [])}
        labels = properties.get("LABELS", [])
        if len(labels) != 1 or labels[0] not in LABELS:
            yield (f"test {test['name']}: has the labels {labels} (scripts/test runs it once for "
                   f"each). Give it one of {', '.join(LABELS)}")
        if "TIMEOUT" not in properties:
            yield f"test {test['name']}: has no TIMEOUT (a hang would stop the whole run)"


def main(build, ctest="ctest"):
    run = subprocess.run([ctest, "--test-dir", build, "--show-only=json-v1"], capture_output=True,
                         text=True, check=True)
    tests = json.loads(run.stdout)["tests"]
    lint.finish("test labels", len(tests), list(problems_of(tests)))


if __name__ == "__main__":
    main(*sys.argv[1:])
