#!/usr/bin/env python3
"""Runs count_tests.py on made-up meson logs."""

import json
import os
import subprocess
import sys
import tempfile

COUNT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "count_tests.py")
RAN = "[ RUN      ] {0}\n[{1:>9} ] {0}\n"
CASES = [
    ("nothing ran", [], "0 passed, 0 failed, 0 skipped", 1),
    ("programs without tests of their own",
     [("OK", ""), ("SKIP", "SKIP: no data\n"), ("EXPECTEDFAIL", "")], "2 passed, 0 failed, 1 skipped", 0),
    ("a program counts as its tests",
     [("OK", RAN.format("a", "OK") + RAN.format("b", "SKIPPED") + RAN.format("c", "OK"))],
     "2 passed, 0 failed, 1 skipped", 0),
    ("a failed test is not counted twice",
     [("FAIL", RAN.format("a", "OK") + RAN.format("b", "FAILED "))], "1 passed, 1 failed, 0 skipped", 1),
    ("a crash after good tests", [("FAIL", RAN.format("a", "OK"))], "1 passed, 1 failed, 0 skipped", 1),
    ("a program that hangs", [("TIMEOUT", "")], "0 passed, 1 failed, 0 skipped", 1),
    ("summary lines are no tests",
     [("OK", RAN.format("a", "OK") + "[==========] 1 test(s) run.\n[  PASSED  ] 1 test(s).\n")],
     "1 passed, 0 failed, 0 skipped", 0),
]


def run(programs):
    """Output and exit code of count_tests.py for [(result, stdout)]."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as log:
        for result, stdout in programs:
            log.write(json.dumps({"name": "x", "result": result, "stdout": stdout}) + "\n")
        log.flush()
        done = subprocess.run([sys.executable, COUNT, log.name], capture_output=True, text=True, check=False)
    return done.stdout, done.returncode


def main():
    failed = 0
    for name, programs, line, code in CASES:
        got = run(programs)
        if got != (line + "\n", code):
            print(f"{name}: {got}, expected {line!r} and exit code {code}")
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
