#!/usr/bin/env python3
"""limn-convert on captioners as others publish them, and limn-inspect, limn-score --ids and limn-preprocess --dtype on
the results: test_published.py TOOLS DATA. DATA (tests/data/published, made by tests/fixtures/make_published.py) has
tiny ones with transformers' own numbers. Standard library only."""

import array
import hashlib
import json
import os
import pathlib
import pickle
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "models"))
import original_weights as original # pylint: disable=wrong-import-position
import resnet_weights # pylint: disable=wrong-import-position
from published_weights import as_tensors, change, read_weights, write_weights # pylint: disable=wrong-import-position

TOOLS, DATA = (pathlib.Path(os.path.abspath(a)) for a in sys.argv[1:3])
HEAD = "text_decoder.cls.predictions."
WORDS = "text_decoder.bert.embeddings.word_embeddings.weight"


class Published(unittest.TestCase):
    """Each test has a folder of its own, with a copy of a model."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.output = self.folder / "out.safetensors"

    def copy(self, name):
        path = self.folder / "model"
        if path.exists():
            shutil.rmtree(path)
        shutil.copytree(DATA / name, path)
        os.chmod(path, 0o755)
        for file in path.iterdir():
            os.chmod(file, 0o644)
        return path

    def run_tool(self, tool, *arguments):
        return subprocess.run([TOOLS / tool, *map(str, arguments)], capture_output=True, text=True, check=False,
                              cwd=self.folder)

    def run_convert(self, *arguments):
        return self.run_tool("limn-convert", *arguments, "-o", self.output, "--force")

    def convert(self, *arguments):
        """Returns the model from a conversion that must work."""
        done = self.run_convert(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return original.read_safetensors(self.output)

    def assert_fails(self, parts, *arguments, code=2):
        """The conversion fails, its message has all of `parts`, and it leaves no file behind."""
        self.output.unlink(missing_ok=True)
        before = sorted(os.listdir(self.folder))
        done = self.run_convert(*arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertEqual(sorted(os.listdir(self.folder)), before)

    def edit_json(self, path, edit):
        document = json.loads(path.read_text())
        edit(document)
        path.write_text(json.dumps(document))

    def edit_weights(self, path, edit):
        weights = read_weights(path)
        edit(weights)
        write_weights(path, weights)

    # ---- what must work -----------------------------------------------------------------------

    def test_one_model_in_every_container(self):
        """.safetensors, both kinds of .bin, and split files give the same bytes except for file names."""
        for name in ("blip", "git", "vit_gpt2"):
            folder = self.copy(name)
            metadata, tensors = self.convert(folder)
            weights = read_weights(folder / "model.safetensors")
            parts = sorted(weights), sorted(weights)[::2]
            (folder / "model.safetensors").unlink()
            for is_legacy in (False, True):
                original.write_pth(folder / "pytorch_model.bin", as_tensors(weights), is_legacy)
                self.assertEqual(self.convert(folder)[1], tensors)
            (folder / "pytorch_model.bin").unlink()
            places = {n: f"model-0000{1 + (n in parts[1])}-of-00002.safetensors" for n in parts[0]}
            for place in set(places.values()):
                write_weights(folder / place, {n: weights[n] for n in weights if places[n] == place})
            (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
            again, sharded = self.convert(folder)
            self.assertEqual(sharded, tensors)
            self.assertEqual(again["limn.config"], metadata["limn.config"])
            self.assertEqual(again["limn.vocabulary"], metadata["limn.vocabulary"])

    def test_where_it_is_from(self):
        folder = self.copy("blip")
        metadata, _ = self.convert(folder)
        files = {entry["file"]: entry["sha256"] for entry in json.loads(metadata["limn.source"])}
        self.assertEqual(sorted(files), ["config.json", "model.safetensors", "preprocessor_config.json",
                                         "tokenizer_config.json", "vocab.txt"])
        for name, digest in files.items():
            self.assertEqual(digest, hashlib.sha256((folder / name).read_bytes()).hexdigest())
        shown = self.run_tool("limn-inspect", "--no-tensors", self.output).stdout
        self.assertIn("made from: BLIP\n", shown)
        self.assertIn(f"source: model.safetensors, SHA-256 {files['model.safetensors']}\n", shown)
        self.assertIn("licence: BSD-3-Clause, as Salesforce gives its weights\n", shown)
        self.assertIn("tokenizer: wordpiece\n", shown)
        self.assertIn("encoder weights", shown)
        again = self.folder / "again.safetensors"
        self.assertEqual(self.run_tool("limn-convert", self.output, "-q", "--dtype", "f16", "-o", again).returncode, 0)
        self.assertEqual(original.read_safetensors(again)[0]["limn.source"], metadata["limn.source"])

    def test_configuration(self):
        for name, encoder, decoder, search in (
                ("blip", {"family": "vit", "input_size": 32, "resize": "bicubic", "patch": 16, "dim": 32, "layers": 2,
                          "heads": 4, "feed_forward": 48, "activation": "gelu", "eps": 1e-5, "patch_bias": True,
                          "embedding_norm": False, "decode": "whole"},
                 {"layers": 2, "dim": 32, "heads": 2, "feed_forward": 64, "max_positions": 24, "memory_positions": 5,
                  "memory_dim": 32}, {"length_penalty": 1, "max_steps": 20}),
                ("git", {"activation": "quick_gelu", "patch_bias": False, "embedding_norm": True, "shorter_side": 32,
                         "rounding": "transformers", "eps": 1e-3}, {"memory_positions": 5, "memory_dim": 32}, {}),
                ("vit_gpt2", {"resize": "bilinear", "mean": 127.5, "eps": 1e-4, "activation": "gelu", "dim": 48},
                 {"memory_dim": 48, "dim": 32, "max_positions": 24}, {})):
            config = json.loads(self.convert(self.copy(name))[0]["limn.config"])
            for part, wanted in (("encoder", encoder), ("decoder", decoder), ("search", search)):
                self.assertEqual({k: config[part][k] for k in wanted}, wanted, (name, part))

    def test_absent_fields_have_the_defaults_of_their_class(self):
        folder = self.copy("blip")
        before = json.loads(self.convert(folder)[0]["limn.config"])

        def drop(config):
            for part, keys in (("vision_config", ("hidden_act", "layer_norm_eps", "patch_size")),
                               ("text_config", ("hidden_act", "pad_token_id"))):
                for key in keys:
                    config[part].pop(key, None)
        self.edit_json(folder / "config.json", drop)
        self.edit_json(folder / "preprocessor_config.json", lambda c: [c.pop(k, None) for k in (
            "resample", "rescale_factor", "image_mean", "image_std", "do_resize", "image_processor_type")])
        self.edit_json(folder / "preprocessor_config.json", lambda c: c.update(size=32)) # a number, as in 2022
        self.assertEqual(json.loads(self.convert(folder)[0]["limn.config"]), before)
        self.edit_json(folder / "config.json", lambda c: c["text_config"].pop("num_attention_heads"))
        self.edit_json(folder / "config.json", lambda c: c["text_config"].update(hidden_size=64))
        self.assert_fails(["expected F32 [53, 64]"], folder)

    def test_absent_heads_are_those_of_the_class_and_told(self):
        folder = self.copy("vit_gpt2")
        self.edit_json(folder / "config.json", lambda c: c["decoder"].pop("n_head"))
        self.assert_fails(["config.json: decoder.n_head: is 12, expected a number by which n_embd 32"], folder)

    def test_tokenizer_json_alone(self):
        folder = self.copy("blip")
        before = self.convert(folder)[0]["limn.vocabulary"]
        tokens = (folder / "vocab.txt").read_text().split()
        (folder / "vocab.txt").unlink()
        (folder / "tokenizer.json").write_text(json.dumps(
            {"model": {"type": "WordPiece", "vocab": {t: i for i, t in enumerate(tokens)}}}))
        self.assertEqual(self.convert(folder)[0]["limn.vocabulary"], before)
        folder = self.copy("vit_gpt2")
        before = self.convert(folder)[0]["limn.vocabulary"]
        merges = (folder / "merges.txt").read_text().splitlines()[1:]
        vocab = json.loads((folder / "vocab.json").read_text())
        for name in ("vocab.json", "merges.txt"):
            (folder / name).unlink()
        for pairs in (merges, [m.split() for m in merges]):
            (folder / "tokenizer.json").write_text(json.dumps(
                {"model": {"type": "BPE", "vocab": vocab, "merges": pairs}}))
            self.assertEqual(self.convert(folder)[0]["limn.vocabulary"], before)

    def test_the_processor_of_transformers_5(self):
        folder = self.copy("blip")
        before = self.convert(folder)[0]["limn.config"]
        old = folder / "preprocessor_config.json"
        (folder / "processor_config.json").write_text(json.dumps(
            {"image_processor": json.loads(old.read_text()), "processor_class": "BlipProcessor"}))
        old.unlink()
        self.assertEqual(self.convert(folder)[0]["limn.config"], before)
        self.edit_json(folder / "processor_config.json", lambda c: c["image_processor"].update(resample=0))
        self.assert_fails(["/processor_config.json: image_processor.resample: is 0"], folder)

    def test_half_precision(self):
        folder = self.copy("blip")
        full = self.convert(folder)[1]
        half = self.convert(folder, "--dtype", "f16")[1]
        for name, (dtype, shape, values) in half.items():
            is_weight = name.endswith(".weight") and len(shape) > 1
            self.assertEqual(dtype, "F16" if is_weight else "F32", name)
            for got, wanted in zip(values, full[name][2]):
                self.assertLessEqual(abs(got - wanted), 2.0 ** -11 * abs(wanted) + 2.0 ** -24 if is_weight else 0)

        def to_bf16(weights):
            dtype, shape, data = weights[WORDS]
            for name in (WORDS, HEAD + "decoder.weight"):
                weights[name] = ("BF16", shape, b"".join(data[i + 2:i + 4] for i in range(0, len(data), 4)))
            assert dtype == "F32"
        self.edit_weights(folder / "model.safetensors", to_bf16)
        words = self.convert(folder)[1]["decoder.token_embedding.weight"][2]
        for got, wanted in zip(words, full["decoder.token_embedding.weight"][2]):
            self.assertLessEqual(abs(got - wanted), 2.0 ** -7 * abs(wanted))

    def test_two_names_of_one_tensor(self):
        folder, weights = self.copy("blip"), "model.safetensors"
        tied = self.convert(folder)[1]
        self.assertNotIn("decoder.output.weight", tied)
        self.edit_weights(folder / weights, lambda w: w.pop(HEAD + "decoder.weight"))
        self.assertEqual(self.convert(folder)[1], tied)
        self.edit_weights(folder / weights, lambda w: w.update({HEAD + "decoder.bias": w.pop(HEAD + "bias")}))
        self.assertEqual(self.convert(folder)[1], tied)
        self.edit_weights(folder / weights, lambda w: w.update({HEAD + "bias": w[HEAD + "decoder.bias"]}))
        self.assertEqual(self.convert(folder)[1], tied)
        self.edit_weights(folder / weights, change(3, HEAD + "bias"))
        self.assert_fails([HEAD + "bias", HEAD + "decoder.bias differ"], folder)
        folder = self.copy("blip")
        self.edit_weights(folder / weights, change(3, HEAD + "decoder.weight"))
        done = self.run_convert(folder)
        self.assertIn(f"{HEAD}decoder.weight and {WORDS} differ: both are kept", done.stderr)
        metadata, tensors = original.read_safetensors(self.output)
        self.assertEqual(tensors["decoder.output.weight"][2][-1], 3)
        self.assertEqual(json.loads(metadata["limn.config"])["decoder"]["layout"]["tied"], False)

    def test_more_layers_than_a_digit_counts(self):
        """Layer 11 is not layer 1."""
        folder = self.copy("blip")

        def copy_layers(weights):
            for name in [n for n in weights if ".layer.1." in n]:
                for i in range(2, 12):
                    weights[name.replace(".layer.1.", f".layer.{i}.")] = weights[name]
            change(7, "text_decoder.bert.encoder.layer.11.output.dense.bias")(weights)
        self.edit_weights(folder / "model.safetensors", copy_layers)
        self.edit_json(folder / "config.json", lambda c: c["text_config"].update(num_hidden_layers=12))
        tensors = self.convert(folder)[1]
        self.assertEqual([tensors[f"decoder.layers.{i}.feed_forward.down.bias"][2][-1] == 7 for i in range(12)],
                         [False] * 11 + [True])

    def test_a_plain_image_tells_wrong_weights(self):
        done = self.run_convert(self.copy("git"))
        self.assertIn("mean log-probability of a token for a plain image: -", done.stdout)
        folder = self.copy("git")

        def narrow_choice(weights): # one token is certain: the caption is as probable as a working model's
            weights["output.weight"] = ("F32", weights["output.weight"][1], bytes(len(weights["output.weight"][2])))
            change(50, "output.bias", 5)(weights)
        self.edit_weights(folder / "model.safetensors", narrow_choice)
        done = self.run_convert(folder)
        self.assertEqual(done.returncode, 0)
        self.assertNotIn("log-probability", done.stderr)
        self.assertIn("vocab.txt is not the vocabulary of bert-base-uncased", done.stderr)
        self.edit_weights(folder / "model.safetensors", change(0, "output.bias", 5))

        def forget(weights): # tokens are almost equally likely
            weights["output.bias"] = ("F32", weights["output.bias"][1], bytes(len(weights["output.bias"][2])))
        self.edit_weights(folder / "model.safetensors", forget)
        done = self.run_convert(folder)
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"a mean log-probability per token of -[34]\.\d+, expected more than -3")

    # ---- checkpoints of the authors' programs -------------------------------------------------

    def make_blip_pth(self):
        """A checkpoint with BLIP's own names and leftovers of pre-training."""
        renames = (("vision_model.embeddings.class_embedding", "visual_encoder.cls_token"),
                   ("vision_model.embeddings.position_embedding", "visual_encoder.pos_embed"),
                   ("vision_model.embeddings.patch_embedding", "visual_encoder.patch_embed.proj"),
                   ("vision_model.encoder.layers", "visual_encoder.blocks"),
                   ("vision_model.post_layernorm", "visual_encoder.norm"), ("self_attn.projection", "attn.proj"),
                   ("self_attn.qkv", "attn.qkv"), ("layer_norm", "norm"))
        maker, tensors = original.Maker(5), {}

        def add(name, *shape):
            for there, here in renames:
                name = name.replace(there, here)
            tensors["model." + name] = maker.tensor(*shape)

        def linear(name, n, m):
            add(name + ".weight", n, m)
            add(name + ".bias", n)

        def norm(name, n):
            add(name + ".weight", n)
            add(name + ".bias", n)
        n_words = len((DATA / "blip" / "vocab.txt").read_text().split()) + 2
        n_words = 30524 # the special tokens are those of bert-base-uncased
        add("vision_model.embeddings.class_embedding", 1, 1, 64)
        add("vision_model.embeddings.position_embedding", 1, 5, 64)
        add("vision_model.embeddings.patch_embedding.weight", 64, 3, 16, 16)
        add("vision_model.embeddings.patch_embedding.bias", 64)
        norm("vision_model.post_layernorm", 64)
        layer = "vision_model.encoder.layers.0."
        norm(layer + "layer_norm1", 64)
        norm(layer + "layer_norm2", 64)
        linear(layer + "self_attn.qkv", 192, 64)
        linear(layer + "self_attn.projection", 64, 64)
        linear(layer + "mlp.fc1", 32, 64)
        linear(layer + "mlp.fc2", 64, 32)
        add(WORDS, n_words, 64)
        add("text_decoder.bert.embeddings.position_embeddings.weight", 24, 64)
        norm("text_decoder.bert.embeddings.LayerNorm", 64)
        layer = "text_decoder.bert.encoder.layer.0."
        for kind in ("attention", "crossattention"):
            for part in ("query", "key", "value"):
                linear(f"{layer}{kind}.self.{part}", 64, 64)
            linear(f"{layer}{kind}.output.dense", 64, 64)
            norm(f"{layer}{kind}.output.LayerNorm", 64)
        linear(layer + "intermediate.dense", 32, 64)
        linear(layer + "output.dense", 64, 32)
        norm(layer + "output.LayerNorm", 64)
        linear(HEAD + "transform.dense", 64, 64)
        norm(HEAD + "transform.LayerNorm", 64)
        add(HEAD + "bias", n_words)
        tensors[f"model.{HEAD}decoder.weight"] = tensors["model." + WORDS]
        vocabulary = ["[PAD]"] + [f"[unused{i}]" for i in range(99)] + ["[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        vocabulary += [f"w{i}" for i in range(30522 - len(vocabulary))]
        (self.folder / "vocab.txt").write_text("".join(f"{t}\n" for t in vocabulary))
        return tensors

    def test_blips_own_checkpoint(self):
        tensors = self.make_blip_pth()
        path, vocab = self.folder / "model.pth", self.folder / "vocab.txt"
        extra = {"model.itm_head.weight": original.Tensor((2, 64), array.array("f", bytes(512))),
                 "model.text_encoder.embeddings.word_embeddings.weight":
                     original.Tensor((1, 64), array.array("f", bytes(256)))}
        original.write_pth(path, {**tensors, **extra})
        metadata, made = self.convert(path, "--vocab", vocab)
        config = json.loads(metadata["limn.config"])
        self.assertEqual([config["encoder"][k] for k in ("eps", "heads", "input_size", "layers")], [1e-6, 1, 32, 1])
        self.assertEqual(config["decoder"]["heads"], 1)
        fused = tensors["model.visual_encoder.blocks.0.attn.qkv.weight"].values
        for i, part in enumerate(("query", "key", "value")):
            self.assertEqual(array.array("f", made[f"encoder.layers.0.attention.{part}.weight"][2]),
                             fused[i * 4096:(i + 1) * 4096])
        self.assertEqual(metadata["limn.source.kind"], "BLIP, of its own program")
        # sibling models
        del extra["model.itm_head.weight"]
        original.write_pth(path, {**tensors, **extra})
        self.assert_fails(["model.pth: is BLIP for questions (VQA)"], path, "--vocab", vocab)
        original.write_pth(path, {n: t for n, t in tensors.items() if "text_decoder" not in n})
        self.assert_fails(["is BLIP without a text decoder"], path, "--vocab", vocab)
        original.write_pth(path, tensors)
        vocab.write_text("".join(vocab.read_text().splitlines(True)[:-1]))
        self.assert_fails(["vocab.txt: has 30521 tokens, expected 30522"], path, "--vocab", vocab)

    def make_virtex(self, n_pieces=12, dim=64):
        maker = original.Maker(6)
        tensors = {"model.visual.cnn." + n: t for n, t in resnet_weights.state_dict("resnet18").items()
                   if not n.startswith("fc.")}

        def linear(name, n, m, dot="."):
            tensors[f"model.textual.{name}{dot}weight"] = maker.tensor(n, m)
            tensors[f"model.textual.{name}{dot}bias"] = maker.tensor(n)

        def norm(name):
            tensors[f"model.textual.{name}.weight"] = maker.tensor(dim)
            tensors[f"model.textual.{name}.bias"] = maker.tensor(dim)
        linear("visual_projection", dim, 512)
        tensors["model.textual.embedding.words.weight"] = maker.tensor(n_pieces, dim)
        tensors["model.textual.embedding.positions.weight"] = maker.tensor(30, dim)
        norm("embedding.layer_norm")
        layer = "transformer.layers.0."
        for kind in ("self_attn", "multihead_attn"):
            linear(f"{layer}{kind}.in_proj", 3 * dim, dim, "_")
            linear(f"{layer}{kind}.out_proj", dim, dim)
        for i in (1, 2, 3):
            norm(f"{layer}norm{i}")
        linear(layer + "linear1", 32, dim)
        linear(layer + "linear2", dim, 32)
        tensors["model.textual.output.weight"] = tensors["model.textual.embedding.words.weight"]
        tensors["model.textual.output.bias"] = maker.tensor(n_pieces)
        tensors["model.backward_textual.output.bias"] = maker.tensor(n_pieces)
        return tensors

    def write_pieces(self, path, n_pieces=12):
        """Writes a SentencePiece model: field 1 holds pieces (text, score, kind), field 2 says that it is BPE."""
        def field(number, data):
            return bytes([number << 3 | 2, len(data)]) + data

        def piece(text, kind):
            return field(1, field(1, text.encode()) + b"\x15" + struct.pack("<f", 0) + bytes([0x18, kind]))
        texts = [("<unk>", 2), ("[SOS]", 3), ("[EOS]", 3), ("[MASK]", 3)]
        texts += [(f"▁{chr(97 + i)}", 1) for i in range(n_pieces - 4)]
        path.write_bytes(b"".join(piece(*t) for t in texts) + field(2, b"\x18\x02"))

    def test_virtex(self):
        tensors = self.make_virtex()
        path, vocab = self.folder / "virtex.pth", self.folder / "pieces.model"
        original.write_pth(path, tensors)
        self.write_pieces(vocab)
        metadata, made = self.convert(path, "--vocab", vocab)
        config = json.loads(metadata["limn.config"])
        self.assertEqual({k: config["encoder"][k] for k in ("family", "input_size", "shorter_side", "resize", "rounding")},
                         {"family": "resnet18", "input_size": 224, "shorter_side": 256, "resize": "linear",
                          "rounding": "albumentations"})
        fused = tensors["model.textual.transformer.layers.0.multihead_attn.in_proj_weight"].values
        for i, part in enumerate(("query", "key", "value")):
            self.assertEqual(array.array("f", made[f"decoder.layers.0.cross_attention.{part}.weight"][2]),
                             fused[i * 4096:(i + 1) * 4096])
        self.assertIn("encoder.layers.4.1.conv2.bias", made) # batch norm is folded
        self.write_pieces(vocab, 11)
        self.assert_fails(["pieces.model: has 11 pieces, expected 12"], path, "--vocab", vocab)
        del tensors["model.visual.cnn.bn1.running_var"]
        original.write_pth(path, tensors)
        self.write_pieces(vocab)
        self.assert_fails(["tensor model.visual.cnn.bn1.running_var is missing"], path, "--vocab", vocab)

    # ---- what must fail -----------------------------------------------------------------------

    def test_bad_configurations_are_named(self):
        cases = [
            ("blip", lambda c: c["text_config"].update(num_attention_heads=3),
             ["config.json: text_config.num_attention_heads: is 3, expected a number by which hidden_size 32"]),
            ("blip", lambda c: c["vision_config"].update(num_attention_heads=5), ["vision_config.num_attention_heads: is 5"]),
            ("blip", lambda c: c["text_config"].update(hidden_act="silu"),
             ["text_config.hidden_act: expected gelu", "is \"silu\""]),
            ("blip", lambda c: c["text_config"].update(layer_norm_eps="small"), ["text_config.layer_norm_eps"]),
            ("blip", lambda c: c["text_config"].update(position_embedding_type="relative_key"),
             ["text_config.position_embedding_type: expected \"absolute\", is \"relative_key\""]),
            ("blip", lambda c: c["vision_config"].update(window_size=7),
             ["vision_config.window_size: is an unknown field"]),
            ("blip", lambda c: c["vision_config"].update(num_channels=1), ["vision_config.num_channels: expected 3, is 1"]),
            ("blip", lambda c: c["vision_config"].update(image_size=48),
             ["preprocessor_config.json: size: is 32, expected 48, the image_size of config.json"]),
            ("blip", lambda c: c["text_config"].update(vocab_size=80), ["vocab.txt: has", "expected 78", "embedding has 80"]),
            ("blip", lambda c: c.update(architectures=["BlipForQuestionAnswering"]),
             ["architectures: is \"BlipForQuestionAnswering\", BLIP for questions (VQA)"]),
            ("blip", lambda c: c.update(architectures=["BlipForImageTextRetrieval"]), ["BLIP for retrieval"]),
            ("blip", lambda c: c.update(model_type="blip-2"), ["model_type: is \"blip-2\", BLIP-2"]),
            ("blip", lambda c: c.update(model_type="unheard"), ["model_type: is \"unheard\"; limn converts BLIP"]),
            ("blip", lambda c: c.pop("model_type"), ["config.json: model_type: is missing"]),
            ("git", lambda c: c.update(num_image_with_embedding=6), ["num_image_with_embedding", "video"]),
            ("git", lambda c: c["vision_config"].update(hidden_act="relu"), ["config.json"]),
            ("vit_gpt2", lambda c: c["decoder"].update(scale_attn_by_inverse_layer_idx=True),
             ["decoder.scale_attn_by_inverse_layer_idx: expected false, is true"]),
            ("vit_gpt2", lambda c: c["decoder"].update(scale_attn_weights=False), ["decoder.scale_attn_weights"]),
            ("vit_gpt2", lambda c: c["encoder"].update(qkv_bias=False), ["encoder.qkv_bias: expected true, is false"]),
            ("vit_gpt2", lambda c: c["encoder"].update(model_type="swin"), ["encoder", "\"vit\"", "\"swin\""]),
            ("vit_gpt2", lambda c: c["decoder"].update(model_type="bert"), ["decoder", "\"gpt2\"", "\"bert\""]),
            ("vit_gpt2", lambda c: c["decoder"].update(cross_attention_hidden_size=48), ["cross_attention_hidden_size"]),
            ("vit_gpt2", lambda c: c["decoder"].update(vocab_size=300), ["vocab.json: has 268 tokens, expected 300"]),
        ]
        for name, edit, parts in cases:
            with self.subTest(parts=parts):
                folder = self.copy(name)
                self.edit_json(folder / "config.json", edit)
                self.assert_fails(parts, folder)

    def test_bad_preprocessing_is_named(self):
        cases = [
            ("blip", dict(resample=0), ["resample: is 0, expected 2 (bilinear) or 3 (bicubic)"]),
            ("blip", dict(do_normalize=False), ["do_normalize: expected true, is false"]),
            ("blip", dict(rescale_factor=1), ["rescale_factor: is 1, expected 1/255"]),
            ("blip", dict(size={"shortest_edge": 32}), ["size: expected height and width alone"]),
            ("blip", dict(size={"height": 32, "width": 64}), ["size: is 64 x 32, expected a square"]),
            ("blip", dict(image_mean=[0.5]), ["image_mean: has 1 numbers, expected 3"]),
            ("blip", dict(image_processor_type="DeiTImageProcessor"), ["expected BlipImageProcessor"]),
            ("blip", dict(do_center_crop=True), ["do_center_crop: is true, expected false"]),
            ("blip", dict(do_mirror=True), ["do_mirror: is an unknown field"]),
            ("git", dict(do_center_crop=False), ["do_center_crop: is false, expected true"]),
            ("git", dict(size={"height": 32, "width": 32}), ["size: expected shortest_edge alone"]),
        ]
        for name, fields, parts in cases:
            with self.subTest(parts=parts):
                folder = self.copy(name)
                self.edit_json(folder / "preprocessor_config.json", lambda c, fields=fields: c.update(fields))
                self.assert_fails(["preprocessor_config.json: ", *parts], folder)

    def test_bad_weights_are_named(self):
        query = "text_decoder.bert.encoder.layer.1.attention.self.query.weight"

        def narrow(weights): # F16 with Inf
            _, shape, data = weights[query]
            weights[query] = ("F16", shape, struct.pack("<e", float("inf")) * (len(data) // 4))
        cases = [
            (lambda w: w.pop(query), [f"tensor {query} is missing, expected F32 [32, 32]"]),
            (lambda w: w.update({query: ("F32", [1024], w[query][2])}), [f"tensor {query} is F32 [1024], expected F32 [32, 32]"]),
            (lambda w: w.update({query: ("I64", [32, 16], w[query][2])}), [f"tensor {query} is I64 [32, 16]"]),
            (lambda w: w.update(surplus=w[query]), ["tensor surplus, F32 [32, 32], belongs to no part of BLIP"]),
            (lambda w: w.update({query.replace(".1.", ".2."): w[query]}), ["layer.2.attention", "belongs to no part"]),
            (change(float("nan"), query), [f"tensor {query}: has the value nan"]),
            (change(float("-inf"), query), [f"tensor {query}: has the value -inf"]),
            (narrow, [f"tensor {query}: has the value inf"]),
        ]
        for edit, parts in cases:
            with self.subTest(parts=parts):
                folder = self.copy("blip")
                self.edit_weights(folder / "model.safetensors", edit)
                self.assert_fails(parts, folder)
        folder = self.copy("blip")
        self.edit_weights(folder / "model.safetensors", change(1e6, query))
        self.assert_fails(["value", "1e+06", "65504"], folder, "--dtype", "f16")
        self.convert(folder)

    def test_bad_folders_are_named(self):
        folder = self.copy("blip")
        (folder / "vocab.txt").unlink()
        self.assert_fails([f"{folder}: has no tokenizer: expected vocab.txt, or tokenizer.json"], folder)
        folder = self.copy("vit_gpt2")
        (folder / "vocab.json").unlink()
        self.assert_fails(["has no tokenizer: expected vocab.json and merges.txt"], folder)
        folder = self.copy("blip")
        (folder / "preprocessor_config.json").unlink()
        self.assert_fails([f"{folder}: has no preprocessor_config.json"], folder)
        folder = self.copy("blip")
        self.edit_json(folder / "tokenizer_config.json", lambda c: c.update(tokenizer_class="XLMRobertaTokenizer"))
        self.assert_fails(["tokenizer_config.json: ", "expected \"BertTokenizer\", is \"XLMRobertaTokenizer\""], folder)
        folder = self.copy("blip")
        (folder / "model.safetensors").rename(folder / "flax_model.msgpack")
        self.assert_fails([f"{folder}: has no weights", "flax_model.msgpack is Flax weights"], folder)
        (folder / "flax_model.msgpack").rename(folder / "tf_model.h5")
        self.assert_fails(["tf_model.h5 is TensorFlow weights"], folder)
        self.assert_fails(["has no config.json"], self.folder)

    def test_bad_parts_are_named(self):
        folder = self.copy("blip")
        weights = read_weights(folder / "model.safetensors")
        (folder / "model.safetensors").unlink()
        names = sorted(weights)
        places = {n: "a.safetensors" if i % 2 else "b.safetensors" for i, n in enumerate(names)}
        index = folder / "model.safetensors.index.json"
        index.write_text(json.dumps({"weight_map": places}))
        write_weights(folder / "a.safetensors", {n: weights[n] for n in names if places[n][0] == "a"})
        self.assert_fails([f"{index}: weight_map.{names[0]}: is in b.safetensors, which is not in the folder"], folder)
        write_weights(folder / "b.safetensors", {n: weights[n] for n in names if places[n][0] == "b" and n != names[2]})
        self.assert_fails([f"weight_map.{names[2]}: is not in b.safetensors"], folder)
        write_weights(folder / "b.safetensors", {n: weights[n] for n in names})
        self.assert_fails(["two tensors are named"], folder)
        for name in ("../b.safetensors", "", ".b"):
            index.write_text(json.dumps({"weight_map": {**places, names[0]: name}}))
            self.assert_fails(["expected the name of a file beside the index"], folder)

    def test_bad_files_are_named(self):
        path, vocab = self.folder / "x.bin", DATA / "blip" / "vocab.txt"
        path.write_bytes(b"\x80\x02c__builtin__\neval\nq\x00.")
        self.assert_fails(["x.bin"], path, "--vocab", vocab)
        folder = self.copy("blip") # objects in a .bin
        (folder / "model.safetensors").unlink()
        legacy = b"".join(pickle.dumps(value, 2) for value in (0x1950a86a20f9469cfc6c, 1001, {"little_endian": True}))
        (folder / "pytorch_model.bin").write_bytes(legacy + b"\x80\x02cmodels.blip\nBLIP_Decoder\nq\x00.")
        self.assert_fails(["pytorch_model.bin: ", "models.blip.BLIP_Decoder", "save the state_dict() alone"], folder)
        path.write_bytes(b"GGUF" + bytes(60))
        self.assert_fails(["x.bin: is a GGUF file"], path, "--vocab", vocab)
        (self.folder / "net.onnx").write_bytes(bytes(64))
        self.assert_fails(["net.onnx: is an ONNX network"], self.folder / "net.onnx", "--vocab", vocab)
        original.write_pth(path, {"model.a": original.Tensor((1,), array.array("f", [1]))})
        self.assert_fails(["is not a checkpoint of BLIP", "or VirTex"], path, "--vocab", vocab)

    def test_mistakes_of_use(self):
        folder = self.copy("blip")
        self.assert_fails(["--vocab: is for checkpoint files"], folder, "--vocab", folder / "vocab.txt", code=1)
        for option in (["--encoder-only"], ["--length-penalty", "1"], ["--references", "x"]):
            self.assert_fails([f"{option[0]}: needs a model file"], folder, *option, code=1)

    # ---- tools on converted models ------------------------------------------------------------

    def test_ids(self):
        self.convert(self.copy("blip"))
        lines = self.folder / "ids.jsonl"
        n = len((DATA / "blip" / "vocab.txt").read_text().split())
        lines.write_text("".join(json.dumps({"file": "picture.png", "ids": ids}) + "\n"
                                 for ids in ([n, 5, 9, 3], [n, 5], [n])))
        arguments = ["limn-score", "--model", self.output, "--images", self.folder / "model", "--ids", lines]
        done = self.run_tool(*arguments, "--logits", "logits")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        records = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([len(r["logprobs"]) for r in records], [3, 1, 0])
        self.assertEqual(records[0]["logprobs"][0], records[1]["logprobs"][0])
        self.assertEqual([r["logits"] for r in records], ["1.npy", "2.npy", "3.npy"])
        self.assertAlmostEqual(records[0]["logprob"], sum(records[0]["logprobs"]), 5)
        self.assertEqual((self.folder / "logits" / "1.npy").stat().st_size, 256 + 4 * 4 * (n + 2))
        again = self.run_tool(*arguments, "--logits", "logits")
        self.assertEqual(again.returncode, 2)
        self.assertIn("logits/1.npy: already exists", again.stderr)
        for ids, text in (([5], f"line 1: ids[0]: is 5, expected {n}"), ([n, n + 2], "ids[1]: is"), ([], "ids: has 0")):
            lines.write_text(json.dumps({"file": "picture.png", "ids": ids}) + "\n")
            done = self.run_tool(*arguments)
            self.assertEqual(done.returncode, 2)
            self.assertIn(text, done.stderr)
        for text, part in (("[1]", "line 1: expected an object"), ('{"file": "x"}', "line 1: ids: is missing"), ("", "has no lines")):
            lines.write_text(text)
            done = self.run_tool(*arguments)
            self.assertEqual(done.returncode, 2)
            self.assertIn(part, done.stderr)
        self.assertEqual(self.run_tool(*arguments, "--rank").returncode, 1)
        self.assertEqual(self.run_tool("limn-score", "--images", ".", "--captions", "x", "--logits", "y").returncode, 1)

    def test_features(self):
        self.convert(self.copy("blip"))
        arguments = ["limn-preprocess", "-q", "--model", self.output, self.folder / "model" / "picture.png"]
        sizes = {}
        for dtype in ("f16", "f32"):
            self.assertEqual(self.run_tool(*arguments, "--features", "--dtype", dtype, "-o", dtype).returncode, 0)
            sizes[dtype] = (self.folder / f"{dtype}.npy").stat().st_size
        self.assertEqual(sizes, {"f16": 256 + 5 * 32 * 2, "f32": 256 + 5 * 32 * 4})
        done = self.run_tool(*arguments, "--dtype", "f32", "-o", "pixels")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--dtype: needs --features", done.stderr)

    def test_captions_are_the_same_bytes(self):
        """For any threads, order and CPU level."""
        for name in ("blip", "git", "vit_gpt2"):
            for dtype in ("f32", "f16"):
                folder = self.copy(name)
                self.convert(folder, "--dtype", dtype)
                copies = []
                for i in range(5):
                    copies.append(self.folder / f"{i}.png")
                    shutil.copy(folder / "picture.png", copies[-1])

                def captions(*arguments, paths=copies):
                    done = self.run_tool("limn", "-q", "--model", self.output, "--format", "jsonl", *arguments, *paths)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    return sorted(done.stdout.splitlines())
                wanted = captions("--threads", "1")
                self.assertEqual(len({json.dumps(dict(json.loads(w), file="")) for w in wanted}), 1)
                for arguments in (["--threads", "2"], ["--threads", "7"], ["--cpu", "c"], ["--cpu", "avx2"]):
                    self.assertEqual(captions(*arguments), wanted, (name, dtype, arguments))
                self.assertEqual(captions("--threads", "2", paths=copies[::-1]), wanted)
                one = captions("--threads", "7", paths=copies[:1])
                self.assertEqual(one, wanted[:1])


if __name__ == "__main__":
    sys.argv[1:] = []
    unittest.main()
