"""Annotation jobs, and folders of images in which to run them again and again."""

import os
import shutil
import tarfile
import tempfile
from pathlib import Path

import annotation

# Arguments after the folder, by the name of a job.
JOBS = {
    "jsonl": ["-o", "out.jsonl"],
    "csv": ["-o", "out.csv"],
    "coco": ["-o", "out.json"],
    "text": ["-o", "out.txt", "--errors", "errors.tsv"],
    "metadata": ["-o", "p/metadata.jsonl"],
    "skip": ["--sidecar"],
    "append": ["--sidecar", "--existing", "append"],
    "prepend": ["--sidecar=caption", "--existing", "prepend", "--errors", "errors.tsv"],
    "overwrite": ["--sidecar", "--existing", "overwrite", "--sidecar-full"],
    "out-dir": ["--sidecar", "--out-dir", "tree", "--format", "jsonl"],
    "xmp": ["--sidecar=xmp"],
    "added": ["-o", "there.jsonl"],
    "shards": ["-o", "out/"],
    "tars": ["-o", "out/", "--tar", "txt", "--tar", "json"],
}


def tree(folder):
    """{path: bytes} of all files below, without the images' store."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*"))
            if p.is_file() and "p.store" not in p.parts and p.name != ".limn-undo"}  # which kills may make longer


def make_tars(folder):
    """Three tars with the images of the folder p."""
    (folder / "tars").mkdir()
    files = [p for p in sorted((folder / "p").glob("*.png")) if not p.is_symlink()]
    for i in range(3):
        with tarfile.open(folder / "tars" / f"{i}.tar", "w", dereference=True) as tar:
            for j, path in enumerate(files[i::3]):
                name = path.name.replace("\n", "-")
                tar.add(path, name)
                if j % 5 == 0:  # fails before it is read
                    link = tarfile.TarInfo("link-" + name)
                    link.type, link.linkname = tarfile.LNKTYPE, name
                    tar.addfile(link)


class Ground:
    """A folder that a job starts from, and fresh copies of it."""

    def __init__(self, limn, job, n):
        self.folder = Path(tempfile.mkdtemp(prefix="limn-resume-"))
        start = self.folder / "start"
        start.mkdir()
        annotation.make_images(start / "p", n)
        for name in ["00002 broken.png", "broken.png"]:  # one fails early, one late
            (start / "p" / name).write_bytes(b"no image")
        (start / "p" / "new\nline.png").write_bytes((start / "p" / "00000.png").read_bytes())
        os.symlink("nowhere", start / "p" / "dangling.png")
        for i in range(0, n, 3):
            for extension in ["txt", "caption", "png.txt"]:
                (start / "p" / f"{i:05}.{extension}").write_text(f"by hand {i}" + "\n" * (i % 2))
        self.args = ["p", *JOBS[job]]
        if job in ["shards", "tars"]:
            self.args[0] = "tars"
            self.args.insert(0, "-r")
            make_tars(start)
        if job == "added":
            limn.run("p/00001.png", "p/00003.png", "-o", "there.jsonl", cwd=start)

    def fresh(self):
        """A copy as it was at the start."""
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.folder / "start", copy, symlinks=True, copy_function=os.link)
        for path in copy.rglob("*.txt"):
            data = path.read_bytes()
            path.unlink()
            path.write_bytes(data)
        return copy

    def remove(self):
        """Removes all of it."""
        shutil.rmtree(self.folder)
