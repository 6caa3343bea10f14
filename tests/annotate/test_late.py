#!/usr/bin/env python3
"""Between limn's look at a file and its writing: test_late.py LIMN MODEL --fault LIBRARY [TEST ...]

Files that can't be written when their turn comes, which are failures of their images alone; and other programs that
write at that moment, whose work stays. The library of fault.c makes both happen at a given call."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

import annotation

OPTIONS = LIMN = None
ERRORS = [("EROFS", "Read-only file system"), ("EACCES", "Permission denied"), ("EPERM", "Operation not permitted"),
          ("ENOSPC", "No space left on device")]
PHOTO = Path(__file__).resolve().parents[1] / "data/images/grey.jpg"
PERSON = b"a person's description"
NOTE = rb"([0-9a-f]{16}):\d+ "  # of a sidecar, in a journal
XMP = (b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
       b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt>'
       b'<rdf:li xml:lang="x-default">' + PERSON + b"</rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>")


def described(photo):
    """A JPEG with that description."""
    content = b"http://ns.adobe.com/xap/1.0/\0" + XMP
    return photo[:2] + b"\xff\xe1" + (len(content) + 2).to_bytes(2, "big") + content + photo[2:]


class LateTest(unittest.TestCase):
    """Each test has folders `open` and `shut` with images."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        for name in ["open", "shut"]:
            (self.folder / name).mkdir()
            for i in range(3):
                shutil.copyfile(PHOTO, self.folder / name / f"{i}.jpg")

    def need_xmp(self):
        """Skips the test where limn has none."""
        if not LIMN.has_xmp():
            self.skipTest("built without exempi")

    def run_limn(self, *args, **faults):
        """The outcome of limn with LIMN_NAME=VALUE for each of the faults."""
        environment = dict(os.environ, LD_PRELOAD=OPTIONS.fault, **{f"LIMN_{k.upper()}": v for k, v in faults.items()})
        return subprocess.run(LIMN.command("--threads", "1", *args), cwd=self.folder, env=environment,
                              capture_output=True, check=False, stdin=subprocess.DEVNULL)

    def files(self):
        """{path: bytes}"""
        return {str(p.relative_to(self.folder)): p.read_bytes() for p in self.folder.rglob("*")
                if p.is_file() and p.name != ".limn-undo"}

    def temporaries(self):
        """What no run may leave."""
        return [p.name for p in self.folder.rglob(".*") if p.name != ".limn-undo"]


