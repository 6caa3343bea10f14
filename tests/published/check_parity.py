#!/usr/bin/env python3
"""Converted captioners against the original programs' numbers:
check_parity.py TOOLS FOLDER [--image FILE] [--f16] [--float32].

FOLDER was made by fx_*.py of the reference material, or is a copy of tests/data/published: the model's files, and
fixture.safetensors with features, logits and ids of the original in float32. What is compared, and the bounds:

    features              1e-4 of their RMS
    logits, given the ids 1e-4 of their standard deviation
    log-probabilities     1e-3

The reference is the original in float64: FOLDER/float64.safetensors, made by float64.py beside this file, which is run
where there is none and its modules are installed. The distance of the original in float32 is printed with limn's.
Without the modules, or with --float32, the reference is the original in float32 alone.

With --f16 the differences are printed and nothing is required. Standard library only."""

import argparse
import array
import importlib.util
import json
import math
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

BOUNDS = {"features": 1e-4, "logits": 1e-4, "logprobs": 1e-3}
ANOTHER_FUNCTION = 1e-2 # float32 is never as far from float64 as that
TYPES = {"F32": "f", "F64": "d", "I64": "q"}


# ---- files --------------------------------------------------------------------------------------------------


def read_fixture(path):
    """Returns {name: (shape, values)} of a .safetensors file."""
    with open(path, "rb") as file:
        size, = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
        header.pop("__metadata__", None)
        tensors = {}
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            file.seek(8 + size + begin)
            values = array.array(TYPES[entry["dtype"]])
            values.frombytes(file.read(end - begin))
            tensors[name] = (entry["shape"], values)
    return tensors


def read_npy(path):
    """Returns (shape, values) of an array of f32."""
    data = pathlib.Path(path).read_bytes()
    size, = struct.unpack("<H", data[8:10])
    header = eval(data[10:10 + size].decode(), {}) # pylint: disable=eval-used
    assert header["descr"] == "<f4", header
    values = array.array("f")
    values.frombytes(data[10 + size:])
    return header["shape"], values


def sequence(fixture):
    """Ids with the start token, and the original's logits for them: shape and values."""
    if "greedy.logits" in fixture:
        ids = next(fixture[name] for name in ("greedy.ids", "greedy_default.ids", "greedy50.ids") if name in fixture)
        return list(ids[1]), fixture["greedy.logits"]
    shape, values = fixture["beam5.logits"] # VirTex's, whose predictions have no start token
    return ([1] + list(fixture["beam5.ids"][1]))[:shape[0]], (shape, values)


# ---- comparing ----------------------------------------------------------------------------------------------


def greatest_difference(a, b):
    return max(map(abs, map(lambda x, y: x - y, a, b)), default=0)


def rms(values):
    return math.sqrt(math.fsum(v * v for v in values) / len(values))


def deviation(values):
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((v - mean) ** 2 for v in values) / len(values))


def log_softmax(row):
    top = max(row)
    total = top + math.log(math.fsum(math.exp(v - top) for v in row))
    return [v - total for v in row]


def positions_last(shape, values):
    """Turns [1, channels, height, width] of a convolutional network into rows of channels."""
    if len(shape) != 4:
        return values
    channels, size = shape[1], shape[2] * shape[3]
    return array.array(values.typecode, (values[c * size + p] for p in range(size) for c in range(channels)))


def rows_of(shape, values):
    return [values[i:i + shape[-1]] for i in range(0, len(values), shape[-1])]


class Numbers:
    """What one program computes: features, a row of logits an id, and log-probabilities of the next ids, which are
    unknown (None) where a row holds only the first columns."""

    def __init__(self, features, rows, ids, n_tokens, logprobs=None):
        self.features, self.rows = features, rows
        self.last = log_softmax(rows[-1]) if len(rows[-1]) == n_tokens else None
        self.logprobs = logprobs or [log_softmax(row)[token] if len(row) == n_tokens else None
                                     for row, token in zip(rows, ids[1:])]

    def differences(self, wanted):
        """{what: the greatest difference}, in the units of BOUNDS."""
        assert len(self.features) == len(wanted.features) and len(self.rows) == len(wanted.rows)
        spread = deviation(array.array("d", (v for row in wanted.rows for v in row)))
        pairs = [(a, b) for a, b in zip(self.logprobs, wanted.logprobs) if None not in (a, b)]
        if self.last and wanted.last:
            pairs += zip(self.last, wanted.last)
        return {
            "features": greatest_difference(self.features, wanted.features) / rms(wanted.features),
            "logits": max(greatest_difference(a[:len(b)], b[:len(a)])
                          for a, b in zip(self.rows, wanted.rows)) / spread,
            "logprobs": max((abs(a - b) for a, b in pairs), default=0),
        }


