#!/usr/bin/env python3
"""Compares limn-eval with pycocoevalcap on random words, until a difference or the end:

    fuzz_eval.py LIMN_EVAL [ROUNDS] [SEED]

Needs pycocoevalcap and numpy; run by hand."""

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "fixtures"))
from reference_metrics import score  # noqa: E402 (the path comes first)

TOLERANCE = 1e-9
ALPHABETS = ["a b", "a the dog cat man runs sits on in of", "é ß 日本 x.y ½ don't -", "w" ]


def caption(rng, words):
    """0 … 20 words."""
    return " ".join(rng.choices(words, k=rng.choice([0, 1, 2, 3, 4, 5, 8, 12, 20])))


def images(rng):
    """A random data set."""
    words = rng.choice(ALPHABETS).split(" ")
    words += [f"w{i}" for i in range(rng.choice([0, 0, 5, 200]))]
    return [{"id": str(i), "hyp": caption(rng, words), "refs": [caption(rng, words) for _ in range(rng.randint(1, 7))]}
            for i in range(rng.choice([1, 2, 3, 10, 50]))]


def ours(program, images, folder):
    """(corpus, [per image]) of limn-eval."""
    paths = [str(Path(folder) / name) for name in ("refs", "hyps", "each")]
    for path, key, field in ((paths[0], "captions", "refs"), (paths[1], "caption", "hyp")):
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(json.dumps({"id": i["id"], key: i[field]}) + "\n" for i in images)
    done = subprocess.run([program, "--refs", paths[0], "--hyps", paths[1], "--tokenizer", "none", "--format", "json",
                           "--metrics", "bleu,rouge,cider", "--per-image", paths[2]], capture_output=True, check=True)
    with open(paths[2], encoding="utf-8") as file:
        return json.loads(done.stdout), [json.loads(line) for line in file]


def main():
    """Random data sets from the seed on; prints the largest difference."""
    program, rounds, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 500, 0
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    worst, n_captions = 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(seed, seed + rounds):
            images = images(random.Random(number))
            if not any(ref.split() for image in images for ref in image["refs"]):
                continue  # pycocoevalcap ends with a ValueError when no reference has a word
            corpus, each = score(images)
            our_corpus, our_each = ours(program, images, folder)
            for wanted, got in zip([corpus, *each], [our_corpus, *our_each], strict=True):
                for key, value in wanted.items():
                    difference = abs(value - got[key])
                    worst = max(worst, difference)
                    if not difference <= TOLERANCE:
                        sys.exit(f"seed {number}: {key} is {got[key]}, expected {value}")
            n_captions += len(images)
    print(f"{rounds} data sets, {n_captions} captions: largest difference {worst:.3g}")


if __name__ == "__main__":
    main()
