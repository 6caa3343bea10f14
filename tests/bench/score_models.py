#!/usr/bin/env python3
"""The table of a model card: one row a model, on Flickr8k's dev split and on general photos.

    tests/bench/score_models.py BIN FLICKR8K GENERAL METEOR MODEL[:OPTION...]...

BIN: folder of limn and limn-eval. FLICKR8K: images/, captions.token.txt, dev.txt. GENERAL: images/ and
captions.token.txt, photos with references. METEOR: the `meteor` folder of PyPI's pycocoevalcap 1.2. Options after a
model are limn's, as in best.safetensors:--guidance=1.25. All numbers are times 100 but the sizes; false persons are
captions that name people, of photos whose references name none.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

KEYS = ["Bleu_1", "Bleu_4", "METEOR", "ROUGE_L", "CIDEr", "bad_endings", "False_person", "CHAIR_s"]
NAMES = ["BLEU-1", "BLEU-4", "METEOR", "ROUGE-L", "CIDEr", "bad endings", "false persons", "false objects"]


def captions(limn, model, options, images, out):
    names = "".join(f"{p}\0" for p in images)
    subprocess.run([limn, "-q", "-0", "--model", model, *options, "-o", out, "-"], input=names, text=True, check=True)


def scores(tools, references, hypotheses, meteor):
    command = [tools / "limn-eval", "--refs", references, "--hyps", hypotheses, "--allow-missing", "--metrics",
               "bleu,meteor,rouge,cider,objects,diversity", "--meteor-data", meteor, "--format", "json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result = json.loads(done.stdout)
    return result | result["diversity"]


def main(tools, flickr8k, general, meteor, models):
    flickr8k, general = pathlib.Path(flickr8k), pathlib.Path(general)
    dev = [flickr8k / "images" / name for name in (flickr8k / "dev.txt").read_text().split()]
    sets = [("Flickr8k dev", dev, flickr8k), ("general", sorted((general / "images").iterdir()), general)]
    print(f"| model | MB | photos | {' | '.join(NAMES)} |\n|---|---|---|{'---|' * len(NAMES)}")
    for item in models:
        model, *options = item.split(":")
        size = pathlib.Path(model).stat().st_size / 1e6
        label = " ".join([pathlib.Path(model).stem, *options])
        for name, images, folder in sets:
            with tempfile.TemporaryDirectory() as temporary:
                out = pathlib.Path(temporary) / "out.jsonl"
                captions(tools / "limn", model, options, images, out)
                result = scores(tools, folder / "captions.token.txt", out, meteor)
            numbers = " | ".join(f"{100 * result[key]:.1f}" for key in KEYS)
            print(f"| {label} | {size:.1f} | {name} | {numbers} |", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 6:
        sys.exit(__doc__.strip())
    main(pathlib.Path(sys.argv[1]), *sys.argv[2:5], sys.argv[5:])
