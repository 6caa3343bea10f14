#!/usr/bin/env python3
"""Compares what a shared library exports with its headers and with the list of its symbols:
check_exports.py [--update] LIBRARY LIST HEADER...

The library must export exactly the functions that the headers mark with LIMN_API, and the list in the tree must have
the same names, so that a change to what programs can link shows up there. --update writes the list.
"""

import re
import subprocess
import sys

DECLARATION = re.compile(r"^LIMN_API\b[^;(]*?\b(\w+)\(", re.MULTILINE)


def exported(library):
    """Names in the dynamic symbol table, except those that compilers reserve for themselves."""
    lines = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    return {name for name in (line.split()[-1].split("@")[0] for line in lines) if not name.startswith("_")}


def tell(names, what):
    """Prints names with what is wrong with them; returns how many there are."""
    for name in sorted(names):
        print(f"{name}: {what}")
    return len(names)


def main(library, listed, headers, update):
    declared = set()
    for header in headers:
        with open(header, encoding="utf-8") as file:
            declared.update(DECLARATION.findall(file.read()))
    there = exported(library)
    if update:
        with open(listed, "w", encoding="utf-8") as file:
            file.writelines(f"{name}\n" for name in sorted(there))
    with open(listed, encoding="utf-8") as file:
        kept = set(file.read().split())
    n_wrong = (tell(there - declared, "exported, but in no installed header")
               + tell(declared - there, "declared with LIMN_API, but not exported")
               + tell(there - kept, "exported, but not in the list of symbols")
               + tell(kept - there, "in the list of symbols, but not exported")
               + tell({n for n in declared if not n.startswith("limn_")}, "does not begin with limn_"))
    print(f"{len(there & declared)} functions exported as declared")
    return 1 if n_wrong else 0


if __name__ == "__main__":
    arguments = [a for a in sys.argv[1:] if a != "--update"]
    if len(arguments) < 3:
        sys.exit(__doc__)
    sys.exit(main(arguments[0], arguments[1], arguments[2:], "--update" in sys.argv))
