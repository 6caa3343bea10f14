#!/usr/bin/env python3
"""Checks the tree against its own rules: check_tree.py ROOT

Prints one line for each violation, "file:line: what", then statistics of function lengths. Fails if there is any.
"""

import os
import re
import statistics
import sys

MAX_LINES = 650
MAX_COLUMNS = 100
README_LINES = 150
C_API = "doc/c-api.md"
MAX_FUNCTION_LINES = 40
MAX_TEST_FUNCTION_LINES = 100
LIBRARY = ("common", "encoder", "decoder", "models")
# What a folder's files may include, besides the folder itself.
MAY_INCLUDE = {
    "common": (),
    "encoder": ("common",),
    "decoder": ("common",),
    "models": ("common", "encoder", "decoder"),
    "tools": LIBRARY,
    "samples": ("models",),
    "tests": LIBRARY + ("tools",),
    "python": LIBRARY + ("tools",),
}
C_FILES = (".c", ".h", ".re")
SOURCES = C_FILES + (".py", ".sh", ".build")
TEXTS = SOURCES + (".md",)
SCRIPTS = ("tools/dev", ".ci/run")
OWN_PATH = "tests/style/check_tree.py"
SAME_NAME_ALLOWED = ("meson.build", "README.md", "__init__.py", "pyproject.toml")
# The library reports through statuses: it never prints, ends the process or reads the environment.
FORBIDDEN_IN_LIBRARY = re.compile(
    r"\b(v?printf|puts|putchar|perror|_?exit|_Exit|abort|(secure_)?getenv|setlocale)\s*\(|\b(stdout|stderr)\b")
