#!/usr/bin/env python3
"""Quality against diversity: what ways of finding captions give for the same photos.

    diversity.py LIMN LIMN_EVAL MODEL DATA [N [THREADS]]

DATA is a folder with images/, captions.token.txt (NAME#k<TAB>caption), train.txt and dev.txt (a name a line), as
Flickr8k's. Captions the first N photos of dev.txt (all) in each way of WAYS, five captions a photo where it gives
several, and prints a markdown table (scores times 100):

CIDEr         CIDEr-D of the first caption (samples are sorted by score too), with the references' document
              frequencies.
oracle@5      CIDEr-D of the best of a photo's captions by CIDEr-D; mean over the photos.
Div-2         different word pairs of a photo's five captions / all their words; mean over the photos. Captions
              that were drawn several times count as often.
distinct      different captions among the five of a photo, mean over the photos; and different first captions of
              all photos, as parts of their numbers.
self-CIDEr    0: the five captions are equal … 1: they have nothing in common (Wang & Chan 2019).

Where the model has no document frequencies, which consensus needs, a copy of it gets those of the captions of
train.txt's photos, by the limn-convert beside LIMN.
"""
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

N_CAPTIONS = 5
SAMPLE = ["--sample", "--n-best", "5"]
WAYS = [
    ("beam 3", ["--beam", "3"]),
    ("beam 5, its five best", ["--beam", "5", "--n-best", "5"]),
    ("diverse beam: 5 groups of 2", ["--beam", "10", "--groups", "5", "--n-best", "5"]),
    ("sampling, top-p 0.9", [*SAMPLE, "--top-p", "0.9"]),
    ("sampling, top-p 0.9, temperature 0.7", [*SAMPLE, "--top-p", "0.9", "--temperature", "0.7"]),
    ("stochastic beam", [*SAMPLE, "--distinct"]),
    ("consensus of beam 20", ["--rerank", "consensus", "--beam", "20", "--n-best", "5"]),
    ("consensus of 40 samples, temperature 0.7", [*SAMPLE, "--temperature", "0.7", "--candidates", "40",
                                                   "--rerank", "consensus"]),
]


def has_frequencies(model):
    """Whether the model file says how frequent n-grams are in references."""
    with open(model, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        return "limn.document_frequencies" in json.loads(file.read(size)).get("__metadata__", {})


def with_frequencies(limn, model, data, folder):
    if has_frequencies(model):
        return model
    out = folder / "model.safetensors"
    subprocess.run([pathlib.Path(limn).with_name("limn-convert"), "-q", model, "--references",
                    data / "captions.token.txt", "--only", data / "train.txt", "-o", out], check=True,
                   stdout=subprocess.DEVNULL)
    return out


def caption(limn, model, options, names, threads):
    """A record for each picture."""
    output = subprocess.run([limn, "-q", "--model", model, "--threads", threads, "--format", "jsonl", *options, "-"],
                            input="".join(f"{name}\n" for name in names), check=True, stdout=subprocess.PIPE,
                            text=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def as_drawn(record):
    """The captions of a record; where fewer than five differ, each as often as it was drawn."""
    captions = record.get("captions", [record])
    if len(captions) < N_CAPTIONS:
        captions = [c for c in captions for _ in range(c.get("drawn", 1))]
    return [c["caption"] for c in captions[:N_CAPTIONS]]


def evaluate(limn_eval, refs, folder, lists):
    """What limn-eval says of [(name, [caption])]."""
    hyps = folder / "hyps.jsonl"
    hyps.write_text("".join(json.dumps({"file": name, "captions": captions}) + "\n" for name, captions in lists))
    output = subprocess.run([limn_eval, "--refs", refs, "--hyps", hyps, "--allow-missing", "--metrics",
                             "cider,diversity", "--format", "json"], check=True, stdout=subprocess.PIPE).stdout
    return json.loads(output)


def row(limn_eval, refs, folder, records):
    """The columns of the table."""
    lists = [(pathlib.Path(record["file"]).name, as_drawn(record)) for record in records]
    found = evaluate(limn_eval, refs, folder, lists)
    of_all = f"{found['diversity']['distinct_captions'] / len(lists):.2f}"
    if "oracle" not in found:
        return [f"{100 * found['CIDEr']:.1f}", "", "", of_all, ""]
    distinct = sum(len(set(captions)) / len(captions) for _, captions in lists) / len(lists)
    return [f"{100 * found['CIDEr']:.1f}", f"{100 * found['oracle']['CIDEr']:.1f}",
            f"{found['diversity']['list_Div_2']:.2f}", f"{distinct:.2f}, {of_all}",
            f"{found['diversity']['self_CIDEr']:.2f}"]


def main(limn, limn_eval, model, data, n="1000", threads="1"):
    data = pathlib.Path(data)
    names = (data / "dev.txt").read_text().split()[:int(n)]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        refs = folder / "refs.tsv"
        wanted = set(names)
        with open(data / "captions.token.txt", encoding="utf-8") as file:
            refs.write_text("".join(line for line in file if line.split("#")[0] in wanted))
        model = with_frequencies(limn, model, data, folder)
        print(f"{len(names)} photos\n")
        print("| captions by | options | CIDEr | oracle@5 | Div-2 | distinct of five, of all | self-CIDEr |")
        print("|---|---|---|---|---|---|---|")
        for what, options in WAYS:
            records = caption(limn, model, options, [data / "images" / name for name in names], threads)
            columns = row(limn_eval, refs, folder, records)
            print(f"| {what} | `{' '.join(options)}` | {' | '.join(columns)} |", flush=True)


if __name__ == "__main__":
    if not 5 <= len(sys.argv) <= 7:
        sys.exit(__doc__)
    main(*sys.argv[1:])
