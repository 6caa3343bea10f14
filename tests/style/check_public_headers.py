#!/usr/bin/env python3
"""Checks that installed headers mention no file that is not installed: check_public_headers.py ROOT HEADER...

This goes for includes and comments alike; a header may mention itself, by the path that a reader would look for.
"""

import re
import sys

PATH = re.compile(r"\b[\w./-]*\w\.(?:h|c|re|md|py)\b")


def main(root, headers):
    n_wrong = 0
    for header in headers:
        with open(f"{root}/{header}", encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                for path in PATH.findall(line):
                    if path in headers or f"<{path}>" in line:
                        continue
                    print(f"{header}:{number}: names {path}, which is not installed")
                    n_wrong += 1
    print(f"{len(headers)} headers")
    return 1 if n_wrong else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
