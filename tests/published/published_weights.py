"""Weights of .safetensors files as bytes, for tests to change. Standard library only."""

import array
import json
import struct

import original_weights as original


def read_weights(path):
    """Returns {name: (dtype, shape, bytes)} of a .safetensors file."""
    data = path.read_bytes()
    size, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    return {name: (e["dtype"], e["shape"], data[8 + size + e["data_offsets"][0]:8 + size + e["data_offsets"][1]])
            for name, e in header.items()}


def write_weights(path, tensors):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data for _, _, data in tensors.values()))


def as_tensors(weights):
    """The same for original_weights."""
    codes = {"F32": "f", "I64": "q"}
    return {name: original.Tensor(tuple(shape), array.array(codes[dtype], data))
            for name, (dtype, shape, data) in weights.items()}


def change(number, name, of=-1):
    """A function that sets value `of` of a tensor."""
    def apply(weights):
        dtype, shape, data = weights[name]
        values = array.array("f", data)
        values[of] = number
        weights[name] = (dtype, shape, values.tobytes())
    return apply
