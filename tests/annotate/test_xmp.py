#!/usr/bin/env python3
"""Captions in XMP: test_xmp.py LIMN MODEL [TEST ...]

Sidecars and images: their names, what they hold by exiftool and exempi's own program, merging with what is there, bad
ones; that all else in an image stays as it is; and taking it all back."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import zlib
from pathlib import Path

import annotation

LIMN = None
DATA = Path(__file__).resolve().parents[1] / "data"
PACKET = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:darktable="http://darktable.sf.net/" xmp:Rating="4" darktable:history_end="7">{}<dc:subject><rdf:Bag><rdf:li>holiday</rdf:li></rdf:Bag></dc:subject>
</rdf:Description></rdf:RDF></x:xmpmeta>"""
DESCRIPTION = '<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{}</rdf:li></rdf:Alt></dc:description>'


def read_xmp(path):
    """{group:tag: value} as exiftool reads it."""
    done = subprocess.run(["exiftool", "-j", "-G1", "-XMP:all", "-struct", str(path)], capture_output=True, check=True)
    return json.loads(done.stdout)[0]


class XmpTest(unittest.TestCase):
    """Each test has a folder of its own with a folder `p` of 4 images."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.p = self.folder / "p"
        annotation.make_images(self.p, 4)
        self.photo, self.sidecar = self.p / "00000.png", self.p / "00000.png.xmp"

    def limn(self, *args, **more):
        """Runs limn in the folder."""
        return LIMN.run("--threads", "2", *args, cwd=self.folder, **more)

    def caption(self, name="p/00000.png"):
        """What limn says about an image."""
        return annotation.parse_text(self.limn(name)[0])[0][1]

    def files(self):
        """{path: bytes}"""
        return {str(p.relative_to(self.folder)): p.read_bytes() for p in self.folder.rglob("*")
                if p.is_file() and "p.store" not in p.parts and p.name != ".limn-undo"}

    def leftovers(self):
        """Files that no run may leave."""
        return [str(p) for p in self.folder.rglob(".*limn*") if p.name != ".limn-undo"]


class SidecarTest(XmpTest):
    """--sidecar=xmp"""

    def test_names_and_contents(self):
        """A sidecar for each image, which exiftool and exempi read; the images are as they were."""
        before = self.files()
        self.limn("p", "--sidecar=xmp", "--alt-text")
        after = self.files()
        self.assertEqual({k: after[k] for k in before}, before)
        self.assertEqual({k for k in after if k.endswith(".xmp")}, {f"p/0000{i}.png.xmp" for i in range(4)})
        for i in range(4):
            caption, tags = self.caption(f"p/0000{i}.png"), read_xmp(self.p / f"0000{i}.png.xmp")
            self.assertEqual(tags["XMP-dc:Description"], caption)
            self.assertEqual(tags["XMP-iptcCore:AltTextAccessibility"], caption)
            self.assertEqual(len(tags["XMP-limn:Model"]), 64)
        if shutil.which("exempi"):
            done = subprocess.run(["exempi", "-X", "-x", self.sidecar], capture_output=True, check=True, text=True)
            self.assertIn(self.caption(), done.stdout)
        self.assertEqual(self.leftovers(), [])

    def test_names_by_stem(self):
        """--xmp-name=stem, for Lightroom; two of one stem are refused before anything is written."""
        self.limn("p", "--sidecar=xmp", "--xmp-name=stem")
        self.assertEqual(sorted(p.name for p in self.p.glob("*.xmp")), [f"0000{i}.xmp" for i in range(4)])
        shutil.copy(self.photo, self.p / "00009.png")
        shutil.copy(self.photo, self.p / "00009.ppm")
        _, error = self.limn("p", "--sidecar=xmp", "--xmp-name=stem", code=1)
        self.assertIn("would share p/00009.xmp", error)

    def test_twice(self):
        """What is done is skipped; --renew gives the same bytes, or those of other options."""
        self.limn("p", "--sidecar=xmp")
        first = self.files()
        _, error = self.limn("p", "--sidecar=xmp")
        self.assertIn("skipped: 4 images", error)
        self.limn("p", "--sidecar=xmp", "--renew")
        self.limn("p", "--sidecar=xmp", "--existing", "overwrite")
        self.assertEqual(self.files(), first)
        self.limn("p", "--sidecar=xmp", "--renew", "--max-words", "3")
        tags = read_xmp(self.sidecar)
        self.assertEqual(len(tags["XMP-dc:Description"].split()), 3)
        self.assertNotIn("XMP-limn:Displaced", tags)
        self.limn("p", "--sidecar=xmp", "--renew")
        self.assertEqual(self.files(), first)

    def test_merged(self):
        """Other programs' properties stay; there was no description."""
        self.sidecar.write_text(PACKET.format(""))
        self.limn("p", "--sidecar=xmp")
        tags = read_xmp(self.sidecar)
        self.assertEqual(tags["XMP-dc:Description"], self.caption())
        self.assertEqual(tags["XMP-xmp:Rating"], 4)
        self.assertEqual(tags["XMP-darktable:History_end"], 7)
        self.assertEqual(tags["XMP-dc:Subject"], ["holiday"])

    def test_a_person_s_description(self):
        """It stays, unless --existing says otherwise; then it is kept beside the caption."""
        mine = PACKET.format(DESCRIPTION.format("Anna"))
        self.sidecar.write_text(mine)
        _, error = self.limn("p", "--sidecar=xmp", "--renew")
        self.assertIn("skipped: 1 image", error)
        self.assertEqual(self.sidecar.read_text(), mine)
        _, error = self.limn("p", "--sidecar=xmp", "--existing", "error", code=3)
        self.assertIn("p/00000.png.xmp: already has a description", error)
        self.assertEqual(self.sidecar.read_text(), mine)
        for arguments, expected in [(["append"], "Anna\n{}"), (["append", "--separator", "; "], "Anna; {}"),
                                    (["prepend", "--separator", "; "], "{}; Anna"), (["overwrite"], "{}")]:
            self.sidecar.write_text(mine)
            self.limn("p/00000.png", "--sidecar=xmp", "--existing", *arguments)
            tags = read_xmp(self.sidecar)
            self.assertEqual(tags["XMP-dc:Description"], expected.format(self.caption()))
            self.assertEqual(tags["XMP-limn:Displaced"], "Anna")
            self.limn("p/00000.png", "--sidecar=xmp", "--existing", *arguments)
            self.assertEqual(read_xmp(self.sidecar), tags, "written once")

    def test_a_correction_is_a_person_s(self):
        """A description that somebody changed after limn had written it."""
        self.limn("p", "--sidecar=xmp")
        subprocess.run(["exiftool", "-q", "-overwrite_original", "-XMP-dc:Description=Bert", self.sidecar], check=True)
        self.limn("p", "--sidecar=xmp", "--renew")
        self.assertEqual(read_xmp(self.sidecar)["XMP-dc:Description"], "Bert")

    def test_options(self):
        """Those that need XMP, and those that don't fit."""
        for arguments, text in [(["--alt-text"], "--alt-text: needs --sidecar=xmp or --write-xmp"),
                                (["--renew", "--sidecar"], "--renew: needs --sidecar=xmp"),
                                (["--xmp-name=stem", "-o", "x"], "--xmp-name: needs --sidecar=xmp"),
                                (["--sidecar=xmp", "--format", "jsonl"], "can't be combined with --sidecar=xmp"),
                                (["--sidecar=xmp", "--sidecar-full"], "can't be combined with --sidecar=xmp")]:
            _, error = self.limn("p", *arguments, code=1)
            self.assertIn(text, error)

    def test_plain_texts(self):
        """Texts without languages, as attributes, are a person's like others."""
        plain = PACKET.replace('xmp:Rating="4"', 'xmlns:Iptc4xmpCore="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/" '
                               'dc:description="My own text" Iptc4xmpCore:AltTextAccessibility="My own alt text"')
        self.sidecar.write_text(plain.format(""))
        self.limn("p", "--sidecar=xmp", "--existing", "append", "--alt-text")
        tags = read_xmp(self.sidecar)
        self.assertEqual((tags["XMP-dc:Description"], tags["XMP-iptcCore:AltTextAccessibility"]),
                         (f"My own text\n{self.caption()}", "My own alt text"))
        self.sidecar.write_text(plain.format(""))
        self.limn("p", "--sidecar=xmp", "--existing", "overwrite", "--alt-text")
        tags = read_xmp(self.sidecar)
        self.assertEqual((tags["XMP-dc:Description"], tags["XMP-iptcCore:AltTextAccessibility"]), (self.caption(),) * 2)
        (self.p / ".limn-undo").unlink()
        self.limn("p", "--undo-xmp")
        tags = read_xmp(self.sidecar)
        self.assertEqual((tags["XMP-dc:Description"], tags["XMP-iptcCore:AltTextAccessibility"]),
                         ("My own text", "My own alt text"))

    def test_bad_sidecars(self):
        """Each is an error that says why, and stays as it is; the other images get theirs."""
        entities = '<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;&a;&a;">]>' + PACKET.format(DESCRIPTION.format("&c;"))
        for content, reason in [(b"no XML", "its XMP can't be read"), (b"\xff\xfe<\0x\0", "is UTF-16, not UTF-8"),
                                (PACKET.format("")[:200].encode(), "its XMP can't be read"), (b"<a/>", "its XMP can't be read"),
                                (entities.encode(), "declares a document type or entities"),
                                (PACKET.format("").encode() + b" " * (100 << 20), "4194304"),
                                (self.photo.read_bytes(), "is itself an image"),
                                (PACKET.format(DESCRIPTION.format("\udcff")).encode(errors="surrogateescape"),
                                 "invalid UTF-8")]:
            self.sidecar.write_bytes(content)
            _, error = self.limn("p/00000.png", "--sidecar=xmp", "--renew", code=2)
            self.assertIn("p/00000.png.xmp: ", error)
            self.assertIn(reason, error)
            self.assertEqual(self.sidecar.read_bytes(), content)
        self.sidecar.write_text("no XML")
        self.limn("p", "--sidecar=xmp", code=3)
        self.assertEqual(len(list(self.p.glob("*.xmp"))), 4)
        self.assertEqual(self.leftovers(), [])

    def test_links_and_folders(self):
        """Nothing is written through a link, nor into something that isn't a file."""
        other = self.folder / "other"
        other.write_text(PACKET.format(""))
        for make, reason in [(lambda: self.sidecar.symlink_to(other), "is a symbolic link"),
                             (lambda: os.link(other, self.sidecar), "has several names"),
                             (self.sidecar.mkdir, "is not a regular file")]:
            make()
            _, error = self.limn("p/00000.png", "--sidecar=xmp", code=2)
            self.assertIn(reason, error)
            self.assertEqual(other.read_text(), PACKET.format(""))
            if self.sidecar.is_dir() and not self.sidecar.is_symlink():
                self.sidecar.rmdir()
            else:
                self.sidecar.unlink()

    @unittest.skipIf(os.getuid() == 0, "root may write everywhere")
    def test_read_only_folder(self):
        """An error for each image."""
        self.p.chmod(0o555)
        _, error = self.limn("p", "--sidecar=xmp", code=2)
        self.p.chmod(0o755)
        self.assertIn("Permission denied", error)

    def test_out_dir_and_archives(self):
        """In a tree of their own, also for members of an archive; a dry run changes nothing."""
        _, error = self.limn("p", "--sidecar=xmp", "--dry-run")
        self.assertIn("to do: 4 images", error)
        self.assertEqual(list(self.p.glob("*.xmp")), [])
        shutil.make_archive(str(self.folder / "a"), "tar", self.p)
        self.limn("a.tar", "--sidecar=xmp", "--out-dir", "tree")
        self.assertEqual(len(list((self.folder / "tree").rglob("*.png.xmp"))), 4)


