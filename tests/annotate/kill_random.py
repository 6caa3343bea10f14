#!/usr/bin/env python3
"""Kills runs of limn at random moments and resumes them:

    kill_random.py LIMN MODEL [--kills 100] [--each 2] [--images 2000] [--seed 1] [JOB ...]

By default the jobs jsonl, csv, append, skip and tars; ground.py has the others. Every run is killed --each times with
SIGKILL, at moments drawn evenly from the time that an uninterrupted one takes, and run again until it is done. Prints for each job how many ended with the same files as the uninterrupted run; the exit code is 1 unless all did."""

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


def draw_waits(draw, n, duration):
    """Seconds from each start to its kill: what lies between n sorted moments of the duration."""
    moments = sorted(draw.uniform(0, duration) for _ in range(n))
    return [after - before for before, after in zip([0.0, *moments], moments)]


def run_killed(limn, args, folder, waits, expected):
    """Kills after each of the waits, then runs to the end; how many kills met a run that was still going. When all
    files are in place and no journal is left, the run was complete: to run it again would be a run of its own."""
    n_met = 0
    for wait in [*waits, None]:
        process = start(limn, args, folder)
        if wait is not None:
            time.sleep(wait)
            process.kill()
        n_met += process.wait() == -signal.SIGKILL
        if tree(folder) == expected:
            break
    return n_met


def check(limn, job, options):
    """Whether a job passed."""
    ground = Ground(limn, job, options.images)
    folder = ground.fresh()
    begun = time.monotonic()
    start(limn, ground.args, folder).wait()
    duration = time.monotonic() - begun
    expected = tree(folder)
    draw = random.Random(options.seed)
    n_runs, n_good, n_met = options.kills // options.each, 0, 0
    for i in range(n_runs):
        folder = ground.fresh()
        waits = draw_waits(draw, options.each, duration)
        n_met += run_killed(limn, ground.args, folder, waits, expected)
        actual = tree(folder)
        n_good += actual == expected
        if actual != expected:
            names = sorted(k for k in actual.keys() | expected.keys() if actual.get(k) != expected.get(k))
            print(f"{job}, run {i} killed after {waits}: {names[:5]}")
    print(f"{job}: {n_good} of {n_runs} runs as without a kill; {n_met} of {n_runs * options.each} kills met one at work, "
          f"of {duration:.2f} s over {options.images} images", flush=True)
    ground.remove()
    return n_good == n_runs


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("limn", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--each", type=int, default=2, help="kills of one run")
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("jobs", nargs="*", metavar="JOB")
    options = parser.parse_intermixed_args()
    if not 1 <= options.each <= options.kills:
        parser.error(f"--each: {options.each} is not in 1 … {options.kills}, the --kills")
    limn = annotation.Limn(options.limn.resolve(), options.model.resolve())
    results = [check(limn, job, options) for job in options.jobs or ["jsonl", "csv", "append", "skip", "tars"]]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
