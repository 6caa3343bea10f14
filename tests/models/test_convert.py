#!/usr/bin/env python3
"""limn-convert from end to end: test_convert.py LIMN-CONVERT TOY-MODEL SLOTTED-MODEL. Standard
library only."""

import array
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import original_weights as original

CONVERT, TOY, SLOTTED = (os.path.abspath(a) for a in sys.argv[1:4])
LAYERS = {"stem": ("_conv_stem", "_bn0"), "head": ("_conv_head", "_bn1"),
          "expand": ("_expand_conv", "_bn0"), "depthwise": ("_depthwise_conv", "_bn1"),
          "project": ("_project_conv", "_bn2")}


def folded(tensors, name, prefix=""):
    """The output's tensor `name`, with batch norm folded in double precision."""
    block, layer, part = re.fullmatch(r"encoder\.(?:blocks\.(\d+)\.)?(\w+)\.(\w+)", name).groups()
    start = prefix + (f"_blocks.{block}." if block else "")
    conv, norm = (start + part_name for part_name in LAYERS[layer])
    gamma, beta, mean, var = (tensors[f"{norm}.{x}"].values
                              for x in ("weight", "bias", "running_mean", "running_var"))
    scale = [g / math.sqrt(v + 1e-3) for g, v in zip(gamma, var)]
    if part == "bias":
        return array.array("f", [b - m * s for b, m, s in zip(beta, mean, scale)])
    values = tensors[conv + ".weight"].values
    each = len(values) // len(scale)
    return array.array("f", [w * scale[i // each] for i, w in enumerate(values)])


def as_f32(x):
    return array.array("f", [x])[0]


class Convert(unittest.TestCase):
    """Each test has a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.output = self.folder / "out.safetensors"

    def run_convert(self, *arguments):
        """Runs limn-convert IN … -o out.safetensors."""
        return subprocess.run([CONVERT, *map(str, arguments), "-o", self.output],
                              capture_output=True, text=True, check=False, cwd=self.folder)

    def convert(self, *arguments):
        """Returns the output of a conversion that must work."""
        done = self.run_convert(*arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return original.read_safetensors(self.output)

    def assert_fails(self, code, text, *arguments):
        """The conversion fails with this exit code and text, and leaves no file behind."""
        before = sorted(os.listdir(self.folder))
        done = self.run_convert(*arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(text, done.stderr)
        self.assertEqual(sorted(os.listdir(self.folder)), before)

    def assert_fails_as_reference(self, text, tensors, config=None):
        """The same, for a reference captioner with these tensors."""
        path = self.folder / "bad.safetensors"
        original.write_safetensors(path, tensors, original.reference_metadata(config))
        self.assert_fails(2, text, path)

    def test_both_pytorch_containers_are_folded_exactly(self):
        weights = original.lite0()
        outputs = []
        for is_legacy in (False, True):
            original.write_pth(self.folder / "in.pth", weights, is_legacy)
            metadata, tensors = self.convert(self.folder / "in.pth", "--encoder-only", "--force")
            outputs.append(self.output.read_bytes())
        self.assertEqual(outputs[0], outputs[1])
        self.assertEqual(len(tensors), 98)
        for name, (dtype, _, values) in tensors.items():
            self.assertEqual(dtype, "F32")
            self.assertEqual(array.array("f", values), folded(weights, name), name)
        self.assertEqual(tensors["encoder.blocks.3.depthwise.weight"][1], (144, 5, 5))
        config = json.loads(metadata["limn.config"])
        self.assertEqual(config["encoder"], {"family": "efficientnet-lite0", "input_size": 224,
                                             "resize": "bicubic", "mean": 127, "scale": 1 / 128})
        self.assertNotIn("decoder", config)
        self.assertNotIn("limn.vocabulary", metadata)

    def test_the_reference_captioner_becomes_a_model(self):
        source = original.reference()
        path = self.folder / "in.safetensors"
        original.write_safetensors(path, source, original.reference_metadata())
        metadata, tensors = self.convert(path)
        for name, (_, shape, values) in tensors.items():
            expected = (folded(source, name, "encoder.") if name.startswith("encoder.")
                        else source[name].values)
            self.assertEqual(array.array("f", values), expected, name)
            if name.startswith("decoder."):
                self.assertEqual(shape, source[name].shape)
        self.assertEqual(len(tensors), 98 + 7 + 26 + 2)
        config = json.loads(metadata["limn.config"])
        self.assertEqual(config["decoder"], {
            "layers": 1, "dim": 16, "heads": 2, "feed_forward": 32, "max_positions": 32,
            "memory_positions": 49, "memory_dim": 1280})
        self.assertEqual(config["search"], {"length_penalty": 0.7, "max_steps": 30})
        self.assertEqual(json.loads(metadata["limn.vocabulary"]), original.WORDS)
        _, alone = self.convert(path, "--encoder-only", "--force")
        self.assertEqual(sorted(alone), sorted(n for n in tensors if n.startswith("encoder.")))

    def test_a_model_changes_its_type(self):
        _, full = self.convert(TOY)
        self.assertEqual(self.output.read_bytes(), pathlib.Path(TOY).read_bytes())
        _, half = self.convert(TOY, "--dtype", "f16", "--force")
        first = self.output.read_bytes()
        for name, (dtype, shape, values) in half.items():
            is_weight = name.endswith(".weight") and len(shape) > 1
            self.assertEqual(dtype, "F16" if is_weight else "F32", name)
            bound = 2.0 ** -11 if is_weight else 0
            for got, wanted in list(zip(values, full[name][2]))[:500]:
                self.assertLessEqual(abs(got - wanted), bound * abs(wanted) + bound * 2.0 ** -13)
        done = self.run_convert(self.output, "--dtype", "f16", "--force") # in place
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.output.read_bytes(), first)

    def test_a_model_becomes_int8(self):
        _, full = self.convert(TOY)
        metadata, small = self.convert(TOY, "--dtype", "int8", "--force")
        self.assertEqual(metadata["limn.int8"], "2")
        quantised = [name for name, (dtype, _, _) in small.items() if dtype == "I8"]
        self.assertIn("decoder.token_embedding.weight", quantised)
        self.assertIn("encoder.blocks.5.expand.weight", quantised)
        for name in ("encoder.stem", "encoder.blocks.4.project", "encoder.blocks.5.depthwise"):
            self.assertEqual(small[name + ".weight"][0], "F16", name)
        for name in quantised:
            (n_outputs, n_inputs), values = full[name][1:]
            dtype, shape, scales = small[name + "_scale"]
            self.assertEqual((dtype, shape), ("F32", (n_outputs,)))
            for o in range(n_outputs):
                row = values[o * n_inputs:(o + 1) * n_inputs]
                largest = max(map(abs, row))
                factor = as_f32(127 / largest)
                self.assertEqual(scales[o], as_f32(largest / 127))
                self.assertEqual(list(small[name][2][o * n_inputs:(o + 1) * n_inputs]),
                                 [round(as_f32(w * factor)) for w in row])

    def test_int8_needs_a_model(self):
        self.assert_fails(1, "--dtype int8: needs a model file", self.folder, "--dtype", "int8")

    def test_another_rule_of_int8_is_refused(self):
        self.convert(TOY, "--dtype", "int8")
        small = self.folder / "small.safetensors"
        small.write_bytes(self.output.read_bytes().replace(b'"limn.int8":"2"', b'"limn.int8":"1"'))
        self.output.unlink()
        self.assert_fails(2, 'limn.int8: quantised by rule "1", this program has rule 2', small)

    def test_a_model_keeps_its_type(self):
        self.convert(TOY, "--dtype", "f16")
        half = self.folder / "half.safetensors"
        self.output.rename(half)
        self.convert(half)
        self.assertEqual(self.output.read_bytes(), half.read_bytes())

    def make_other(self, scale):
        """The toy model with every tensor times `scale`, as another file."""
        metadata, tensors = original.read_safetensors(TOY)
        path = self.folder / f"times{scale}.safetensors"
        original.write_safetensors(path, {
            name: original.Tensor(shape, array.array("f", (scale * v for v in values)))
            for name, (_, shape, values) in tensors.items()}, metadata)
        return path

    def test_the_average_of_models(self):
        others = [self.make_other(scale) for scale in (2.0, 6.0)]
        _, source = original.read_safetensors(TOY)
        _, mean = self.convert("--average", TOY, *others)
        self.assertEqual(sorted(mean), sorted(source))
        for name, (_, _, values) in mean.items():
            for got, value in list(zip(values, source[name][2]))[:500]:
                self.assertEqual(got, original.as_float32(3 * value))
        self.convert("--average", TOY, TOY, TOY, "--force")
        self.assertEqual(self.output.read_bytes(), pathlib.Path(TOY).read_bytes())

    def test_the_average_of_encoders(self):
        """Whatever decoders they come with: here they are the same."""
        self.convert(TOY, "--encoder-only")
        encoder = self.output.rename(self.folder / "encoder.safetensors")
        for models in ((encoder, TOY), (TOY, encoder), (TOY, SLOTTED)):
            self.convert("--encoder-only", "--average", *models, "--force")
            self.assertEqual(self.output.read_bytes(), encoder.read_bytes())

    def test_models_that_have_no_average(self):
        _, tensors = original.read_safetensors(TOY)
        metadata, _ = original.read_safetensors(TOY)
        words = metadata["limn.vocabulary"]
        for change, text in (
                ({"limn.vocabulary": words.replace('"dog"', '"hound"')},
                 "token 6 is 'hound', that of the first model 'dog'"),
                ({"limn.config": metadata["limn.config"].replace("bicubic", "bilinear")},
                 "has another encoder or input than the first model"),
                ({"limn.config": metadata["limn.config"].replace('"heads": 4', '"heads": 2')},
                 "has another decoder than the first model")):
            other = self.folder / "other.safetensors"
            original.write_safetensors(other, {
                name: original.Tensor(shape, array.array("f", values))
                for name, (_, shape, values) in tensors.items()}, {**metadata, **change})
            self.assert_fails(1, f"{other}: {text}", "--average", TOY, other)
        self.assert_fails(1, "--average combines several", TOY, TOY)
        self.assert_fails(1, "--average: needs two or more models", "--average", TOY)

    def make_large(self, channels, factor, model=TOY):
        """The toy model with channels of the decoder's memory so many times as large, and the weights that read them as
        much smaller, as another file."""
        metadata, tensors = original.read_safetensors(model)
        path = self.folder / "large.safetensors"
        tensors = {name: original.Tensor(shape, array.array("f", values))
                   for name, (_, shape, values) in tensors.items()}
        for name, (shape, values) in tensors.items():
            for channel in channels:
                if name.startswith("decoder.memory.norm."):
                    values[channel] *= factor
                if name.endswith(("cross_attention.key.weight", "cross_attention.value.weight")):
                    for i in range(channel, len(values), shape[1]):
                        values[i] /= factor
        original.write_safetensors(path, tensors, metadata)
        return path

    def test_large_channels_are_scaled_for_int8(self):
        """The file says so, whatever becomes of it."""
        _, source = original.read_safetensors(TOY)
        self.convert(TOY, "--dtype", "int8")
        plain = self.output.rename(self.folder / "plain.safetensors")
        metadata, tensors = self.convert(self.make_large((3,), 256), "--dtype", "int8")
        self.assertEqual(metadata["limn.int8_folded"], "encoder 0, decoder 1")
        for part in ("weight", "bias"):
            was, values = (t["decoder.memory.norm." + part][2] for t in (source, tensors))
            self.assertIn(values[3] / was[3], (1, 2, 4))
            self.assertEqual(values[:3] + values[4:], was[:3] + was[4:])
        small = self.output.rename(self.folder / "small.safetensors")
        self.convert(small)
        self.assertEqual(self.output.read_bytes(), small.read_bytes())
        metadata, _ = self.convert(small, "--dtype", "f16", "--force")
        self.assertEqual(metadata["limn.int8_folded"], "encoder 0, decoder 1")
        half = self.output.rename(self.folder / "half.safetensors")
        for first, second in ((TOY, small), (half, TOY)):
            self.assert_fails(1, "has 1 channel scaled for int8; average the models from before", "--average", first,
                              second)
        metadata, _ = self.convert("--average", TOY, plain)
        self.assertNotIn("limn.int8_folded", metadata)
        metadata, _ = self.convert(self.make_large((9, 20), 256, half), "--dtype", "int8", "--force")
        self.assertEqual(metadata["limn.int8_folded"], "encoder 0, decoder 3")

    def test_an_encoder_has_the_note_of_its_own_channels(self):
        """Such encoders have an average when what was scaled is in decoders."""
        for n, note in ((0, None), (2, "encoder 2, decoder 0")):
            model = self.with_note(f"encoder {n}, decoder 20")
            metadata, _ = self.convert(model, "--encoder-only", "--force")
            self.assertEqual(metadata.get("limn.int8_folded"), note)
        self.output.unlink()
        self.assert_fails(1, "has 2 channels scaled for int8", "--encoder-only", "--average", TOY, model)
        model = self.with_note("encoder 0, decoder 20")
        metadata, _ = self.convert("--encoder-only", "--average", model, model)
        self.assertNotIn("limn.int8_folded", metadata)

    def with_note(self, note):
        """The toy model with a note of scaled channels."""
        metadata, tensors = original.read_safetensors(TOY)
        path = self.folder / "noted.safetensors"
        original.write_safetensors(path, {name: original.Tensor(shape, array.array("f", values))
                                          for name, (_, shape, values) in tensors.items()},
                                   {**metadata, "limn.int8_folded": note})
        return path

    def test_notes_that_limn_does_not_write(self):
        for note in ("", "20 channels", "encoder 1, decoder ", "encoder 1, decoder 2\x1b[31m", "encoder 01, decoder 2",
                     "encoder -1, decoder 2", "encoder 1,  decoder 2", "encoder 1, decoder 4294967296",
                     "\x1b[31mEVIL\x07\nok: a line"):
            with self.subTest(note):
                self.assert_fails(2, "noted.safetensors (model file): limn.int8_folded is \"", self.with_note(note))

    def test_document_frequencies(self):
        """They match counts made here, from words that the tokenizer leaves alone."""
        captions = {"1.jpg": ["a dog runs", "a red dog"], "2.jpg": ["a red cat ."],
                    "3.jpg": ["the red dog", "a red dog runs"], "4.jpg": ["a zebra"]}
        text = "".join(f"{name}#{k}\t{line}\n" for k in (0, 1) for name, lines in captions.items()
                       for line in lines[k:k + 1])
        (self.folder / "captions.txt").write_text(text)
        (self.folder / "train.txt").write_text("1.jpg\n2.jpg\nphotos/3.jpg\n")
        counts = {}
        for name in ("1.jpg", "2.jpg", "3.jpg"):
            lines = [line.replace(" .", "").split() for line in captions[name]]
            for gram in {" ".join(words[i:i + n]) for words in lines for n in range(1, 5)
                         for i in range(len(words) - n + 1)}:
                counts[gram] = counts.get(gram, 0) + 1
        expected = {original.fnv1a64(g.encode()): n for g, n in counts.items() if n > 1}
        arguments = ("--references", "captions.txt", "--only", "train.txt")
        metadata, tensors = self.convert(TOY, *arguments)
        self.assertEqual(json.loads(metadata["limn.document_frequencies"]), {"pictures": 3})
        hashes = list(tensors.pop("document_frequencies.hashes")[2])
        self.assertEqual(hashes, sorted(expected))
        self.assertEqual(list(tensors.pop("document_frequencies.counts")[2]),
                         [expected[h] for h in hashes])
        self.assertEqual(tensors, original.read_safetensors(TOY)[1])
        first = self.output.read_bytes()
        self.convert(self.output, "--force") # they stay
        self.assertEqual(self.output.read_bytes(), first)
        metadata, tensors = self.convert(self.output, "--encoder-only", "--force")
        self.assertNotIn("limn.document_frequencies", metadata)
        self.assertEqual([n for n in tensors if n.startswith("document")], [])
        self.assert_fails(1, "no captions of the selected images", TOY, "--force",
                          "--references", "captions.txt", "--only", "captions.txt")
        self.assert_fails(1, "need --references FILE", TOY, "--only", "train.txt")

    def test_the_classifier_of_imagenet(self):
        weights = original.lite0(n_classes=1000)
        original.write_pth(self.folder / "in.pth", weights, False)
        metadata, tensors = self.convert(self.folder / "in.pth", "--encoder-only")
        (head,) = json.loads(metadata["limn.tags"])
        self.assertEqual([head[key] for key in ("set", "exclusive", "maximum", "hidden")], ["imagenet", True, False, 0])
        self.assertEqual((len(head["names"]), head["names"][0], head["names"][340]), (1000, "tench", "zebra"))
        for end, shape in (("weight", (1000, 1280)), ("bias", (1000,))):
            dtype, is_shape, values = tensors["tags.imagenet.output." + end]
            self.assertEqual((dtype, is_shape), ("F32", shape))
            self.assertTrue(array.array("f", values) == weights["_fc." + end].values)
        encoder = self.folder / "encoder.safetensors"
        self.output.rename(encoder)
        # A captioner with this encoder gets it, one with another encoder does not.
        reference = original.reference()
        reference.update({f"encoder.{name}": tensor for name, tensor in weights.items()
                          if not name.startswith("_fc") and not name.endswith("num_batches_tracked")})
        path = self.folder / "in.safetensors"
        original.write_safetensors(path, reference, original.reference_metadata())
        metadata, tensors = self.convert(path, "--tags", encoder, "--dtype", "f16")
        self.assertEqual(json.loads(metadata["limn.tags"]), [head])
        self.assertEqual(tensors["tags.imagenet.output.weight"][0], "F16")
        self.assertEqual(tensors["tags.imagenet.output.bias"][0], "F32")
        first = self.output.read_bytes()
        self.convert(self.output, "--force") # they stay
        self.assertEqual(self.output.read_bytes(), first)
        self.convert(path, "--tags", self.output, "--dtype", "f16", "--force") # also from f16
        self.assertEqual(self.output.read_bytes(), first)
        self.assert_fails(1, "has another encoder: encoder.stem.weight differs", TOY, "--force", "--tags", encoder)
        self.assert_fails(1, f"--tags {TOY}: has no tags", TOY, "--force", "--tags", TOY)

    def test_tag_slots(self):
        """They are kept, and so is the number of tags that the decoder reads."""
        metadata, tensors = self.convert(SLOTTED)
        self.assertEqual(self.output.read_bytes(), pathlib.Path(SLOTTED).read_bytes())
        self.assertEqual(metadata["limn.version"], "2")
        _, half = self.convert(SLOTTED, "--dtype", "f16", "--force")
        self.assertEqual([half[f"decoder.tag_{end}"][0] for end in ("embedding", "probability")], ["F16", "F32"])
        metadata, _ = self.convert(SLOTTED, "--encoder-only", "--force")
        self.assertEqual(metadata["limn.version"], "1")
        # "any", with three tags, under the name of the set of twelve
        metadata["limn.tags"] = json.dumps([{**json.loads(metadata["limn.tags"])[1], "set": "objects"}])
        other = self.folder / "other.safetensors"
        kept = {name.replace(".any.", ".objects."): tensor for name, tensor in tensors.items()
                if not name.startswith(("decoder.", "tags.one.", "tags.objects."))}
        original.write_safetensors(other, {name: original.Tensor(shape, array.array("f", values))
                                           for name, (_, shape, values) in kept.items()}, metadata)
        self.assert_fails(1, "the decoder reads 12 tags of the set \"objects\", which would have 3", SLOTTED, "--tags",
                          other, "--force")

    def test_a_length_penalty_of_its_own(self):
        before, weights = self.convert(TOY)
        after, same_weights = self.convert(TOY, "--length-penalty", "-0.25", "--force")
        search = json.loads(before["limn.config"])["search"]
        self.assertEqual(json.loads(after["limn.config"])["search"], search | {"length_penalty": -0.25})
        self.assertEqual(same_weights, weights)
        self.assert_fails(1, "-10 … 10", TOY, "--length-penalty", "11", "--force")
        self.assert_fails(1, "--length-penalty: can't be combined with --encoder-only", TOY, "--encoder-only", "--length-penalty", "1",
                          "--force")

    def test_nothing_is_overwritten_unasked(self):
        self.output.write_text("mine")
        self.assert_fails(1, "already exists; --force replaces it", TOY)
        self.assertEqual(self.output.read_text(), "mine")

    def test_verbose_lists_the_tensors(self):
        done = self.run_convert(TOY, "-v")
        self.assertRegex(done.stdout, r"encoder\.stem\.weight +F32 \[32, 3, 3, 3\]\n")
        self.assertEqual(len(done.stdout.splitlines()), 159 + 1)
        self.assertEqual(self.run_convert(TOY, "-q", "--force").stdout, "")

    def test_mistakes_of_use(self):
        weights = self.folder / "in.pth"
        original.write_pth(weights, original.lite0())
        self.assert_fails(1, "use --encoder-only", weights)
        self.assert_fails(2, "can't open", self.folder / "none.pth")
        self.assert_fails(2, "has no config.json", self.folder)
        self.assert_fails(1, "f64", TOY, "--dtype", "f64")
        done = subprocess.run([CONVERT, TOY], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("-o FILE", done.stderr)

    def test_damaged_weights_are_named(self):
        source = original.reference()

        def changed(name, tensor):
            copy = dict(source)
            if tensor:
                copy[name] = tensor
            else:
                del copy[name]
            return copy

        def with_value(name, value):
            values = array.array("f", source[name].values)
            values[1] = value
            return changed(name, original.Tensor(source[name].shape, values))

        one = original.Tensor((1,), array.array("f", [1]))
        head, var = "encoder._conv_head.weight", "encoder._bn1.running_var"
        cases = [
            (f"tensor {head} is missing, expected F32 [1280, 320, 1, 1]", changed(head, None)),
            (f"tensor {head} is F32 [1], expected F32 [1280, 320, 1, 1], F16 or BF16",
             changed(head, one)),
            (f"tensor {var} is missing, expected F32 [1280]", changed(var, None)),
            (f"tensor {var}: value 1 is -1, expected 0 or more",
             with_value(var, -1)),
            (f"tensor {head}: value 1 is", with_value(head, math.nan)),
            ("tensor decoder.norm.bias: value 1 is",
             with_value("decoder.norm.bias", math.inf)),
            ("tensor decoder.norm.bias is missing, expected F32 [16]",
             changed("decoder.norm.bias", None)),
            ("tensor surplus belongs to no part of efficientnet-lite0", changed("surplus", one)),
            ("tensor encoder.surplus belongs to no part of", changed("encoder.surplus", one)),
            ("two different encoders", changed("other._conv_stem.weight", one)),
            ("tensor decoder.memory.project.weight: expected a matrix",
             changed("decoder.memory.project.weight", one)),
            ("has no tensor _conv_stem.weight", changed("encoder._conv_stem.weight", None)),
        ]
        for text, tensors in cases:
            with self.subTest(text):
                self.assert_fails_as_reference(text, tensors)

    def test_values_beyond_f16_are_named(self):
        source = original.reference()
        name = "decoder.token_embedding.weight"
        source[name].values[3] = 70000
        path = self.folder / "in.safetensors"
        original.write_safetensors(path, source, original.reference_metadata())
        self.assert_fails(2, f"tensor {name}: value 3 is 70000, beyond the range of F16 (65504)", path,
                          "--dtype", "f16")
        self.convert(path)

    def test_another_architecture_is_refused(self):
        source = original.reference()
        for part, key, value, text in [
                ("encoder", "kind", "resnet50", "encoder.kind is \"resnet50\", but the tensors are EfficientNet-Lite weights"),
                ("encoder", "kind", "efficientnet-lite1", "is F32"),
                ("encoder", "padding", "SAME", "encoder.padding: expected \"TensorFlow SAME\""),
                ("encoder", "scale", "1:128", "encoder.scale: expected a fraction"),
                ("encoder", "resize", "lanczos", "encoder.resize: expected bicubic"),
                ("decoder", "activation", "relu", "decoder.activation: expected \"gelu (erf)\""),
                ("decoder", "layers", 2, "decoder.layers.1.self_attention.query.weight is missing"),
                ("decoder", "heads", 3, "decoder.dim: 16 is not a multiple"),
        ]:
            with self.subTest(f"{part}.{key}"):
                config = json.loads(json.dumps(original.REFERENCE_CONFIG))
                config[part][key] = value
                self.assert_fails_as_reference(text, source, config)


unittest.main(argv=sys.argv[:1])