# Of tests/data/images: with EXIF of several kinds, ICC profiles, XMP of their own, alpha, several frames.
IMAGES = ["exif_count.jpg", "grey.jpg", "large_progressive.jpg", "exif_over_xmp.png", "rgb8.png", "animated.webp"]
WRITTEN_BY_OTHERS = ["images/lossy.webp", "images/orientation6.webp", "photos/tiff_lzw.tif"]
# What changes, or is about the file itself.
NOT_COMPARED = ["-x", "XMP:all", "-x", "RIFF:all", "-x", "FileName", "-x", "Directory", "-x", "FileSize", "-x", "FileType",
                "-x", "FileAccessDate", "-x", "FileInodeChangeDate"]


class PhotoTest(XmpTest):
    """With photos of several kinds in `p`."""

    def setUp(self):
        super().setUp()
        shutil.rmtree(self.p)
        self.p.mkdir()
        for name in IMAGES:
            if (DATA / "images" / name).exists():
                shutil.copyfile(DATA / "images" / name, self.p / name)
        self.photo = self.p / "grey.jpg"

    def metadata(self, name):
        """Everything that exiftool finds, but the XMP."""
        done = subprocess.run(["exiftool", "-a", "-u", "-G1", "-s", *NOT_COMPARED, self.p / name], capture_output=True, check=True)
        return done.stdout

    def opened_by_exempi(self, name):
        """What its program prints of an image; nothing if it can't open it."""
        if not shutil.which("exempi"):
            return ""
        done = subprocess.run(["exempi", "-R", "-x", self.p / name], capture_output=True, check=False, text=True)
        return "" if done.stderr else done.stdout

    def pixels(self, name):
        """By Pillow, all frames."""
        try:
            from PIL import Image, ImageSequence
        except ImportError:
            return None
        with Image.open(self.p / name) as image:
            return [frame.convert("RGBA").tobytes() for frame in ImageSequence.Iterator(image)]


