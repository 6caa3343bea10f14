#!/usr/bin/env python3
"""Compares the libraries that a shared library links to with the table in doc/architecture.md: check_dependencies.py
LIBRARY DOCUMENT

The table's first column has the names in backquotes: `libpng16` for libpng16.so.16.
"""

import re
import subprocess
import sys

NEEDED = re.compile(r"\(NEEDED\).*\[(.*)\]")
SECTION = "## What the shared library needs"
SYSTEM = {"ld-linux-x86-64", "libasan", "libubsan", "libtsan", "libgcc_s", "libclang_rt"}  # loader, compilers


def linked(library):
    """The names of the linked libraries, without version."""
    text = subprocess.run(["readelf", "-d", library], check=True, capture_output=True, text=True).stdout
    names = {name.split(".so")[0] for name in NEEDED.findall(text)}
    return {name for name in names if not any(name.startswith(s) for s in SYSTEM)}


def told(document):
    """The names in the first column of the section's table."""
    with open(document, encoding="utf-8") as file:
        section = file.read().split(SECTION)[1].split("\n## ")[0]
    return {name for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}


def main(library, document):
    there, justified = linked(library), told(document)
    for name in sorted(there - justified):
        print(f"{name}: linked, but not justified in {document}")
    for name in sorted(justified - there):
        print(f"{name}: in {document}, but not linked")
    print(f"{len(there)} libraries")
    return 0 if there == justified else 1


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
