#!/usr/bin/env python3
"""The peer of bench_encoder: the same EfficientNet-Lite weights through ONNX Runtime.

    peer_onnx.py MODEL.safetensors [RUNS [THREADS [IMAGES]]]

Builds an ONNX graph of a limn model's encoder (batch norm is folded there already; the model may
be in f32, f16 or int8, and becomes f32), runs it, and prints "onnxruntime TYPE threads N: min MS
median MS". With IMAGES, a folder of photos, TYPE is int8: the graph is quantised statically as
ONNX Runtime does it for this processor (QDQ, a scale for each channel, 8 bits), calibrated on the
first 64 photos, and a line says how close its features of the last photo are to those of f32.
Otherwise it is f32. Its input is normalised beforehand, ours is not.
Needs python3 with numpy, onnx, onnxruntime and safetensors, and pillow for IMAGES; the product does
not.
"""
import os
import sys
import tempfile
import time

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from peer_weights import Weights

N_CALIBRATION_IMAGES = 64


class Graph:
    """Convolutions in a row, each named after its tensors."""

    def __init__(self, weights):
        self.weights, self.nodes, self.initializers = weights, [], []
        for name, value in (("zero", 0.0), ("six", 6.0)):
            self.initializers.append(numpy_helper.from_array(np.float32(value), name))

    def conv(self, x, name, stride=1, groups=1, relu6=True):
        weight = self.weights.get(name + ".weight")
        if weight.ndim == 3:
            weight = weight[:, None]
        weight = weight.reshape(weight.shape + (1,) * (4 - weight.ndim))
        bias = self.weights.get(name + ".bias")
        for suffix, value in ((".w", weight), (".b", bias)):
            self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name + suffix))
        self.nodes.append(helper.make_node(
            "Conv", [x, name + ".w", name + ".b"], [name + ".y"], strides=[stride, stride],
            group=groups, auto_pad="SAME_UPPER", kernel_shape=list(weight.shape[2:])))
        if not relu6:
            return name + ".y"
        self.nodes.append(helper.make_node("Clip", [name + ".y", "zero", "six"], [name + ".r"]))
        return name + ".r"

    def add(self, x, y, name):
        self.nodes.append(helper.make_node("Add", [x, y], [name]))
        return name


def strides(n_blocks_of_stage):
    """The stride of each block: the first of stages 2, 3, 4 and 6 halves the map."""
    return [2 if i == 0 and stage in (1, 2, 3, 5) else 1
            for stage, n in enumerate(n_blocks_of_stage) for i in range(n)]


def blocks_of_stages(family):
    depth = {"0": 10, "1": 11, "2": 12, "3": 14, "4": 18}[family[-1]]
    middle = [-(-n * depth // 10) for n in (2, 2, 3, 3, 4)]
    return [1] + middle + [1]


def build(path):
    """The graph, serialised, and the model's configuration of its encoder."""
    weights = Weights(path)
    encoder = weights.metadata("config")["encoder"]
    graph = Graph(weights)
    x = graph.conv("input", "encoder.stem", stride=2)
    for i, stride in enumerate(strides(blocks_of_stages(encoder["family"]))):
        name, block_input = f"encoder.blocks.{i}", x
        if i > 0:
            x = graph.conv(x, name + ".expand")
        x = graph.conv(x, name + ".depthwise", stride, groups=weights.shape(name + ".depthwise.weight")[0])
        x = graph.conv(x, name + ".project", relu6=False)
        n_outputs = weights.shape(name + ".project.weight")[0]
        n_inputs = weights.shape(name + (".expand.weight" if i else ".depthwise.weight"))[1]
        if i > 0 and stride == 1 and n_outputs == n_inputs:
            x = graph.add(x, block_input, name + ".sum")
    x = graph.conv(x, "encoder.head")
    size = encoder["input_size"]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes, "encoder",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, size, size])],
            [helper.make_tensor_value_info(x, TensorProto.FLOAT, None)], graph.initializers),
        opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return model.SerializeToString(), encoder


def prepare(file, encoder):
    """[1, 3, size, size] of an image file."""
    from PIL import Image  # pylint: disable=import-outside-toplevel
    size = encoder["input_size"]
    image = Image.open(file).convert("RGB").resize((size, size), Image.BICUBIC)
    x = (np.asarray(image, np.float32) - encoder["mean"]) * np.float32(encoder["scale"])
    return np.ascontiguousarray(x.transpose(2, 0, 1)[None])


def photos(folder):
    names = sorted(n for n in os.listdir(folder) if n.lower().endswith((".jpg", ".jpeg", ".png")))
    if not names:
        sys.exit(f"{folder}: no photos")
    return [os.path.join(folder, n) for n in names]


def quantise(model, inputs):
    """The graph in int8, serialised, calibrated on inputs."""
    from onnxruntime import quantization  # pylint: disable=import-outside-toplevel
    left = list(inputs)

    class Reader(quantization.CalibrationDataReader):
        """Gives one input after another."""

        def get_next(self):
            return {"input": left.pop()} if left else None

    with tempfile.TemporaryDirectory() as scratch:
        plain, ready, int8 = (os.path.join(scratch, n) for n in ("plain.onnx", "ready.onnx", "int8.onnx"))
        with open(plain, "wb") as file:
            file.write(model)
        quantization.quant_pre_process(plain, ready)
        quantization.quantize_static(
            ready, int8, Reader(), quant_format=quantization.QuantFormat.QDQ, per_channel=True,
            reduce_range=False, activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8)
        with open(int8, "rb") as file:
            return file.read()


def open_session(model, n_threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def cosine(a, b):
    a, b = a.ravel().astype(np.float64), b.ravel().astype(np.float64)
    return a @ b / np.sqrt((a @ a) * (b @ b))


def main():
    if not 2 <= len(sys.argv) <= 5:
        sys.exit(__doc__)
    n_runs = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    n_threads = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    model, encoder = build(sys.argv[1])
    session, dtype = open_session(model, n_threads), "f32"
    size = encoder["input_size"]
    x = np.random.default_rng(1).uniform(-1, 1, (1, 3, size, size)).astype(np.float32)
    if len(sys.argv) > 4:
        names = photos(sys.argv[4])
        x = prepare(names[-1], encoder)
        exact = session.run(None, {"input": x})[0]
        inputs = [prepare(name, encoder) for name in names[:N_CALIBRATION_IMAGES]]
        session, dtype = open_session(quantise(model, inputs), n_threads), "int8"
        print(f"int8: cosine of features {cosine(exact, session.run(None, {'input': x})[0]):.5f}")
    session.run(None, {"input": x})
    times = []
    for _ in range(n_runs):
        start = time.perf_counter()
        session.run(None, {"input": x})
        times.append((time.perf_counter() - start) * 1e3)
    print(f"onnxruntime {dtype} threads {n_threads}: min {min(times):.3f} median {sorted(times)[n_runs // 2]:.3f}")


if __name__ == "__main__":
    main()