class ImageTest(PhotoTest):
    """--write-xmp"""

    def test_all_else_stays(self):
        """Pixels, metadata, mode, times, attributes; exiftool reads the description, and exempi's program from every image
        that it can open before. (It needs -R where EXIF in a WebP file begins with "Exif", and an absolute path: of
        p/a.jpg it takes the p for a part of a camera's folders, and fails.)"""
        for name in WRITTEN_BY_OTHERS:
            if LIMN.decodes(name) and (DATA / name).exists():
                shutil.copy(DATA / name, self.p)
        for path in self.p.iterdir():
            path.chmod(0o640)
            os.utime(path, ns=(10**18 + 5, 10**18 + 123456789))
        names = sorted(p.name for p in self.p.iterdir())
        try:
            os.setxattr(self.photo, "user.xdg.tags", b"mine")
        except OSError:
            pass
        before = {name: (self.metadata(name), self.pixels(name)) for name in names}
        can_be_opened = {name for name in names if self.opened_by_exempi(name)}
        attributes = os.listxattr(self.photo)
        self.limn("p", "--write-xmp")
        self.assertEqual(sorted(p.name for p in self.p.iterdir()), [".limn-undo", *names])
        for name in names:
            status = (self.p / name).stat()
            self.assertEqual((status.st_mode & 0o777, status.st_mtime_ns), (0o640, 10**18 + 123456789))
            self.assertEqual((self.metadata(name), self.pixels(name)), before[name], name)
            tags = read_xmp(self.p / name)
            self.assertEqual(tags["XMP-dc:Description"], self.caption(f"p/{name}"), name)
            if name in can_be_opened:
                self.assertIn(f'<rdf:li xml:lang="x-default">{tags["XMP-dc:Description"]}</rdf:li>', self.opened_by_exempi(name))
        self.assertGreaterEqual(len(can_be_opened), 5 if shutil.which("exempi") else 0)
        self.assertEqual(os.listxattr(self.photo), attributes)

    def test_one_at_a_time(self):
        """Another process that writes into the folder is waited for."""
        before, folder = self.photo.read_bytes(), os.open(self.p, os.O_RDONLY)
        fcntl.flock(folder, fcntl.LOCK_EX)
        with subprocess.Popen(LIMN.command("p/grey.jpg", "--write-xmp"), cwd=self.folder,
                              stderr=subprocess.DEVNULL) as process:
            time.sleep(1.5)
            code, now = process.poll(), self.photo.read_bytes()
            os.close(folder)
        self.assertEqual((code, now, process.returncode), (None, before, 0))
        self.assertNotEqual(self.photo.read_bytes(), before)

    def test_twice(self):
        """Written twice it is the same file, and the second time it is not even touched."""
        self.limn("p", "--write-xmp", "--alt-text")
        first = self.files()
        inode = self.photo.stat().st_ino
        _, error = self.limn("p", "--write-xmp")
        self.assertIn(f"skipped: {len(first)} images", error)
        self.limn("p", "--write-xmp", "--alt-text", "--renew")
        self.assertEqual(self.files(), first)
        self.assertEqual(self.photo.stat().st_ino, inode)
        self.limn("p", "--write-xmp", "--alt-text", "--renew", "--max-words", "3")
        self.limn("p", "--write-xmp", "--alt-text", "--renew")
        self.assertEqual(self.files(), first)

    def test_backup(self):
        """The image as it was, once; it is not captioned itself."""
        before = self.files()
        self.limn("p", "--write-xmp", "--backup")
        self.limn("p", "--write-xmp", "--backup", "--renew", "--max-words", "3")
        backups = {k.removesuffix("_original"): v for k, v in self.files().items() if k.endswith("_original")}
        self.assertEqual(backups, before)

    def test_a_person_s_description(self):
        """Also by exiftool's hand."""
        subprocess.run(["exiftool", "-q", "-overwrite_original", "-XMP-dc:Description=Anna", self.photo], check=True)
        before = self.photo.read_bytes()
        self.limn("p", "--write-xmp", "--renew")
        self.assertEqual(self.photo.read_bytes(), before)
        self.limn("p", "--write-xmp", "--existing", "append", "--separator", "; ")
        self.assertEqual(read_xmp(self.photo)["XMP-dc:Description"], "Anna; " + self.caption("p/grey.jpg"))

    def test_what_is_refused(self):
        """Links, read-only files, other formats, archives: each an error with the next step, and as it was."""
        other = self.folder / "other.jpg"
        shutil.copyfile(self.photo, other)
        for make, reason in [(lambda: self.photo.symlink_to(other), "is a symbolic link"),
                             (lambda: os.link(other, self.photo), "has several names"),
                             (lambda: (shutil.copyfile(other, self.photo), self.photo.chmod(0o444)), "is read-only")]:
            before = other.read_bytes()
            self.photo.unlink()
            make()
            _, error = self.limn("p/grey.jpg", "--write-xmp", code=2)
            self.assertIn(reason, error)
            self.assertIn("--sidecar=xmp", error)
            self.assertEqual((other.read_bytes(), self.photo.read_bytes()), (before, before))
        (self.folder / "p.gif").write_bytes((Path(__file__).resolve().parents[1] / "data/images/animated.gif").read_bytes())
        _, error = self.limn("p.gif", "--write-xmp", code=2)
        self.assertIn("p.gif: limn can't write XMP into GIF; use --sidecar=xmp", error)
        shutil.make_archive(str(self.folder / "a"), "zip", self.p)
        _, error = self.limn("a.zip", "--write-xmp", code=2)
        self.assertIn("nothing is written into archives", error)
        for arguments in [["--sidecar=xmp"], ["-o", "x"], ["--out-dir", "x"], ["--format", "jsonl"], ["--xmp-name=stem"]]:
            self.limn("p", "--write-xmp", *arguments, code=1)
        self.limn("p", "--backup", "-o", "x", code=1)
        self.assertEqual(self.leftovers(), [])

    def test_bad_packets(self):
        """XMP in an image that is no XMP, or declares entities; the image stays as it is."""
        photo = (Path(__file__).resolve().parents[1] / "data/images/grey.jpg").read_bytes()
        for packet, reason in [(b"no XML", "its XMP can't be read"), (b"<!DOCTYPE x [<!ENTITY a 'b'>]><a/>", "declares a document type"),
                               (b"\xff\xff", "invalid UTF-8")]:
            content = b"http://ns.adobe.com/xap/1.0/\0" + packet
            data = photo[:2] + b"\xff\xe1" + (len(content) + 2).to_bytes(2, "big") + content + photo[2:]
            self.photo.write_bytes(data)
            _, error = self.limn("p/grey.jpg", "--write-xmp", "--existing", "overwrite", code=2)
            self.assertIn(reason, error)
            self.assertEqual(self.photo.read_bytes(), data)


