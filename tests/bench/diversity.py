#!/usr/bin/env python3
"""Quality against diversity: what ways of finding captions give for the same photos.

    diversity.py LIMN LIMN_EVAL MODEL DATA [N [THREADS]]

DATA is a folder with images/, captions.token.txt (NAME#k<TAB>caption), train.txt and dev.txt (a name a line), as
Flickr8k's. Captions the first N photos of dev.txt (all) in each way of WAYS, and prints a markdown table, a column for
each (CIDEr times 100). All but the first give five captions a photo:

CIDEr             CIDEr-D of the first caption (samples are sorted by score too), with the references' document
                  frequencies.
oracle CIDEr@5    the same of the best of a photo's captions by CIDEr-D; mean over the photos.
Div-2             different word pairs of a photo's captions / all their words; mean over the photos. A caption that
                  was drawn several times counts as often.
distinct of five  different captions of a photo / its captions; mean over the photos.
distinct of all   different first captions of all photos / photos.
self-CIDEr        0: a photo's captions are equal … 1: they have nothing in common (Wang & Chan 2019).

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
WAYS = [
    ("beam 3", ["--beam", "3"]),
    ("beam 5", ["--beam", "5", "--n-best", "5"]),
    ("diverse beam", ["--beam", "10", "--groups", "5", "--n-best", "5"]),
    ("sampling", ["--sample", "--top-p", "0.9", "--n-best", "5"]),
    ("… at 0.7", ["--sample", "--top-p", "0.9", "--temperature", "0.7", "--n-best", "5"]),
    ("stochastic beam", ["--sample", "--distinct", "--n-best", "5"]),
    ("consensus", ["--rerank", "consensus", "--beam", "20", "--n-best", "5"]),
    ("… of samples", ["--rerank", "consensus", "--sample", "--temperature", "0.7", "--candidates", "40",
                       "--n-best", "5"]),
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
    """A record for each image."""
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


def column(limn_eval, refs, folder, records):
    """{row of the table: text}"""
    lists = [(pathlib.Path(record["file"]).name, as_drawn(record)) for record in records]
    found = evaluate(limn_eval, refs, folder, lists)
    cells = {"CIDEr": f"{100 * found['CIDEr']:.1f}",
             "distinct of all": f"{found['diversity']['distinct_captions'] / len(lists):.2f}"}
    if "oracle" in found:
        distinct = sum(len(set(captions)) / len(captions) for _, captions in lists) / len(lists)
        cells.update({"oracle CIDEr@5": f"{100 * found['oracle']['CIDEr']:.1f}",
                      "Div-2": f"{found['diversity']['list_Div_2']:.2f}", "distinct of five": f"{distinct:.2f}",
                      "self-CIDEr": f"{found['diversity']['self_CIDEr']:.2f}"})
    return cells


def print_table(n_photos, columns):
    """A row for each measure, a column for each way, [(what, cells)]."""
    print(f"| {n_photos} photos | {' | '.join(what for what, _ in columns)} |")
    print("|---" * (len(columns) + 1) + "|")
    for measure in ("CIDEr", "oracle CIDEr@5", "Div-2", "distinct of five", "distinct of all", "self-CIDEr"):
        print(f"| {measure} | {' | '.join(cells.get(measure, '') for _, cells in columns)} |")


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
        columns = []
        for what, options in WAYS:
            records = caption(limn, model, options, [data / "images" / name for name in names], threads)
            columns.append((what, column(limn_eval, refs, folder, records)))
            print(f"{what}: {' '.join(options)}: {columns[-1][1]}", file=sys.stderr)
    print_table(len(names), columns)


if __name__ == "__main__":
    if not 5 <= len(sys.argv) <= 7:
        sys.exit(__doc__)
    main(*sys.argv[1:])
