#!/usr/bin/env python3
"""What the original program of a published captioner computes in float64: float64.py FOLDER [OUT].

FOLDER is one that check_parity.py takes: the model's files and fixture.safetensors, the original's numbers in float32.
OUT (FOLDER/float64.safetensors) gets "features" and "logits" as F64, for the fixture's pixels and ids, with weights
and arithmetic in float64: the classes of transformers, or for VirTex its head written with PyTorch's own layers
(virtex/modules/textual_heads.py at ae67b23) over torchvision's ResNet. PyTorch in float32 rounds so much in some
models that two of its runs differ by more than the bounds of check_parity.py; these numbers have no such error.
Needs torch and safetensors, and transformers or torchvision."""

import json
import pathlib
import sys

import torch
from safetensors.torch import load_file, save_file

from check_parity import read_fixture, sequence

RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "wide_resnet50_2", "wide_resnet101_2")
HEAD_DIM = 64 # of all published configurations of VirTex


def below(weights, prefix):
    """The tensors whose names begin with the prefix, without it."""
    return {name[len(prefix):]: tensor for name, tensor in weights.items() if name.startswith(prefix)}


# ---- VirTex -------------------------------------------------------------------------------------------------


def resnet(weights):
    """torchvision's network of these weights, up to its feature map."""
    import torchvision # pylint: disable=import-outside-toplevel
    shapes = {name: tensor.shape for name, tensor in weights.items()}
    for name in RESNETS:
        net = getattr(torchvision.models, name)(weights=None)
        net.fc = torch.nn.Identity()
        if {key: value.shape for key, value in net.state_dict().items()} == shapes:
            net.load_state_dict(weights)
            return torch.nn.Sequential(*list(net.children())[:-2]).double().eval()
    sys.exit(f"the tensors of visual.cnn are those of none of {', '.join(RESNETS)}")


def decoder(weights, dim):
    """The layers of the forward captioner."""
    has_norm = "norm.weight" in weights # of "transdec_prenorm"
    n_layers = sum(name.endswith(".linear1.weight") for name in weights)
    layer = torch.nn.TransformerDecoderLayer(dim, dim // HEAD_DIM, len(weights["layers.0.linear1.weight"]), dropout=0,
                                             activation="gelu", batch_first=True, norm_first=has_norm)
    layers = torch.nn.TransformerDecoder(layer, n_layers, torch.nn.LayerNorm(dim) if has_norm else None)
    layers.load_state_dict(weights)
    return layers.double().eval()


def virtex(folder, pixels, ids):
    """Features [1, channels, height, width] and logits [len(ids), tokens]."""
    weights = torch.load(folder / "model.pth", map_location="cpu", weights_only=True)["model"]
    features = resnet(below(weights, "visual.cnn."))(pixels)
    head = {name: tensor.double() for name, tensor in below(weights, "textual.").items()}
    words, positions = head["embedding.words.weight"], head["embedding.positions.weight"]
    dim = words.shape[1]
    memory = torch.nn.functional.linear(features.flatten(2).transpose(1, 2), head["visual_projection.weight"],
                                        head["visual_projection.bias"])
    x = torch.nn.functional.layer_norm(words[ids] + positions[:len(ids)], (dim,), head["embedding.layer_norm.weight"],
                                       head["embedding.layer_norm.bias"], 1e-8)
    x = x * (ids != 0)[:, None] # the padding's id
    later = torch.ones(len(ids), len(ids), dtype=torch.bool).triu(1)
    x = decoder(below(weights, "textual.transformer."), dim)(x[None], memory, tgt_mask=later)[0]
    return features, x @ words.T + head["output.bias"]


# ---- of transformers ----------------------------------------------------------------------------------------


def blip(model, pixels, ids):
    features = model.vision_model(pixels)[0]
    return features, model.text_decoder(input_ids=ids[None], encoder_hidden_states=features, is_decoder=True,
                                        use_cache=False, return_dict=True).logits[0]


def git(model, pixels, ids):
    logits = model(input_ids=ids[None], pixel_values=pixels, use_cache=False).logits[0]
    return model.git.image_encoder(pixels).last_hidden_state, logits[-len(ids):]


def encoder_decoder(model, pixels, ids):
    return model.encoder(pixels)[0], model(pixel_values=pixels, decoder_input_ids=ids[None], use_cache=False).logits[0]


KINDS = {"blip": ("BlipForConditionalGeneration", blip), "git": ("GitForCausalLM", git),
         "vision-encoder-decoder": ("VisionEncoderDecoderModel", encoder_decoder)}


def of_transformers(folder, pixels, ids):
    import transformers # pylint: disable=import-outside-toplevel
    name, run = KINDS[json.loads((folder / "config.json").read_text())["model_type"]]
    return run(getattr(transformers, name).from_pretrained(folder).double().eval(), pixels, ids)


def pixels_of(folder):
    """As the fixture has them, or as the folder's processor makes them of its image."""
    fixture = load_file(folder / "fixture.safetensors")
    if "pixel_values" in fixture:
        return fixture["pixel_values"]
    import transformers # pylint: disable=import-outside-toplevel
    from PIL import Image # pylint: disable=import-outside-toplevel
    processor = transformers.AutoImageProcessor.from_pretrained(folder, use_fast=False)
    return processor(Image.open(next(folder.glob("picture.*"))), return_tensors="pt")["pixel_values"]


def main():
    torch.set_num_threads(1) # more of them only spin where others run
    folder = pathlib.Path(sys.argv[1])
    out = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else folder / "float64.safetensors"
    ids = torch.tensor(sequence(read_fixture(folder / "fixture.safetensors"))[0])
    run = virtex if (folder / "model.pth").exists() else of_transformers
    with torch.no_grad():
        features, logits = run(folder, pixels_of(folder).double(), ids)
    assert features.dtype == logits.dtype == torch.float64
    save_file({"features": features.contiguous(), "logits": logits.contiguous()}, out)


if __name__ == "__main__":
    main()
