"""EfficientNet-Lite0 weights with their original names, as input for the converter: PyTorch files
in both containers, and safetensors files. Values are seeded and mean nothing. Standard library
only."""

import array
import collections
import io
import json
import pickle
import random
import struct
import sys
import types
import zipfile

STAGES = [(1, 3, 1, 16), (2, 3, 6, 24), (2, 5, 6, 40), (3, 3, 6, 80), (3, 5, 6, 112),
          (4, 5, 6, 192), (1, 3, 6, 320)]  # blocks, kernel, expansion, channels

Tensor = collections.namedtuple("Tensor", "shape values")


def count(shape):
    """The number of elements in a shape."""
    n = 1
    for size in shape:
        n *= size
    return n


def as_float32(value):
    """The nearest 32-bit float."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


def fnv1a64(data):
    """64-bit FNV-1a, for short data."""
    value = 0xcbf29ce484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001b3 % 2 ** 64
    return value


class Maker:
    """Draws values from a table, since a few million are needed."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.table = [as_float32(self.random.uniform(-1, 1)) for _ in range(1000)]
        self.positive = [abs(value) + 0.125 for value in self.table]

    def tensor(self, *shape, positive=False):
        """Random values of this shape."""
        table = self.positive if positive else self.table
        return Tensor(shape, array.array("f", self.random.choices(table, k=count(shape))))


def lite0(seed=1, n_classes=10):
    """All tensors of the encoder, without prefix, as a dictionary in network order."""
    maker = Maker(seed)
    tensors = {}

    def add(conv, norm, *shape):
        tensors[conv + ".weight"] = maker.tensor(*shape)
        for part in ("weight", "bias", "running_mean", "running_var"):
            tensors[f"{norm}.{part}"] = maker.tensor(shape[0], positive=part == "running_var")
        tensors[norm + ".num_batches_tracked"] = Tensor((), array.array("q", [5]))

    add("_conv_stem", "_bn0", 32, 3, 3, 3)
    channels, block = 32, 0
    for n_blocks, kernel, expansion, outputs in STAGES:
        for _ in range(n_blocks):
            name, inner = f"_blocks.{block}.", channels * expansion
            if expansion > 1:
                add(name + "_expand_conv", name + "_bn0", inner, channels, 1, 1)
            add(name + "_depthwise_conv", name + "_bn1", inner, 1, kernel, kernel)
            add(name + "_project_conv", name + "_bn2", outputs, inner, 1, 1)
            channels, block = outputs, block + 1
    add("_conv_head", "_bn1", 1280, channels, 1, 1)
    tensors["_fc.weight"] = maker.tensor(n_classes, 1280)
    tensors["_fc.bias"] = maker.tensor(n_classes)
    return tensors


def decoder(seed=2, dim=16, tokens=6, positions=49, steps=32, layers=1):
    """A small decoder, with the names used in both formats."""
    maker = Maker(seed)
    tensors = {}

    def linear(name, outputs, inputs):
        tensors[name + ".weight"] = maker.tensor(outputs, inputs)
        tensors[name + ".bias"] = maker.tensor(outputs)

    def norm(name):
        tensors[name + ".weight"] = maker.tensor(dim)
        tensors[name + ".bias"] = maker.tensor(dim)

    linear("decoder.memory.project", dim, 1280)
    norm("decoder.memory.norm")
    tensors["decoder.memory.position_embedding"] = maker.tensor(positions, dim)
    tensors["decoder.token_embedding.weight"] = maker.tensor(tokens, dim)
    tensors["decoder.position_embedding"] = maker.tensor(steps, dim)
    norm("decoder.norm")
    for i in range(layers):
        layer = f"decoder.layers.{i}."
        for attention in ("self_attention", "cross_attention"):
            for product in ("query", "key", "value", "output"):
                linear(f"{layer}{attention}.{product}", dim, dim)
            norm(f"{layer}{attention}_norm")
        linear(layer + "feed_forward.up", 32, dim)
        linear(layer + "feed_forward.down", dim, 32)
        norm(layer + "feed_forward_norm")
    return tensors


REFERENCE_CONFIG = {
    "encoder": {"kind": "efficientnet-lite0", "input_size": 224,
                "resize": "bicubic-antialias, whole image squashed to a square", "mean": 127,
                "scale": "1/128", "batch_norm_eps": 0.001, "padding": "TensorFlow SAME"},
    "decoder": {"layers": 1, "dim": 16, "heads": 2, "feed_forward": 32, "norm": "pre, eps 1e-5",
                "activation": "gelu (erf)", "max_positions": 32, "embedding_scale": "sqrt(dim)"},
}
WORDS = ["<pad>", "<s>", "</s>", "<unk>", "a", "dog"]


