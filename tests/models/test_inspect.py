#!/usr/bin/env python3
"""limn-inspect from end to end: test_inspect.py LIMN-INSPECT TOY-MODEL SLOTTED-MODEL. Standard
library only."""

import hashlib
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

import original_weights as original
import vit_weights

INSPECT, TOY, SLOTTED = (os.path.abspath(a) for a in sys.argv[1:4])


def write_wide_vit(path, width):
    """A vision transformer `width` times as wide as those of vit_weights, as a file with a hole for its weights."""
    config = vit_weights.config("vit")
    sizes = {n: n * width for n in (vit_weights.DIM, vit_weights.FEED_FORWARD)}
    for key in ("dim", "feed_forward"):
        config["encoder"][key] *= width
    header, end = {"__metadata__": {"limn.version": "3", "limn.config": json.dumps(config)}}, 0
    for name, tensor in vit_weights.tensors("vit").items():
        shape = [sizes.get(n, n) for n in tensor.shape]
        begin, end = end, end + 4 * original.count(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text)
    os.truncate(path, 8 + len(text) + end)


def write_with_search(path, model, changes):
    """A copy of a model file with other defaults of its search."""
    data = pathlib.Path(model).read_bytes()
    end = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:end])
    config = json.loads(header["__metadata__"]["limn.config"])
    config["search"].update(changes)
    header["__metadata__"]["limn.config"] = json.dumps(config)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[end:])


class Inspect(unittest.TestCase):
    """What limn-inspect writes about good and broken models."""

    def inspect(self, *arguments):
        """Returns its exit code, the lines it wrote, and its messages."""
        done = subprocess.run([INSPECT, *map(str, arguments)], capture_output=True, text=True,
                              check=False)
        return done.returncode, done.stdout.splitlines(), done.stderr

    def test_everything_about_a_model(self):
        code, lines, messages = self.inspect(TOY)
        self.assertEqual((code, messages), (0, ""))
        for expected in [
                f"model: {TOY}",
                "encoder: efficientnet-lite0",
                "input: 224 x 224 pixels, bicubic, (pixel - 127) * 0.0078125",
                "decoder: 2 layers, dim 32, 4 heads, feed-forward 64, 24 positions",
                "memory: 49 positions of 1280 features",
                "search: length penalty 0.7, at most 20 steps",
                "vocabulary: 24 tokens: <pad> <s> </s> <unk> a the dog cat man woman red blue "
                "green in on under ...",
                "tensor: encoder.stem.weight F32 [32, 3, 3, 3] 3456 bytes",
                "tensor: decoder.layers.1.feed_forward.down.weight F32 [32, 64] 8192 bytes",
                "metadata: limn.version = 1",
        ]:
            self.assertIn(expected, lines)
        self.assertEqual(sum(line.startswith("tensor: ") for line in lines), 159)
        plan = {line.split(":")[0] for line in lines if " MB)" in line}
        self.assertEqual(plan, {"encoder weights, packed", "encoder state, each worker",
                                "decoder weights, packed", "decoder state, each worker",
                                "beam search, each worker"})
        self.assertEqual(lines[-1], "sha256: " + hashlib.sha256(pathlib.Path(TOY).read_bytes()).hexdigest())
        self.assertIn("layout: limn", lines)
        self.assertIn("tokenizer: words", lines)

    def test_tag_slots(self):
        _, lines, _ = self.inspect(SLOTTED)
        self.assertIn("tag slots: 4 of 12 tags", lines)
        self.assertIn("tensor: decoder.tag_embedding F32 [12, 32] 1536 bytes", lines)
        self.assertNotIn("tag slots", "".join(self.inspect(TOY)[1]))

    def test_the_plan_follows_the_beam(self):
        self.assertGreater(self.state_bytes(TOY, "--beam", "20"), self.state_bytes(TOY, "--beam", "1"))
        self.assertFalse([line for line in self.inspect(TOY, "--no-tensors")[1] if line.startswith("tensor: ")])

    def state_bytes(self, *arguments):
        """Of the decoder, as the plan says."""
        return next(int(line.split()[4]) for line in self.inspect("--no-tensors", *arguments)[1]
                    if line.startswith("decoder state, each worker:"))

    def test_the_plan_has_the_second_state_of_guidance(self):
        with tempfile.TemporaryDirectory() as folder:
            guided = pathlib.Path(folder) / "guided.safetensors"
            write_with_search(guided, TOY, {"guidance": 1.5})
            plain, more = self.state_bytes(TOY), self.state_bytes(guided)
            self.assertGreater(more, 1.2 * plain)
            self.assertLess(more, 2 * plain)  # they share scratch memory
            write_with_search(guided, TOY, {"guidance": 1})
            self.assertEqual(self.state_bytes(guided), plain)

    def peak(self, model):
        """The most resident memory that inspecting it takes, in bytes."""
        with subprocess.Popen([INSPECT, "--no-tensors", model], stdout=subprocess.DEVNULL) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0)
        return 1024 * usage.ru_maxrss

    def test_large_models_take_no_memory(self):
        with tempfile.TemporaryDirectory() as folder:
            narrow, wide = (pathlib.Path(folder) / f"{name}.safetensors" for name in ("narrow", "wide"))
            write_wide_vit(narrow, 1)
            write_wide_vit(wide, 32)
            _, lines, _ = self.inspect("--no-tensors", wide)
            packed = next(int(line.split()[3]) for line in lines if line.startswith("encoder weights, packed: "))
            self.assertGreater(packed, 60e6)
            self.assertLess(self.peak(wide) - self.peak(narrow), 20e6)

    def test_broken_models(self):
        config = {"encoder": {"family": "efficientnet-lite0", "input_size": 224,
                              "resize": "bicubic", "mean": 127, "scale": 0.0078125}}
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "broken.safetensors"
            metadata = {"limn.version": "1", "limn.config": json.dumps(config),
                        "note": "two\nlines \x1b[31m"}
            original.write_safetensors(path, {}, metadata)
            code, lines, messages = self.inspect(path)
            self.assertEqual(code, 2)
            self.assertIn("encoder.stem.weight is missing", messages)
            self.assertIn(str(path), messages)
            self.assertIn("metadata: note = two?lines ?[31m", lines)
            self.assertIn("decoder: none", lines)
            self.assertEqual(lines[-1], f"sha256: {hashlib.sha256(path.read_bytes()).hexdigest()}")
            path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
            code, lines, messages = self.inspect(path)
            self.assertEqual((code, lines), (2, []))
            self.assertIn("Git LFS pointer", messages)

    def test_mistakes_of_use(self):
        self.assertEqual(self.inspect()[0], 1)
        self.assertEqual(self.inspect(TOY, "--beam", "65")[0], 1)
        self.assertEqual(self.inspect("/nowhere")[0], 2)


unittest.main(argv=sys.argv[:1])
