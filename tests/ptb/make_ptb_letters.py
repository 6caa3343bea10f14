#!/usr/bin/env python3
"""Writes common/text/ptb_letters.c: what the original tokenizer takes for letters and digits.

    make_ptb_letters.py JAR | clang-format > common/text/ptb_letters.c

JAR is stanford-corenlp-3.4.1.jar, which pycocoevalcap has in its folder `tokenizer`. Needs Java; run by hand. The
original's character table has one class for all characters that its rules don't distinguish."""

import itertools
import subprocess
import sys
import tempfile

PROGRAM = """
public class Classes {
    public static void main(String[] args) throws Exception {
        java.lang.reflect.Field field = Class.forName("edu.stanford.nlp.process.PTBLexer").getDeclaredField("ZZ_CMAP");
        field.setAccessible(true);
        StringBuilder out = new StringBuilder();
        for (char c : (char[]) field.get(null)) out.append((int) c).append('\\n');
        System.out.print(out);
    }
}
"""
HEADER = """/* Made by tests/ptb/make_ptb_letters.py: what the original takes for letters and digits, which are
 * those of the Unicode version it was made with. */
#include "common/text/ptb_letters.h"
"""
# One character of each class: e acute, E acute, and the four that case-insensitive rules take for i, s and k.
LETTERS = "\u00e9\u00c9\u0130\u0131\u017f\u212a"
DIGIT = "\u0660"


def classes(jar):
    """The class of each UTF-16 unit."""
    with tempfile.NamedTemporaryFile("w", suffix=".java") as source:
        source.write(PROGRAM)
        source.flush()
        run = subprocess.run(["java", "-cp", jar, source.name], stdout=subprocess.PIPE, check=True)
    return [int(line) for line in run.stdout.split()]


def ranges(points):
    """The first and last of each run of code points."""
    for _, run in itertools.groupby(enumerate(points), lambda pair: pair[1] - pair[0]):
        run = [point for _, point in run]
        yield run[0], run[-1]


def table(name, points):
    """A C array."""
    rows = [f"{{ 0x{first:04X}, 0x{last:04X} }}," for first, last in ranges(points)]
    return (f"\nconst limn_code_range limn_ptb_{name}[] = {{\n" + "\n".join(rows) + "\n};\n"
            f"const size_t limn_ptb_n_{name} = sizeof limn_ptb_{name} / sizeof *limn_ptb_{name};\n")


def main():
    """Prints the file."""
    of = classes(sys.argv[1])
    letters = {of[ord(c)] for c in LETTERS}
    beyond_ascii = range(0x80, 0x10000)
    print(HEADER + table("letters", [c for c in beyond_ascii if of[c] in letters])
          + table("digits", [c for c in beyond_ascii if of[c] == of[ord(DIGIT)]]), end="")


if __name__ == "__main__":
    main()
