#!/usr/bin/env python3
"""The measures by which a default model is judged, next to their targets: a table for each model.

    tests/bench/measure.py BIN FLICKR8K GENERAL MODEL...

BIN: folder of the tools. FLICKR8K: images/, captions.token.txt, dev.txt. GENERAL: images/ and captions.token.txt,
photos with references. Captions are the model's own with its default options, with --beam 3, and with --rerank
consensus; those of Flickr8k's dev split with --beam 3. Shares are in percent, CIDEr is times 100. False and missed
persons and objects are those of limn-eval --objects (doc/evaluate.md). The area under the ROC curve is that of
confidences on general photos; each is fitted to the half of both sets that the photo is not in (confidence.py). Exit
code 1 when a model misses a bound. Standard library only."""

import json
import pathlib
import subprocess
import sys
import tempfile

import confidence

# Of the general photos: key of limn-eval, name, scale, and the bound, by which way it is to be passed.
GENERAL = (
    ("CIDEr", "CIDEr", (">=", 77)),
    ("Retrieval", "chosen for its image among 100 others", None),
    ("False_person", "false persons", ("<=", 5)),
    ("Miss_person", "missed persons", ("<=", 18)),
    ("Miss_person3", "missed persons, three references name one", ("<=", 9)),
    ("Person_F1", "persons, F1", None),
    ("CHAIR_s", "false objects", ("<=", 32)),
    ("Miss_object", "missed objects", None),
    ("Object_F1", "objects, F1", None),
    ("distinct_share", "distinct captions", (">=", 80)),
    ("most_frequent_share", "the most frequent caption", ("<=", 2)),
    ("bad_endings", "bad endings", None),
)
CONSENSUS = {"CIDEr": (">=", 83)}  # the others are bounds of the default search
FLICKR8K_CIDER, AREA = (">=", 57), (">=", 75)


def caption(tools, model, options, images, out):
    """Captions of the images, with the signals of confidence."""
    names = "".join(f"{path}\0" for path in images)
    command = [tools / "limn", "-q", "-0", "--model", model, *options, "--signals", "--format", "jsonl", "-o", out, "-"]
    subprocess.run(command, input=names, text=True, check=True)


def scores(tools, references, hypotheses):
    """Of limn-eval, by key."""
    metrics = ("--metrics", "cider,objects,retrieval,diversity", "--format", "json")
    result = json.loads(confidence.evaluate(tools, references, hypotheses, *metrics))
    return result | result["diversity"]


def area(tools, folder, sets):
    """Under the ROC curve, for the first of the sets (references, captions with signals), of confidences that were fitted
    to the other half of all."""
    sets = [(refs, [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]) for refs, path in sets]
    halves = [confidence.fit(tools, folder, sets, half) for half in (0, 1)]
    references, records = sets[0]
    for k, record in enumerate(records):
        record["confidence"] = confidence.confidence(halves[1 - k % 2], record["signals"])
    held_out = confidence.write(folder / "held-out.jsonl", records)
    return json.loads(confidence.evaluate(tools, references, held_out, "--format", "json"))["reliability"]["auc"]


def cell(value, bound):
    """A number in percent and whether it is within its bound."""
    if not bound:
        return f"{100 * value:.1f}", True
    way, limit = bound
    holds = 100 * value >= limit if way == ">=" else 100 * value <= limit
    return f"{100 * value:.1f} ({'' if holds else '**not** '}{'≥' if way == '>=' else '≤'} {limit})", holds


def print_table(tools, model, flickr8k, general, folder):
    """The table of one model; whether all bounds hold."""
    searches = {"default": [], "beam 3": ["--beam", "3", "--rerank", "score"], "consensus": ["--rerank", "consensus"]}
    photos = sorted((general / "images").iterdir())
    results = {}
    for i, (name, options) in enumerate(searches.items()):
        caption(tools, model, options, photos, folder / f"{i}.jsonl")
        results[name] = scores(tools, general / "captions.token.txt", folder / f"{i}.jsonl")
    print(f"{model}\n\n| general photos | {' | '.join(searches)} |\n|---|{'---|' * len(searches)}")
    holds = True
    for key, name, bound in GENERAL:
        bounds = (bound if key != "CIDEr" else None, bound if key == "CIDEr" else None, CONSENSUS.get(key))
        cells = [cell(result[key], b) for result, b in zip(results.values(), bounds)]
        holds = holds and all(ok for _, ok in cells)
        print(f"| {name} | {' | '.join(text for text, _ in cells)} |")
    dev = [flickr8k / "images" / name for name in (flickr8k / "dev.txt").read_text().split()]
    caption(tools, model, searches["beam 3"], dev, folder / "flickr8k.jsonl")
    sets = [(general / "captions.token.txt", folder / "1.jsonl"),
            (flickr8k / "captions.token.txt", folder / "flickr8k.jsonl")]
    text, ok = cell(area(tools, folder, sets), AREA)
    print(f"| area under the ROC curve | | {text} | |")
    cider, fits = cell(scores(tools, *sets[1])["CIDEr"], FLICKR8K_CIDER)
    print(f"| CIDEr of Flickr8k's dev split | | {cider} | |")
    print(f"\nThe most frequent caption of the default search: {results['default']['most_frequent']}\n", flush=True)
    return holds and ok and fits


def main(tools, flickr8k, general, *models):
    """Prints a table for each model."""
    holds = True
    for model in models:
        with tempfile.TemporaryDirectory() as folder:
            holds &= print_table(pathlib.Path(tools), model, pathlib.Path(flickr8k), pathlib.Path(general),
                                 pathlib.Path(folder))
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__.strip())
    main(*sys.argv[1:])
