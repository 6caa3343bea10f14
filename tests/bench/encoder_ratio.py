#!/usr/bin/env python3
"""Our encoder's time beside ONNX Runtime's, one thread each, same weights.

    encoder_ratio.py BENCH_ENCODER MODEL.safetensors [ROUNDS [CPU]]

Runs both programs in turn, ROUNDS times (5), so that a busy machine meets both alike, and prints
each one's smallest minimum and median and the ratio of them. PYTHON names the interpreter that has
what peer_onnx.py needs; the default is this one.
"""
import os
import re
import subprocess
import sys

RUNS = "100"


def measure(command):
    """(min, median) in milliseconds as the program prints them."""
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return tuple(map(float, re.search(r"min ([\d.]+) median ([\d.]+)", output).groups()))


def main():
    if not 3 <= len(sys.argv) <= 5:
        sys.exit(__doc__)
    bench, model = sys.argv[1:3]
    n_rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    cpu = sys.argv[4:5]
    peer_script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peer_onnx.py")
    peer = [os.environ.get("PYTHON", sys.executable), peer_script, model, RUNS]
    times = {"limn": [], "onnxruntime": []}
    for _ in range(n_rounds):
        times["limn"].append(measure([bench, model, RUNS] + cpu))
        times["onnxruntime"].append(measure(peer))
    best = {name: [min(column) for column in zip(*rows)] for name, rows in times.items()}
    for name, (least, median) in best.items():
        print(f"{name:12} min {least:.3f} ms  median {median:.3f} ms")
    ours, theirs = best["limn"], best["onnxruntime"]
    print(f"{'ratio':12} min {ours[0] / theirs[0]:.3f}     median {ours[1] / theirs[1]:.3f}")


if __name__ == "__main__":
    main()
