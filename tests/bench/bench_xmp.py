#!/usr/bin/env python3
"""What XMP costs: bench_xmp.py LIMN MODEL FOLDER [--count N] [--rounds N] [--threads N] [--work FOLDER]

Copies N images of FOLDER (again and again, under other names, where it has fewer), and captions the copies: to a file of
captions, with a new sidecar each (--sidecar=xmp), into the images (--write-xmp), and both once more in place of
captions that limn wrote earlier (--renew). Prints the least seconds of each over the rounds, on the clock and of all
processes' CPUs, and the ratio to captioning alone. Every file is written anew for each measurement; an image that fails
ends the benchmark. Run it where nothing else runs.
"""
import argparse
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"}  # --write-xmp writes into these
WAYS = {"captions alone": ["-o", "captions.txt"], "--sidecar=xmp": ["--sidecar=xmp"], "--write-xmp": ["--write-xmp"],
        "--sidecar=xmp --renew": ["--sidecar=xmp", "--renew"], "--write-xmp --renew": ["--write-xmp", "--renew"]}


def images(folder):
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file())
    if not found:
        sys.exit(f"{folder}: has no images that --write-xmp can write into")
    return found


def put_photos(work, found, count):
    """The copies, and nothing else."""
    shutil.rmtree(work / "photos", ignore_errors=True)
    (work / "photos").mkdir()
    for path in work.iterdir():
        if path.is_file():
            path.unlink()
    for i in range(count):
        shutil.copyfile(found[i % len(found)], work / "photos" / f"{i:05}{found[i % len(found)].suffix}")


def measure(command, work):
    """Seconds on the clock, and of the CPUs."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, cwd=work, check=True, stdin=subprocess.DEVNULL)
    clock, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def run(options, work, found, least):
    limn = [options.limn, "-q", "--model", options.model, "--threads", str(options.threads), "photos"]
    for name, how in WAYS.items():
        put_photos(work, found, options.count)
        if "--renew" in how:
            subprocess.run([*limn, *how[:-1]], cwd=work, check=True, stdin=subprocess.DEVNULL)
        seconds = measure([*limn, *how], work)
        least[name] = tuple(map(min, seconds, least.get(name, seconds)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("limn", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--work", type=pathlib.Path, help="where the copies go (by default the system's temporary folder)")
    options = parser.parse_args()
    options.limn, options.model = options.limn.resolve(), options.model.resolve()
    found, least = images(options.folder.resolve()), {}
    with tempfile.TemporaryDirectory(dir=options.work) as work:
        for _ in range(options.rounds):
            run(options, pathlib.Path(work), found, least)
    clock, cpu = least["captions alone"]
    for name, (a, b) in least.items():
        print(f"{name:22} clock {a:8.3f} s, {a / clock:5.3f} of captioning; CPU {b:8.3f} s, {b / cpu:5.3f} of captioning")


if __name__ == "__main__":
    main()
