#!/usr/bin/env python3
"""Vision transformers from model files to features: test_vit.py PRINT-FEATURES

Features are compared with those of the original code (tests/fixtures/make_vit.py). Standard library only.
"""

import array
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import vit_weights
from original_weights import Tensor

PRINT = os.path.abspath(sys.argv[1])
DATA = pathlib.Path(__file__).resolve().parent.parent / "data" / "vit"
SIDE = str(vit_weights.SIDE)


class Vit(unittest.TestCase):
    """Each test has a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.model = pathlib.Path(folder.name) / "model.safetensors"

    def run_model(self, level="", threads="1", width=SIDE):
        """Runs print_features on the model."""
        return subprocess.run([PRINT, self.model, width, SIDE, level, threads], input=vit_weights.image(),
                              capture_output=True, check=False)

    def features(self, level, threads="1"):
        """The feature bytes at a CPU level; None if this machine lacks it."""
        done = self.run_model(level, threads)
        if b"is not available here" in done.stderr:
            return None
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done.stdout

    def assert_close(self, features, network):
        """The features are within 2e-5 of the original's, in units of their root mean square; a wrong eps would give
        1e-4."""
        values = [array.array("f", data) for data in (features, (DATA / f"{network}.f32").read_bytes())]
        self.assertEqual(len(values[0]), len(values[1]))
        self.assertEqual(len(values[0]), vit_weights.POSITIONS * vit_weights.DIM)
        rms = (sum(v * v for v in values[1]) / len(values[1])) ** 0.5
        self.assertLess(max(abs(a - b) for a, b in zip(*values)), 2e-5 * rms)

    def test_features_are_those_of_the_original_code(self):
        """With F32 and F16 weights, which are the same numbers, at every level and for any number of threads."""
        for network in vit_weights.NETWORKS:
            outputs = set()
            for halves in (False, True):
                vit_weights.write(self.model, network, halves)
                outputs |= {self.features(level) for level in ("c", "sse41", "avx2", "avx512")}
                outputs |= {self.features("", threads) for threads in ("2", "7")}
            outputs -= {None}
            with self.subTest(network):
                self.assertEqual(len(outputs), 1)
                self.assert_close(outputs.pop(), network)

    def test_what_is_missing_or_of_another_shape_is_named(self):
        """Tensors that are missing, and tensors of another shape."""
        for change, says in (({"encoder.class_position": None}, b"tensor encoder.class_position is missing"),
                             ({"encoder.layers.1.attention.key.bias": None},
                              b"tensor encoder.layers.1.attention.key.bias is missing"),
                             ({"encoder.norm.weight": Tensor((2,), array.array("f", [1, 2]))},
                              b"tensor encoder.norm.weight is F32 [2], expected F32 [32]")):
            vit_weights.write(self.model, "blip", False, change)
            done = self.run_model()
            self.assertEqual(done.returncode, 1)
            self.assertIn(says, done.stderr)

    def test_input_that_is_no_whole_number_of_patches_is_an_error(self):
        """So is input with a different number of positions."""
        vit_weights.write(self.model, "vit", False)
        self.assertIn(b"encoder input of 52 x 48: sides are no multiples of the patch, 8",
                      self.run_model(width="52").stderr)
        self.assertIn(b"encoder.position_embedding is F32 [37, 32], expected F32 [43, 32]",
                      self.run_model(width="56").stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