class UndoTest(PhotoTest):
    """--undo-xmp"""

    def setUp(self):
        super().setUp()
        (self.p / "below").mkdir()
        shutil.copyfile(self.photo, self.p / "below/one.jpg")
        self.sidecar = self.p / "rgb8.png.xmp"
        self.sidecar.write_text(PACKET.format(DESCRIPTION.format("Anna")))

    def undo(self, *args, **more):
        """What it says."""
        return self.limn("p", "--undo-xmp", *args, **more)[1]

    def all_files(self):
        """With the hidden ones."""
        return {str(p.relative_to(self.folder)) for p in self.folder.rglob("*") if p.is_file()}

    def test_byte_for_byte(self):
        """Several runs over images and sidecars, all taken back; nothing else is left, and times stay."""
        before, names = self.files(), self.all_files()
        os.utime(self.photo, ns=(10**18, 10**18))
        self.limn("-r", "p", "--write-xmp", "--existing", "append")
        self.limn("-r", "p", "--write-xmp", "--renew", "--max-words", "3", "--alt-text")
        self.limn("-r", "p", "--sidecar=xmp", "--existing", "overwrite")
        self.limn("-r", "p", "--sidecar=xmp", "--xmp-name=stem")
        after = self.files()
        self.assertTrue(all(after[name] != data for name, data in before.items()))
        out, error = self.limn("p", "--undo-xmp", "--dry-run")
        self.assertEqual(sorted(out.decode().split("\n")[:-1]), sorted(after))
        self.assertEqual(self.files(), after)
        error = self.undo()
        self.assertIn(f"undone: {len(before)} files restored, {len(after) - len(before)} sidecars removed", error)
        self.assertEqual(self.files(), before)
        self.assertEqual(self.all_files(), names)
        self.assertEqual(self.photo.stat().st_mtime_ns, 10**18)
        self.assertIn("nothing to undo", self.undo())

    def test_changed_since(self):
        """Only limn's properties go; what limn displaced is back; other files are not touched."""
        subprocess.run(["exiftool", "-q", "-overwrite_original", "-XMP-dc:Description=Bert", self.photo], check=True)
        untouched = (self.p / "rgb8.png").read_bytes()
        self.limn("p/grey.jpg", "--write-xmp", "--existing", "overwrite", "--alt-text")
        self.limn("p/rgb8.png", "--sidecar=xmp", "--existing", "overwrite")
        self.limn("p/large_progressive.jpg", "--sidecar=xmp")
        for path in [self.photo, self.sidecar, self.p / "large_progressive.jpg.xmp"]:
            subprocess.run(["exiftool", "-q", "-overwrite_original", "-XMP-xmp:Rating=3", path], check=True)
        error = self.undo()
        self.assertIn("undone: 0 files restored, 0 sidecars removed, and limn's properties removed from 3 that another program "
                      "changed, since or between two runs", error)
        for path, description in [(self.photo, "Bert"), (self.sidecar, "Anna"), (self.p / "large_progressive.jpg.xmp", None)]:
            tags = read_xmp(path)
            self.assertEqual((tags.get("XMP-dc:Description"), tags["XMP-xmp:Rating"]), (description, 3))
            self.assertEqual([tag for tag in tags if "limn" in tag or "AltText" in tag], [])
        self.assertEqual((self.p / "rgb8.png").read_bytes(), untouched)

    def test_changed_between_runs(self):
        """What an earlier run wrote goes too, though the log only leads back to the version of somebody else."""
        before, png = self.files(), self.p / "rgb8.png"
        for arguments in [["--write-xmp"], ["--sidecar=xmp", "--existing", "overwrite"]]:
            self.limn("p/grey.jpg", "p/rgb8.png", *arguments)
        self.limn("p/below/one.jpg", "--sidecar=xmp")
        made = self.p / "below/one.jpg.xmp"
        for path in [self.photo, png, self.sidecar, made, self.p / "grey.jpg.xmp"]:
            subprocess.run(["exiftool", "-q", "-overwrite_original", "-XMP-xmp:Rating=3", path], check=True)
        subprocess.run(["exiftool", "-q", "-overwrite_original", "-XMP-dc:Description=Bert", made], check=True)
        subprocess.run(["exiftool", "-q", "-overwrite_original", "-XMP-xmp:Rating=", self.p / "grey.jpg.xmp"], check=True)
        for arguments in [["--write-xmp"], ["--sidecar=xmp"]]:
            self.limn("-r", "p", "--renew", "--max-words", "3", *arguments)
        self.limn("p/below/one.jpg", "--sidecar=xmp", "--existing", "append")
        error = self.undo()
        self.assertIn("limn's properties removed from 4 that another program changed, since or between two runs", error)
        for path, description in [(self.photo, None), (png, None), (self.sidecar, "Anna"), (made, "Bert")]:
            tags = read_xmp(path)
            self.assertEqual((tags.get("XMP-dc:Description"), tags.get("XMP-xmp:Rating")), (description, 3))
        self.assertEqual([name for name, data in self.files().items() if b"urn:limn:xmp" in data], [])
        self.assertEqual(set(self.files()), set(before) | {"p/below/one.jpg.xmp"})

    def compress(self, path):
        """Compresses the XMP of a PNG, as other programs may."""
        data, at = path.read_bytes(), 8
        while data[at + 4:at + 8] != b"iTXt":
            at += 12 + int.from_bytes(data[at:at + 4], "big")
        end = at + 8 + int.from_bytes(data[at:at + 4], "big")
        name, text = data[at + 8:end].split(b"\0\0\0\0\0", 1)
        chunk = b"iTXt" + name + b"\0\1\0\0\0" + zlib.compress(text)
        path.write_bytes(data[:at] + (len(chunk) - 4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big") +
                         data[end + 4:])
        self.assertNotIn(b"urn:limn:xmp", path.read_bytes())

    def test_compressed_by_another_program(self):
        """What limn wrote is found in a compressed packet: between two runs, and without a log."""
        png = self.p / "rgb8.png"
        for is_written_again in [True, False]:
            self.limn("p/rgb8.png", "--write-xmp")
            subprocess.run(["exiftool", "-q", "-overwrite_original", "-XMP-xmp:Rating=3", png], check=True)
            self.compress(png)
            if is_written_again:
                self.limn("p/rgb8.png", "--write-xmp", "--renew", "--max-words", "3")
            else:
                (self.p / ".limn-undo").unlink()
            self.assertIn("removed from 1 that", self.undo())
            tags = read_xmp(png)
            self.assertEqual((tags.get("XMP-dc:Description"), tags.get("XMP-xmp:Rating")), (None, 3))
            self.assertEqual([tag for tag in tags if "limn" in tag], [])
            self.assertFalse((self.p / ".limn-undo").exists())

    def test_logs_of_another_version(self):
        """No file of the folder is touched, so that a limn that knows the log can still take all back."""
        self.limn("p", "--write-xmp")
        log, after = self.p / ".limn-undo", self.files()
        log.write_bytes(log.read_bytes().replace(b"limn-undo 1", b"limn-undo 2"))
        _, error = self.limn("p", "--undo-xmp", code=3)
        self.assertEqual(error.count("was not written by limn"), len([name for name in after if name.count("/") == 1]))
        self.assertEqual(self.files(), after)

    def test_logs_that_somebody_made(self):
        """They delete no image, and change nothing that is neither image nor sidecar."""
        self.limn("p/grey.jpg", "--write-xmp")
        (self.p / "notes.txt").write_text("urn:limn:xmp:1#")
        log, before = self.p / ".limn-undo", self.files()
        self.assertEqual(log.stat().st_mode & 0o777, 0o600)
        name, hash_of, _, edits = log.read_text().splitlines()[-1].split("\t")
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{name}\t{hash_of}\tnew\t{edits}\nnotes.txt\t{hash_of}\tnew\t\n")
        self.limn("p", "--undo-xmp")
        self.assertTrue(self.photo.exists())
        self.assertEqual((self.p / "notes.txt").read_bytes(), before["p/notes.txt"])

    def xmp_and_warnings(self, path):
        """As exiftool finds them."""
        done = subprocess.run(["exiftool", "-j", "-G1", "-XMP:all", "-Warning", path], capture_output=True, check=True)
        return json.loads(done.stdout)[0]

    def test_empty_packets_are_removed(self):
        """Where nothing is left of the XMP of a file whose log is lost: no part of it is left empty, which exiftool warns of."""
        for name in WRITTEN_BY_OTHERS:
            if LIMN.decodes(name) and (DATA / name).exists():
                shutil.copy(DATA / name, self.p)
        before = self.files()
        known = {path: self.xmp_and_warnings(path) for path in self.p.iterdir() if path.suffix in [".jpg", ".png", ".webp", ".tif"]}
        names = [path for path, found in known.items() if not [key for key in found if key.startswith("XMP")]]
        pixels = {path: self.pixels(path.name) for path in names}
        self.limn("p", "--write-xmp")
        (self.p / ".limn-undo").unlink()
        self.undo()
        self.assertGreaterEqual(len(names), 3)
        for path in names:
            self.assertEqual(self.xmp_and_warnings(path), known[path])
            self.assertEqual(self.pixels(path.name), pixels[path])
            if path.suffix in [".jpg", ".png"]:
                self.assertEqual(path.read_bytes(), before[f"p/{path.name}"])

    def test_edited_description(self):
        """A person's correction stays."""
        self.limn("p/grey.jpg", "--write-xmp")
        subprocess.run(["exiftool", "-q", "-overwrite_original", "-XMP-dc:Description=Bert", self.photo], check=True)
        self.undo()
        tags = read_xmp(self.photo)
        self.assertEqual(tags["XMP-dc:Description"], "Bert")
        self.assertEqual([tag for tag in tags if "limn" in tag], [])

    def test_bad_logs(self):
        """A log that is cut off, or not limn's, or gone: limn's properties are found without it."""
        before = self.files()
        self.limn("p", "--write-xmp")
        log = self.p / ".limn-undo"
        lines = log.read_bytes()
        log.write_bytes(lines[:-20] + b"\nrubbish\tx\ty\n")
        self.undo()
        differ = [name for name, data in before.items() if self.files()[name] != data]
        self.assertLessEqual(len(differ), 1)  # the one whose line was cut off, unless its kind gets back all bytes
        self.assertTrue(all(name.endswith((".tif", ".tiff", ".webp", ".xmp")) for name in differ), differ)
        self.assertEqual([name for name, data in self.files().items() if b"urn:limn:xmp" in data], [])
        self.limn("p", "--write-xmp")
        log.write_bytes(b"somebody else's")
        self.assertIn(".limn-undo: was not written by limn", self.undo(code=3))
        log.unlink()
        self.undo()
        self.assertEqual([name for name, data in self.files().items() if b"urn:limn:xmp" in data], [])

    def test_options(self):
        """What doesn't fit."""
        for arguments in [["-o", "x"], ["--sidecar"], ["--write-xmp"], ["--report", "x"]]:
            self.assertIn("can't be combined with --undo-xmp", self.undo(*arguments, code=1))


class SeveralFilesTest(PhotoTest):
    """One photo in several files, as phones and cameras leave them."""

    def setUp(self):
        super().setUp()
        data = self.photo.read_bytes()
        shutil.rmtree(self.p)
        self.p.mkdir()
        raw = b"II*\0\x10\0\0\0CR" + bytes(64)  # known by its first bytes; not to be decoded
        for name, content in {"IMG_1.HEIC": b"\0\0\0\x1cftypheic\0\0\0\0mif1heic" + bytes(64), "IMG_1.JPG": data,
                              "IMG_1.MOV": b"\0\0\0\x14ftypqt  " + bytes(64), "IMG_1.AAE": b"<plist/>", "IMG_E1.JPG": data,
                              "DSC_1.CR2": raw, "DSC_1.JPG": data, "DSC_2.CR2": raw, "pair.png": annotation.images.png(16, 16, annotation.images.noise(1))}.items():
            (self.p / name).write_bytes(content)

    def test_sidecars_of_a_stem(self):
        """One caption, of the JPEG, and that is said."""
        said = "2 images share the caption of another file of the same photo"
        for arguments, ending in [(["--sidecar"], "txt"), (["--sidecar=xmp", "--xmp-name=stem"], "xmp")]:
            _, error = self.limn("p", *arguments, code=3)
            self.assertIn(said, error)
            self.assertNotIn("skipped", error)
            self.assertIn("p/DSC_2.CR2: ", error)
            self.assertNotIn("DSC_1.CR2", error)
            self.assertNotIn("IMG_1.HEIC", error)
            self.assertEqual(sorted(p.name for p in self.p.glob(f"*.{ending}")),
                             [f"{stem}.{ending}" for stem in ["DSC_1", "IMG_1", "IMG_E1", "pair"]])
        self.assertEqual((self.p / "IMG_1.txt").read_text().strip(), self.caption("p/IMG_1.JPG"))

    def test_lists_have_each_file(self):
        """Text and JSONL; sidecars with whole names too."""
        self.limn("p", "-o", "out.jsonl", code=3)
        names = {Path(r["file"]).name for r in annotation.json_lines((self.folder / "out.jsonl").read_bytes())}
        self.assertEqual(names, {"IMG_1.HEIC", "IMG_1.JPG", "IMG_E1.JPG", "DSC_1.CR2", "DSC_1.JPG", "DSC_2.CR2", "pair.png"})
        self.limn("p", "--sidecar=xmp", code=3)
        self.assertEqual(len(list(self.p.glob("*.JPG.xmp"))), 3)

    def test_other_images_of_one_name(self):
        """Two JPEGs, or a JPEG and a PNG, are two images."""
        for name in ["IMG_1.jpeg", "pair.jpg"]:
            shutil.copyfile(self.p / "IMG_1.JPG", self.p / name)
            _, error = self.limn("p", "--sidecar", code=1)
            self.assertIn("would share p/", error)
            (self.p / name).unlink()


if __name__ == "__main__":
    LIMN = annotation.Limn(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
    unittest.main(argv=["test_xmp.py", *sys.argv[3:]], verbosity=2)
