#!/usr/bin/env python3
"""Full, broken and read-only disks: test_faults.py LIMN MODEL --fault LIBRARY

The error is reported, the exit code is right, existing files are undamaged, and once the fault is gone the same command produces the files of a run without it."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import annotation
from ground import Ground, tree

OPTIONS = LIMN = None
N_IMAGES = 300  # more than between two checkpoints


def run(args, cwd, fault=None, **more):
    """The outcome of limn with a fault."""
    environment = dict(os.environ)
    if fault:
        environment |= {"LD_PRELOAD": OPTIONS.fault, "LIMN_FAULT": fault}
    return subprocess.run(LIMN.command(*args), cwd=cwd, env=environment, capture_output=True, check=False,
                          stdin=subprocess.DEVNULL, **more)


def count_calls(args, ground):
    """Names of the calls that the library counts."""
    log = ground.folder / "calls"
    environment = dict(os.environ, LD_PRELOAD=OPTIONS.fault, LIMN_FAULT_LOG=str(log))
    subprocess.run(LIMN.command(*args), cwd=ground.fresh(), env=environment, capture_output=True, check=False,
                   stdin=subprocess.DEVNULL)
    return log.read_text().split()


class FaultTest(unittest.TestCase):
    """Calls that fail, by the library of fault.c."""

    def check_job(self, job, fault, text):
        """Faults at the beginning, somewhere, at the first checkpoint, and at the end."""
        ground = Ground(LIMN, job, N_IMAGES)
        self.addCleanup(ground.remove)
        calls = count_calls(ground.args, ground)
        self.assertGreater(len(calls), N_IMAGES)
        expected = tree(ground.folder / "copy")
        syncs = [i + 1 for i, call in enumerate(calls) if call == "fsync"]
        before = tree(ground.fresh())
        for number in sorted({1, 2, 3, 4, 5, 6, 100, len(calls) // 2, syncs[len(syncs) // 2], syncs[-3], len(calls) - 3}):
            with self.subTest(job=job, call=number, of=len(calls), name=calls[number - 1]):
                folder = ground.fresh()
                done = run(ground.args, folder, f"{fault}:{number}")
                self.assertEqual(done.returncode, 2)
                self.assertIn(text, done.stderr.decode())
                now = tree(folder)
                self.assertEqual([k for k in before if now.get(k) not in (before[k], expected[k])], [])
                self.assertEqual(run(ground.args, folder).returncode, 3)
                self.assertEqual(tree(folder), expected)

    def test_full(self):
        self.check_job("text", "ENOSPC", "No space left on device")

    def test_full_sidecars(self):
        self.check_job("append", "ENOSPC", "No space left on device")

    def test_broken(self):
        self.check_job("added", "EIO", "Input/output error")


class DiskTest(unittest.TestCase):
    """Real disks and folders."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        annotation.make_images(self.folder / "p", 200)

    def test_a_small_disk(self):
        """A tmpfs that is mounted in a namespace of its own, where that may be had."""
        disk = self.folder / "disk"
        disk.mkdir()
        script = ('mount -t tmpfs -o size=16k limn "$1" || exit 77; shift\n'
                  '"$@" -o disk/out.jsonl p; echo "code $?"\n'
                  'mount -o remount,size=1m disk; "$@" -o disk/out.jsonl p; echo "code $?"; ls -A disk; cat disk/out.jsonl')
        done = subprocess.run(["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh", str(disk), *LIMN.command()],
                              cwd=self.folder, capture_output=True, check=False)
        if done.returncode == 77 or b"unshare" in done.stderr:
            self.skipTest("no file system can be mounted here")
        self.assertIn(b"No space left on device", done.stderr)
        self.assertIn(b"run the same command again to resume", done.stderr)
        whole = LIMN.run("p", "--format", "jsonl", cwd=self.folder)[0]
        self.assertEqual(done.stdout, b"code 2\ncode 0\nout.jsonl\n" + whole)

    def as_nobody(self):
        """Arguments of subprocess.run under which folders without write permission can't be written to."""
        if os.getuid():
            return {}
        os.chmod(self.folder, 0o755)
        more = {"user": 65534, "group": 65534, "extra_groups": []}
        try:
            subprocess.run([LIMN.program, "--version"], check=True, capture_output=True, **more)
            with open(LIMN.model, "rb"):
                subprocess.run(["cat", LIMN.model], check=True, capture_output=True, **more)
        except (OSError, subprocess.CalledProcessError):
            self.skipTest("limn can't be run by another user here")
        return more

    def test_read_only_folders(self):
        more = self.as_nobody()
        os.chmod(self.folder / "p", 0o555)
        os.chmod(self.folder, 0o555)
        self.addCleanup(os.chmod, self.folder, 0o755)
        self.addCleanup(os.chmod, self.folder / "p", 0o755)
        before = tree(self.folder)
        for args, name in [(["-o", "out.txt"], "out.txt"), (["--sidecar"], "p/"), (["--sidecar", "--out-dir", "x"], "x")]:
            done = run(["p", *args], self.folder, **more)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("Permission denied", done.stderr.decode())
            self.assertIn(name, done.stderr.decode())
            self.assertEqual(done.stderr.count(b"\n"), 1)
        self.assertEqual(tree(self.folder), before)

    def test_one_read_only_folder_among_others(self):
        more = self.as_nobody()
        shut = self.folder / "p" / "shut"
        shut.mkdir()
        (shut / "a.png").write_bytes((self.folder / "p/00000.png").read_bytes())
        os.chmod(shut, 0o555)
        os.chmod(self.folder / "p", 0o777)
        self.addCleanup(os.chmod, shut, 0o755)
        done = run(["-r", "p", "--sidecar"], self.folder, **more)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("p/shut/a.png: p/shut/: Permission denied", done.stderr.decode())
        self.assertEqual(len(list((self.folder / "p").glob("*.txt"))), 200)

    def test_full_device(self):
        for args in [["-o", "/dev/full"], ["--format", "coco", "-o", "/dev/full"]]:
            done = run(["p", *args], self.folder)
            self.assertEqual(done.returncode, 2)
            self.assertIn("/dev/full: No space left on device", done.stderr.decode())

    def test_a_closed_pipe(self):
        with subprocess.Popen(LIMN.command("p", "--format", "jsonl"), cwd=self.folder, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            process.stdout.readline()
            process.stdout.close()
            self.assertEqual(process.stderr.read(), b"")
        self.assertEqual(process.returncode, -13)


if __name__ == "__main__":
    OPTIONS, LIMN = annotation.parse_fault_options(annotation.fault_parser(__doc__))
    unittest.main(argv=["test_faults.py", *OPTIONS.tests], verbosity=2)
