#!/usr/bin/env python3
"""Our encoder's time beside ONNX Runtime's, one thread each, same weights.

    encoder_ratio.py BENCH_ENCODER MODEL.safetensors [ROUNDS [CPU]] [--images FOLDER]

Runs the programs in turn, ROUNDS times (5), so that a busy machine meets all alike, and prints
each one's smallest minimum and median and the ratios of ours to them. ONNX Runtime computes in f32;
with a folder of photos, also in int8, quantised as peer_onnx.py says. PYTHON names the interpreter
that has what peer_onnx.py needs; the default is this one.
"""
import argparse
import os
import re
import subprocess
import sys

RUNS = "100"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench_encoder")
    parser.add_argument("model")
    parser.add_argument("rounds", nargs="?", type=int, default=5)
    parser.add_argument("cpu", nargs="?", default="")
    parser.add_argument("--images")
    return parser.parse_args()


def measure(command):
    """(min, median) in milliseconds as the program prints them."""
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return tuple(map(float, re.search(r"min ([\d.]+) median ([\d.]+)", output).groups()))


def main():
    args = arguments()
    peer_script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peer_onnx.py")
    peer = [os.environ.get("PYTHON", sys.executable), peer_script, args.model, RUNS, "1"]
    commands = {"limn": [args.bench_encoder, args.model, RUNS, args.cpu], "onnxruntime f32": peer}
    if args.images:
        commands["onnxruntime int8"] = [*peer, args.images]
    times = {name: [] for name in commands}
    for _ in range(args.rounds):
        for name, command in commands.items():
            times[name].append(measure(command))
    best = {name: [min(column) for column in zip(*rows)] for name, rows in times.items()}
    for name, (least, median) in best.items():
        print(f"{name:22} min {least:.3f} ms  median {median:.3f} ms")
    ours = best.pop("limn")
    for name, theirs in best.items():
        print(f"{'limn / ' + name:22} min {ours[0] / theirs[0]:.3f}     median {ours[1] / theirs[1]:.3f}")


if __name__ == "__main__":
    main()
