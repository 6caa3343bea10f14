"""Small vision transformers with seeded weights under the names of models/FORMAT.md, and an image. Values mean nothing,
but keep activations at the same scale, and are exact in 16 bits. Standard library only: test_vit.py and
tests/fixtures/make_vit.py draw the same values."""

import array
import json
import math
import random
import struct

from resnet_weights import floats
from original_weights import Tensor, count

SIDE, PATCH, DIM, LAYERS, HEADS, FEED_FORWARD = 48, 8, 32, 2, 4, 64
POSITIONS = 1 + (SIDE // PATCH) ** 2
MEAN, SCALE = [122.7709383, 116.7460125, 104.09373615], [0.0145984, 0.0150078, 0.0142201]
# What distinguishes them: activation, eps, bias of the patches, norm after the embeddings.
NETWORKS = {"blip": ("gelu", 1e-5, True, False),
            "vit": ("gelu", 1e-12, True, False),
            "tanh": ("gelu_tanh", 1e-6, True, False),
            "clip": ("quick_gelu", 1e-5, False, True)}


def config(network):
    """The model file's limn.config."""
    activation, eps, has_bias, has_norm = NETWORKS[network]
    return {"encoder": {"family": "vit", "input_size": SIDE, "resize": "bicubic", "mean": MEAN, "scale": SCALE,
                        "patch": PATCH, "dim": DIM, "layers": LAYERS, "heads": HEADS,
                        "feed_forward": FEED_FORWARD, "activation": activation, "eps": eps,
                        "patch_bias": has_bias, "embedding_norm": has_norm}}


class Maker:
    """Draws tensors; the weights of a product are scaled so that its outputs are about as large as its inputs."""

    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.tensors = {}

    def values(self, name, shape, exponent=-5, positive=False):
        """One tensor with values of about 2^exponent."""
        self.tensors[name] = Tensor(shape, floats(self.draw, count(shape), exponent, positive))

    def product(self, name, shape, has_bias=True):
        """The weight and bias of a product."""
        fan_in = count(shape) // shape[0]
        self.values(name + ".weight", shape, 2 * round((math.log2(1 / math.sqrt(fan_in) / 2.2) - 1) / 2) + 1)
        if has_bias:
            self.values(name + ".bias", (shape[0],))

    def norm(self, name):
        """The gamma and beta of a norm."""
        self.values(name + ".weight", (DIM,), -1, True)
        self.values(name + ".bias", (DIM,))


def tensors(network):
    """All tensors of a network, as {name: Tensor}."""
    maker = Maker(network)
    _, _, has_bias, has_norm = NETWORKS[network]
    maker.values("encoder.class_position", (DIM,), -1)
    maker.product("encoder.patch", (DIM, 3, PATCH, PATCH), has_bias)
    maker.values("encoder.position_embedding", (POSITIONS, DIM), -1)
    if has_norm:
        maker.norm("encoder.embedding_norm")
    for i in range(LAYERS):
        name = f"encoder.layers.{i}."
        for part in ("query", "key", "value", "output"):
            maker.product(name + "attention." + part, (DIM, DIM))
        maker.product(name + "feed_forward.up", (FEED_FORWARD, DIM))
        maker.product(name + "feed_forward.down", (DIM, FEED_FORWARD))
        maker.norm(name + "attention_norm")
        maker.norm(name + "feed_forward_norm")
    maker.norm("encoder.norm")
    return maker.tensors


def image():
    """Pixels, u8 [SIDE, SIDE, 3]."""
    return random.Random("vit").randbytes(SIDE * SIDE * 3)


def is_half(name):
    """Whether an F16 file stores this tensor as F16."""
    return name.endswith(".weight") and "norm" not in name


def write(path, network, halves, changes=None):
    """A model file; `changes` has tensors to replace, or None for those to leave out."""
    made = {**tensors(network), **(changes or {})}
    header = {"__metadata__": {"limn.version": "3", "limn.config": json.dumps(config(network))}}
    parts, end = [], 0
    for name, tensor in made.items():
        if tensor is None:
            continue
        if halves and is_half(name):
            dtype, packed = "F16", struct.pack(f"<{len(tensor.values)}e", *tensor.values)
        else:
            dtype, packed = "F32", array.array("f", tensor.values).tobytes()
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [end, end + len(packed)]}
        parts.append(packed)
        end += len(packed)
    text = json.dumps(header).encode()
    path.write_bytes(b"".join([struct.pack("<Q", len(text)), text, *parts]))
