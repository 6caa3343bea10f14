#!/usr/bin/env python3
"""Every format of limn, read by Python's strict parsers: test_formats.py LIMN MODEL

Hostile file names come back byte for byte, n-best lists are whole, and an output that already exists is added to,
never overwritten."""

import csv
import os
import sys
import tempfile
import unittest
from pathlib import Path

import annotation
from annotation import FORMATS, HOSTILE_NAMES

LIMN = None


class FormatTest(unittest.TestCase):
    """Each test has a folder of its own with the folder `names` in it."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        annotation.make_hostile(self.folder / "names")

    def each_format(self):
        """(format, parser, path) of every format, in a subtest."""
        for name, (parse, file_name) in FORMATS.items():
            with self.subTest(name):
                yield name, parse, self.folder / file_name

    def limn(self, *args, **more):
        """Runs limn in the folder."""
        return LIMN.run(*args, cwd=self.folder, **more)

    def names(self, name):
        """The names that a format gives, in the order of the folder."""
        prefix = b"" if name == "metadata" else b"names/"
        return [prefix + n for n in sorted(HOSTILE_NAMES)]

    def test_names_come_back(self):
        plain = None
        for name, parse, path in self.each_format():
            self.limn("names", "-o", path.name)
            pairs = parse(path.read_bytes())
            names = self.names("text") if name == "metadata" else self.names(name)
            self.assertEqual([n for n, _ in pairs], names)
            plain = plain or [c for _, c in pairs]
            self.assertEqual([c for _, c in pairs], plain)

    def test_standard_output_is_the_same(self):
        for name, parse, path in self.each_format():
            out, _ = self.limn("names", "--format", name)
            self.assertEqual([n for n, _ in parse(out)], self.names(name))

    def test_cells_that_a_spreadsheet_computes(self):
        formulas = [c + "1+1|' C calc'!A0.png" for c in "=+-@\t"]
        os.mkdir(self.folder / "f")
        for name in formulas:
            (self.folder / "f" / name).write_bytes(next((self.folder / "names").iterdir()).read_bytes())
        for option, mark in ([], ""), (["--csv-safe"], "'"):
            path = self.folder / f"f/out{len(option)}.csv"
            for _ in range(2):  # the second run finds them in the file
                LIMN.run(*option, "-o", path.name, "--prefix", "=", "--", *formulas, cwd=self.folder / "f")
                rows = list(csv.reader(path.read_text().splitlines()))[1:]
                self.assertEqual([row[0] for row in rows], [mark + n for n in formulas])
                self.assertTrue(all(row[1].startswith(mark + "=") for row in rows))
                self.assertTrue(all(row[2].startswith("-") for row in rows))  # numbers are numbers

    def test_n_best(self):
        for _, parse, path in self.each_format():
            self.limn("names", "--n-best", "3", "-o", path.name)
            pairs = parse(path.read_bytes())
            self.assertEqual(len(pairs), 3 * len(HOSTILE_NAMES))
            self.assertEqual(len(set(pairs)), len(pairs))
            self.assertTrue(all(pairs[i][0] == pairs[i - i % 3][0] for i in range(len(pairs))))

    def test_prefix_and_suffix(self):
        for _, parse, path in self.each_format():
            self.limn("names", "--prefix", 'a "photo", ', "--suffix", " \u732b.", "-o", path.name)
            self.assertTrue(all(c.startswith('a "photo", ') and c.endswith(" \u732b.")
                                for _, c in parse(path.read_bytes())))

    def test_failures_have_no_row_but_in_jsonl(self):
        (self.folder / "names" / "broken.png").write_bytes(b"no image")
        for name, parse, path in self.each_format():
            if name == "jsonl":
                continue
            self.limn("names", "-o", path.name, code=3)
            self.assertEqual(len(parse(path.read_bytes())), len(HOSTILE_NAMES))

    def test_what_is_there_is_kept(self):
        for _, parse, path in self.each_format():
            self.limn("names", "-o", path.name)
            whole = path.read_bytes()
            _, messages = self.limn("names", "-o", path.name)
            self.assertIn(f"skipped: {len(HOSTILE_NAMES)} images", messages)
            self.assertEqual(path.read_bytes(), whole)
            os.rename(self.folder / "names/plain.png", self.folder / "names/zz.png")
            self.limn("names", "-o", path.name)
            self.assertEqual(parse(path.read_bytes())[:-1], parse(whole))
            self.assertTrue(parse(path.read_bytes())[-1][0].endswith(b"zz.png"))
            os.rename(self.folder / "names/zz.png", self.folder / "names/plain.png")

    def test_a_torn_end_is_cut_off(self):
        for name, parse, path in self.each_format():
            self.limn("names", "-o", path.name)
            whole = path.read_bytes()
            for n_cut in [1, 3, 17, len(whole) // 2, len(whole) - 5]:
                path.write_bytes(whole[:len(whole) - n_cut])
                self.limn("names", "-o", path.name)
                self.assertEqual(path.read_bytes(), whole, (name, n_cut))

    def test_another_file_is_refused(self):
        for name, _, path in self.each_format():
            for text in [b"dear diary,\ntoday\n", b"\x00\x01\x02\n", b"{}\n", b"[1,\n2]\n", b"a,b\n1,2\n"]:
                path.write_bytes(text)
                _, messages = self.limn("names", "-o", path.name, code=1)
                self.assertIn("choose another name", messages)
                self.assertEqual(path.read_bytes(), text)
            path.unlink()
            self.assertEqual(sorted(os.listdir(self.folder)), ["names"])

    def test_a_last_line_without_its_end_is_kept_where_it_is_whole(self):
        for name in ["jsonl", "metadata"]:
            path = self.folder / FORMATS[name][1]
            self.limn("names/comma,.png", "-o", path.name)
            whole = path.read_bytes()
            path.write_bytes(whole[:-1])
            self.limn("names/tab\there.png", "-o", path.name)
            self.assertTrue(path.read_bytes().startswith(whole))
            self.assertEqual(path.read_bytes().count(b"\n"), 2)


if __name__ == "__main__":
    LIMN = annotation.Limn(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
    unittest.main(argv=sys.argv[:1], verbosity=2)
