#!/usr/bin/env python3
"""Runs the command-line tests: run.py [--update] [--model TOY] --bin DIR [--bin DIR] CASES...

A .cases file is a list of commands with all that they must do:

    # a comment, or what the next command is about
    $ limn --beam 99 dot.png
    > a line of standard output
    ~ a line of standard output that matches this regular expression as a whole
    ! a line of standard error
    ? 1

`? N` is the exit code, left out when it is 0; standard output comes before standard error. Commands of
one file share a fresh folder with the images that images.py makes and, when --model is given, the
model `toy.safetensors` and one that is `broken.safetensors`; they run in bash with each DIR in front
of PATH, the first of them as LIMN_BIN and the tree as LIMN_SOURCE_ROOT. --update rewrites the files
with what the commands do now: read the difference before committing it.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import images

TIME_LIMIT = 500  # seconds for one command, under sanitizers too


class Case:
    """A command, the lines before it, and what is expected of it."""

    def __init__(self, preface, command):
        self.preface, self.command, self.expected = preface, command, []


def parse(path):
    """The cases of a file, and the lines after the last one."""
    cases, preface = [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("$ "):
            cases.append(Case(preface, line[2:]))
            preface = []
        elif line[:1] in (">", "~", "!", "?") and cases and not preface:
            cases[-1].expected.append(line)
        else:
            preface.append(line)
    return cases, preface


def show(mark, data):
    """Lines of output as they stand in a .cases file; bytes that are not UTF-8 as \\xNN."""
    text = data.decode("utf-8", "backslashreplace")
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    else:
        lines[-1] += "<no newline>"
    return [f"{mark} {line}" for line in lines]


def run(case, folder, environment):
    """What the command did, as lines of a .cases file."""
    done = subprocess.run(["bash", "-c", case.command], cwd=folder, env=environment, check=False,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=TIME_LIMIT)
    lines = show(">", done.stdout) + show("!", done.stderr)
    if done.returncode:
        lines.append(f"? {done.returncode}")
    return lines


def agrees(expected, actual):
    """Whether a line is as expected."""
    if expected.startswith("~ "):
        return actual.startswith("> ") and re.fullmatch(expected[2:], actual[2:]) is not None
    return expected == actual


def is_as_expected(case, actual):
    """Whether all lines are."""
    return len(actual) == len(case.expected) and all(map(agrees, case.expected, actual))


def updated(case, actual):
    """The expected lines to write: patterns stay where they still hold."""
    if is_as_expected(case, actual):
        return case.expected
    return actual


def make_folder(folder, model):
    """Fills the folder that the commands of a file share."""
    images.write_all(folder)
    if model:
        shutil.copy(model, folder / "toy.safetensors")
        (folder / "broken.safetensors").write_bytes(model.read_bytes()[:5000])


def run_file(path, options, environment):
    """Runs a file's cases; the number of those that failed."""
    cases, rest = parse(path)
    n_failed = 0
    lines = []
    with tempfile.TemporaryDirectory(prefix="limn-cli-") as name:
        make_folder(Path(name), options.model)
        for case in cases:
            actual = run(case, name, environment)
            is_good = is_as_expected(case, actual)
            n_failed += not is_good
            print(f"[{'OK' if is_good else 'FAILED':>9} ] {case.command}")
            if not is_good:
                print("expected:", *case.expected, "got:", *actual, sep="\n  ")
            lines += [*case.preface, f"$ {case.command}", *updated(case, actual)]
    if options.update:
        path.write_text("\n".join(lines + rest) + "\n", encoding="utf-8")
    return n_failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--bin", type=Path, action="append", required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("cases", type=Path, nargs="+")
    options = parser.parse_args()
    folders = [*map(str, map(Path.resolve, options.bin)), str(Path(__file__).resolve().parent)]
    environment = {"PATH": ":".join([*folders, os.environ["PATH"]]), "LC_ALL": "C",
                   "HOME": "/nonexistent", "LIMN_BIN": folders[0],
                   "LIMN_SOURCE_ROOT": str(Path(__file__).resolve().parents[2])}
    for key in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
        if key in os.environ:
            environment[key] = os.environ[key]
    n_failed = sum(run_file(path, options, environment) for path in options.cases)
    sys.exit(1 if n_failed else 0)


if __name__ == "__main__":
    main()
