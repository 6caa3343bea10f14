#!/usr/bin/env python3
"""Finds captions of other images by their PMI: test_mismatch.py LIMN_SCORE MODEL [N]

Takes N images (default 150) of Flickr8k's development set (../shared/data), each with one of its own captions and one
of another image, and prints how often limn-score gives the image's own caption the higher PMI, over all pairs of an own
and another caption (the area under the ROC curve). Skipped (exit code 77) without the data.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

LEAST = 0.88  # what the default model must reach


def read_captions(path):
    """The first caption of each image."""
    captions = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            name, text = line.rstrip("\n").split("\t")
            captions.setdefault(name.split("#")[0], text)
    return captions


def area(own, other):
    """The share of pairs in which the image's own caption scores higher; ties count half."""
    wins = sum((a > b) + 0.5 * (a == b) for a in own for b in other)
    return wins / (len(own) * len(other))


def main(limn_score, model, n="150"):
    root = pathlib.Path(os.environ.get("LIMN_SOURCE_ROOT", "."))
    data = root / "../shared/data/flickr8k"
    if not data.exists():
        print("SKIP: ../shared is not here")
        return 77
    names = (data / "dev.txt").read_text().split()[:int(n)]
    captions = read_captions(data / "captions.token.txt")
    with tempfile.TemporaryDirectory() as folder:
        pairs = pathlib.Path(folder) / "pairs.tsv"
        pairs.write_text("".join(f"{name}#0\t{captions[name]}\n{name}#1\t{captions[other]}\n"
                                 for name, other in zip(names, names[1:] + names[:1])))
        lines = subprocess.run([limn_score, "-q", "--model", model, "--images", data / "images", "--captions", pairs,
                                "--format", "jsonl"], check=True, capture_output=True, text=True).stdout.splitlines()
    records = [json.loads(line) for line in lines]
    found = area([r["pmi"] for r in records[0::2]], [r["pmi"] for r in records[1::2]])
    by_logprob = area([r["logprob"] / len(r["tokens"]) for r in records[0::2]],
                      [r["logprob"] / len(r["tokens"]) for r in records[1::2]])
    print(f"{len(records)} captions: area under the ROC curve {found:.3f} by PMI, {by_logprob:.3f} by log-probability")
    return 0 if len(records) == 2 * len(names) and found >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
