#!/usr/bin/env python3
"""Memory and threads over many images: long_run.py LIMN MODEL [--images 100000] [--no-timing | --timing-only]

Makes a folder of that many links to a few hundred images and captions it with two threads, looking at the resident
memory of limn and of its children meanwhile: that of the last tenth must not be above that of the first by more than
2 %. Then a tenth of the images with one thread and with two: the rate must be at least 1.8 times as high, which is meaningful only on an idle machine. The exit code is 1 when one of the two does not hold."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import annotation

TOLERANCE, LEAST_RATIO = 1.02, 1.8


def resident(process):
    """KiB of a process and its children."""
    total = 0
    for task in [process.pid, *map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())]:
        for line in Path(f"/proc/{task}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1])
    return total


def watch(limn, folder, n):
    """Runs limn; [(how many tenths were done, KiB), ...]."""
    out = folder / "out.jsonl"
    samples = []
    with subprocess.Popen(limn.command("p", "-o", out, "--threads", "2"), cwd=folder, stdin=subprocess.DEVNULL) as process:
        n_lines = size = 0
        while process.poll() is None:
            time.sleep(0.05)
            try:
                with open(f"{out}.part", "rb") as part:
                    part.seek(size)
                    block = part.read()
                size += len(block)
                n_lines += block.count(b"\n")
                samples.append((10 * n_lines / n, resident(process)))
            except OSError:
                continue
    assert process.returncode == 0, process.returncode
    assert out.read_bytes().count(b"\n") == n
    out.unlink()
    return samples


def check_memory(limn, folder, n):
    """Whether the memory stays."""
    samples = watch(limn, folder, n)
    first = [kib for tenth, kib in samples if 0.1 < tenth <= 1]  # after the first hundredth
    last = [kib for tenth, kib in samples if tenth >= 9]
    print(f"resident memory over {n} images: {max(first)} KiB at most in the first tenth, {max(last)} in the last",
          flush=True)
    return max(last) <= TOLERANCE * max(first)


def check_threads(limn, folder, n):
    """Whether two threads do what is expected of them; the better of two runs each."""
    names = "\n".join(f"p/{i:05}.png" for i in range(n)).encode()
    best = {}
    for n_threads in [1, 2, 1, 2]:
        begun = time.monotonic()
        limn.run("-", "-o", "t.jsonl", "--threads", str(n_threads), cwd=folder, stdin=names)
        seconds = time.monotonic() - begun
        best[n_threads] = min(best.get(n_threads, seconds), seconds)
        (folder / "t.jsonl").unlink()
    print(f"{n} images: {n / best[1]:.1f}/s with one thread, {n / best[2]:.1f}/s with two, "
          f"{best[1] / best[2]:.2f} times as many", flush=True)
    return best[1] / best[2] >= LEAST_RATIO


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("limn", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--images", type=int, default=100000)
    parser.add_argument("--no-timing", action="store_true")
    parser.add_argument("--timing-only", action="store_true")
    options = parser.parse_args()
    limn = annotation.Limn(options.limn.resolve(), options.model.resolve())
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
        folder = Path(name)
        annotation.make_images(folder / "p", options.images, 300)
        good = options.timing_only or check_memory(limn, folder, options.images)
        good &= options.no_timing or check_threads(limn, folder, options.images // 10)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
