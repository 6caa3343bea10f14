#!/usr/bin/env python3
"""Checks that clang-format would change no C file: check_format.py CLANG_FORMAT ROOT

Versions format differently, so only the version that the tree is formatted with is used; with another, or with none,
the check is skipped (exit code 77).
"""

import os
import re
import subprocess
import sys

VERSION = 14  # Debian 12's


def c_files(root):
    """The paths of the tree's C files; build folders and hidden folders don't belong to the tree."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if not f.startswith((".", "build")))
        yield from (os.path.join(folder, name) for name in sorted(names) if name.endswith((".c", ".h")))


def version(clang_format):
    """The program's major version; None if there is no such program."""
    try:
        text = subprocess.run([clang_format, "--version"], check=True, capture_output=True, text=True).stdout
    except OSError:
        return None
    found = re.search(r"version (\d+)", text)
    return int(found.group(1)) if found else None


def main(clang_format, root):
    there = version(clang_format)
    if there != VERSION:
        print(f"left out: clang-format {VERSION} is needed, {there or 'none'} is here")
        return 77
    return subprocess.run([clang_format, "--dry-run", "-Werror", *c_files(root)], check=False).returncode


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
