#!/usr/bin/env python3
"""One checksum per line of everything that the tools write: shows that a change left it all as it was. By hand:

    digest.py BIN MODEL IMAGES CAPTIONS DEV > after.txt      # with the tools of the change
    digest.py OLD_BIN MODEL IMAGES CAPTIONS DEV > before.txt # with those before it; then diff the two

BIN: the folder of the tools. IMAGES: a folder of images, of which the first 300 by name are taken.
CAPTIONS: their captions, name#k<TAB>caption; DEV: a list of names to develop on, taken from both. Floats
are written with nine digits, so equal checksums mean equal bits. Model files count by their tensors, since
their headers may grow. Takes about ten minutes on two cores.
"""

import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile

N_IMAGES = 300
N_SLOW = 40  # of them, for what is slow or large
N_TRAIN, N_DEV = 32, 8
TRAINING = ["--epochs", "10", "--batch", "16", "--views", "2", "--f32", "-q"]
NEW_MODEL = ["--encoder", "encoder.safetensors", "--layers", "1", "--dim", "64", "--heads", "2", "--min-count", "1"]
DECODING = {
    "beam": [], "beam-5": ["--beam", "5", "--n-best", "5"], "greedy": ["--beam", "1"],
    "sampling": ["--sample", "--top-p", "0.9", "--seed", "3", "--n-best", "3"],
    "distinct": ["--sample", "--distinct", "--n-best", "4"],
    "groups": ["--beam", "6", "--groups", "3", "--n-best", "6"],
    "consensus": ["--rerank", "consensus"], "guidance": ["--guidance", "1.5"],
    "words": ["--must", "dog|man", "--ban", "water", "--min-words", "6", "--no-repeat-ngram", "2"],
    "start": ["--start-with", "there is", "--style", "sentence", "--no-bad-endings"],
    "penalties": ["--repetition-penalty", "1.3", "--coverage-penalty", "0.2", "--length-reward", "0.1"],
}


class Digest:
    """Runs the tools in a folder of its own and prints what they leave there."""

    def __init__(self, bin_folder, model, work):
        self.bin, self.model, self.work = bin_folder, model, work

    def run(self, tool, *arguments):
        """A tool's standard output; ends everything when it fails."""
        done = subprocess.run([os.path.join(self.bin, tool), *arguments], cwd=self.work, check=False,
                              stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        if done.returncode:
            sys.exit(f"{tool} {' '.join(arguments)}: exit code {done.returncode}")
        return done.stdout

    def caption(self, *arguments):
        return self.run("limn", "-q", "--model", self.model, *arguments)

    def say(self, name, data):
        print(f"{hashlib.sha256(data).hexdigest()}  {name}", flush=True)

    def say_file(self, name, path):
        with open(os.path.join(self.work, path), "rb") as file:
            self.say(name, file.read())

    def say_folder(self, name, folder):
        """All files of a folder, by their names."""
        sums = hashlib.sha256()
        top = os.path.join(self.work, folder)
        paths = sorted(os.path.join(at, file) for at, _, files in os.walk(top) for file in files)
        if not paths:
            sys.exit(f"{folder}: nothing was written")
        for path in paths:
            with open(path, "rb") as file:
                sums.update(os.path.relpath(path, top).encode() + b"\0" + file.read())
        self.say(name, sums.hexdigest().encode())


def tensors_of(path):
    """The tensors of a safetensors file, by name, as bytes."""
    with open(path, "rb") as file:
        size, = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(size)), file.read()
    rows = sorted((name, row) for name, row in header.items() if name != "__metadata__")
    return b"".join(name.encode() + b"\0" + data[slice(*row["data_offsets"])] for name, row in rows)


def digest_captions(d):
    for name, options in DECODING.items():
        images = "slow" if name == "consensus" else "images"
        d.say(f"jsonl {name}", d.caption("--format", "jsonl", *options, images))
    everything = ["--alternatives", "5", "--tags", "5", "--confidence", "--signals", "--n-best", "2"]
    d.say("jsonl everything", d.caption("--format", "jsonl", *everything, "images"))
    d.say("ensemble", d.caption("--model", d.model, "--format", "jsonl", "slow"))
    d.caption("--attention", "attention", "slow")
    d.say_folder("attention", "attention")
    d.caption("--explain", "explain", "slow")
    d.say_folder("explain", "explain")


