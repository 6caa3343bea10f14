#!/usr/bin/env python3
"""A pointing game: does a word's attention have its maximum where the thing is? (Zhang et al. 2016, "Top-down neural
attention by excitation backprop", with generated words.)

    tests/bench/pointing.py LIMN MODEL PHOTOS CAPTIONS [N]

Images with known boxes are made up: each has four of PHOTOS in its quarters, drawn by a hash, N times (default 200).
The model captions them; counted is each word that names a thing (the list below) and that the captions, by people, of
one of the four photos say and of the others do not. It is a hit when the word's attention has its maximum in that
photo's quarter: the mean over the heads of each layer, and each head. By chance a quarter is hit in 25 % of cases; a
model that looks at the same place whatever the word is as good as the row "whole caption", the maximum of the mean over
all its words. Cells of the grid that lie in two quarters count for the one that their middle is in, and the middle row
and column of an odd grid for both, so that chance there is a little more: it is printed. CAPTIONS is a file of
"NAME#K<TAB>caption". Needs numpy and PIL."""

import collections
import hashlib
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy
from PIL import Image

SIDE = 448
# Things as they stand in captions; a plural is the same thing.
THINGS = set("""airplane apple baby ball banana bathroom bear bed bench bike bird boat book bottle bowl boy broccoli bus cake
car cat cellphone chair clock computer couch cow cup desk dog donut elephant fence fork frisbee giraffe girl glass
grass hat horse kitchen kite knife lamp laptop man microwave mirror motorcycle mountain ocean orange oven person phone
pizza plane plate racket refrigerator road sandwich scissors sheep sign sink skateboard skier snow stove street
suitcase surfboard surfer table television tie toilet towel train tree truck umbrella vase wall water window woman
zebra""".split())


def things(text):
    """Those that a text names."""
    words = re.findall(r"[a-z]+", text.lower())
    return {w if w in THINGS else w[:-1] if w.endswith("s") and w[:-1] in THINGS else None for w in words} - {None}


def read_captions(path):
    """{name: the things that its captions name}."""
    named = collections.defaultdict(set)
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        name, _, caption = line.partition("\t")
        named[name.split("#")[0]] |= things(caption)
    return named


def draw(names, number):
    """The four photos of image `number`."""
    return sorted(names, key=lambda name: hashlib.sha256(f"{number} {name}".encode()).hexdigest())[:4]


def compose(photos, names, path):
    """Four photos as quarters: upper left, upper right, lower left, lower right."""
    image = Image.new("RGB", (SIDE, SIDE))
    for i, name in enumerate(names):
        with Image.open(photos / name) as photo:
            image.paste(photo.convert("RGB").resize((SIDE // 2, SIDE // 2), Image.Resampling.LANCZOS),
                        (i % 2 * SIDE // 2, i // 2 * SIDE // 2))
    image.save(path)


def quarters(height, width):
    """[4, height, width]: which cells lie in each quarter."""
    y, x = numpy.mgrid[0:height, 0:width]
    upper, lower = 2 * y + 1 <= height, 2 * y + 1 >= height
    left, right = 2 * x + 1 <= width, 2 * x + 1 >= width
    return numpy.stack([upper & left, upper & right, lower & left, lower & right])


def hits(attention, quarter):
    """Whether the maximum of each map, of the last two axes, is in the quarter."""
    flat = attention.reshape(*attention.shape[:-2], -1)
    return quarter.ravel()[flat.argmax(-1)]


def play(folder, sets, named):
    """Of each word that counts: hits by layer and head [layers, heads], by layer, and of the whole caption by layer."""
    rounds = []
    for number, names in enumerate(sets):
        attention = numpy.load(folder / f"{number}.png" / "attention.npy")
        tokens = (folder / f"{number}.png" / "attention.txt").read_text(encoding="utf-8").splitlines()
        cells = quarters(*attention.shape[-2:])
        for t, token in enumerate(tokens):
            where = [i for i, name in enumerate(names) if things(token) & named[name]]
            if len(where) != 1:
                continue
            box = cells[where[0]]
            rounds.append((hits(attention[t], box), hits(attention[t].mean(1), box),
                           hits(attention.mean(2).mean(0), box), box.mean()))
    return rounds


def percent(values):
    """The mean, and the half of its 95 % interval."""
    p, n = numpy.mean(values), len(values)
    return f"{100 * p:.1f} ± {196 * numpy.sqrt(p * (1 - p) / n):.1f} %"


def report(rounds):
    """Prints what share of the words hit."""
    heads, layers, whole, chance = (numpy.stack(part) for part in zip(*rounds))
    print(f"{len(rounds)} words; by chance {100 * chance.mean():.1f} %")
    for layer in range(layers.shape[1]):
        best = heads[:, layer].mean(0).argmax()
        print(f"layer {layer + 1}: mean of heads {percent(layers[:, layer])}, whole caption {percent(whole[:, layer])}, "
              f"best head ({best + 1}) {percent(heads[:, layer, best])}")


def main(limn, model, photos, captions, n="200"):
    """Makes the images, captions them, and counts."""
    named, photos = read_captions(captions), pathlib.Path(photos)
    names = sorted(name for name in named if (photos / name).is_file())
    sets = [draw(names, number) for number in range(int(n))]
    with tempfile.TemporaryDirectory() as temporary:
        made, out = pathlib.Path(temporary) / "made", pathlib.Path(temporary) / "attention"
        made.mkdir()
        for number, four in enumerate(sets):
            compose(photos, four, made / f"{number}.png")
        subprocess.run([limn, "-q", "--model", model, "--attention", out, "-o", made / "captions.tsv", made], check=True)
        report(play(out, sets, named))


if __name__ == "__main__":
    if len(sys.argv) not in (5, 6):
        sys.exit(__doc__)
    main(*sys.argv[1:])
