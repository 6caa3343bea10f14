#!/usr/bin/env python3
"""The peer of bench_encoder: the same EfficientNet-Lite weights through ONNX Runtime.

    peer_onnx.py MODEL.safetensors [RUNS [THREADS]]

Builds an ONNX graph of a limn model's encoder (batch norm is folded there already), runs it, and
prints "onnxruntime threads N: min MS median MS". Its input is normalised beforehand, ours is not.
Needs python3 with numpy, onnx, onnxruntime and safetensors; the product does not.
"""
import json
import sys
import time

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from safetensors import safe_open


class Graph:
    """Convolutions in a row, each named after its tensors."""

    def __init__(self, tensors):
        self.tensors, self.nodes, self.initializers = tensors, [], []
        for name, value in (("zero", 0.0), ("six", 6.0)):
            self.initializers.append(numpy_helper.from_array(np.float32(value), name))

    def conv(self, x, name, stride=1, groups=1, relu6=True):
        weight = self.tensors.get_tensor(name + ".weight").astype(np.float32)
        if weight.ndim == 3:
            weight = weight[:, None]
        weight = weight.reshape(weight.shape + (1,) * (4 - weight.ndim))
        bias = self.tensors.get_tensor(name + ".bias").astype(np.float32)
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
    tensors = safe_open(path, "np")
    encoder = json.loads(tensors.metadata()["limn.config"])["encoder"]
    graph = Graph(tensors)
    x = graph.conv("input", "encoder.stem", stride=2)
    for i, stride in enumerate(strides(blocks_of_stages(encoder["family"]))):
        name, block_input = f"encoder.blocks.{i}", x
        if i > 0:
            x = graph.conv(x, name + ".expand")
        n = tensors.get_slice(name + ".depthwise.weight").get_shape()[0]
        x = graph.conv(x, name + ".depthwise", stride, groups=n)
        x = graph.conv(x, name + ".project", relu6=False)
        shape = tensors.get_slice(name + ".project.weight").get_shape()
        expand = tensors.get_slice(name + (".expand.weight" if i else ".depthwise.weight")).get_shape()
        if i > 0 and stride == 1 and shape[0] == expand[1]:
            x = graph.add(x, block_input, name + ".sum")
    x = graph.conv(x, "encoder.head")
    size = encoder["input_size"]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes, "encoder",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, size, size])],
            [helper.make_tensor_value_info(x, TensorProto.FLOAT, None)], graph.initializers),
        opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return model.SerializeToString(), size


def main():
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    n_runs = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    n_threads = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    model, size = build(sys.argv[1])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    x = np.random.default_rng(1).uniform(-1, 1, (1, 3, size, size)).astype(np.float32)
    session.run(None, {"input": x})
    times = []
    for _ in range(n_runs):
        start = time.perf_counter()
        session.run(None, {"input": x})
        times.append((time.perf_counter() - start) * 1e3)
    print(f"onnxruntime threads {n_threads}: min {min(times):.3f} median {sorted(times)[n_runs // 2]:.3f}")


if __name__ == "__main__":
    main()