class FailureTest(LateTest):
    """A folder in which no file can be made or replaced any more."""

    def start(self, files):
        """These files and no others."""
        for path in self.folder.iterdir():
            shutil.rmtree(path)
        for name, data in files.items():
            (self.folder / name).parent.mkdir(exist_ok=True)
            (self.folder / name).write_bytes(data)

    def check_fault(self, number, args, before, done):
        """How many images failed. These are as they were, the others as without a fault; the next run does them."""
        error, text = ERRORS[number % len(ERRORS)]
        self.start(before)
        result = self.run_limn("open", "shut", *args, "--errors", "errors.tsv", fault=f"{error}:{number}", fault_folder="shut")
        errors = (self.folder / "errors.tsv").read_text().splitlines()
        (self.folder / "errors.tsv").unlink()
        failed = {line.split("\t")[0] for line in errors}
        expected = done | {name: before.get(name) for name in done if str(Path(name).with_suffix(".jpg")) in failed}
        self.assertEqual(self.files(), {name: data for name, data in expected.items() if data is not None})
        self.assertEqual(self.temporaries(), [])
        self.assertEqual([line for line in errors if not line.startswith("shut/") or text not in line], [])
        self.assertNotRegex(result.stderr.decode(), r"(shut/\d\.jpg): \1", "the file is named twice")
        self.assertEqual((result.returncode, text in result.stderr.decode()), (3, True) if errors else (0, False))
        self.assertEqual(self.run_limn("open", "shut", *args).returncode, 0)
        self.assertEqual(self.files(), done)
        return len(errors)

    def check(self, *args):
        """From each of the calls on that make or replace a file in `shut`."""
        before = self.files()
        self.assertEqual(self.run_limn("open", "shut", *args).returncode, 0)
        done, n_failed = self.files(), []
        while not n_failed or n_failed[-1]:
            n_failed.append(self.check_fault(len(n_failed) + 1, args, before, done))
        self.assertEqual(n_failed[0], 3)
        self.assertIn(1, n_failed)

    def test_sidecars(self):
        self.check("--sidecar")

    def test_images(self):
        self.need_xmp()
        self.check("--write-xmp")

    def test_strict(self):
        """The first failure ends the run, which goes on when the same command is given again."""
        result = self.run_limn("open", "shut", "--sidecar", "--strict", fault="EROFS:1", fault_folder="shut")
        self.assertEqual(result.returncode, 2)
        self.assertIn("stopped at the first failure", result.stderr.decode())
        self.assertEqual(self.run_limn("open", "shut", "--sidecar", "--strict").returncode, 0)
        self.assertEqual(len([name for name in self.files() if name.endswith(".txt")]), 6)

    def test_a_full_disk(self):
        """Of the photos: it ends the run if the journal is there too; else it is the failure of those that don't fit."""
        script = ('mount -t tmpfs -o size=$1 limn shut || exit 77; cp open/0.jpg shut/a.jpg; cp open/0.jpg shut/b.jpg; shift\n'
                  'head -c 1m /dev/zero > shut/full 2>/dev/null; "$@" shut open --sidecar; echo "code $?"\n'
                  '"$@" open shut --sidecar --existing overwrite; echo "code $?"')
        done = subprocess.run(["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh", "128k", *LIMN.command()],
                              cwd=self.folder, capture_output=True, check=False)
        if done.returncode == 77 or b"unshare" in done.stderr:
            self.skipTest("no file system can be mounted here")
        self.assertIn(b"No space left on device", done.stderr)
        self.assertEqual(done.stdout, b"code 2\ncode 3\n", done.stderr)


