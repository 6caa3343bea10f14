#!/usr/bin/env python3
"""Counts the tests of a meson run: count_tests.py BUILD/meson-logs/testlog.json

Prints "N passed, N failed, N skipped". A cmocka program counts as the tests that it names on its standard output, any
other program as one test. Fails if a test failed, or if there was none.
"""

import json
import re
import sys

CMOCKA_LINE = re.compile(r"^\[ +(OK|SKIPPED|FAILED|ERROR) +\] \w", re.MULTILINE)
CMOCKA_VERDICTS = {"OK": "passed", "SKIPPED": "skipped"}
MESON_VERDICTS = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}


def count_program(result, output):
    """Counts the tests of one program by verdict."""
    verdicts = [CMOCKA_VERDICTS.get(word, "failed") for word in CMOCKA_LINE.findall(output)]
    whole = MESON_VERDICTS.get(result, "failed")
    # A program that crashed or leaked has failed, whatever its tests said.
    if not verdicts or (whole == "failed" and "failed" not in verdicts):
        verdicts.append(whole)
    return verdicts


def main(path):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    with open(path, encoding="utf-8") as log:
        for line in log:
            program = json.loads(line)
            for verdict in count_program(program["result"], program.get("stdout", "")):
                counts[verdict] += 1
    print(", ".join(f"{n} {verdict}" for verdict, n in counts.items()))
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