class Checker:
    """The numbers for one model."""

    def __init__(self, tools, folder, work):
        self.tools, self.folder, self.work = pathlib.Path(tools), pathlib.Path(folder), pathlib.Path(work)
        self.fixture = read_fixture(self.folder / "fixture.safetensors")
        self.ids, self.logits = sequence(self.fixture)
        self.model = self.work / "model.safetensors"

    def run(self, tool, *arguments):
        return subprocess.run([self.tools / tool, "-q", *map(str, arguments)], check=True, stdout=subprocess.PIPE).stdout

    def convert(self, dtype):
        source = [self.folder]
        if (self.folder / "model.pth").exists():
            vocab = next(p for p in (self.folder / "coco_10k.model", self.folder / "vocab.txt") if p.exists())
            source = [self.folder / "model.pth", "--vocab", vocab]
        self.run("limn-convert", *source, "-o", self.model, "--dtype", dtype)

    def ours(self, image):
        """limn's: features as limn-preprocess writes them, logits and log-probabilities of limn-score."""
        self.run("limn-preprocess", "--model", self.model, "--features", "--dtype", "f32", "-o", self.work / "features",
                 image)
        lines = self.work / "ids.jsonl"
        lines.write_text(json.dumps({"file": image.name, "ids": self.ids}) + "\n")
        told = self.run("limn-score", "--model", self.model, "--images", image.parent, "--ids", lines, "--logits",
                        self.work / "logits")
        shape, logits = read_npy(self.work / "logits" / "1.npy")
        return Numbers(read_npy(self.work / "features.npy")[1], rows_of(shape, logits), self.ids, shape[1],
                       json.loads(told)["logprobs"])

    def original(self, n_tokens):
        """The fixture's, in float32; full-size ones have the first columns alone of all rows but the last."""
        rows = rows_of(*self.logits)
        if "greedy.logits_full_last" in self.fixture:
            rows[-1] = self.fixture["greedy.logits_full_last"][1]
        return Numbers(positions_last(*self.fixture["features"]), rows, self.ids, n_tokens)

    def exact(self):
        """The original's in float64; None where that is neither there nor can be computed."""
        path = self.folder / "float64.safetensors"
        modules = ("torch", "safetensors", "torchvision" if (self.folder / "model.pth").exists() else "transformers")
        absent = [name for name in modules if importlib.util.find_spec(name) is None]
        if not path.exists() and absent:
            print(f"float64 left out: {', '.join(absent)} not installed")
            return None
        if not path.exists():
            path = self.work / "float64.safetensors"
            subprocess.run([sys.executable, "-B", pathlib.Path(__file__).with_name("float64.py"), self.folder, path],
                           check=True, stdout=subprocess.DEVNULL, env={**os.environ, "TRANSFORMERS_VERBOSITY": "error"})
        found = read_fixture(path)
        shape, logits = found["logits"]
        return Numbers(positions_last(*found["features"]), rows_of(shape, logits), self.ids, shape[1])


def text_of(differences):
    return ", ".join(f"{what} {value:.2e}" for what, value in differences.items())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tools")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--image", type=pathlib.Path)
    parser.add_argument("--f16", action="store_true")
    parser.add_argument("--float32", action="store_true")
    arguments = parser.parse_args()
    image = arguments.image or next(arguments.folder.glob("picture.*"))
    with tempfile.TemporaryDirectory() as work:
        checker = Checker(arguments.tools, arguments.folder, work)
        checker.convert("f16" if arguments.f16 else "f32")
        ours = checker.ours(image)
        original = checker.original(len(ours.rows[0]))
        exact = None if arguments.float32 else checker.exact()
    found = ours.differences(exact or original)
    name = f"{arguments.folder.name}, {'f16' if arguments.f16 else 'f32'}"
    print(f"{name}, limn against {'float64' if exact else 'float32'}: {text_of(found)}")
    wrong = [what for what, value in found.items() if not value <= BOUNDS[what]]
    if exact:
        theirs = original.differences(exact)
        print(f"{name}, the original in float32 against float64: {text_of(theirs)}")
        if not theirs["features"] + theirs["logits"] < ANOTHER_FUNCTION:
            sys.exit(f"{arguments.folder}: what float64.py computes is not what the fixture has")
    return 1 if wrong and not arguments.f16 else 0


if __name__ == "__main__":
    sys.exit(main())
