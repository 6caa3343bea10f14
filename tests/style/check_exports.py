#!/usr/bin/env python3
"""Compares what a shared library exports with what its headers declare: check_exports.py LIBRARY HEADER...

The library exports exactly the functions that the headers mark with LIMN_API.
"""

import re
import subprocess
import sys

DECLARATION = re.compile(r"^LIMN_API\b[^;(]*?\b(\w+)\(", re.MULTILINE)


def exported(library):
    """Names in the dynamic symbol table, but those that compilers reserve to themselves."""
    lines = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    return {name for name in (line.split()[-1].split("@")[0] for line in lines) if not name.startswith("_")}


def main(library, headers):
    declared = set()
    for header in headers:
        with open(header, encoding="utf-8") as file:
            declared.update(DECLARATION.findall(file.read()))
    there = exported(library)
    for name in sorted(there - declared):
        print(f"{name}: exported, but in no installed header")
    for name in sorted(declared - there):
        print(f"{name}: declared with LIMN_API, but not exported")
    for name in sorted(n for n in declared if not n.startswith("limn_")):
        print(f"{name}: does not begin with limn_")
    print(f"{len(there & declared)} functions exported as declared")
    return 0 if there == declared and all(n.startswith("limn_") for n in declared) else 1


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
