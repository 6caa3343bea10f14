#!/usr/bin/env python3
"""Files of real cameras and phones, which are not ours to keep: check_camera_files.py DECODE_PHOTO LIMN MODEL

The environment's LIMN_CAMERA_FILES names their folders, separated by ":"; without it, nothing is done. Debian's source
packages have some: after `apt-get source --download-only libimage-exiftool-perl exiv2`, the folders t/images of the one
and test/data of the other.

A RAW file must give the largest of the JPEGs that exiftool finds in it, other files what Pillow makes of them
(converted to sRGB); or it is an error, the same with and without a sandbox. Prints how much each differs from Pillow's
pixels. Skipped without Pillow or exiftool."""
import io
import os
import pathlib
import shutil
import subprocess
import sys

import check_photos

try:
    from PIL import Image, ImageCms, ImageOps
except ImportError:
    Image = None

RAW = {".dng", ".cr2", ".cr3", ".crw", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw", ".mrw"}
OTHERS = {".heic", ".heif", ".avif", ".tif", ".tiff"}
# Of the files in those packages, the ones that limn must be able to read.
READ = {"FujiFilm.raf", "Panasonic.rw2"}
# Of libheif and Pillow's libraries: subsampled colours are repeated by the one, interpolated by the other.
LARGEST, MEAN = 45, 0.8


def previews(path):
    """The JPEGs in a RAW file, by exiftool."""
    for tag in ("JpgFromRaw", "PreviewImage", "OtherImage", "ThumbnailImage"):
        done = subprocess.run(["exiftool", "-b", f"-{tag}", path], capture_output=True, check=False)
        if done.stdout.startswith(b"\xff\xd8"):
            yield done.stdout


def as_pillow(path):
    """(width, height, pixels) as Pillow reads the file or its largest preview; None where it can't, or has 16 bits."""
    if path.suffix.lower() in RAW:
        images = [Image.open(io.BytesIO(data)) for data in previews(path)]
        image = max(images, key=lambda one: one.width * one.height, default=None)
    else:
        image = Image.open(path)
    if image is None or image.mode.startswith(("I", "F")):
        return None
    profile, image = image.info.get("icc_profile"), ImageOps.exif_transpose(image).convert("RGB")
    if profile:
        image = ImageCms.profileToProfile(image, ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                                          ImageCms.createProfile("sRGB"), renderingIntent=1)
    return *image.size, image.tobytes()


def compare(path, got):
    """How a decoded image differs from Pillow's, and whether by too much; None if Pillow can't read it."""
    try:
        wanted = as_pillow(path)
    except Exception:  # Pillow's own limits, or no plug-in
        wanted = None
    if wanted is None:
        return None
    if wanted[:2] != got[:2]:
        return f"{path}: {got[0]} x {got[1]}, not {wanted[0]} x {wanted[1]}", True
    differences = [abs(a - b) for a, b in zip(got[3], wanted[2], strict=True)]
    largest, mean = max(differences), sum(differences) / len(differences)
    return f"{path}: pixels differ by {largest}, {mean:.2f} in the mean", largest > LARGEST or mean > MEAN


def main(program, limn, model):
    folders = [pathlib.Path(name) for name in os.environ.get("LIMN_CAMERA_FILES", "").split(":") if name]
    files = sorted(p for folder in folders for p in folder.rglob("*") if p.suffix.lower() in RAW | OTHERS)
    if not files:
        print("left out: LIMN_CAMERA_FILES names no folder of such files")
        return 77
    if not Image or not shutil.which("exiftool"):
        print("left out: Pillow or exiftool is missing, and the check compares with them")
        return 77
    found, problems, n_compared = check_photos.decode_all(program, files), [], 0
    for path in files:
        if isinstance(found[path], str):
            if path.name in READ:
                problems.append(f"{path}: {found[path]}")
            continue
        compared = compare(path, found[path])
        if compared:
            print(compared[0])
            problems += [f"unlike Pillow: {compared[0]}"] if compared[1] else []
            n_compared += 1
    inside, outside = (check_photos.records(limn, model, [str(p) for p in files], how)[1] for how in ("auto", "off"))
    problems += [f"in the sandbox: {a}\n  outside: {b}" for a, b in zip(inside, outside, strict=True) if a != b]
    n_read = sum(not isinstance(one, str) for one in found.values())
    print(*problems, f"{len(files)} files, {n_read} read, {n_compared} of them compared", sep="\n")
    return 1 if problems or n_compared == 0 else 0


if __name__ == "__main__":
    sys.exit(main(*(pathlib.Path(path).resolve() for path in sys.argv[1:4])))
