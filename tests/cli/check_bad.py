#!/usr/bin/env python3
"""Every file of tests/data/bad, alone and inside a good batch: check_bad.py LIMN MODEL

Given alone, limn produces nothing and says why. In a batch, the good images have the captions that they have without the bad
ones, and each bad one has its own cause: in the records, and in the list of errors.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import images

OF_MODULES = re.compile(r"this is (TIFF|HEIC|HEIF|AVIF|JPEG XL|.* RAW file); not supported in this build")
BAD = pathlib.Path(__file__).resolve().parents[1] / "data" / "bad"


def run(limn, model, arguments, names=(), folder=None):
    return subprocess.run([limn, "--model", model, *arguments], input="\n".join(names), text=True, cwd=folder,
                          capture_output=True, check=False)


def expected_failures():
    """(name, kind, detail) of every bad file, and of those alone of which no decoder module knows more."""
    rows = [tuple(line.split("\t")) for line in (BAD / "expected.tsv").read_text().splitlines()]
    return rows, [row for row in rows if not OF_MODULES.fullmatch(row[2])]


def check_alone(limn, model, bad):
    for name, _, detail in bad:
        done = run(limn, model, [name], folder=BAD)
        if (done.returncode, done.stdout, done.stderr) != (2, "", f"limn: {name}: {detail}\n"):
            yield f"{name} alone: exit code {done.returncode}, {done.stdout!r}, {done.stderr!r}"


def check_batch(limn, model, bad, folder):
    good = [str(folder / f"{i}.png") for i in range(len(bad) + 1)]
    for i, path in enumerate(good):
        pathlib.Path(path).write_bytes(images.png(20 + i % 7, 30 + i, images.noise(i)))
    names = [good[0]] + [n for i, (name, _, _) in enumerate(bad) for n in (str(BAD / name), good[i + 1])]
    alone = run(limn, model, ["--format", "jsonl", "-"], good).stdout.splitlines()
    done = run(limn, model, ["--format", "jsonl", "--errors", folder / "errors.tsv", "-"], names)
    lines = done.stdout.splitlines()
    if done.returncode != 3:
        yield f"the batch: exit code {done.returncode}"
    if lines[::2] != alone or len(set(alone)) < len(alone):
        yield "the batch: captions of the good images differ"
    wanted = [(str(BAD / name), kind, detail) for name, kind, detail in bad]
    for line, (path, kind, detail) in zip(lines[1::2], wanted, strict=True):
        record = json.loads(line)
        if record != {"file": path, "error": {"kind": kind, "detail": detail}}:
            yield f"{path} in the batch: {line}"
    errors = [tuple(line.split("\t")) for line in (folder / "errors.tsv").read_text().splitlines()]
    if errors != wanted:
        yield "the list of errors: " + str(set(errors) ^ set(wanted))


def main(limn, model):
    limn, model = pathlib.Path(limn).resolve(), pathlib.Path(model).resolve()
    rows, bad = expected_failures()
    problems = []
    if len({name for name, _, _ in bad}) < 40 or {name for name, _, _ in rows} != {
            p.name for p in BAD.iterdir() if p.name != "expected.tsv"}:
        problems.append("files of tests/data/bad and expected.tsv differ, or there are few")
    problems += check_alone(limn, model, bad)
    with tempfile.TemporaryDirectory() as folder:
        problems += check_batch(limn, model, bad, pathlib.Path(folder))
    print("\n".join(problems) or f"{len(bad)} bad files, each with its own cause")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
