#!/usr/bin/env python3
"""Kills at random moments while XMP is written into images, and taken back: test_xmp_kills.py LIMN MODEL [TEST ...]

As many kills as the environment's LIMN_KILLS says, of writing without backups; few without it."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

import annotation
import test_xmp


class KillTest(test_xmp.PhotoTest):
    """--write-xmp and --undo-xmp"""

    def kill(self, command, moment):
        """Runs it, and kills it after so many seconds."""
        with subprocess.Popen(command, cwd=self.folder, stderr=subprocess.DEVNULL) as process:
            time.sleep(moment)
            process.send_signal(signal.SIGKILL)
        return process.returncode == -signal.SIGKILL

    def check_whole(self, old, new):
        """Each file is its old or its new bytes, except limn's own."""
        for name, data in self.files().items():
            if "limn" not in name:
                self.assertIn(data, [old.get(name), new[name]], name)

    def test_killed_at_random_moments(self):
        """Each file is whole, old or new; the same command ends as if nothing had happened, and an undo brings back the
        old bytes."""
        for i in range(12):
            shutil.copyfile(self.photo, self.p / f"more{i}.jpg")
        old, rng, n_met = self.files(), random.Random(1), 0
        command = test_xmp.LIMN.command("--threads", "2", "p", "--write-xmp")
        begun = time.monotonic()
        subprocess.run(command, cwd=self.folder, check=True)
        duration, new = time.monotonic() - begun, self.files()
        for _ in range(int(os.environ.get("LIMN_KILLS", "10"))):
            self.limn("p", "--undo-xmp")
            self.assertEqual(self.files(), old)
            n_met += self.kill(command, rng.uniform(0.1, 1.0) * duration)
            self.check_whole(old, new)
            subprocess.run(command, cwd=self.folder, check=True, stderr=subprocess.DEVNULL)
            self.assertEqual(self.files(), new)
            self.assertEqual(self.leftovers(), [])
        print(f"{n_met} kills met a run at work", end=" ... ", file=sys.stderr)

    def test_killed_with_backups(self):
        """Those are whole too."""
        old = self.files()
        command = test_xmp.LIMN.command("--threads", "2", "p", "--write-xmp", "--backup")
        begun = time.monotonic()
        subprocess.run(command, cwd=self.folder, check=True)
        duration, new, rng = time.monotonic() - begun, self.files(), random.Random(2)
        for _ in range(5):
            for name in new.keys() | self.files().keys():
                (self.folder / name).unlink(missing_ok=True)
            for name, data in old.items():
                (self.folder / name).write_bytes(data)
            self.kill(command, rng.uniform(0.3, 1.0) * duration)
            self.check_whole(old, new)
            subprocess.run(command, cwd=self.folder, check=True, stderr=subprocess.DEVNULL)
            self.assertEqual(self.files(), new)

    def test_killed_undo(self):
        """It goes on."""
        (self.p / "below").mkdir()
        shutil.copyfile(self.photo, self.p / "below/one.jpg")
        before = self.files()
        self.limn("-r", "p", "--write-xmp")
        after, rng = self.files(), random.Random(2)
        for _ in range(6):
            process = subprocess.Popen(test_xmp.LIMN.command("p", "--undo-xmp"), cwd=self.folder, stderr=subprocess.DEVNULL)
            time.sleep(rng.uniform(0, 0.2))
            process.kill()
            process.wait()
            self.check_whole(before, after)
        self.limn("p", "--undo-xmp")
        self.assertEqual(self.files(), before)


if __name__ == "__main__":
    test_xmp.LIMN = annotation.Limn(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
    unittest.main(argv=["test_xmp_kills.py", *sys.argv[3:]], verbosity=2)
