#!/usr/bin/env python3
"""The annotate library through a front end that is not limn: test_front.py FRONT LIMN MODEL

It writes the bytes that limn writes, in a sandbox and without; it stops and resumes as its hooks say, and prints nothing by itself."""

import sys
import tempfile
import unittest
from pathlib import Path

import annotation
from ground import JOBS, Ground, tree

FRONT = LIMN = None


class FrontTest(unittest.TestCase):
    """Each job of ground.py, and what hooks do."""

    def test_every_job_writes_what_limn_writes(self):
        for job in JOBS:
            if job == "xmp" and not LIMN.has_xmp():
                continue
            with self.subTest(job=job):
                ground = Ground(LIMN, job, 12)
                self.addCleanup(ground.remove)
                LIMN.run(*ground.args, cwd=ground.fresh(), code=3)
                expected = tree(ground.folder / "copy")
                for sandbox in ["auto", "off"]:
                    FRONT.run(*ground.args, "--sandbox", sandbox, cwd=ground.fresh(), code=3)
                    self.assertEqual(tree(ground.folder / "copy"), expected)

    def test_a_hook_stops_it_and_it_goes_on(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            annotation.make_images(folder / "p", 600)
            out, messages = FRONT.run("p", "-o", "whole.jsonl", cwd=folder)
            self.assertEqual((out, messages), (b"", ""))
            out, messages = FRONT.run("p", "-o", "out.jsonl", "--stop-after", "20", cwd=folder, code=130)
            self.assertEqual((out, messages), (b"", "annotate_front: interrupted\n"))
            part = (folder / "out.jsonl.part").read_bytes()
            self.assertTrue(20 <= len(annotation.json_lines(part)) < 600)
            FRONT.run("p", "-o", "out.jsonl", cwd=folder)
            self.assertEqual((folder / "out.jsonl").read_bytes(), (folder / "whole.jsonl").read_bytes())
            self.assertFalse((folder / "out.jsonl.limn-run").exists())

    def test_settings_that_contradict_each_other(self):
        for args, text in [(["x", "-o", "a", "--sidecar"], "can't be combined with --output"),
                           (["x", "--tar", "txt"], "needs -o FOLDER/"), (["x", "--sidecar=a/b"], "is not a valid file extension")]:
            self.assertIn(text, FRONT.run(*args, code=1)[1])


if __name__ == "__main__":
    FRONT = annotation.Limn(Path(sys.argv[1]).resolve(), Path(sys.argv[3]).resolve())
    LIMN = annotation.Limn(Path(sys.argv[2]).resolve(), Path(sys.argv[3]).resolve())
    unittest.main(argv=["test_front.py", *sys.argv[4:]], verbosity=2)
