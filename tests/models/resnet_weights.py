"""torchvision's ResNet-18, -50, -101 and Wide ResNet-50-2 with seeded weights under their original names, and an image.
Values mean nothing, but keep activations at the same scale. Standard library only: test_resnet.py and
tests/fixtures/make_resnet.py draw the same values."""

import array
import math
import random

from original_weights import Tensor, count

BLOCKS = {"resnet18": (2, 2, 2, 2), "resnet50": (3, 4, 6, 3), "resnet101": (3, 4, 23, 3),
          "wide_resnet50_2": (3, 4, 6, 3)}
WIDTH, HEIGHT = 96, 64  # of the image


def floats(draw, n, exponent, positive=False):
    """n floats of 2^exponent … 4 * 2^exponent, of either sign; exponent is odd."""
    high = (exponent + 127) // 2
    signs = bytes(high | (0 if positive or i % 2 else 0x80) for i in range(256))
    data = bytearray(4 * n)
    data[2::4] = draw.randbytes(n)
    data[3::4] = draw.randbytes(n).translate(signs)
    values = array.array("f")
    values.frombytes(bytes(data))
    return values


class Maker:
    """Draws layers into `tensors`."""

    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.tensors = {}

    def add(self, name, shape, exponent, positive=False):
        """One tensor."""
        self.tensors[name] = Tensor(shape, floats(self.draw, count(shape), exponent, positive))

    def layer(self, convolution, norm, shape, gain=-1):
        """A convolution and its batch norm, which multiplies by about 2^gain."""
        fan_in = shape[1] * shape[2] * shape[3]
        exponent = 2 * round((math.log2(math.sqrt(2 / fan_in) / 2.2) - 1) / 2) + 1
        self.add(convolution + ".weight", shape, exponent)
        for part, values, positive in (("weight", gain, True), ("bias", -5, False),
                                       ("running_mean", -5, False), ("running_var", -1, True)):
            self.add(f"{norm}.{part}", (shape[0],), values, positive)
        self.tensors[norm + ".num_batches_tracked"] = Tensor((), array.array("q", [3]))


def state_dict(network):
    """All tensors of a network, its classifier included."""
    maker, inputs = Maker(network), 64
    is_bottleneck = network != "resnet18"
    maker.layer("conv1", "bn1", (64, 3, 7, 7))
    for layer, n_blocks in enumerate(BLOCKS[network], 1):
        width = 32 << layer
        outputs = 4 * width if is_bottleneck else width
        width *= 2 if network.startswith("wide") else 1
        for block in range(n_blocks):
            name = f"layer{layer}.{block}."
            shapes = ([(width, inputs, 1, 1), (width, width, 3, 3), (outputs, width, 1, 1)] if is_bottleneck
                      else [(width, inputs, 3, 3), (width, width, 3, 3)])
            for i, shape in enumerate(shapes, 1):
                maker.layer(f"{name}conv{i}", f"{name}bn{i}", shape, -3 if i == len(shapes) else -1)
            if block == 0 and (layer > 1 or inputs != outputs):
                maker.layer(name + "downsample.0", name + "downsample.1", (outputs, inputs, 1, 1))
            inputs = outputs
    maker.add("fc.weight", (1000, inputs), -5)
    maker.add("fc.bias", (1000,), -5)
    return maker.tensors


def image(width=WIDTH, height=HEIGHT):
    """Pixels, u8 [height, width, 3]."""
    return random.Random(f"{width} x {height}").randbytes(width * height * 3)
