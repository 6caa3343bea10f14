#!/usr/bin/env python3
"""Chooses the sample photos: twelve from Debian packages, by a rule that does not look at captions.

    samples/photos/choose.py FOLDER

Downloads the packages below (apt-get download), and writes the photos to FOLDER. Each package's photos are sorted by
the SHA-256 of "PACKAGE/PATH", and the first ones are taken, as many as the table says. A JPEG of at most 640 pixels a
side and 150 KB is copied unchanged; others are scaled down to 640 pixels (Lanczos) and saved as JPEG of quality 85,
without metadata. Needs Debian 12, python3-pil."""

import hashlib
import pathlib
import subprocess
import sys
import tempfile

from PIL import Image

SIDE, SIZE = 640, 150_000
# Package, how many, and where its photos are; from scikit-image's data, the few that are photos of things.
PACKAGES = (
    ("scratch", 4, ["usr/share/scratch/Media/Backgrounds/*/*.jpg"]),
    ("gnome-control-center-data", 4, ["usr/share/pixmaps/faces/*.jpg"]),
    ("mate-backgrounds", 1, ["usr/share/backgrounds/mate/nature/*.jpg"]),
    ("python3-skimage", 3, [f"usr/lib/python3/dist-packages/skimage/data/{name}"
                            for name in ("astronaut.png", "camera.png", "chelsea.png", "coffee.png", "rocket.jpg")]),
)


def unpack(package, folder):
    """Unpacks the package's files into the folder."""
    folder.mkdir()
    subprocess.run(["apt-get", "-qq", "download", package], cwd=folder, check=True)
    archive = next(folder.glob("*.deb"))
    subprocess.run(["dpkg-deb", "-x", archive.name, "."], cwd=folder, check=True)
    return archive.name.removesuffix(".deb")


def order(package, path, root):
    """The key that photos are sorted by."""
    return hashlib.sha256(f"{package}/{path.relative_to(root)}".encode()).hexdigest()


def write(path, out):
    """Writes the photo as it is, or smaller."""
    with Image.open(path) as image:
        if image.format == "JPEG" and max(image.size) <= SIDE and path.stat().st_size <= SIZE:
            out.write_bytes(path.read_bytes())
            return
        image = image.convert("RGB")
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        image.save(out, "JPEG", quality=85)


def main(target):
    """Downloads the packages, chooses photos and writes them."""
    target = pathlib.Path(target)
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        for package, n, patterns in PACKAGES:
            root = pathlib.Path(temporary) / package
            archive = unpack(package, root)
            photos = [p for pattern in patterns for p in root.glob(pattern) if p.is_file() and not p.is_symlink()]
            for path in sorted(photos, key=lambda p: order(package, p, root))[:n]:
                write(path, target / f"{path.stem.lower()}.jpg")
                print(f"{path.stem.lower()}.jpg\t{archive}\t{path.relative_to(root)}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
