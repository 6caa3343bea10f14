#!/usr/bin/env python3
"""Runs of limn that are killed and resumed:

    test_resume.py LIMN MODEL --fault LIBRARY [--all | --quick] [--images N] [KillTest.test_JOB ...]

Each job is run once without interruption. Then it is killed (by the library of fault.c) in place of, or in the middle
of, one call after another that changes a file, and run again until it is done: its files must be those of the
uninterrupted run, byte for byte, and no other file may be left. Some runs are killed twice or three times. Without --all, long series of equal calls are tried at a few places only; with --quick, only some jobs, and each call in one way."""

import os
import random
import signal
import subprocess
import unittest
from pathlib import Path

import annotation
from ground import JOBS, Ground, tree

OPTIONS = LIMN = None
FEW = 4  # of many calls with equal neighbours, the first, the last, and so many between
QUICK_JOBS = {"text": 270, "append": 20, "xmp": 10}  # with so many images: one has a checkpoint on its way, one is slow

def run(args, cwd, fault=None, log=None):
    """Exit code of limn with a fault; negative after a signal."""
    environment = dict(os.environ)
    if fault or log:
        environment["LD_PRELOAD"] = OPTIONS.fault
    if fault:
        environment["LIMN_FAULT"] = fault
    if log:
        environment["LIMN_FAULT_LOG"] = str(log)
    return subprocess.run(LIMN.command(*args), cwd=cwd, env=environment, capture_output=True, check=False,
                          stdin=subprocess.DEVNULL).returncode


def points(calls):
    """Numbers of the calls to try: all, or a few of many equal ones in a row."""
    if OPTIONS.all:
        return list(range(1, len(calls) + 1))
    groups = {}  # by the call and its neighbours
    for i, call in enumerate(calls):
        groups.setdefault((calls[i - 1] if i else "", call, calls[i + 1] if i + 1 < len(calls) else ""), []).append(i + 1)
    chosen = set()
    for numbers in groups.values():
        chosen |= {numbers[0], numbers[-1]}
        if not OPTIONS.quick:
            chosen |= set(random.Random(len(numbers)).sample(numbers, min(FEW, len(numbers))))
    return sorted(chosen)


def several_points(n_calls):
    """Calls to be killed at, one run after another: behind the last checkpoint on the way, then each time behind the
    writing anew of the journal; and others."""
    rng = random.Random(n_calls)
    n_rounds = 2 if OPTIONS.quick else 12
    return [(max(1, n_calls - 25), 20, 20)] + [
        tuple(rng.randint(1, n_calls // (i + 1)) for i in range(rng.choice([2, 3]))) for _ in range(n_rounds)]


class KillTest(unittest.TestCase):
    """Every job of JOBS, killed everywhere."""

    def check_job(self, job):
        """Kills and goes on."""
        n_images = QUICK_JOBS[job] if OPTIONS.quick else OPTIONS.images
        ground = Ground(LIMN, job, n_images)
        self.addCleanup(ground.remove)
        folder = ground.fresh()
        self.assertEqual(run(ground.args, folder, log=ground.folder / "calls"), 3)
        expected = tree(folder)
        calls = (ground.folder / "calls").read_text().split()
        self.assertGreater(len(calls), n_images, "the library of faults saw nothing")
        self.assertFalse([name for name in expected if "limn" in name or name.endswith(".part")], job)
        for number in points(calls):
            for action in [["kill", "torn"][number % 2]] if OPTIONS.quick else ["kill", "torn"]:
                with self.subTest(action=action, call=number, of=len(calls), name=calls[number - 1]):
                    self.check_kill(ground, f"{action}:{number}", expected=expected)

        for numbers in several_points(len(calls)):
            with self.subTest(killed_at=numbers, of=len(calls)):
                self.check_kill(ground, *(f"kill:{number}" for number in numbers), expected=expected)

    def check_kill(self, ground, fault, *later_faults, expected):
        """One kill or more. Without a journal and with all files in place, the run was complete."""
        folder = ground.fresh()
        self.assertEqual(run(ground.args, folder, fault), -signal.SIGKILL)
        for later in later_faults:  # a later run has fewer calls, and may end before its fault
            if tree(folder) != expected:
                self.assertIn(run(ground.args, folder, later), (-signal.SIGKILL, 3))
        if tree(folder) != expected:
            self.assertEqual(run(ground.args, folder), 3)
        actual = tree(folder)
        self.assertEqual([], sorted(k for k in actual.keys() | expected.keys() if actual.get(k) != expected.get(k)))


def add_job(name):
    """A test method for each job."""
    setattr(KillTest, "test_" + name.replace("-", "_"), lambda self: self.check_job(name))


if __name__ == "__main__":
    PARSER = annotation.fault_parser(__doc__)
    PARSER.add_argument("--all", action="store_true")
    PARSER.add_argument("--quick", action="store_true")
    PARSER.add_argument("--images", type=int, default=280)
    OPTIONS, LIMN = annotation.parse_fault_options(PARSER)
    JOBS_HAVE_XMP = "front" not in OPTIONS.limn.name and LIMN.has_xmp()
    for job_name in QUICK_JOBS if OPTIONS.quick else JOBS:
        if job_name != "xmp" or JOBS_HAVE_XMP:
            add_job(job_name)
    unittest.main(argv=["test_resume.py", *OPTIONS.tests], verbosity=2)
