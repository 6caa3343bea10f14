#!/usr/bin/env python3
"""torchvision's ResNets from their files to features: test_resnet.py LIMN-CONVERT PRINT-FEATURES LIMN-INSPECT

Features are compared with torchvision's (tests/fixtures/make_resnet.py). Standard library only; where torch and
torchvision are installed, also with what they compute and save in this run.
"""

import array
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import original_weights as original
import resnet_weights

CONVERT, PRINT, INSPECT = (os.path.abspath(a) for a in sys.argv[1:4])
DATA = pathlib.Path(__file__).resolve().parent.parent / "data" / "resnet"
MAKE = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "make_resnet.py"
SHAPE = (resnet_weights.WIDTH, resnet_weights.HEIGHT)


class ResNet(unittest.TestCase):
    """Each test has a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.model = self.folder / "model.safetensors"

    def convert(self, path):
        """Runs limn-convert IN --encoder-only -o model.safetensors."""
        return subprocess.run([CONVERT, path, "--encoder-only", "--force", "-o", self.model],
                              capture_output=True, text=True, check=False)

    def features(self, level, threads="1", shape=SHAPE):
        """The feature bytes at a CPU level; None if this machine lacks it."""
        done = subprocess.run([PRINT, self.model, *map(str, shape), level, threads],
                              input=resnet_weights.image(*shape), capture_output=True, check=False)
        if b"is not available here" in done.stderr:
            return None
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done.stdout

    def assert_close(self, features, expected):
        """The features are within 2e-4 of torchvision's, in units of their root mean square."""
        values = [array.array("f", data) for data in (features, expected)]
        self.assertEqual(len(values[0]), len(values[1]))
        rms = (sum(v * v for v in values[1]) / len(values[1])) ** 0.5
        self.assertLess(max(abs(a - b) for a, b in zip(*values)), 2e-4 * rms)

    def check_network(self, network, write):
        """Converts a network, and compares its features with torchvision's and between levels and numbers of
        threads."""
        path = self.folder / "weights"
        write(path, resnet_weights.state_dict(network))
        done = self.convert(path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn(f"{network} from ResNet weights", done.stdout)
        levels = ["c", "sse41", "avx2", "avx512"] if network == "resnet18" else ["avx2", "avx512"]
        outputs = [self.features(level) for level in levels] + [self.features("", "3")]
        there = [output for output in outputs if output is not None]
        self.assert_close(there[0], (DATA / f"{network}.f32").read_bytes())
        self.assertEqual(len(set(there)), 1)

    def test_resnet18_of_a_pytorch_file(self):
        self.check_network("resnet18", original.write_pth)
        shown = subprocess.run([INSPECT, "--no-tensors", self.model], capture_output=True, text=True,
                               check=True).stdout
        self.assertIn("encoder: resnet18", shown)
        self.assertIn("224 x 224 pixels, bilinear, centre of a shorter side of 256, (red - 123.675)", shown)
        self.assertIn("tags: imagenet, 1000 names", shown)

    def test_resnet18_at_the_size_it_was_trained_at(self):
        path = self.folder / "weights"
        original.write_safetensors(path, resnet_weights.state_dict("resnet18"), {})
        self.assertEqual(self.convert(path).returncode, 0)
        self.assert_close(self.features("", shape=(224, 224)), (DATA / "resnet18-224.f32").read_bytes())

    def test_a_file_that_torch_saved(self):
        if not importlib.util.find_spec("torchvision"):
            self.skipTest("left out: needs torch and torchvision")
        subprocess.run([sys.executable, "-B", MAKE, "224", "224", self.folder, "resnet18"], check=True,
                       capture_output=True)
        done = self.convert(self.folder / "resnet18.pth")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assert_close(self.features("", shape=(224, 224)), (self.folder / "resnet18.f32").read_bytes())

    def test_resnet50_of_a_safetensors_file(self):
        self.check_network("resnet50", lambda path, tensors: original.write_safetensors(path, tensors, {}))

    def test_resnet101_of_a_safetensors_file(self):
        self.check_network("resnet101", lambda path, tensors: original.write_safetensors(path, tensors, {}))

    def test_wide_resnet50_2_of_a_safetensors_file(self):
        self.check_network("wide_resnet50_2", lambda path, tensors: original.write_safetensors(path, tensors, {}))

    def test_what_is_missing_or_left_over_is_named(self):
        for change, says in (({"layer3.1.bn2.running_var": None}, "layer3.1.bn2.running_var is missing"),
                             ({"layer9.0.conv1.weight": original.Tensor((1,), array.array("f", [1]))},
                              "layer9.0.conv1.weight belongs to no part of resnet18"),
                             ({"layer4.1.conv1.weight": None}, "layer4.1.conv1.weight (ResNet weights)")):
            tensors = resnet_weights.state_dict("resnet18")
            for name, tensor in change.items():
                tensors.pop(name, None)
                if tensor:
                    tensors[name] = tensor
            path = self.folder / "weights"
            original.write_safetensors(path, tensors, {})
            done = self.convert(path)
            self.assertEqual(done.returncode, 2)
            self.assertIn(says, done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
