#!/usr/bin/env python3
"""How close features of int8 encoders are to those of f32, with random weights: test_int8.py LIMN-CONVERT
PRINT-FEATURES TOY-MODEL

Convolutional networks and vision transformers, rounded plainly and with --calibrate. Standard library only.
"""

import array
import json
import math
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import unittest

import large_channels
import vit_weights

CONVERT, PRINT, TOY = (os.path.abspath(a) for a in sys.argv[1:4])
LITE_SIDE, LITE_DIM = 224, 1280
# DeiT-tiny's sizes, with fewer layers.
vit_weights.DIM, vit_weights.HEADS, vit_weights.FEED_FORWARD, vit_weights.LAYERS = 192, 3, 768, 3


def image(side, seed):
    """Pixels, u8 [side, side, 3], of a grid of coloured squares."""
    draw, cells = random.Random(seed), 8
    size = side // cells
    rows = [b"".join(draw.randbytes(3) * size for _ in range(cells)) for _ in range(cells)]
    return b"".join(row * size for row in rows)


def types(model):
    """The type of each tensor in a model file."""
    data = model.read_bytes()
    header = json.loads(data[8:8 + struct.unpack("<Q", data[:8])[0]])
    return {name: item["dtype"] for name, item in header.items() if name != "__metadata__"}


def cosine(a, b):
    """Of two lists of features."""
    return sum(map(float.__mul__, a, b)) / math.sqrt(sum(x * x for x in a) * sum(x * x for x in b))


def distance(a, b):
    """The root of the sum of squared differences."""
    return math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b)))


class Int8(unittest.TestCase):
    """Each test has a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.model = self.folder / "model.safetensors"

    def run_tool(self, *arguments, **options):
        """Standard output of a command that must work."""
        done = subprocess.run(arguments, capture_output=True, check=False, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def quantise(self, model, *options):
        """The encoder of a model in int8."""
        path = self.folder / f"int8{len(options)}.safetensors"
        self.run_tool(CONVERT, "-q", "--force", "--encoder-only", "--dtype", "int8", model, "-o", path, *options)
        return path

    def features(self, model, side, seeds):
        """Of the images with these seeds, one after another."""
        out = array.array("f")
        for seed in seeds:
            out.frombytes(self.run_tool(PRINT, model, str(side), str(side), "", "1", input=image(side, seed)))
        return out.tolist()

    def write_images(self, side, seeds):
        """A folder of them."""
        folder = self.folder / "images"
        folder.mkdir()
        for seed in seeds:
            (folder / f"{seed}.ppm").write_bytes(f"P6 {side} {side} 255\n".encode() + image(side, seed))
        return folder

    def assert_calibrated_is_closer(self, model, side, n_images):
        """On the images that it was calibrated with and on others."""
        seen = self.write_images(side, range(n_images))
        plain, calibrated = self.quantise(model), self.quantise(model, "--calibrate", seen)
        for seeds in (range(2), range(1000, 1004)):
            exact, *others = (self.features(m, side, seeds) for m in (model, plain, calibrated))
            error, calibrated_error = (distance(exact, other) for other in others)
            self.assertGreater(error, 0)
            self.assertLess(calibrated_error, 0.95 * error)

    def test_calibrated_convolutions_are_closer(self):
        """EfficientNet-Lite0."""
        self.assert_calibrated_is_closer(TOY, LITE_SIDE, 32)

    def test_calibrated_transformers_are_closer(self):
        """BLIP's."""
        vit_weights.write(self.model, "blip", False)
        self.assert_calibrated_is_closer(self.model, vit_weights.SIDE, 64)

    def assert_close(self, network, bound, changes=None):
        """Features in int8 and f32 have at least this cosine."""
        vit_weights.write(self.model, network, False, changes)
        exact, rounded = (self.features(m, vit_weights.SIDE, range(3)) for m in (self.model, self.quantise(self.model)))
        self.assertNotEqual(exact, rounded)
        self.assertGreaterEqual(cosine(exact, rounded), bound)

    def test_transformers_are_close(self):
        """Those of all layouts."""
        for network in vit_weights.NETWORKS:
            with self.subTest(network):
                self.assert_close(network, 0.999)

    def test_large_channels_do_no_harm(self):
        """Twenty a hundred times as large."""
        for network in vit_weights.NETWORKS:
            tensors = vit_weights.tensors(network)
            for parts in large_channels.PARTS:
                changes = large_channels.with_parts(tensors, parts)
                with self.subTest(f"{network}: {parts}"):
                    self.assertGreaterEqual(len(changes), 2)
                    self.assert_close(network, 0.99, changes)

    def test_large_channels_that_small_weights_read_do_no_harm(self):
        """They are scaled (models/convert/fold_channels.h): else these cosines are about 0.92 and 0.98."""
        for network in vit_weights.NETWORKS:
            for changes in (large_channels.with_large_norms, large_channels.with_large_values):
                with self.subTest(f"{network}: {changes.__name__}"):
                    self.assert_close(network, 0.999, changes(vit_weights.tensors(network)))

    def test_weights_that_would_lose_too_much_stay_f16(self):
        """With --calibrate; and when such a file is converted again."""
        images = self.write_images(vit_weights.SIDE, range(32))
        for network in ("blip", "clip"):
            changes = large_channels.with_large_hidden(vit_weights.tensors(network))
            vit_weights.write(self.model, network, False, changes)
            plain, calibrated = self.quantise(self.model), self.quantise(self.model, "--calibrate", images)
            exact, plain_features, features = (self.features(m, vit_weights.SIDE, range(100, 103))
                                               for m in (self.model, plain, calibrated))
            self.assertLess(cosine(exact, plain_features), 0.99)
            self.assertGreaterEqual(cosine(exact, features), 0.999)
            kept = {name for name, dtype in types(calibrated).items() if dtype == "F16" and types(plain)[name] == "I8"}
            self.assertEqual(kept, set(filter(large_channels.reads_hidden, types(plain))))
            again = self.quantise(calibrated)
            self.assertEqual(again.read_bytes(), calibrated.read_bytes())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