LEFT_OPEN = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b")
# {what we don't write: what we write instead}. Names of options and of fields in files are exempt.
UNWANTED = {
    r"(?<![\w\"`'=\\./-])[Pp]ictures?(?! of\b|[\w\"`'=\\.(-])": "image",
    r"(?i)\b(?:is_)?bli" r"nd(?:ly)?\b": "unconditional",
    r"\bstands? beside\b": "is next to",
    r"\bc(?:o|a)mes? to be\b": "is created",
    r"\bwhat is no\b": "what is not a",
    r"\bis there already\b": "already exists",
    r"\bgoes on all the same\b": "continues",
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
COMMENT_OR_LITERAL = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
FUNCTION = re.compile(r"^(?:[\w*][^;{}#]*?\b(\w+)\([^;{}]*\))\s*\n\{\n(.*?)^\}", re.MULTILINE | re.DOTALL)


class Tree:
    """The project's text files, and what is wrong in them."""

    def __init__(self, root):
        self.root = root
        self.violations = []
        self.files = {}
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(f for f in folders if f == ".ci" or not f.startswith((".", "build", "__")))
            for name in sorted(names):
                path = os.path.relpath(os.path.join(folder, name), root)
                if path.endswith(TEXTS) or path in SCRIPTS:
                    with open(os.path.join(root, path), encoding="utf-8", newline="") as file:
                        self.files[path] = file.read()

    def report(self, path, position, what):
        """Records a violation at a character of a file."""
        line = self.files[path].count("\n", 0, position) + 1
        self.violations.append(f"{path}:{line}: {what}")

    def find_all(self, path, pattern, what, text=None):
        """Records every match of a pattern; `text`, if given, is searched instead of the file's text."""
        for match in re.finditer(pattern, self.files[path] if text is None else text):
            self.report(path, match.start(), what.format(match.group()))


def code_only(text):
    """The C text with comments and literals blanked out; lines and columns stay where they were."""
    return COMMENT_OR_LITERAL.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def check_text(tree, path, text):
    """Checks for tabs, trailing space, a missing newline at the end, and long lines and files."""
    tree.find_all(path, r"\t", "a tab")
    tree.find_all(path, r"(?m)[ \r]+$", "space at the end of a line")
    if not text.endswith("\n") or text.endswith("\n\n"):
        tree.report(path, len(text), "not exactly one newline at the end")
    tree.find_all(path, LEFT_OPEN, "'{}' left in the text")
    for word, instead in UNWANTED.items():
        if path != OWN_PATH:
            tree.find_all(path, word, "'{}': write " + f"'{instead}'")
    if path.endswith(SOURCES) and text.count("\n") > MAX_LINES:
        tree.report(path, 0, f"{text.count(chr(10))} lines; at most {MAX_LINES}")
    if path.endswith(C_FILES):
        tree.find_all(path, r"(?m)^.{%d,}$" % (MAX_COLUMNS + 1), f"over {MAX_COLUMNS} columns")


def check_names(tree):
    """No two files have the same name."""
    seen = {}
    for path in tree.files:
        name = os.path.basename(path)
        if name not in SAME_NAME_ALLOWED and seen.setdefault(name, path) != path:
            tree.report(path, 0, f"has the name of {seen[name]}")


def check_includes(tree, path, text):
    """Includes are relative to the root and go one way; a source's own header comes first."""
    top = path.split("/")[0]
    includes = list(INCLUDE.finditer(text))
    for match in includes:
        target = match.group(1)
        folder = target.split("/")[0]
        if folder != top and folder not in MAY_INCLUDE.get(top, ()):
            tree.report(path, match.start(), f"{top} may not include {target}")
        elif target not in tree.files:
            tree.report(path, match.start(), f"there is no {target} (includes are from the root)")
    own = re.sub(r"\.(c|re)$", ".h", path)
    if own != path and own in tree.files and (not includes or includes[0].group(1) != own):
        tree.report(path, 0, f"{own} is not the first include")


def units_included(tree):
    """{unit: {unit: (path, position)}}: which other pairs each pair of x.c and x.h includes, and where."""
    graph = {}
    for path, text in tree.files.items():
        if path.endswith(C_FILES):
            unit = os.path.splitext(path)[0]
            edges = graph.setdefault(unit, {})
            for match in INCLUDE.finditer(text):
                other = os.path.splitext(match.group(1))[0]
                if other != unit:
                    edges.setdefault(other, (path, match.start()))
    return graph


def concept_of(unit, units):
    """The unit that a unit is part of: for x_part, x where there is one; else the unit itself."""
    base = os.path.basename(unit)
    for i in range(len(base) - 1, 0, -1):
        whole = os.path.join(os.path.dirname(unit), base[:i])
        if base[i] == "_" and whole in units:
            return concept_of(whole, units)
    return unit


def circles(graph):
    """The strongly connected sets of a graph {node: nodes} with more than one node (Tarjan)."""
    order, low, way, found = {}, {}, [], []

    def visit(node):
        order[node] = low[node] = len(order)
        way.append(node)
        for other in graph.get(node, ()):
            if other not in order:
                visit(other)
            if other in way:
                low[node] = min(low[node], low[other])
        if low[node] == order[node]:
            found.append(way[way.index(node):])
            del way[way.index(node):]

    for node in sorted(graph):
        if node not in order:
            visit(node)
    return [circle for circle in found if len(circle) > 1]


def check_cycles(tree):
    """What x.c and x.h include never includes them back, by any path, unless all units on the path are parts of one
    concept."""
    graph = units_included(tree)
    for circle in circles(graph):
        if len({concept_of(unit, graph) for unit in circle}) > 1:
            for unit in circle:
                for other in set(graph[unit]).intersection(circle):
                    path, position = graph[unit][other]
                    tree.report(path, position, f"{other} includes {unit}, by whatever way: a cycle")


def check_guard(tree, path, text):
    """The include guard is named after the path."""
    guard = "LIMN_" + re.sub(r"[/.]", "_", path).upper()
    if not re.search(rf"^#ifndef {guard}\n#define {guard}\n", text, re.MULTILINE):
        tree.report(path, 0, f"has no include guard {guard}")


def check_documents(tree):
    """The README is short; the C in the documents comes from programs that are compiled."""
    text = tree.files["README.md"]
    if text.count("\n") > README_LINES:
        tree.report("README.md", 0, f"{text.count(chr(10))} lines; at most {README_LINES}")
    if "```c\n" + tree.files["samples/caption_one.c"] + "```" not in tree.files[C_API]:
        tree.report(C_API, 0, "does not show samples/caption_one.c")
    samples = [of for path, of in tree.files.items() if path.startswith("samples/")]
    for path in ("README.md", C_API):
        for block in re.finditer(r"```c\n(.*?)```", tree.files[path], re.DOTALL):
            if not any(block.group(1) in of for of in samples):
                tree.report(path, block.start(), "shows C that no program of samples/ has")


def function_lengths(tree):
    """(lines, function, path) of every C function: the lines between its braces."""
    lengths = []
    for path, text in tree.files.items():
        if path.endswith(".c"):
            for match in FUNCTION.finditer(code_only(text)):
                n_lines = match.group(2).count("\n")
                lengths.append((n_lines, match.group(1), path))
                if n_lines > (MAX_TEST_FUNCTION_LINES if path.startswith("tests/") else MAX_FUNCTION_LINES):
                    tree.report(path, match.start(), f"{match.group(1)}: {n_lines} lines")
    return sorted(lengths)


def print_lengths(lengths):
    """Median, ninetieth percentile and the longest."""
    counts = [n for n, _, _ in lengths]
    if counts:
        print(f"{len(counts)} functions: median {statistics.median(counts):g} lines,"
              f" 90 % have at most {counts[len(counts) * 9 // 10]}; the longest:")
        for n_lines, name, path in lengths[:-6:-1]:
            print(f"  {n_lines:4} {name} ({path})")


def main(root):
    tree = Tree(root)
    check_names(tree)
    check_documents(tree)
    check_cycles(tree)
    for path, text in tree.files.items():
        check_text(tree, path, text)
        if path.endswith(C_FILES):
            check_includes(tree, path, text)
            if path.startswith(LIBRARY):
                tree.find_all(path, FORBIDDEN_IN_LIBRARY, "'{}' in the library", code_only(text))
        if path.endswith(".h"):
            check_guard(tree, path, text)
    lengths = function_lengths(tree)
    for violation in tree.violations:
        print(violation)
    print_lengths(lengths)
    return 1 if tree.violations else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
