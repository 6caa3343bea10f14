#!/usr/bin/env python3
"""Runs of limn over folders: test_runs.py LIMN MODEL

Sidecars, filters and shards, signals, resuming with other options, locks, --strict, --errors, --dry-run, and inputs that disappear while they are waited for."""

import csv
import io
import os
import pty
import random
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import annotation

LIMN = None


class RunTest(unittest.TestCase):
    """Each test has a folder of its own with a folder `p` of 40 images."""

    n_images = 40

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.p = self.folder / "p"
        annotation.make_images(self.p, self.n_images)

    def limn(self, *args, **more):
        """Runs limn in the folder."""
        return LIMN.run(*args, cwd=self.folder, **more)

    def captions(self):
        """{name: caption} of all images."""
        out, _ = self.limn("p")
        return {Path(name.decode()).name: caption for name, caption in annotation.parse_text(out)}

    def texts(self, pattern="p/*.txt"):
        """{name: content} of files."""
        return {p.name: p.read_text() for p in self.folder.glob(pattern)}

    def leftovers(self):
        """Files that no run may leave."""
        return [str(p) for p in self.folder.rglob("*") if "limn" in p.name or p.name.endswith(".part")]


class SidecarTest(RunTest):
    """--sidecar and what belongs to it."""

    def test_beside_each_image(self):
        captions = self.captions()
        self.limn("p", "--sidecar")
        self.assertEqual(self.texts(), {f"{Path(n).stem}.txt": c + "\n" for n, c in captions.items()})
        self.assertEqual(self.leftovers(), [])

    def test_names(self):
        for name, sidecar in [("a.b.jpg", "a.b.cap"), ("plain", "plain.cap"), ("x.JPEG", "x.cap"), ("two..png", "two..cap"),
                              ("sp ace.png", "sp ace.cap"), ("new\nline.png", "new\nline.cap")]:
            folder = self.folder / "names"
            folder.mkdir(exist_ok=True)
            (folder / name).write_bytes((self.p / "00000.png").read_bytes())
            self.limn("names/" + name, "--sidecar=cap")
            self.assertTrue((folder / sidecar).exists(), sidecar)
        self.limn("names/a.b.jpg", "--sidecar", "--sidecar-full")
        self.assertTrue((folder / "a.b.jpg.txt").exists())

    def test_existing(self):
        caption = self.captions()["00001.png"]
        cases = {"skip": "by hand", "overwrite": f"{caption}\n", "append": f"by hand\n{caption}\n",
                 "prepend": f"{caption}\nby hand"}
        for existing, expected in cases.items():
            for path in self.p.glob("*.txt"):
                path.unlink()
            (self.p / "00001.txt").write_text("by hand")
            self.limn("p", "--sidecar", "--existing", existing)
            self.assertEqual((self.p / "00001.txt").read_text(), expected, existing)
            self.assertEqual(len(self.texts()), self.n_images)

    def test_existing_error_changes_nothing(self):
        (self.p / "00020.txt").write_text("by hand")
        _, messages = self.limn("p", "--sidecar", "--existing", "error", code=1)
        self.assertIn("p/00020.txt: already exists", messages)
        self.assertEqual(self.texts(), {"00020.txt": "by hand"})

    def test_collisions_change_nothing(self):
        (self.p / "00030.jpg").write_bytes((self.p / "00030.png").read_bytes())
        for existing in ["skip", "overwrite", "append"]:
            _, messages = self.limn("p", "--sidecar", "--existing", existing, code=1)
            self.assertIn("p/00030.jpg and p/00030.png would share p/00030.txt", messages)
        names = "\n".join(sorted(str(p.relative_to(self.folder)) for p in self.p.iterdir())).encode()
        _, messages = self.limn("-", "--sidecar", stdin=names, code=1)
        self.assertIn("would share", messages)
        self.assertEqual(self.texts(), {})
        self.assertEqual(self.leftovers(), [])
        self.limn("p", "--sidecar", "--sidecar-full")
        self.assertEqual(len(self.texts()), self.n_images + 1)

    def test_an_image_named_twice_gets_one(self):
        self.limn("p/00001.png", "p", "./p/00001.png", str(self.p / "00001.png"), "--sidecar", "--existing", "append")
        self.assertEqual(self.texts()["00001.txt"].count("\n"), 1)

    def test_a_list(self):
        names = b"\0".join(os.fsencode(p) for p in sorted(self.p.glob("*.png")))
        self.limn("-0", "-", "--sidecar", stdin=names)
        self.assertEqual(len(self.texts()), self.n_images)

    def test_out_dir_mirrors_the_tree(self):
        below = self.p / "below" / "deep"
        below.mkdir(parents=True)
        (below / "a.png").write_bytes((self.p / "00000.png").read_bytes())
        self.limn("-r", "p", "--sidecar", "--out-dir", "to/tree")
        self.assertTrue((self.folder / "to/tree/below/deep/a.txt").exists())
        self.assertEqual(len(list(self.folder.glob("to/tree/**/*.txt"))), self.n_images + 1)
        self.assertEqual(self.texts(), {})
        _, messages = self.limn("../x.png", "--sidecar", "--out-dir", "to", code=2)
        self.assertIn("point outside to", messages)

    def test_an_image_is_not_written_over(self):
        hidden = self.p / "00005.txt"
        hidden.write_bytes((self.p / "00006.png").read_bytes())
        before = hidden.read_bytes()
        for existing in ["overwrite", "append", "prepend"]:
            _, messages = self.limn("p/00005.png", "--sidecar", "--existing", existing, code=2)
            self.assertIn("is itself an image", messages)
        self.assertEqual(hidden.read_bytes(), before)
        self.limn("p", "--sidecar=png", code=1)

    def test_nothing_is_written_through_links(self):
        (self.folder / "real.txt").write_text("real\n")
        os.symlink("../real.txt", self.p / "00002.txt")
        self.limn("p/00002.png", "--sidecar", "--existing", "append", code=2)
        self.assertTrue((self.p / "00002.txt").is_symlink())
        self.assertEqual((self.folder / "real.txt").read_text(), "real\n")

    def test_separator(self):
        """A caption continues the existing text, or precedes it; where there is none, it is alone."""
        caption = self.captions()["00001.png"]
        for old, existing, expected in [("tag", "append", f"tag, {caption}\n"), ("tag\n", "append", f"tag, {caption}\n"),
                                        ("tag\n", "prepend", f"{caption}, tag\n"), ("\n", "append", f"{caption}\n"),
                                        ("\ufeffa\r\n", "prepend", f"\ufeff{caption}, a\r\n")]:
            (self.p / "00001.txt").write_text(old, newline="")
            self.limn("p/00001.png", "--sidecar", "--existing", existing, "--separator", ", ")
            self.assertEqual((self.p / "00001.txt").read_bytes().decode(), expected)
        for args in [["--sidecar"], [], ["--sidecar", "--existing", "append", "--format", "jsonl"]]:
            self.assertIn("--separator: needs --", self.limn("p", *args, "--separator", ",", code=1)[1])

    def test_what_is_no_utf8_is_not_added_to(self):
        """A file in mixed encodings is in none: such an image fails, the others get their captions."""
        odd = {"00000": "Hund".encode("utf-16"), "00001": "Hund".encode("utf-16-be"), "00002": "gr\xfc\xdfe".encode("latin-1"),
               "00004": "Hund".encode("utf-32"), "00005": "Hund".encode("utf-32-be"), "00006": b"Hund\0Katze"}
        for existing in ["append", "prepend"]:
            for name, data in odd.items():
                (self.p / f"{name}.txt").write_bytes(data)
            (self.p / "00003.txt").write_bytes("\ufeffgrüße".encode())
            _, messages = self.limn("p", "--sidecar", "--existing", existing, code=3)
            for name, data in odd.items():
                self.assertEqual((self.p / f"{name}.txt").read_bytes(), data)
                self.assertIn(f"p/{name}.txt: is ", messages)
            for name, encoding in (("0", "UTF-16"), ("1", "UTF-16BE"), ("4", "UTF-32"), ("5", "UTF-32BE")):
                self.assertIn(f"p/0000{name}.txt: is {encoding}, not UTF-8, so nothing is added to it; iconv -f {encoding} ",
                              messages)
            self.assertIn("p/00006.txt: is not a text file", messages)
            text = (self.p / "00003.txt").read_bytes().decode()
            self.assertEqual(text.index("\ufeff"), 0)
            self.assertEqual(text.count("\ufeff"), 1)
            self.assertIn("grüße", text)
            for path in self.p.glob("*.txt"):
                path.unlink()

    def test_only_what_can_be_captioned_collides(self):
        """A file that nothing reads beside its JPEG is an error of its own, and no reason to refuse the folder."""
        (self.p / "00030.jp2").write_bytes(b"\0\0\0\x0cjP  \r\n\x87\n")
        (self.p / "00031.exr").write_bytes(b"\x76\x2f\x31\x01\0\0\0\0")
        _, messages = self.limn("p", "--sidecar", code=3)
        self.assertIn("p/00030.jp2: this is JPEG 2000", messages)
        self.assertEqual(len(self.texts()), self.n_images)
        (self.p / "00031.jpg").write_bytes((self.p / "00031.png").read_bytes())
        _, messages = self.limn("p", "--sidecar", "--existing", "overwrite", code=1)
        self.assertIn("p/00031.jpg and p/00031.png would share p/00031.txt", messages)

    def test_objects(self):
        self.limn("p", "--sidecar", "--format", "jsonl")
        records = [annotation.strict_json(p.read_bytes()) for p in self.p.glob("*.json")]
        self.assertEqual({r["file"] for r in records}, {f"p/{i:05}.png" for i in range(self.n_images)})
        self.limn("p", "--sidecar", "--format", "csv", code=1)


