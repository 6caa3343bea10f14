#!/usr/bin/env python3
"""What a required word does to captions, and what it costs.

    required_words.py BENCH_CONSTRAINED LIMN_EVAL MODEL DATA [N [BEAM]]

DATA is a folder with images/, captions.token.txt (NAME#k<TAB>caption) and dev.txt (a name a line), as
Flickr8k's. Of each of the first N photos of dev.txt (all) one content word of its references is required:
the one that most of the references have, of those in the model's vocabulary; of equals the one that comes
first. Content words are all but the STOP_WORDS below, of letters only, two or more. Both searches have the same
beam (3). Prints a table: captions that have the word, CIDEr (times 100), bad endings, milliseconds of processor
time a photo on one thread, from JPEG bytes to the caption, and how many times as long the constrained search
takes. Fails when a caption lacks its word.
"""
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

STOP_WORDS = set("""
a about above across after against all along alongside also am among an and another any are around as at atop away
back be because been before behind being below beneath beside between both but by can close could did do does doing
down during each either every few for four from front get gets getting go goes going has have having he her hers him
himself his how in inside into is it its itself just large left like little lot lots made many more most much near
next no not of off on one onto or other others out outside over past right several she side small so some something
than that the their them themselves then there these they this those three through to together top toward towards
two under up upon very was were what when where which while who whom whose with within without
""".split())


def read_dev(data, n):
    """The first n names and their references, {name: [caption]}."""
    names = (data / "dev.txt").read_text().split()[:n]
    refs = {name: [] for name in names}
    with open(data / "captions.token.txt", encoding="utf-8") as file:
        for line in file:
            key, caption = line.rstrip("\n").split("\t")
            if key.split("#")[0] in refs:
                refs[key.split("#")[0]].append(caption)
    return refs


def write_refs(path, refs):
    path.write_text("".join(f"{name}#{k}\t{caption}\n" for name, captions in refs.items()
                            for k, caption in enumerate(captions)))


def tokenize(limn_eval, path):
    """{name: [tokens of a reference]}, as scores see them."""
    tokens = collections.defaultdict(list)
    lines = subprocess.run([limn_eval, "--tokenize", path], check=True, capture_output=True, text=True).stdout
    for line in lines.splitlines():
        key, caption = line.split("\t")
        tokens[key.split("#")[0]].append(caption.split())
    return tokens


def content_words(references):
    """Those of a photo, by the number of references that have them, then by first appearance."""
    counts = collections.Counter()
    for reference in references:
        counts.update(dict.fromkeys(word for word in reference if word not in STOP_WORDS
                                    and re.fullmatch("[a-z]{2,}", word)).keys())
    return [word for word, _ in counts.most_common()]


def score(limn_eval, refs, folder, captions):
    """(CIDEr, share of bad endings) of {name: caption}."""
    hyps = folder / "hyps.tsv"
    hyps.write_text("".join(f"{name}\t{caption}\n" for name, caption in captions.items()))
    output = subprocess.run([limn_eval, "--refs", refs, "--hyps", hyps, "--allow-missing", "--metrics",
                             "cider,diversity", "--format", "json"], check=True, capture_output=True).stdout
    found = json.loads(output)
    return found["CIDEr"], found["diversity"]["bad_endings"]


def run_bench(bench, model, beam, data, words):
    """([(name, word, free caption, constrained caption)], free ms, constrained ms)"""
    lines = "".join(f"{data / 'images' / name}\t{' '.join(of)}\n" for name, of in words.items() if of)
    output = subprocess.run([bench, model, beam], input=lines, check=True, stdout=subprocess.PIPE, text=True).stdout
    *images, times = output.splitlines()
    rows = [line.split("\t") for line in images]
    return [(pathlib.Path(path).name, *rest) for path, *rest in rows], *map(float, times.split()[1:])


def main(bench, limn_eval, model, data, n="1000", beam="3"):
    data = pathlib.Path(data)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        refs = folder / "refs.tsv"
        write_refs(refs, read_dev(data, int(n)))
        words = {name: content_words(of) for name, of in tokenize(limn_eval, refs).items()}
        rows, free_ms, constrained_ms = run_bench(bench, model, beam, data, words)
        print(f"{len(rows)} photos, beam {beam}, {len({word for _, word, _, _ in rows})} words\n")
        print("| | has the word | CIDEr | bad endings | ms a photo |\n|---|---|---|---|---|")
        for what, column, ms in (("free", 2, free_ms), ("one required word", 3, constrained_ms)):
            n_have = sum(row[1] in row[column].split() for row in rows)
            cider, bad = score(limn_eval, refs, folder, {row[0]: row[column] for row in rows})
            print(f"| {what} | {100 * n_have / len(rows):.1f} % | {100 * cider:.1f} | {100 * bad:.1f} % | {ms:.1f} |")
    print(f"\n{constrained_ms / free_ms:.2f} times as long with a required word")
    return 0 if n_have == len(rows) else 1


if __name__ == "__main__":
    if not 5 <= len(sys.argv) <= 7:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
