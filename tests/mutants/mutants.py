#!/usr/bin/env python3
"""Breaks the code on purpose and checks that a test notices:

    git clone . /tmp/copy && meson setup /tmp/copy/build /tmp/copy
    mutants.py /tmp/copy                       the mutants of known.py: each must be caught
    mutants.py /tmp/copy --draw 60 --seed 1    mutants drawn from the lines of the files of TESTS

A mutant is one small change of one line. It is written into the copy, the tests of its file are built and run, and the
file is restored. For each mutant, prints the first test that failed, "does not build", or SURVIVED. Exit code 1 if a
known one survives. Findings are in README.md. Run by hand: a mutant takes seconds."""

import argparse
import fnmatch
import random
import re
import subprocess
import sys
from pathlib import Path

from known import KNOWN

# The tests to try a file's mutants on, the quick ones first.
TESTS = {
    "models/train/trainer.c": ["trainer_steps", "trainer", "train_toy"],
    "models/train/reward.c": ["reward", "trainer_steps"],
    "models/train/batches.c": ["batches"],
    "models/train/adamw.c": ["adamw", "decoder_grad"],
    "models/train/learning_rate.c": ["trainer_steps", "adamw", "train_toy"],
    "models/train/checkpoint.c": ["checkpoint"],
    "models/train/object_match.c": ["reward_scorer", "reward"],
    "models/train/reward_scorer.c": ["reward_scorer", "trainer_steps"],
    "tools/annotate/journal/*.c": ["journal", "annotate_resume"],
    "models/eval/eval_retrieval.c": ["eval_measures"],
    "models/eval/eval_subsets.c": ["eval_measures"],
    "models/eval/eval_objects.c": ["eval_objects", "eval_measures"],
    "common/text/ptb_tokenizer.c": ["ptb_tokenizer"],
    "common/text/ptb_class.c": ["ptb_tokenizer"],
    "common/base/pool.c": ["base", "float_env"],
    "common/base/rng.c": ["rng"],
    "decoder/hypothesis.c": ["beam", "diverse_beam"],
    "decoder/sampling.c": ["sampling"],
}
PROGRAMS = {"annotate_resume": ["tools/limn"], "eval_measures": ["tools/limn-eval"], "eval_objects": ["tools/limn-eval"],
            "train_toy": ["tools/limn-train"]}
# The changes: a pattern, and the replacement for its match.
CHANGES = [(r" < ", " <= "), (r" <= ", " < "), (r" > ", " >= "), (r" >= ", " > "), (r" == ", " != "), (r" != ", " == "),
           (r" && ", " || "), (r" \|\| ", " && "), (r" \+ ", " - "), (r" - ", " + "), (r" \* ", " / "), (r"\+= ", "-= "),
           (r"\btrue\b", "false"), (r"\bfalse\b", "true"), (r"\(!", "("), (r"\b0\b", "1"), (r"\b1\b", "0"), (r" \+ 1\b", ""),
           (r" - 1\b", ""), (r"^(\s+)(\w[\w.>\-]*\(.*\);)$", r"\1;"), (r"^(\s+)[\w.>\-\[\]]+ [+*/-]?= .*;$", r"\1;")]
SKIPPED = re.compile(r"^\s*(/?\*|//|#|static |const |case |enum|typedef|\}|LIMN_TRY\(.*reserve)|limn_fail|limn_free|_finish\(|_destroy\(|assert\(")


def tests_of(path):
    """The tests of a file."""
    return next(tests for pattern, tests in TESTS.items() if fnmatch.fnmatch(path, pattern))


def drawn(tree, n, seed):
    """Draws n mutants (file, line number, old, new)."""
    every = []
    for pattern in TESTS:
        for file in sorted(tree.glob(pattern)):
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines()):
                if SKIPPED.search(line):
                    continue
                for old, new in CHANGES:
                    for match in re.finditer(old, line):
                        every.append((str(file.relative_to(tree)), number, line, line[:match.start()] + match.expand(new) + line[match.end():]))
    return random.Random(seed).sample(every, min(n, len(every)))


def verdict(tree, tests):
    """The outcome for the mutant now in the tree."""
    targets = [target for test in tests for target in PROGRAMS.get(test, [f"tests/unit/test_{test}"])]
    built = subprocess.run(["ninja", "-j2", "-C", tree / "build", *targets], capture_output=True, check=False)
    if built.returncode:
        return "does not build"
    for test in tests:
        try:
            run = subprocess.run(["meson", "test", "-C", tree / "build", "--no-rebuild", "-t", "1", test], capture_output=True, check=False,
                                 timeout=300)
        except subprocess.TimeoutExpired:
            return f"{test} (for ever)"
        if run.returncode:
            return test
    return "SURVIVED"


def try_text(tree, path, text, tests):
    """The verdict on a file with this text; the file is restored."""
    file = tree / path
    before = file.read_text(encoding="utf-8")
    try:
        file.write_text(text, encoding="utf-8")
        return verdict(tree, tests)
    finally:
        file.write_text(before, encoding="utf-8")


def run_known(tree):
    """Tries the known mutants; returns the number of survivors."""
    survivors = 0
    for mutant in KNOWN:
        text = (tree / mutant.file).read_text(encoding="utf-8")
        if text.count(mutant.old) != 1:
            sys.exit(f"{mutant.file}: {mutant.old!r} is there {text.count(mutant.old)} times")
        for test in mutant.tests:
            found = try_text(tree, mutant.file, text.replace(mutant.old, mutant.new), [test])
            print(f"{mutant.what}: {found}", flush=True)
            survivors += found != test
    return survivors


def run_drawn(tree, n, seed):
    """Tries n drawn mutants, and prints each verdict."""
    for path, number, old, new in drawn(tree, n, seed):
        lines = (tree / path).read_text(encoding="utf-8").splitlines(keepends=True)
        lines[number] = new + "\n"
        print(f"{path}:{number + 1}: {old.strip()}  ->  {new.strip()}: {try_text(tree, path, ''.join(lines), tests_of(path))}", flush=True)


def main():
    """Exit code 1 for a known mutant that survives."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("tree", type=Path)
    parser.add_argument("--draw", type=int)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if args.draw:
        run_drawn(args.tree.resolve(), args.draw, args.seed)
    else:
        sys.exit(1 if run_known(args.tree.resolve()) else 0)


if __name__ == "__main__":
    main()