class RaceTest(LateTest):
    """Other programs that write a description just before a call of limn's about the file."""

    def check(self, name, command, *args):
        """Contents of the file after each call: the person's description is never lost."""
        path, marker, outcomes = self.folder / name, self.folder / "marker", []
        before = path.read_bytes() if path.exists() else None
        while not outcomes or marker.exists():
            marker.unlink(missing_ok=True)
            self.run_limn(*args, fault_run=f"{len(outcomes) + 1}:{name}:{command}; touch marker")
            outcomes.append(path.read_bytes())
            self.assertEqual(PERSON in outcomes[-1], marker.exists(), len(outcomes))
            self.assertEqual(self.temporaries(), [], len(outcomes))
            path.unlink()
            (self.folder / ".limn-undo").unlink(missing_ok=True)
            if before is not None:
                path.write_bytes(before)
        return outcomes[:-1]

    def test_images(self):
        """By a new file in place of the old, also where the file system changes the time of limn's own later, and by
        writing into the old one."""
        self.need_xmp()
        photo = self.folder / "photo.jpg"
        shutil.copyfile(PHOTO, photo)
        (self.folder / "described").write_bytes(described(photo.read_bytes()))
        save = "cp described new && mv new photo.jpg"
        for command in [save, f"touch -c -d 2001-01-01 .limn-*.tmp; {save}", "cp described photo.jpg"]:
            outcomes = self.check("photo.jpg", command, "photo.jpg", "--write-xmp")
            self.assertGreater(len(outcomes), 8, "the library of faults saw nothing")
            self.assertEqual(set(outcomes), {(self.folder / "described").read_bytes()})

    def test_saved_again_and_again(self):
        """Before each of limn's calls from one on, three times: the last version stays, also one saved between the
        exchanges that bring back the one before it."""
        self.need_xmp()
        photo, count, n_saved = self.folder / "photo.jpg", self.folder / "count", []
        shutil.copyfile(PHOTO, photo)
        (self.folder / "described").write_bytes(described(PHOTO.read_bytes()))
        save = ("echo >> count; n=$(wc -l < count); test $n -gt 3 || "
                "{ (cat described; echo $n) > new && touch -d 2001-01-0$n new && mv new photo.jpg; }")
        while not n_saved or n_saved[-1]:
            self.put({"photo.jpg": PHOTO.read_bytes(), "count": b""})
            self.run_limn("photo.jpg", "--write-xmp", fault_run=f"{len(n_saved) + 1}+:photo.jpg:{save}")
            n_saved.append(min(3, len(count.read_text())))
            if n_saved[-1]:
                self.assertEqual(photo.read_bytes(), (self.folder / "described").read_bytes() + b"%d\n" % n_saved[-1])
            self.assertEqual(self.temporaries(), [], len(n_saved))
        self.assertIn(3, n_saved[6:])

    def last_call(self, name, files, *args):
        """The number of limn's last call about the file, its replacement when nobody interferes."""
        marker, n = self.folder / "marker", 0
        marker.touch()
        while marker.exists():
            marker.unlink()
            self.put(files)
            n += 1
            self.run_limn(*args, fault_run=f"{n}:{name}:touch marker")
        return n - 1

    def put(self, files):
        """These files at the top, and no others of limn's."""
        for path in [*self.folder.glob(".*"), *self.folder.glob("photo*")]:
            path.unlink()
        for name, data in files.items():
            (self.folder / name).write_bytes(data)

    def test_written_in_place_between_two_exchanges(self):
        """Another program saves just before the replacement and, before limn brings that back, writes into limn's own
        file, whose size stays."""
        files = {"photo.jpg": PHOTO.read_bytes(), "photo.txt": b"before\n", "count": b""}
        args = ["photo.jpg", "--sidecar", "--existing", "overwrite"]
        last = self.last_call("photo.txt", files, *args)
        self.put(files)
        script = ("echo >> count; case $(wc -l < count) in 1) echo saved > new; mv new photo.txt;; 2) s=$(stat -c %s photo.txt); "
                  "head -c $s /dev/zero | tr '\\0' E | dd of=photo.txt conv=notrunc 2>/dev/null;; esac")
        self.run_limn(*args, fault_run=f"{last}+:photo.txt:{script}")
        self.assertRegex((self.folder / "photo.txt").read_bytes(), rb"\AE+\Z")
        self.assertEqual(self.temporaries(), [])

    def check_kills(self, name, files, *args):
        """Another program writes just before the replacement, and limn is killed at each of its calls: the next run
        brings the other program's file back, wherever it was."""
        described = (self.folder / "described").read_bytes()
        last, at, hidden, result = self.last_call(name, files, *args), 0, [], None
        while not result or result.returncode == -signal.SIGKILL:
            at += 1
            self.put(files)
            result = self.run_limn(*args, fault=f"kill:{at}", fault_run=f"{last}:{name}:cp described new && mv new {name}; touch marker")
            was_met = (self.folder / "marker").exists()
            (self.folder / "marker").unlink(missing_ok=True)
            if not was_met:
                continue
            if (self.folder / name).read_bytes() != described:
                hidden.append(at)
            self.run_limn(*args)
            self.assertEqual((self.folder / name).read_bytes(), described, f"killed before call {at}")
            self.assertEqual(self.temporaries(), [], f"killed before call {at}")
        self.assertTrue(hidden, "no kill came between the exchange and its check")

    def test_kills(self):
        """Of an image, a sidecar, and an undo."""
        self.need_xmp()
        photo = PHOTO.read_bytes()
        (self.folder / "described").write_bytes(described(photo))
        self.check_kills("photo.jpg", {"photo.jpg": photo}, "photo.jpg", "--write-xmp")
        self.put({"photo.jpg": photo})
        self.assertEqual(self.run_limn("photo.jpg", "--write-xmp").returncode, 0)
        written = {name: (self.folder / name).read_bytes() for name in ["photo.jpg", ".limn-undo"]}
        self.check_kills("photo.jpg", written, "--undo-xmp", ".")
        (self.folder / "described").write_bytes(XMP)
        self.check_kills("photo.jpg.xmp", {"photo.jpg": photo, "photo.jpg.xmp": XMP.replace(PERSON, b" ")}, "photo.jpg", "--sidecar=xmp")

    def test_changed_after_a_kill(self):
        """What a kill displaced, and what was written into limn's version since, are both kept until one is removed."""
        self.need_xmp()
        shutil.copyfile(PHOTO, self.folder / "photo.jpg")
        self.assertEqual(self.run_limn("photo.jpg", "--sidecar=xmp").returncode, 0)
        sidecar = self.folder / "photo.jpg.xmp"
        own = 0xcbf29ce484222325  # as a kill between the exchange and its check leaves them: FNV-1a of the name
        for byte in sidecar.name.encode():
            own = (own ^ byte) * 0x100000001b3 % 2**64
        displaced, written = (self.folder / f".limn-{own:016x}.{end}" for end in ("old", "tmp"))
        displaced.write_bytes(XMP)
        written.hardlink_to(sidecar)
        later = displaced.stat().st_ctime_ns + 10**9
        changed = sidecar.read_bytes() + b"\n"
        with open(sidecar, "r+b") as file:
            file.write(changed)
        os.utime(sidecar, ns=(later, later))
        done = self.run_limn("photo.jpg", "--sidecar=xmp", "--renew")
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"the version from before is {displaced.name} beside it", str(done.stderr))
        self.assertEqual((sidecar.read_bytes(), displaced.read_bytes()), (changed, XMP))
        displaced.unlink()
        self.assertEqual(self.run_limn("photo.jpg", "--sidecar=xmp", "--renew").returncode, 0)
        self.assertEqual(self.temporaries(), [])
        written.write_bytes(changed)
        for age, code in [(-1, 2), (1, 0)]:  # another program's file instead, older or newer than the displaced one
            displaced.write_bytes(XMP)
            sidecar.write_bytes(changed)
            time = displaced.stat().st_mtime_ns + age * 10**9
            os.utime(sidecar, ns=(time, time))
            self.assertEqual(self.run_limn("photo.jpg", "--sidecar=xmp", "--renew").returncode, code)
            self.assertEqual(displaced.exists(), code != 0)
        self.assertEqual(self.temporaries(), [])

    def test_sidecars(self):
        """A new one, and one that was there."""
        self.need_xmp()
        shutil.copyfile(PHOTO, self.folder / "photo.jpg")
        (self.folder / "described").write_bytes(XMP)
        for old in [None, XMP.replace(PERSON, b" ")]:
            if old:
                (self.folder / "photo.jpg.xmp").write_bytes(old)
            outcomes = self.check("photo.jpg.xmp", "cp described new && mv new photo.jpg.xmp", "photo.jpg", "--sidecar=xmp")
            self.assertGreater(len(outcomes), 3)
            self.assertEqual(set(outcomes), {XMP})

    def test_a_folder_that_becomes_a_link(self):
        """After a kill: the next run removes nothing where it leads, though the killed one left files there."""
        self.check_link("tree", "-r", "top", "--sidecar", "--out-dir", "tree")
        self.check_link("top", "-r", "top", "--sidecar")

    def check_link(self, tree, *args):
        """The same, of the folder `open` in the tree."""
        outside, folder, at, n_met, result = self.folder / "outside", self.folder / tree / "open", 0, 0, None
        while not result or result.returncode == -signal.SIGKILL:
            at += 1
            for name in ["top", "tree", "outside"]:
                shutil.rmtree(self.folder / name, ignore_errors=True)
            shutil.copytree(self.folder / "open", self.folder / "top/open")
            result = self.run_limn(*args, fault=f"kill:{at}")
            if not list(folder.glob(".limn-*.tmp")):
                continue
            n_met += 1
            os.rename(folder, outside)
            folder.symlink_to("../outside")
            left = sorted(os.listdir(outside))
            self.run_limn(*args)
            self.assertEqual(sorted(os.listdir(outside)), left, at)
        self.assertGreater(n_met, 3)

    def test_notes_of_earlier_builds(self):
        """They don't say how much of a path the user named, which may look like a part of the path."""
        args, expected, n_met, at, result = ["-r", "3 dogs", "--sidecar", "--existing", "append"], None, 0, 0, None
        while not result or result.returncode == -signal.SIGKILL:
            shutil.rmtree(self.folder / "3 dogs", ignore_errors=True)
            shutil.copytree(self.folder / "open", self.folder / "3 dogs")
            for n in range(3):
                (self.folder / f"3 dogs/{n}.txt").write_bytes(PERSON + b"\n")
            result = self.run_limn(*args, **({"fault": f"kill:{at}"} if at else {}))
            if not at:
                expected = [(self.folder / f"3 dogs/{n}.txt").read_bytes() for n in range(3)]
                result = None
            at += 1
            journals = list(self.folder.rglob(".*.limn-run"))
            for journal in journals:
                notes = journal.read_bytes()
                n_met += bool(re.search(NOTE, notes))
                journal.write_bytes(re.sub(NOTE, rb"\1 ", notes))
            if journals:  # without one, the run was over, or had not begun
                self.assertEqual(self.run_limn(*args).returncode, 0, at)
                self.assertEqual([(self.folder / f"3 dogs/{n}.txt").read_bytes() for n in range(3)], expected, at)
        self.assertGreater(n_met, 3)

    def test_text_sidecars(self):
        """What a person wrote stays, alone or with the caption below."""
        shutil.copyfile(PHOTO, self.folder / "photo.jpg")
        (self.folder / "described").write_bytes(PERSON + b"\n")
        for existing in ["skip", "append"]:
            outcomes = self.check("photo.txt", "cp described new && mv new photo.txt", "photo.jpg", "--sidecar",
                                  "--existing", existing)
            self.assertGreater(len(outcomes), 2)

    def test_undo(self):
        """A file that changes after limn has read it, at any moment, is left as it is then."""
        self.need_xmp()
        photo = self.folder / "photo.jpg"
        shutil.copyfile(PHOTO, photo)
        (self.folder / "described").write_bytes(described(photo.read_bytes()))
        self.assertEqual(self.run_limn("photo.jpg", "--write-xmp").returncode, 0)
        written, log, codes = photo.read_bytes(), (self.folder / ".limn-undo").read_bytes(), []
        marker = self.folder / "marker"
        while not codes or marker.exists():
            marker.unlink(missing_ok=True)
            photo.write_bytes(written)
            (self.folder / ".limn-undo").write_bytes(log)
            result = self.run_limn("--undo-xmp", ".", fault_run=f"{len(codes) + 1}:photo.jpg:cp described new && mv new photo.jpg; touch marker")
            codes.append(result.returncode)
            self.assertEqual(photo.read_bytes(), (self.folder / "described" if marker.exists() else PHOTO).read_bytes())
            self.assertEqual(self.temporaries(), [])
            self.assertEqual("photo.jpg: has changed in the meantime" in result.stderr.decode(), result.returncode == 3)
        self.assertGreaterEqual(codes.count(3), 3)


if __name__ == "__main__":
    OPTIONS, LIMN = annotation.parse_fault_options(annotation.fault_parser(__doc__))
    unittest.main(argv=["test_late.py", *OPTIONS.tests], verbosity=2)
