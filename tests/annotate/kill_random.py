#!/usr/bin/env python3
"""Kills runs of limn at random moments, and lets each go on:

    kill_random.py LIMN MODEL [--kills 100] [--pictures 2000] [--seed 1] [JOB ...]

By default the jobs jsonl, csv, append and skip; ground.py has the others. Every run is killed once or more with
SIGKILL, at moments drawn evenly from the time that an uninterrupted one takes, and run again until it is done. Prints
for each job how many ended with the very files of the uninterrupted run; the exit code is 1 unless all did."""

import argparse
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import annotation
from ground import Ground, tree


def start(limn, args, folder):
    """limn at work."""
    return subprocess.Popen(limn.command(*args), cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)


def run_killed(limn, args, folder, moments, expected):
    """Kills at each of the moments, then runs to the end; whether a run was met that was still going. When all files
    are in place and no journal is left, the run was complete: to run it again would be a run of its own."""
    was_met = False
    for moment in [*moments, None]:
        process = start(limn, args, folder)
        if moment is not None:
            time.sleep(moment)
            process.kill()
        was_met |= process.wait() == -signal.SIGKILL
        if tree(folder) == expected:
            break
    return was_met


def check(limn, job, options):
    """Whether all is well with a job."""
    ground = Ground(limn, job, options.pictures)
    folder = ground.fresh()
    begun = time.monotonic()
    start(limn, ground.args, folder).wait()
    duration = time.monotonic() - begun
    expected = tree(folder)
    draw = random.Random(options.seed)
    n_good = n_met = 0
    for i in range(options.kills):
        folder = ground.fresh()
        moments = [draw.uniform(0, duration) for _ in range(1 + i % 3 // 2)]
        n_met += run_killed(limn, ground.args, folder, moments, expected)
        actual = tree(folder)
        n_good += actual == expected
        if actual != expected:
            names = sorted(k for k in actual.keys() | expected.keys() if actual.get(k) != expected.get(k))
            print(f"{job}, kill {i} at {moments}: {names[:5]}")
    print(f"{job}: {n_good} of {options.kills} as without a kill; {n_met} were killed at work, in runs of "
          f"{duration:.2f} s over {options.pictures} pictures", flush=True)
    ground.remove()
    return n_good == options.kills


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("limn", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("jobs", nargs="*", metavar="JOB")
    options = parser.parse_intermixed_args()
    limn = annotation.Limn(options.limn.resolve(), options.model.resolve())
    results = [check(limn, job, options) for job in options.jobs or ["jsonl", "csv", "append", "skip"]]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
