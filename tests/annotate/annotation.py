"""What the tests of annotation share: images, running limn, and Python's strict parsers of what it writes."""

import argparse
import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))

import images  # noqa: E402

# Names that break what is written without care.
HOSTILE_NAMES = [
    b"plain.png", b"two words.png", b" spaces .png", b"comma,.png", b"quote\".png", b"'single'.png", b"\"\".png",
    b"new\nline.png", b"\nfirst.png", b"return\r.png", b"both\r\n.png", b"tab\there.png", b"back\\slash.png",
    b"back\\nslash.png", b"back\\xe9.png", b"=formula.png", b"{brace}.png", b"[1].png", b"control\x01\x1b[31m.png",
    b"del\x7f.png", "grüße 猫 🐈.png".encode(), b"latin-\xe9.png", b"\xff\xfe.png", b"half-\xe7\x8c.png",
    b"surrogate-\xed\xa0\x80.png", b"overlong-\xc0\x80.png", b"nel-\xc2\x85-ls-\xe2\x80\xa8.png", b"#1.png", b"a.b.c.png",
    b"000000000042.png", b"COCO_val2014_000000000043.png", b"x" * 251 + b".png", b"semi;colon.png", b"100%.png"]


def make_images(folder, n, n_different=40):
    """N images 00000.png …, links to a few different ones, which are kept beside the folder."""
    folder = Path(folder)
    store = folder.parent / (folder.name + ".store")
    folder.mkdir()
    store.mkdir()
    for i in range(min(n, n_different)):
        (store / f"{i}.png").write_bytes(images.png(16 + i % 7, 16 + i % 5, images.noise(i)))
    for i in range(n):
        os.link(store / f"{i % n_different}.png", folder / f"{i:05}.png")


def make_hostile(folder):
    """An image under each of HOSTILE_NAMES."""
    os.makedirs(folder)
    for i, name in enumerate(HOSTILE_NAMES):
        with open(os.fsencode(folder) + b"/" + name, "wb") as file:
            file.write(images.png(20 + i, 20, images.noise(i)))


class Limn:
    """The program with its model."""

    def __init__(self, program, model):
        self.program, self.model = str(program), str(model)

    def command(self, *args):
        """The words of a command line."""
        return [self.program, "--model", self.model, *map(os.fsencode, args)]

    def has_xmp(self):
        """Whether it was built with exempi."""
        return b" exempi " in subprocess.run([self.program, "--version"], capture_output=True, check=False).stdout

    def decodes(self, name):
        """Whether it was built with the library for an image of this name."""
        return not name.endswith(".tif") or b" libtiff 4" in subprocess.run(
            [self.program, "--version"], capture_output=True, check=False).stdout

    def run(self, *args, code=0, cwd=None, stdin=b"", **more):
        """Runs it to its end with this exit code (None: any); what it wrote to standard output and error."""
        done = subprocess.run(self.command(*args), cwd=cwd, input=stdin, capture_output=True, check=False, **more)
        assert code is None or done.returncode == code, (args, done.returncode, done.stderr.decode("utf-8", "replace"))
        return done.stdout, done.stderr.decode("utf-8", "replace")


def fault_parser(description):
    """The arguments of a test that runs limn with the library of fault.c: LIMN MODEL --fault LIBRARY [TEST ...]"""
    parser = argparse.ArgumentParser(description=description.split("\n", maxsplit=1)[0])
    parser.add_argument("limn", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--fault", type=Path, required=True)
    parser.add_argument("tests", nargs="*")
    return parser


def parse_fault_options(parser):
    """(its options, the program)"""
    options = parser.parse_intermixed_args()
    options.fault = str(options.fault.resolve())
    return options, Limn(options.limn.resolve(), options.model.resolve())


def unescape(text):
    """Undoes the backslash escapes of lines."""
    known = {b"\\": b"\\", b"t": b"\t", b"n": b"\n", b"r": b"\r"}
    return re.sub(rb"\\(x[0-9a-f]{2}|.)",
                  lambda m: known.get(m.group(1)) or bytes.fromhex(m.group(1)[1:].decode()), text, flags=re.DOTALL)


def unique_keys(pairs):
    """An object, unless a key comes twice."""
    assert len({key for key, _ in pairs}) == len(pairs), pairs
    return dict(pairs)


def strict_json(data):
    """A JSON text, strictly: UTF-8, no NaN, no key twice."""
    def refuse(constant):
        raise ValueError(constant)
    return json.loads(data.decode("utf-8", "strict"), object_pairs_hook=unique_keys, parse_constant=refuse)


def json_name(record, key):
    """A file name of a JSON record as bytes."""
    return bytes.fromhex(record[key + "_bytes"]) if key + "_bytes" in record else record[key].encode()


def json_lines(data):
    """The records of JSON lines."""
    assert data == b"" or data.endswith(b"\n")
    return [strict_json(line) for line in data.split(b"\n")[:-1]]


def parse_text(data):
    """(name, caption) of each line of the text format."""
    assert data.endswith(b"\n")
    pairs = [line.split(b"\t") for line in data.split(b"\n")[:-1]]
    return [(unescape(name), caption.decode()) for name, caption in pairs]


def parse_jsonl(data):
    """The same of JSONL."""
    return [(json_name(r, "file"), c["caption"]) for r in json_lines(data) for c in r.get("captions", [r])]


def parse_csv(data):
    """The same of CSV."""
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8", "strict"), newline=""), strict=True))
    assert all(None not in r and None not in r.values() for r in rows)
    assert all(r["rank"].isdigit() and float(r["logprob"]) <= 0 and float(r["score"]) <= 0 for r in rows)
    return [(bytes.fromhex(r["file_bytes"]) or r["file"].encode(), r["caption"]) for r in rows]


def parse_tsv(data):
    """The same of TSV."""
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8", "strict"), newline="\n"), strict=True,
                               delimiter="\t", quoting=csv.QUOTE_NONE))
    assert all(None not in r and None not in r.values() for r in rows)
    return [(unescape(r["file"].encode()), unescape(r["caption"].encode()).decode()) for r in rows]


def parse_coco(data):
    """The same of COCO results."""
    pairs = []
    for r in strict_json(data):
        name = json_name(r, "path" if isinstance(r["image_id"], int) else "image_id")
        assert not isinstance(r["image_id"], int) or b"%012d" % r["image_id"] in name
        pairs += [(name, caption) for caption in r.get("captions", [r["caption"]])]
    return pairs


def parse_metadata(data):
    """The same of metadata.jsonl."""
    return [(json_name(r, "file_name"), c) for r in json_lines(data) for c in r.get("texts", [r["text"]])]


# Parser and file name of each format.
FORMATS = {"text": (parse_text, "out.txt"), "jsonl": (parse_jsonl, "out.jsonl"), "csv": (parse_csv, "out.csv"),
           "tsv": (parse_tsv, "out.tsv"), "coco": (parse_coco, "out.json"),
           "metadata": (parse_metadata, "metadata.jsonl")}
