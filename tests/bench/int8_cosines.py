#!/usr/bin/env python3
"""How close features in int8 are to those in f32, at full size: int8_cosines.py LIMN-CONVERT PRINT-FEATURES [NETWORK...]

Vision transformers with the sizes of published captioners and random weights: of BLIP base, GIT base and ViT-GPT2 (blip,
clip, vit). Prints the cosine of all features of an image: as it is, with twenty channels a hundred times as large in
several places (tests/models/large_channels.py), after all norms, and after all norms or in all values of attention with
the weights that read them divided by the same factor. Also prints, with large channels after all norms, the cosine
between f32 features of two images that differ by one in one pixel. PRINT-FEATURES is
build/tests/fixtures/print_features. A network takes two minutes, 1 GB of memory and 500 MB of disk.
"""
import array
import math
import os
import pathlib
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "models"))

import large_channels  # pylint: disable=wrong-import-position
import vit_weights  # pylint: disable=wrong-import-position

SIDES = {"blip": 384, "clip": 224, "vit": 224}
N_THREADS = "2"


def set_sizes(side):
    vit_weights.SIDE, vit_weights.PATCH, vit_weights.POSITIONS = side, 16, 1 + (side // 16) ** 2
    vit_weights.DIM, vit_weights.HEADS, vit_weights.FEED_FORWARD, vit_weights.LAYERS = 768, 12, 3072, 12


def full_size(network):
    """Its tensors. Of 768 inputs, vit_weights.py makes products twice as large as these: with scores that large, attention
    picks single positions, and no features are stable."""
    tensors = vit_weights.tensors(network)
    for name, tensor in tensors.items():
        if len(tensor.shape) > 1 and "position" not in name and vit_weights.count(tensor.shape[1:]) == vit_weights.DIM:
            tensors[name] = large_channels.scaled(tensor, [slice(None)], 0.5)
    return tensors


def image(side, more_red=0):
    """Pixels, u8 [side, side, 3], of a grid of coloured squares; the first is a little redder."""
    draw, size = random.Random(0), side // 8
    rows = [b"".join(draw.randbytes(3) * size for _ in range(8)) for _ in range(8)]
    pixels = bytearray(b"".join(row * size for row in rows))
    pixels[0] += more_red
    return bytes(pixels)


def cosine(a, b):
    return sum(map(float.__mul__, a, b)) / math.sqrt(sum(x * x for x in a) * sum(x * x for x in b))


class Tools:
    """The programs, and a folder for models."""

    def __init__(self, convert, print_features, folder):
        self.convert, self.print_features, self.folder = convert, print_features, pathlib.Path(folder)

    def features(self, model, pixels):
        command = [self.print_features, model, *[str(vit_weights.SIDE)] * 2, "", N_THREADS]
        out = array.array("f")
        out.frombytes(subprocess.run(command, input=pixels, stdout=subprocess.PIPE, check=True).stdout)
        return out.tolist()

    def cosine_of_int8(self, network, tensors):
        model, int8 = self.folder / "f32.safetensors", self.folder / "int8.safetensors"
        vit_weights.write(model, network, False, tensors)
        subprocess.run([self.convert, "-q", "--force", "--dtype", "int8", "--encoder-only", model, "-o", int8], check=True)
        return cosine(*(self.features(m, image(vit_weights.SIDE)) for m in (model, int8)))

    def cosine_of_pixel(self, network, tensors):
        model = self.folder / "f32.safetensors"
        vit_weights.write(model, network, False, tensors)
        return cosine(*(self.features(model, image(vit_weights.SIDE, more_red)) for more_red in (0, 1)))


def print_cosines(tools, network):
    set_sizes(SIDES[network])
    tensors = full_size(network)
    norms = {name: large_channels.enlarged(name, t) for name, t in tensors.items()
             if ".layers." in name and "_norm." in name}
    cases = {"as it is": {}}
    cases.update(("large: " + ", ".join(parts), large_channels.with_parts(tensors, parts))
                 for parts in large_channels.PARTS)
    cases["large after all norms"] = norms
    cases["the same, weights divided"] = large_channels.with_large_norms(tensors)
    cases["large values in attention, weights divided"] = large_channels.with_large_values(tensors)
    for case, changes in cases.items():
        print(f"{network}: {case}: {tools.cosine_of_int8(network, {**tensors, **changes}):.5f}", flush=True)
    print(f"{network}: large after all norms, one pixel: {tools.cosine_of_pixel(network, {**tensors, **norms}):.5f}",
          flush=True)


def main():
    if len(sys.argv) < 3 or any(network not in SIDES for network in sys.argv[3:]):
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        for network in sys.argv[3:] or SIDES:
            print_cosines(Tools(sys.argv[1], sys.argv[2], folder), network)


if __name__ == "__main__":
    main()
