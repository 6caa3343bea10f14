#!/usr/bin/env python3
"""Which modules a program takes: check_modules.py LIMN MODULE_FOLDER LIBRARY_FOLDER [TEST ...]

Copies of the program with modules beside them, in an installation, in folders that everybody may write to, and of
another build: --version names the library for TIFF, or says why its module was refused."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

LIMN = MODULES = LIBRARIES = None


class ModulesTest(unittest.TestCase):
    """Each test has a folder with bin/limn."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        shutil.copy(LIMN, self.bin / "limn")
        self.installed = self.folder / LIBRARIES
        self.beside = self.bin / "annotate/decoders"

    def put(self, folder, change=lambda data: data):
        """The modules in a folder."""
        folder.mkdir(parents=True)
        for name in ["limn_tiff.so", "limn_icc.so"]:
            if (MODULES / name).exists():
                (folder / name).write_bytes(change((MODULES / name).read_bytes()))

    def outcome(self, cwd=None):
        """What --version says of TIFF."""
        done = subprocess.run([self.bin / "limn", "--version"], capture_output=True, check=True, text=True, cwd=cwd)
        return " ".join(done.stdout.split("image decoders: ")[1].split("libheif")[0].split())

    def test_good_places(self):
        """Beside the program, and in the installation that it is in."""
        self.put(self.installed)
        self.assertIn("libtiff 4", self.outcome())
        shutil.rmtree(self.installed)
        self.put(self.beside)
        self.assertIn("libtiff 4", self.outcome())

    def test_builds_and_installations_stay_apart(self):
        """A module that the build lacks is not taken from an installation."""
        self.put(self.installed)
        self.beside.mkdir(parents=True)
        self.assertIn("no libtiff", self.outcome())

    def test_the_current_folder(self):
        """Is not looked at."""
        self.put(self.installed)
        (self.installed / "limn_tiff.so").unlink()
        for name in ["limn_tiff.so", "annotate/decoders/limn_tiff.so"]:
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(MODULES / "limn_tiff.so", self.folder / name)
        self.assertIn("no libtiff", self.outcome(cwd=self.folder))

    def test_writable_by_everybody(self):
        """The file, its folder, one above it, or the program's."""
        self.put(self.beside)
        for path in [self.beside / "limn_tiff.so", self.beside, self.bin / "annotate", self.bin]:
            mode = path.stat().st_mode
            path.chmod(mode | 0o002)
            self.assertIn("can be written to by everybody", self.outcome())
            path.chmod(mode)
        self.bin.chmod(0o1777)
        self.assertIn("libtiff 4", self.outcome(), "like /tmp, where others can't replace what is there")

    @unittest.skipIf(os.getuid(), "only root can give files away")
    def test_of_other_users(self):
        """They are refused, unless the program is theirs too."""
        self.put(self.beside)
        for path in [self.beside / "limn_tiff.so", self.beside, self.bin / "annotate"]:
            os.chown(path, 65534, 65534)
            self.assertIn("belongs to another user", self.outcome())
            os.chown(self.bin / "limn", 65534, 65534)
            self.assertIn("libtiff 4", self.outcome())
            for back in [path, self.bin / "limn"]:
                os.chown(back, 0, 0)

    @unittest.skipIf(os.getuid(), "only root can give links away")
    def test_links_of_other_users(self):
        """Are refused too, wherever they lead; one's own are not."""
        self.put(self.folder / "real/decoders")
        (self.bin / "annotate").symlink_to(self.folder / "real")
        self.assertIn("libtiff 4", self.outcome())
        os.chown(self.bin / "annotate", 65534, 65534, follow_symlinks=False)
        self.assertIn("belongs to another user", self.outcome())

    def test_of_another_build(self):
        """It is refused, whatever its version."""
        stamp = re.search(rb"\d[\w.]*-\d+-\d+\0", (MODULES / "limn_tiff.so").read_bytes())
        self.assertIsNotNone(stamp, "the module has no stamp")
        self.put(self.beside, lambda data: data.replace(stamp[0], stamp[0][:-2] + b"x\0"))
        self.assertIn("is of another build of limn", self.outcome())


if __name__ == "__main__":
    LIMN, MODULES, LIBRARIES = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), sys.argv[3]
    unittest.main(argv=["check_modules.py", *sys.argv[4:]], verbosity=2)
