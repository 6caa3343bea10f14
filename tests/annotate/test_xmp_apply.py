#!/usr/bin/env python3
"""Captions in XMP that a person gave: test_xmp_apply.py LIMN MODEL [TEST ...]"""

import json
import subprocess
import sys
import unittest
from pathlib import Path

import annotation
import test_xmp


class ApplyTest(test_xmp.PhotoTest):
    """--apply-xmp"""

    def correct(self, **captions):
        """A file of captions of limn's, with some corrected."""
        self.limn("p", "-o", "captions.jsonl")
        records = annotation.json_lines((self.folder / "captions.jsonl").read_bytes())
        for record in records:
            record["caption"] = captions.get(Path(record["file"]).stem, record["caption"])
        (self.folder / "captions.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))

    def test_corrected_captions(self):
        """They replace limn's, in sidecars and images, and are a person's from then on."""
        self.correct(grey="Anna <3")
        captions = (self.folder / "captions.jsonl").read_bytes()
        for how, path in [("--sidecar=xmp", self.p / "grey.jpg.xmp"), ("--write-xmp", self.photo)]:
            before = self.files()
            self.limn("p", how)
            self.limn("-r", "p", "-o", "captions.jsonl", "--apply-xmp", "captions.jsonl", how)
            tags = test_xmp.read_xmp(path)
            self.assertEqual(tags["XMP-dc:Description"], "Anna <3")
            self.assertNotIn("XMP-limn:Model", tags)
            self.limn("p", how, "--renew")
            self.assertEqual(test_xmp.read_xmp(path)["XMP-dc:Description"], "Anna <3")
            self.correct(grey="Bert")
            self.limn("p", "--apply-xmp", "captions.jsonl", how)
            self.assertEqual(test_xmp.read_xmp(path)["XMP-dc:Description"], "Bert")
            (self.folder / "captions.jsonl").write_bytes(captions)
            self.limn("p", "--undo-xmp")
            self.assertEqual(self.files(), before)

    def test_undone_after_another_program(self):
        """A caption that a person gave stays when limn's are taken back, however the file came about."""
        for how, path in [("--sidecar=xmp", self.p / "grey.jpg.xmp"), ("--write-xmp", self.photo)]:
            for existing in [None, "overwrite", "append", "prepend"]:
                self.correct(grey="Grandma Anna")
                self.limn("p", "--apply-xmp", "captions.jsonl", how)
                subprocess.run(["exiftool", "-q", "-overwrite_original", "-XMP-xmp:Rating=3", path], check=True)
                if existing:
                    self.limn("p", how, "--existing", existing)
                    seen = test_xmp.read_xmp(path)["XMP-dc:Description"]
                    self.assertEqual("Grandma Anna" in seen, existing != "overwrite", seen)
                self.limn("p", "--undo-xmp")
                tags = test_xmp.read_xmp(path)
                self.assertEqual((tags["XMP-dc:Description"], tags["XMP-xmp:Rating"]), ("Grandma Anna", 3))
                self.assertEqual([tag for tag in tags if "limn" in tag], [])
                self.assertFalse((self.p / ".limn-undo").exists())
                subprocess.run(["exiftool", "-q", "-overwrite_original", "-XMP:all=", path], check=True)

    def test_a_person_s_description(self):
        """It stays, unless --existing says otherwise."""
        self.correct()
        sidecar = self.p / "grey.jpg.xmp"
        sidecar.write_text(test_xmp.PACKET.format(test_xmp.DESCRIPTION.format("Carla")))
        self.limn("p", "--apply-xmp", "captions.jsonl")
        self.assertEqual(test_xmp.read_xmp(sidecar)["XMP-dc:Description"], "Carla")
        self.limn("p", "--apply-xmp", "captions.jsonl", "--existing", "append", "--separator", "; ")
        self.assertEqual(test_xmp.read_xmp(sidecar)["XMP-dc:Description"], "Carla; " + self.caption("p/grey.jpg"))

    def test_formats_and_names(self):
        """Text, paths below the folder; captions that are missing are counted, images that are missing too."""
        (self.folder / "c.tsv").write_text("grey.jpg\tone\nrgb8.png\ttwo\nrgb8.png\tlast\n")
        _, error = self.limn("p", "--apply-xmp", "c.tsv")
        self.assertIn(f"c.tsv: has no caption for {len(test_xmp.IMAGES) - 2} of {len(test_xmp.IMAGES)} images", error)
        self.assertEqual(test_xmp.read_xmp(self.p / "rgb8.png.xmp")["XMP-dc:Description"], "last")
        self.assertEqual(len(list(self.p.glob("*.xmp"))), 2)
        _, error = self.limn("p/gone.jpg", "p", "--apply-xmp", "c.tsv", "--existing", "overwrite", code=3)
        self.assertIn("p/gone.jpg: No such file", error)
        self.assertFalse((self.p / "gone.jpg.xmp").exists())
        out, _ = self.limn("p/exif_count.jpg", "p", "--apply-xmp", "c.tsv", "--dry-run", "--existing", "overwrite")
        self.assertEqual(out.decode().split(), ["p/grey.jpg", "p/rgb8.png"])

    def test_options(self):
        """What doesn't fit."""
        (self.folder / "c.tsv").write_text("grey.jpg\tone\n")
        for arguments in [["-o", "other.jsonl"], ["--sidecar"], ["--report", "x"], ["--undo-xmp"]]:
            self.limn("p", "--apply-xmp", "c.tsv", *arguments, code=1)
        self.limn("p", "--apply-xmp", "gone.tsv", code=2)


if __name__ == "__main__":
    test_xmp.LIMN = annotation.Limn(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
    unittest.main(argv=["test_xmp_apply.py", *sys.argv[3:]], verbosity=2)
