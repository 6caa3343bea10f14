#!/usr/bin/env python3
"""Converted captioners against the original programs' numbers: check_parity.py TOOLS FOLDER [--image FILE] [--f16].

FOLDER was made by fx_*.py of the reference material, or is a copy of tests/data/published: the model's files, and
fixture.safetensors with features, logits and ids of the original. What is compared, and the tolerances:

    features              1e-4 of their RMS
    logits, given the ids 1e-4 of their standard deviation
    log-probabilities     1e-3

With --f16 the differences are printed and nothing is required. Standard library only."""

import argparse
import array
import json
import math
import pathlib
import struct
import subprocess
import sys
import tempfile

BOUNDS = {"features": 1e-4, "logits": 1e-4, "logprobs": 1e-3}
TYPES = {"F32": "f", "I64": "q"}


def read_fixture(path):
    """Returns {name: (shape, values)} and the settings in fixture.safetensors."""
    with open(path, "rb") as file:
        size, = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
        metadata = header.pop("__metadata__", {})
        tensors = {}
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            file.seek(8 + size + begin)
            values = array.array(TYPES[entry["dtype"]])
            values.frombytes(file.read(end - begin))
            tensors[name] = (entry["shape"], values)
    return tensors, json.loads(metadata.get("fixture", "{}"))


def read_npy(path):
    """Returns (shape, values) of an array of f32."""
    data = pathlib.Path(path).read_bytes()
    size, = struct.unpack("<H", data[8:10])
    header = eval(data[10:10 + size].decode(), {}) # pylint: disable=eval-used
    assert header["descr"] == "<f4", header
    values = array.array("f")
    values.frombytes(data[10 + size:])
    return header["shape"], values


def greatest_difference(a, b):
    assert len(a) == len(b), (len(a), len(b))
    return max(map(abs, map(lambda x, y: x - y, a, b)), default=0)


def rms(values):
    return math.sqrt(math.fsum(v * v for v in values) / len(values))


def deviation(values):
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((v - mean) ** 2 for v in values) / len(values))


def log_sum_exp(row):
    top = max(row)
    return top + math.log(math.fsum(math.exp(v - top) for v in row))


def positions_last(shape, values):
    """Turns [1, channels, height, width] of a convolutional network into rows of channels."""
    if len(shape) != 4:
        return values
    channels, size = shape[1], shape[2] * shape[3]
    return array.array("f", (values[c * size + p] for p in range(size) for c in range(channels)))


class Checker:
    """The differences for one model."""

    def __init__(self, tools, folder, work):
        self.tools, self.folder, self.work = pathlib.Path(tools), pathlib.Path(folder), pathlib.Path(work)
        self.fixture, _ = read_fixture(self.folder / "fixture.safetensors")
        self.model = self.work / "model.safetensors"
        self.found = {}

    def run(self, tool, *arguments):
        subprocess.run([self.tools / tool, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)

    def convert(self, dtype):
        source = [self.folder]
        if (self.folder / "model.pth").exists():
            vocab = next(p for p in (self.folder / "coco_10k.model", self.folder / "vocab.txt") if p.exists())
            source = [self.folder / "model.pth", "--vocab", vocab]
        self.run("limn-convert", *source, "-q", "-o", self.model, "--dtype", dtype)

    def features(self, image):
        out = self.work / "features"
        self.run("limn-preprocess", "-q", "--model", self.model, "--features", "--dtype", "f32", "-o", out, image)
        _, got = read_npy(f"{out}.npy")
        wanted = positions_last(*self.fixture["features"])
        self.found["features"] = greatest_difference(got, wanted) / rms(wanted)

    def sequence(self):
        """Ids with the start token, and the original's logits for them: shape and values."""
        if "greedy.logits" in self.fixture:
            ids = next(self.fixture[name] for name in ("greedy.ids", "greedy_default.ids", "greedy50.ids")
                       if name in self.fixture)
            return list(ids[1]), self.fixture["greedy.logits"]
        shape, values = self.fixture["beam5.logits"] # VirTex's, whose predictions have no start token
        return ([1] + list(self.fixture["beam5.ids"][1]))[:shape[0]], (shape, values)

    def logits(self, image):
        ids, (shape, wanted) = self.sequence()
        lines = self.work / "ids.jsonl"
        lines.write_text(json.dumps({"file": image.name, "ids": ids}) + "\n")
        done = subprocess.run([self.tools / "limn-score", "-q", "--model", self.model, "--images", image.parent,
                               "--ids", lines, "--logits", self.work / "logits"], check=True, capture_output=True)
        (_, n_tokens), got = read_npy(self.work / "logits" / "1.npy")
        width = shape[-1] # the original may have only the first columns
        rows = [got[i * n_tokens:i * n_tokens + width] for i in range(len(ids))]
        spread = deviation(wanted)
        self.found["logits"] = max(greatest_difference(row, wanted[i * width:(i + 1) * width])
                                   for i, row in enumerate(rows)) / spread
        if "greedy.logits_full_last" in self.fixture:
            last = self.fixture["greedy.logits_full_last"][1]
            difference = greatest_difference(got[-n_tokens:], last) / deviation(last)
            self.found["logits"] = max(self.found["logits"], difference)
            shift = log_sum_exp(got[-n_tokens:]) - log_sum_exp(last) # for log-probabilities over all tokens
            self.found["logprobs"] = max(abs(a - b - shift) for a, b in zip(got[-n_tokens:], last))
        if width == n_tokens:
            told = json.loads(done.stdout)["logprobs"]
            expected = [wanted[i * width + ids[i + 1]] - log_sum_exp(wanted[i * width:(i + 1) * width])
                        for i in range(len(ids) - 1)]
            self.found["logprobs"] = max(self.found.get("logprobs", 0), greatest_difference(told, expected))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tools")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--image", type=pathlib.Path)
    parser.add_argument("--f16", action="store_true")
    arguments = parser.parse_args()
    image = arguments.image or next(arguments.folder.glob("picture.*"))
    with tempfile.TemporaryDirectory() as work:
        checker = Checker(arguments.tools, arguments.folder, work)
        checker.convert("f16" if arguments.f16 else "f32")
        checker.features(image)
        checker.logits(image)
    differences = ", ".join(f"{what} {value:.2g}" for what, value in checker.found.items())
    print(f"{arguments.folder.name}, {'f16' if arguments.f16 else 'f32'}: {differences}")
    wrong = [what for what, value in checker.found.items() if not value <= BOUNDS[what]]
    return 1 if wrong and not arguments.f16 else 0


if __name__ == "__main__":
    sys.exit(main())