def reference():
    """The tensors of a small captioner, with the reference's names."""
    tensors = {"encoder." + name: tensor for name, tensor in lite0().items()
               if not name.startswith("_fc") and not name.endswith("num_batches_tracked")}
    tensors.update(decoder())
    return tensors


def reference_metadata(config=None):
    """Its __metadata__."""
    return {"config": json.dumps(config or REFERENCE_CONFIG), "vocabulary": json.dumps(WORDS)}


# ---- safetensors ---------------------------------------------------------------------------

def write_safetensors(path, tensors, metadata):
    """Writes F32 (and I64) tensors."""
    header, offset = {"__metadata__": metadata}, 0
    for name, tensor in tensors.items():
        size = len(tensor.values) * tensor.values.itemsize
        header[name] = {"dtype": {"f": "F32", "q": "I64"}[tensor.values.typecode],
                        "shape": list(tensor.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(tensor.values.tobytes())


def read_safetensors(path):
    """Returns metadata and {name: (dtype, shape, values)}, after checking what the format
    requires."""
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    assert data[8:9] == b"{" and (8 + size) % 64 == 0
    header = json.loads(data[8:8 + size])
    metadata, tensors, end = header.pop("__metadata__"), {}, 0
    assert all(isinstance(value, str) for value in metadata.values())
    width = {"F32": 4, "F16": 2, "U32": 4, "U64": 8, "I8": 1}
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, stop = entry["data_offsets"]
        assert begin == end and stop - begin == count(entry["shape"]) * width[entry["dtype"]]
        end, raw = stop, data[8 + size + begin:8 + size + stop]
        code = {"F32": "f", "F16": "e", "U32": "I", "U64": "Q", "I8": "b"}[entry["dtype"]]
        tensors[name] = (entry["dtype"], tuple(entry["shape"]),
                         struct.unpack(f"<{len(raw) // width[entry['dtype']]}{code}", raw))
    assert 8 + size + end == len(data)
    return metadata, tensors


# ---- PyTorch ------------------------------------------------------------------------------- The
# pickles are like those of torch.save: stand-ins for torch's functions and storages supply the
# names.

def stand_in(module, name):
    """Something that pickle writes as a reference to module.name."""
    if module not in sys.modules:
        sys.modules[module] = types.ModuleType(module)

    def function():
        raise NotImplementedError
    function.__module__, function.__qualname__, function.__name__ = module, name, name
    setattr(sys.modules[module], name, function)
    return function


REBUILD = stand_in("torch._utils", "_rebuild_tensor_v2")
STORAGES = {"f": stand_in("torch", "FloatStorage"), "q": stand_in("torch", "LongStorage")}


class Storage:
    """The memory of one tensor."""

    def __init__(self, key, values):
        self.key, self.values = key, values


class Pickled:
    """A tensor as torch.save writes it: a call that rebuilds it from its storage."""

    def __init__(self, storage, shape):
        self.storage, self.shape = storage, shape

    def __reduce__(self):
        strides, step = [], 1
        for size in reversed(self.shape):
            strides.insert(0, step)
            step *= size
        return REBUILD, (self.storage, 0, self.shape, tuple(strides), False,
                         collections.OrderedDict())


class Pickler(pickle.Pickler):
    """Storages become persistent ids, as in torch.save."""

    def __init__(self, file, is_legacy):
        super().__init__(file, 2)
        self.view = (None,) if is_legacy else ()

    def persistent_id(self, obj):
        if not isinstance(obj, Storage):
            return None
        return ("storage", STORAGES[obj.values.typecode], obj.key, "cpu",
                len(obj.values)) + self.view


def write_pth(path, tensors, is_legacy=False):
    """Writes a state dict in one of the two containers."""
    storages = [Storage(str(i), tensor.values) for i, tensor in enumerate(tensors.values())]
    state = collections.OrderedDict(
        (name, Pickled(storage, tensor.shape))
        for (name, tensor), storage in zip(tensors.items(), storages))
    text = io.BytesIO()
    Pickler(text, is_legacy).dump(state)
    if is_legacy:
        with open(path, "wb") as file:
            for value in (0x1950a86a20f9469cfc6c, 1001, {"little_endian": True}):
                pickle.dump(value, file, 2)
            file.write(text.getvalue())
            pickle.dump([storage.key for storage in storages], file, 2)
            for storage in storages:
                file.write(struct.pack("<q", len(storage.values)) + storage.values.tobytes())
        return
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("weights/data.pkl", text.getvalue())
        archive.writestr("weights/byteorder", "little")
        for storage in storages:
            archive.writestr(f"weights/data/{storage.key}", storage.values.tobytes())
