#!/usr/bin/env python3
"""Planted links: check_planted.py TOOLS MODEL

A data set from elsewhere, or an output folder, has links under every name that a tool makes up: its journal, .part, .new,
temporary files, sidecars, folders on the way, files of a run. Whatever the exit code, nothing outside is written, made or
changed. A link that the user named himself as output is followed, and stays a link.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import images


class World:
    """A folder `in` that tools work in, and `out`, which none of them is told of."""

    def __init__(self, tools, model, folder):
        self.tools, self.model, self.folder = tools, model, folder
        self.inside, self.outside = folder / "in", folder / "out"
        self.faults = []

    def reset(self):
        for folder in self.inside, self.outside:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        (self.inside / "photos" / "sub").mkdir(parents=True)
        for i, name in enumerate(["photos/a.png", "photos/sub/b.png"]):
            (self.inside / name).write_bytes(images.png(20, 30, images.noise(i)))
        (self.outside / "there").write_text("mine\n")
        (self.outside / "folder").mkdir()

    def run(self, tool, *arguments):
        command = [self.tools / tool, *arguments]
        if tool != "limn-eval":
            command += ["--model", self.model]
        return subprocess.run(command, cwd=self.inside, capture_output=True, text=True, timeout=300, check=False)

    def check(self, what):
        found = {str(p.relative_to(self.outside)): p.read_bytes() for p in self.outside.rglob("*") if p.is_file()}
        if found != {"there": b"mine\n"} or list((self.outside / "folder").iterdir()):
            self.faults.append(f"{what}: outside there is {found}")

    def plant(self, name, target):
        path = self.inside / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        path.symlink_to(os.path.relpath(target, path.parent))


def check_outputs(world):
    for target in "there", "new":
        for suffix in ".limn-run", ".part", ".limn-run.new":
            for also in [], ["--force"]:
                world.reset()
                world.plant("photos/metadata.jsonl" + suffix, world.outside / target)
                world.run("limn", "-q", *also, "-o", "photos/metadata.jsonl", "photos")
                world.check(f"-o with {suffix} to {target} {also}")
        world.reset()
        world.plant("e.tsv.part", world.outside / target)
        world.run("limn", "-q", "-o", "out.jsonl", "--errors", "e.tsv", "photos", "gone.png")
        world.check(f"--errors with .part to {target}")
        world.reset()
        world.plant("c.txt", world.outside / target)
        world.run("limn-preprocess", "-o", "c", "photos")
        world.check(f"limn-preprocess with c.txt to {target}")


def check_sidecars(world):
    for existing in "skip", "overwrite", "append", "prepend", "error":
        for target in "there", "new":
            world.reset()
            world.plant("photos/a.txt", world.outside / target)
            world.run("limn", "-r", "--sidecar", "--existing", existing, "photos")
            world.check(f"--existing {existing}, a sidecar to {target}")
        world.reset()
        os.link(world.outside / "there", world.inside / "photos" / "a.txt")
        world.run("limn", "-r", "--sidecar", "--existing", existing, "photos")
        world.check(f"--existing {existing}, a hard link")
        world.reset()
        (world.outside / "folder").rmdir()
        shutil.copytree(world.inside / "photos" / "sub", world.outside / "folder")
        world.plant("photos/sub", world.outside / "folder")
        done = world.run("limn", "-r", "--sidecar", "--existing", existing, "photos")
        if (world.outside / "folder" / "b.txt").exists() or "b.png: " not in done.stderr:
            world.faults.append(f"--existing {existing}: a sidecar in a linked folder: {done.stderr}")
        world.reset()
        world.plant("captions/sub", world.outside / "folder")
        world.run("limn", "-r", "--sidecar", "--existing", existing, "--out-dir", "captions", "photos")
        world.check(f"--existing {existing}, --out-dir with a linked folder")


def check_pages(world):
    for option in "--explain", "--attention":
        world.reset()
        world.plant("pages/sub", world.outside / "folder")
        world.run("limn", "-r", "-q", option, "pages", "photos")
        world.check(f"{option} with a linked folder")
        world.reset()
        for name in "pages/a.png.html", "pages/a.png/sheet.png":
            world.plant(name, world.outside / "new")
        world.run("limn", "-r", "-q", option, "pages", "photos")
        world.check(f"{option} with a linked file")


def check_given(world):
    """As before: a link that the user names is followed."""
    for arguments in (["limn", "-q", "-o", "link", "photos/a.png"], ["limn", "-q", "--report", "link", "photos/a.png"],
                      ["limn-eval", "--refs", "c.tsv", "--hyps", "c.tsv", "--metrics", "bleu", "--per-image", "link"]):
        world.reset()
        (world.inside / "c.tsv").write_text("a.png\ta dog\n")
        (world.inside / "target").write_text("")
        (world.inside / "link").symlink_to("target")
        done = world.run(*arguments)
        if done.returncode or not (world.inside / "link").is_symlink() or not (world.inside / "target").read_text():
            world.faults.append(f"{arguments}: the link is not followed: {done.stderr}")


def main():
    tools, model = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder:
        world = World(tools, model, pathlib.Path(folder))
        for check in check_outputs, check_sidecars, check_pages, check_given:
            check(world)
    print("\n".join(world.faults) or "nothing was written through a planted link")
    sys.exit(bool(world.faults))


main()