def digest_formats(d):
    for form in ("text", "csv", "tsv", "coco", "metadata"):
        d.say(f"format {form}", d.caption("--format", form, "images"))
        d.caption("-o", f"out.{form}", "--format", form, "--errors", f"errors.{form}", "images")
        d.say_file(f"file {form}", f"out.{form}")
    d.caption("--sidecar", "--out-dir", "sidecars", "images")
    d.say_folder("sidecars", "sidecars")
    d.run("limn", "-q", "--model", d.model, "-o", "tars/", "--tar", "txt", "--tar", "json", "images.tar")
    d.say_folder("tars", "tars")
    d.caption("-o", "shards/", "images.tar")
    d.say_folder("archive", "shards")


def digest_tools(d):
    captions = "captions.txt"
    d.say("score", d.run("limn-score", "-q", "--model", d.model, "--images", "slow", "--captions", "slow.txt",
                         "--format", "jsonl"))
    d.run("limn-preprocess", "-q", "--model", d.model, "-o", "pixels", "slow")
    d.say_file("pixels", "pixels.npy")
    d.run("limn-preprocess", "-q", "--model", d.model, "--features", "-o", "features", "slow")
    d.say_file("features", "features.npy")
    d.caption("-o", "hyps.jsonl", "images")
    d.say("eval", d.run("limn-eval", "-q", "--refs", captions, "--hyps", "hyps.jsonl", "--format", "json",
                        "--metrics", "bleu,rouge,cider,sacrebleu", "--confidence", "--per-image", "each.jsonl"))
    d.say_file("eval per image", "each.jsonl")
    d.run("limn-vocab", "-q", "--captions", captions, "--min-count", "3", "-o", "vocab.txt")
    d.say_file("vocab", "vocab.txt")


def digest_training(d):
    """Twenty steps of each stage: ten epochs of two batches."""
    d.run("limn-convert", d.model, "--encoder-only", "--dtype", "f32", "-o", "encoder.safetensors")
    data = ["--images", "images", "--captions", "captions.txt", "--train", "train.txt", "--dev", "dev.txt"]
    model = NEW_MODEL
    for stage in ("text", "features", "end-to-end", "reward"):
        more = ["--text", "text.txt"] if stage == "text" else []
        d.run("limn-train", *data, *model, *more, *TRAINING, "--stage", stage, "--run", f"run-{stage}",
              "-o", f"{stage}.safetensors")
        d.say(f"training {stage}", tensors_of(os.path.join(d.work, f"{stage}.safetensors")))
        model = ["--init", f"{stage}.safetensors"]


def lay_out(work, images, captions, dev):
    """Links and lists that the commands above take."""
    names = sorted(n for n in os.listdir(images) if os.path.isfile(os.path.join(images, n)))
    with open(captions, encoding="utf-8") as file:
        lines = file.read().splitlines()
    known = {line.split("#")[0] for line in lines}
    with open(dev, encoding="utf-8") as file:
        dev_names = set(file.read().split())
    names = [n for n in names if n in known][:N_IMAGES]
    for folder, taken in (("images", names), ("slow", names[:N_SLOW])):
        os.mkdir(os.path.join(work, folder))
        for name in taken:
            os.symlink(os.path.abspath(os.path.join(images, name)), os.path.join(work, folder, name))
    subprocess.run(["tar", "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "-chf", "images.tar", "slow"],
                   cwd=work, check=True)
    train = [n for n in names if n not in dev_names][:N_TRAIN]
    lists = {
        "captions.txt": [x for x in lines if x.split("#")[0] in set(names)],
        "slow.txt": [x for x in lines if x.split("#")[0] in set(names[:N_SLOW])],
        "text.txt": [f"{i}\t{x.split(chr(9))[1]}" for i, x in enumerate(lines[:640])],
        "train.txt": train, "dev.txt": [n for n in names if n not in train][:N_DEV],
    }
    for name, rows in lists.items():
        with open(os.path.join(work, name), "w", encoding="utf-8") as file:
            file.write("".join(row + "\n" for row in rows))


def main(bin_folder, model, images, captions, dev):
    with tempfile.TemporaryDirectory() as work:
        lay_out(work, images, captions, dev)
        d = Digest(os.path.abspath(bin_folder), os.path.abspath(model), work)
        for part in (digest_captions, digest_formats, digest_tools, digest_training):
            part(d)


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    main(*sys.argv[1:])