class FolderTest(RunTest):
    """Which images are taken."""

    def names(self, *args, **more):
        """Names of the lines that limn writes."""
        out, _ = self.limn(*args, **more)
        return [name.decode() for name, _ in annotation.parse_text(out)]

    def test_globs(self):
        below = self.p / "below"
        below.mkdir()
        (below / "00001.png").write_bytes((self.p / "00000.png").read_bytes())
        self.assertEqual(self.names("p", "--include", "0000[12]*"), ["p/00001.png", "p/00002.png"])
        self.assertEqual(self.names("-r", "p", "--include", "00001*", "--exclude", "below"), ["p/00001.png"])
        self.assertEqual(self.names("-r", "p", "--include", "below/*"), ["p/below/00001.png"])
        _, messages = self.limn("p", "--include", "*.jpg", code=2)
        self.assertIn("no images found", messages)

    def test_shards_are_the_whole(self):
        for kind in ["jsonl", "csv", "txt"]:
            self.limn("p", "-o", f"whole.{kind}")
            order = list(range(16))
            random.Random(1).shuffle(order)
            for i in order:
                self.limn("p", "--shard", f"{i}/16", "-o", f"part{i}.{kind}")
            parts = [self.folder / f"part{i}.{kind}" for i in range(16)]
            lines = [line for p in parts if p.exists() for line in p.read_bytes().splitlines(keepends=True)]
            head = 1 if kind == "csv" else 0
            whole = (self.folder / f"whole.{kind}").read_bytes().splitlines(keepends=True)
            joined = sorted(line for line in lines if not head or line != whole[0])
            self.assertEqual(joined, sorted(whole[head:]))
            sizes = [p.read_bytes().count(b"\n") - head if p.exists() else 0 for p in parts]
            self.assertLess(max(sizes), self.n_images // 2)

    def test_shards_go_by_the_name_below_the_folder(self):
        os.symlink("p", self.folder / "elsewhere")
        a = self.names("p", "--shard", "1/3")
        self.assertEqual([n.replace("p/", "elsewhere/") for n in a], self.names("elsewhere", "--shard", "1/3"))
        for shard in ["3/3", "1", "a/2", "0/0", "1/2/3", "-1/2", "0/99999999"]:
            self.limn("p", "--shard", shard, code=1)

    def test_files_that_vanish_are_listed(self):
        with subprocess.Popen(LIMN.command("-", "-o", "out.txt", "--errors", "errors.tsv"), cwd=self.folder,
                              stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.stdin.write(b"p/00001.png\n")
            process.stdin.flush()
            (self.p / "00002.png").unlink()
            process.stdin.write(b"p/00002.png\np/00003.png\n")
            process.stdin.close()
            messages = process.stderr.read().decode()
        self.assertEqual(process.returncode, 3)
        self.assertIn("p/00002.png: No such file or directory", messages)
        self.assertEqual((self.folder / "errors.tsv").read_text(),
                         "p/00002.png\ti/o error\tNo such file or directory\n")


class OutputTest(RunTest):
    """-o FILE and what belongs to it."""

    n_images = 6

    def test_a_csv_that_a_spreadsheet_saved(self):
        """It is the record of what is done, and its corrections are kept."""
        self.limn("p", "-o", "whole.csv")
        whole = annotation.parse_csv((self.folder / "whole.csv").read_bytes())
        rows = list(csv.reader((self.folder / "whole.csv").read_text().splitlines()))
        rows[1][1] = 'corrected, by "hand"'
        for mark, quoting, end, last in [("\ufeff", csv.QUOTE_ALL, "\r\n", "\r\n"), ("", csv.QUOTE_MINIMAL, "\n", ""),
                                         ("\ufeff", csv.QUOTE_NONNUMERIC, "\n", "\n")]:
            with io.StringIO(newline="") as text:
                csv.writer(text, quoting=quoting, lineterminator=end).writerows(rows[:4])
                saved = mark + text.getvalue().removesuffix(end) + last
            (self.folder / "out.csv").write_text(saved, newline="")
            _, messages = self.limn("p", "-o", "out.csv")
            self.assertIn("skipped: 3 images", messages)
            data = (self.folder / "out.csv").read_bytes()
            self.assertTrue(data.startswith(saved.encode()))
            self.assertEqual(annotation.parse_csv(data.removeprefix(mark.encode())),
                             [(whole[0][0], rows[1][1]), *whole[1:]])
        (self.folder / "out.csv").write_text(saved.replace(",", ";"), newline="")
        self.assertIn("save it with commas", self.limn("p", "-o", "out.csv", code=1)[1])

    def test_a_csv_that_was_saved_as_utf_16(self):
        self.limn("p", "-o", "x.csv")
        text = (self.folder / "x.csv").read_text()
        for encoding, name in (("utf-16", "UTF-16"), ("utf-16-le", "UTF-16LE"), ("utf-32", "UTF-32")):
            (self.folder / "x.csv").write_text(text, encoding=encoding)
            before = (self.folder / "x.csv").read_bytes()
            _, messages = self.limn("p", "-o", "x.csv", code=1)
            self.assertIn(f"x.csv: exists, but from byte 0 on it is not what --format csv writes (it is {name}: save it as UTF-8)",
                          messages)
            self.assertEqual((self.folder / "x.csv").read_bytes(), before)
        self.assertEqual(self.leftovers(), [])

    def test_errors_of_a_finished_run_are_replaced(self):
        """The same command again; a refusal leaves everything as it was."""
        (self.p / "bad.png").write_bytes(b"no image")
        args = ["p", "-o", "out.csv", "--errors", "errors.tsv"]
        self.limn(*args, code=3)
        first = (self.folder / "errors.tsv").read_text()
        self.assertIn("p/bad.png\t", first)
        self.limn(*args, code=3)
        self.assertEqual((self.folder / "errors.tsv").read_text(), first)
        (self.p / "bad.png").unlink()
        self.limn(*args)
        self.assertEqual((self.folder / "errors.tsv").read_text(), "")
        (self.folder / "errors.tsv").write_text("my own\tnotes\n")
        (self.p / "00000.jpg").write_bytes((self.p / "00000.png").read_bytes())
        before = {p: p.read_bytes() for p in self.folder.glob("*.*") if p.is_file()}
        self.assertIn("is not a list of errors", self.limn(*args, code=1)[1])
        self.assertEqual({p: p.read_bytes() for p in self.folder.glob("*.*") if p.is_file()}, before)
        self.limn(*args[:3])
        self.assertEqual(self.leftovers(), [])

    def test_a_folder_that_is_missing_is_named(self):
        _, messages = self.limn("p", "-o", "nodir/x.csv", code=2)
        self.assertIn("nodir/x.csv: the folder nodir/: No such file or directory", messages)

    def test_captions_and_progress_on_a_terminal(self):
        """The progress line is gone before each caption: no line has both."""
        out = bytearray()

        def read(descriptor):
            out.extend(os.read(descriptor, 65536))
            return b"."

        with open(os.devnull, "wb") as nowhere:
            before = os.dup(1), os.getcwd()
            os.chdir(self.folder)
            os.dup2(nowhere.fileno(), 1)  # pty.spawn copies all to standard output
            try:
                pty.spawn(LIMN.command(*["p"] * 60), read, lambda descriptor: b"")
            finally:
                os.dup2(before[0], 1)
                os.close(before[0])
                os.chdir(before[1])
        self.assertIn(b" of ", out)
        shown = [line.rsplit(b"\x1b[K", 1)[-1] for line in bytes(out).replace(b"\r\n", b"\n").split(b"\n")[:-1]]
        self.assertEqual(len(shown), 60 * self.n_images)
        self.assertEqual([line for line in shown if not line.startswith(b"p/0000")], [])
        self.assertFalse([line for line in shown if b"/s" in line])

    def test_an_image_on_standard_input(self):
        """It is recognised by its content; a list remains a list, even if its first name looks like a format."""
        image = (self.p / "00000.png").read_bytes()
        caption = self.captions()["00000.png"]
        for data in [image, image + b"\n" * 5000]:
            self.assertEqual(annotation.parse_text(self.limn("-", stdin=data)[0]), [(b"-", caption)])
        out = self.limn("-", "p/00000.png", "--format", "jsonl", stdin=image)[0]
        self.assertEqual([r["file"] for r in annotation.json_lines(out)], ["-", "p/00000.png"])
        (self.folder / "P6").write_bytes(image)
        self.assertEqual(annotation.parse_text(self.limn("-", stdin=b"P6\np/00000.png\n")[0]),
                         [(b"P6", caption), (b"p/00000.png", caption)])
        self.assertIn("-: PNG: ", self.limn("-", stdin=image[:60], code=2)[1])
        for _ in range(2):  # another image each time
            self.limn("-", "-o", "out.txt", stdin=image)
        self.assertEqual((self.folder / "out.txt").read_bytes().count(b"-\t"), 2)


class LongRunTest(RunTest):
    """What takes a while, and is interrupted."""

    n_images = 600

    def start(self, *args):
        """limn at work, once it has begun to write."""
        process = subprocess.Popen(LIMN.command(*args), cwd=self.folder, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        deadline = time.monotonic() + 500
        part = self.folder / (args[args.index("-o") + 1] + ".part")
        while not (part.exists() and part.stat().st_size) and process.poll() is None:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.002)
        return process

    def interrupted(self, name, *args):
        """A run that a SIGINT or SIGTERM ended early; its standard error."""
        for number in [signal.SIGINT, signal.SIGTERM]:
            process = self.start(*args)
            process.send_signal(number)
            _, messages = process.communicate()
            if process.returncode != 0:
                break
            (self.folder / name).unlink()
        self.assertEqual(process.returncode, 130, messages)
        return messages.decode()

    def test_a_signal_and_the_same_command(self):
        self.limn("p", "-o", "whole.jsonl")
        messages = self.interrupted("out.jsonl", "p", "-o", "out.jsonl")
        self.assertIn("run the same command again to resume", messages)
        part = (self.folder / "out.jsonl.part").read_bytes()
        self.assertEqual(len(annotation.json_lines(part)), part.count(b"\n"))
        self.assertIn(f"interrupted after {part.count(bytes([10]))} images", messages)
        out, messages = self.limn("p", "-o", "out.jsonl", "--dry-run")
        self.assertEqual(out.count(b"\n"), self.n_images - part.count(b"\n"))
        self.assertEqual((self.folder / "out.jsonl.part").read_bytes(), part)
        _, messages = self.limn("p", "-o", "out.jsonl", "--beam", "1", code=1)
        self.assertIn("had 'beam 3', this one has 'beam 1'", messages)
        self.limn("p", "-o", "out.jsonl", "--threads", "1")
        self.assertEqual((self.folder / "out.jsonl").read_bytes(), (self.folder / "whole.jsonl").read_bytes())
        self.assertEqual(self.leftovers(), [])

    def test_force_goes_on_under_other_options(self):
        self.interrupted("out.txt", "p", "-o", "out.txt")
        self.limn("p", "-o", "out.txt", "--prefix", "other: ", code=1)
        self.limn("p", "-o", "out.txt", "--prefix", "other: ", "--force")
        captions = [c for _, c in annotation.parse_text((self.folder / "out.txt").read_bytes())]
        self.assertEqual(len(captions), self.n_images)
        self.assertFalse(captions[0].startswith("other: "))
        self.assertTrue(captions[-1].startswith("other: "))

    def test_a_second_signal_leaves_whole_lines(self):
        process = self.start("p", "-o", "out.jsonl")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.communicate()
        self.assertIn(process.returncode, [130, 0])
        part = self.folder / "out.jsonl.part"
        if part.exists():
            annotation.json_lines(part.read_bytes())
        self.limn("p", "-o", "whole.jsonl")
        self.limn("p", "-o", "out.jsonl")
        self.assertEqual((self.folder / "out.jsonl").read_bytes(), (self.folder / "whole.jsonl").read_bytes())

    def test_two_at_once_are_refused(self):
        process = self.start("p", "-o", "out.jsonl")
        os.kill(process.pid, signal.SIGSTOP)
        _, messages = self.limn("p", "-o", "out.jsonl", code=1)
        os.kill(process.pid, signal.SIGCONT)
        self.assertIn("another limn is writing this output", messages)
        process.communicate()
        self.assertEqual(process.returncode, 0)

    def test_a_file_that_came_to_be_is_left(self):
        process = self.start("p", "-o", "out.jsonl")
        (self.folder / "out.jsonl").write_text("mine\n")
        _, messages = process.communicate()
        self.assertIn(b"was created in the meantime; the results are in ", messages)
        self.assertEqual((self.folder / "out.jsonl").read_text(), "mine\n")
        (self.folder / "out.jsonl").unlink()
        self.limn("p", "-o", "out.jsonl")
        self.assertEqual((self.folder / "out.jsonl").read_bytes().count(b"\n"), self.n_images)

    def test_strict_stops_and_goes_on(self):
        good = (self.p / "00300.png").read_bytes()
        (self.p / "00300.png").unlink()
        (self.p / "00300.png").write_bytes(b"broken")
        _, messages = self.limn("p", "-o", "out.txt", "--strict", code=2)
        self.assertIn("p/00300.png: ", messages)
        self.assertIn("stopped at the first failure", messages)
        self.assertEqual((self.folder / "out.txt.part").read_bytes().count(b"\n"), 300)
        (self.p / "00300.png").write_bytes(good)
        self.limn("p", "-o", "out.txt", "--strict")
        self.limn("p", "-o", "whole.txt")
        self.assertEqual((self.folder / "out.txt").read_bytes(), (self.folder / "whole.txt").read_bytes())

    def test_a_part_without_a_journal_is_taken_over(self):
        self.interrupted("out.csv", "p", "-o", "out.csv")
        (self.folder / "out.csv.limn-run").unlink()
        part = (self.folder / "out.csv.part").read_bytes()
        (self.folder / "out.csv.part").write_bytes(part[:-3])
        self.limn("p", "-o", "out.csv")
        self.limn("p", "-o", "whole.csv")
        self.assertEqual((self.folder / "out.csv").read_bytes(), (self.folder / "whole.csv").read_bytes())

    def test_a_dry_run_changes_nothing(self):
        (self.p / "00001.txt").write_text("by hand")
        before = sorted(str(p) for p in self.folder.rglob("*"))
        for args in [["p"], ["p", "-o", "out.jsonl"], ["p", "--sidecar"], ["p", "--sidecar", "--out-dir", "x"]]:
            out, messages = self.limn(*args, "--dry-run")
            n = self.n_images - (args[1:] == ["--sidecar"])
            self.assertEqual(out.count(b"\n"), n)
            self.assertIn(f"to do: {n} images", messages)
            self.assertEqual(sorted(str(p) for p in self.folder.rglob("*")), before)


if __name__ == "__main__":
    LIMN = annotation.Limn(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
