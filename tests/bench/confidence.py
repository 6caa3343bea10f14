#!/usr/bin/env python3
"""How well a confidence tells right captions from wrong ones: confidence.py BIN REFS SIGNALS [REFS SIGNALS]...

BIN is the folder of the tools; each SIGNALS is what `limn --signals --format jsonl` wrote for a set of photos,
and REFS their references (models/fit_confidence.sh leaves such files in its folder). The photos of all sets are
divided in two halves, every other one; what is printed of a photo comes from a fit to the half that it is not in:
calibration error, AUC, and the scores of each set with all captions and without the least confident 10, 20 … 50 %.
"""

import json
import math
import pathlib
import subprocess
import sys
import tempfile

SHARES = (0, 10, 20, 30, 40, 50)


def evaluate(tools, refs, hyps, *options):
    """What limn-eval says, as JSON."""
    command = [tools / "limn-eval", "-q", "--refs", refs, "--hyps", hyps, "--allow-missing", *options]
    return subprocess.run(command, check=True, capture_output=True).stdout


def write(path, records):
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path


def fit(tools, folder, sets, half):
    """A fit to the captions of one half of each set: the other tells no signals."""
    pairs = []
    for i, (refs, records) in enumerate(sets):
        seen = [r if k % 2 == half else {"file": r["file"], "caption": r["caption"]} for k, r in enumerate(records)]
        pairs.append((refs, write(folder / f"{i}.jsonl", seen)))
    also = [word for refs, hyps in pairs[1:] for word in ("--also", f"{refs}:{hyps}")]
    evaluate(tools, *pairs[0], *also, "--fit", folder / "fit.json")
    return json.loads((folder / "fit.json").read_text(encoding="utf-8"))


def confidence(c, signals):
    """As limn_confidence_of in models/confidence.c."""
    terms = (s["weight"] * (signals[name] - s["mean"]) / s["scale"] for name, s in c["signals"].items())
    return 1 / (1 + math.exp(-(c["bias"] + sum(terms))))


def print_set(tools, folder, refs, records):
    """The scores of a set, and without its least sure captions."""
    print("| left out | captions | least confidence | false persons | CHAIR_s | CHAIR_i | CIDEr |")
    print("|---|---|---|---|---|---|---|")
    in_order = sorted(records, key=lambda r: r["confidence"])
    for share in SHARES:
        kept = in_order[len(in_order) * share // 100:]
        hyps = write(folder / "kept.jsonl", kept)
        df = ("--df" if share else "--save-df", folder / "df")  # those of the whole set
        scores = json.loads(evaluate(tools, refs, hyps, "--metrics", "cider,objects", "--format", "json", *df))
        people = scores["objects"]["people"]
        print(f"| {share} % | {len(kept)} | {kept[0]['confidence']:.3f} "
              f"| {people['false']} of {people['absent']}: {100 * scores['False_person']:.1f} % "
              f"| {100 * scores['CHAIR_s']:.1f} % | {100 * scores['CHAIR_i']:.1f} % | {100 * scores['CIDEr']:.1f} |")
        if share == 0:
            reliability = scores["reliability"]
    print(f"\n{reliability['right']} of {reliability['captions']} right ({reliability['right_is']}); calibration "
          f"error {reliability['calibration_error']:.3f}, AUC {reliability['auc']:.3f}\n")


def main(arguments):
    if len(arguments) < 3 or len(arguments) % 2 == 0:
        sys.exit(__doc__)
    tools = pathlib.Path(arguments[0])
    sets = []
    for refs, path in zip(arguments[1::2], arguments[2::2]):
        lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
        sets.append((refs, [r for r in map(json.loads, lines) if r.get("signals")]))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for half in (0, 1):
            c = fit(tools, folder, sets, half)
            for _, records in sets:
                for r in records[1 - half::2]:
                    r["confidence"] = confidence(c, r["signals"])
        for (refs, records), path in zip(sets, arguments[2::2]):
            print(f"{pathlib.Path(path).name}: {len(records)} photos, each by a fit to the half that it is not in\n")
            print_set(tools, folder, refs, records)


if __name__ == "__main__":
    main(sys.argv[1:])
