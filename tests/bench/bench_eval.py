#!/usr/bin/env python3
"""Time and memory of limn-eval, beside pycocoevalcap's when its Python is named:

    bench_eval.py LIMN_EVAL [PYTHON_WITH_PYCOCOEVALCAP]

1000 images with five references each (BLEU, ROUGE-L, CIDEr-D; ours with reading and tokenizing,
theirs without either), then 10,000 and 100,000 images. Captions are made from a vocabulary of 3000
words with Zipf's frequencies, 8 to 14 words long. Run by hand, on a machine that does nothing else."""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

N_WORDS, N_REFS, REPEATS = 3000, 5, 7
THEIRS = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
from reference_metrics import score
images = json.load(open(sys.argv[2]))
begin = time.perf_counter()
score(images)
print(time.perf_counter() - begin)
"""


def caption(rng, words, weights):
    """A sentence as COCO has them: with a capital and a full stop."""
    return " ".join(rng.choices(words, cum_weights=weights, k=rng.randint(8, 14))).capitalize() + "."


def make(folder, n_images):
    """Paths of references and hypotheses, and the images themselves."""
    rng = random.Random(n_images)
    words = ["a"] + [f"word{chr(97 + i % 26)}{chr(97 + i // 26 % 26)}{chr(97 + i // 676)}" for i in range(N_WORDS)]
    weights, total = [], 0.0
    for rank in range(len(words)):
        total += 1 / (rank + 1)
        weights.append(total)
    images = [{"id": f"{i:06}.jpg", "hyp": caption(rng, words, weights),
               "refs": [caption(rng, words, weights) for _ in range(N_REFS)]} for i in range(n_images)]
    refs, hyps = Path(folder) / "refs.tsv", Path(folder) / "hyps.tsv"
    refs.write_text("".join(f"{i['id']}#{k}\t{ref}\n" for i in images for k, ref in enumerate(i["refs"])))
    hyps.write_text("".join(f"{i['id']}\t{i['hyp']}\n" for i in images))
    return str(refs), str(hyps), images


def run(program, refs, hyps):
    """(seconds on the clock, seconds of processor, megabytes at most) of one run."""
    begin = time.perf_counter()
    process = subprocess.Popen([program, "--refs", refs, "--hyps", hyps, "--metrics", "bleu,rouge,cider"],
                               stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{program} failed")
    return time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    """Prints one line for each size, and the ratio."""
    program = sys.argv[1]
    for n_images, repeats in ((1000, REPEATS), (10000, 3), (100000, 1)):
        with tempfile.TemporaryDirectory() as folder:
            refs, hyps, images = make(folder, n_images)
            runs = [run(program, refs, hyps) for _ in range(repeats)]
            seconds, processor, memory = (min(column) for column in zip(*runs))
            print(f"{n_images} images: {1000 * seconds:.0f} ms, processor {1000 * processor:.0f} ms, {memory:.0f} MB")
            if n_images == 1000 and len(sys.argv) > 2:
                path = str(Path(folder) / "images.json")
                Path(path).write_text(json.dumps(images))
                fixtures = str(Path(__file__).resolve().parent.parent / "fixtures")
                done = [float(subprocess.run([sys.argv[2], "-c", THEIRS, fixtures, path], capture_output=True, text=True,
                                             check=True).stdout) for _ in range(2)]
                print(f"pycocoevalcap: {1000 * min(done):.0f} ms, {min(done) / seconds:.0f} times ours")


if __name__ == "__main__":
    main()
