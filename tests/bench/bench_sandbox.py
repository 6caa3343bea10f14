#!/usr/bin/env python3
"""What the sandbox costs: bench_sandbox.py LIMN [MODEL] < NAMES

Captions the images named on standard input (some hundred) with --sandbox off and on in turn, with one
thread and with two, and prints the least seconds of each, on the clock and of all processes' CPUs, and the difference.
"""
import resource
import subprocess
import sys
import time

ROUNDS = 7


def measure(command, names):
    """Seconds on the clock, and of the CPUs."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, input=names, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - start, cpu


def main(limn, *model):
    names = sys.stdin.buffer.read()
    for threads in ("1", "2"):
        least = {}
        for _ in range(ROUNDS):
            for use in ("off", "on"):
                command = [limn, "-q", "--threads", threads, "--sandbox", use, "-"]
                seconds = measure(command + (["--model", *model] if model else []), names)
                least[use] = tuple(map(min, seconds, least.get(use, seconds)))
        for what, off, on in zip(("clock", "CPU"), least["off"], least["on"]):
            print(f"{threads} threads, {what}: off {off:.3f} s, on {on:.3f} s, {100 * (on / off - 1):+.1f} %")


if __name__ == "__main__":
    main(*sys.argv[1:])
