#!/usr/bin/env python3
"""Compares the pixels that limn decodes with Pillow's, for every image below some folders:

    compare_pillow.py BUILD/tests/diff/decode_pixels FOLDER...

Needs Pillow 13 and numpy; run by hand, over collections of odd images that are not in the tree: the test images of
Pillow, libjpeg-turbo, libwebp, image-rs, bmpsuite and so on. Prints what differs without a reason, then how many
files there were of each kind and what the reasons of the others are (REASONS). Exit code 1 when there are outliers.
"""
import collections
import pathlib
import re
import subprocess
import sys
import warnings

import numpy as np
from PIL import Image, ImageOps

# Of Pillow's names for formats: those that limn reads.
READ = {"JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "PPM", "PSD", "TGA"}
SUFFIXES = {".tga", ".icb", ".vda", ".vst"}  # without a magic
MAX_FILE_SIZE = 64 << 20

# Why limn and Pillow may differ: what limn says ("reads it", "pixels differ by N", or its error), what Pillow says (its
# error, or what it found in the file), both regular expressions, and the reason.
REASONS = [
    (r"differ by 1$", r"^PNG \S+ 16 bits", "16 bit are rounded to 8; Pillow takes the upper 8"),
    (r"differ by", r"^PNG L [24] bits, key", "Pillow compares the transparent grey of 2 or 4 bits with samples of 8"),
    (r"differ by", r"^BMP \S+ 16 bits", "16 bits a pixel: Pillow rounds other ways (by 1 of 255) and ignores the alpha bits"),
    (r"differ by", r"^BMP P . bits, runs", "runs that go past their row are cut; in Pillow they go on in the next one"),
    (r"BMP: colour \d+ of a palette", r"", "colours beyond the palette are an error; Pillow makes some up"),
    (r"differ by", r"^PNG P .*, too many alphas", "PNG: more alphas than colours are ignored, as by libpng"),
    (r"differ by", r"^PSD .*, more than used", "Pillow 13 looks for packed rows too early where channels are left out"),
    (r"PSD: colour mode [079] is", r"", "PSD of one bit a pixel, multichannel or Lab is not read, and says so"),
    (r"differ by", r"^TGA \S+ 16 bits", "the bit beside 15 bits of colour: Pillow takes it for transparency"),
    (r"this is (PBM|PNM as text|PFM)", r"", "PNM as text, of one bit or of floats is not read, and named"),
    (r"SOF type 0xc3", r"", "lossless JPEG: not in Debian's libjpeg-turbo, 2.1"),
    (r"not an image of a known format", r"^$", "TGA of one bit a pixel is not read"),
    (r"reads it", r"Unsupported BMP|invalid palette size|not enough image data",
     "BMP: masks, depths, sizes of palettes and ends of runs that Pillow does not know"),
    (r"reads it", r"APNG", "APNG with frames out of order: the first is read all the same"),
    (r"reads it", r"buffer overrun", "TGA: runs that go on in the next row, or past the end; Pillow stops"),
    (r"reads it", r"chunk|MAX_TEXT_CHUNK|cannot identify.*\.png", "PNG: broken chunks beside the image end Pillow's reading"),
    (r"reads it", r"cannot identify.*\.(tga|psd)", "TGA with 15 bits a colour, PSD with broken resources: Pillow gives up"),
    (r"reads it", r"cannot identify.*\.jpg", "JPEG: bytes between segments, a segment without contents: Pillow gives up"),
    (r"reads it", r"image file is truncated|broken data stream", "JPEG without its end, all rows there"),
    (r"^(truncated|bad format): ", r"", "damaged: an error; Pillow shows what there is, or does not look"),
]

# Single files whose reason does not show in what the two say.
FILES = {
    "gimp-32x32-packbits-overflow.psd": "PSD: packed runs past the row are cut; in Pillow they go on in the next one",
}


class Decoder:
    """decode_pixels, started again when a file ends it."""

    def __init__(self, path):
        self.command = [path]
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def decode(self, path):
        """(pixels, "") or (None, what was wrong)."""
        if self.process is None:
            self.start()
        try:
            self.process.stdin.write(bytes(path) + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self.process.stdout.readline().decode("utf-8", "replace")
        if not line:
            code = self.process.wait()
            self.process = None
            return None, f"CRASH, exit code {code}"
        if not line.startswith("ok "):
            return None, line.rstrip("\n")
        width, height = map(int, line.split()[1:])
        pixels = self.process.stdout.read(width * height * 3)
        return np.frombuffer(pixels, np.uint8).reshape(height, width, 3), ""


def over_white(rgba):
    rgba = rgba.astype(np.int32)
    alpha = rgba[..., 3:]
    return ((rgba[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def to_rgb(image):
    """As limn's image.h has it: transparency over white, 16 bit rounded to 8."""
    if image.mode in ("I;16", "I;16B", "I;16L", "I"):
        deep = np.array(image).astype(np.int64)
        grey = ((deep * 255 + 32767) // 65535).astype(np.uint8)
        key = image.info.get("transparency")
        if isinstance(key, int):
            grey[deep == key] = 255
        return grey[..., None].repeat(3, -1)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        return over_white(np.array(image.convert("RGBA")))
    return np.array(image.convert("RGB"))


def upright(image):
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # broken EXIF ends Pillow's reading; limn goes on without it
        return image


def read_hdr(data):
    """Radiance HDR, which Pillow does not read: by its specification, gamma 2.2."""
    head, rest = data.split(b"\n\n", 1)
    size, rest = rest.split(b"\n", 1)
    height, width = map(int, re.fullmatch(rb"-Y (\d+) \+X (\d+)", size).groups())
    at, rows = 0, []
    for _ in range(height):
        if not (8 <= width < 32768 and rest[at:at + 2] == b"\2\2"):
            rows.append(np.frombuffer(rest, np.uint8, 4 * width, at).reshape(width, 4))
            at += 4 * width
            continue
        at, row = at + 4, bytearray()
        while len(row) < 4 * width:
            code = rest[at]
            if code > 128:
                row += rest[at + 1:at + 2] * (code - 128)
                at += 2
            else:
                row += rest[at + 1:at + 1 + code]
                at += 1 + code
        rows.append(np.frombuffer(bytes(row), np.uint8).reshape(4, width).T)
    rgbe = np.stack(rows).astype(np.float64)
    linear = rgbe[..., :3] * np.exp2(rgbe[..., 3:] - 136) * (rgbe[..., 3:] > 0)
    return np.minimum(linear ** (1 / 2.2) * 255 + 0.5, 255).astype(np.uint8)


def pillow(path):
    """(format, image, pixels, ""), or what was wrong last."""
    try:
        if path.read_bytes()[:10] in (b"#?RADIANCE", b"#?RGBE\n"):
            return "HDR", None, read_hdr(path.read_bytes()), ""
        with Image.open(path) as image:
            if image.format not in READ:
                return image.format, image, None, "other format"
            image.load()
            return image.format, image, to_rgb(upright(image)), ""
    except Exception as e:  # whatever Pillow raises
        return None, None, None, f"{type(e).__name__}: {e}"


def difference(ours, theirs):
    if ours.shape != theirs.shape:
        return f"{ours.shape[1]} x {ours.shape[0]} pixels where Pillow has {theirs.shape[1]} x {theirs.shape[0]}"
    if np.array_equal(ours, theirs):
        return ""
    most = int(np.abs(ours.astype(np.int16) - theirs).max())
    return f"pixels differ by {most}"


def is_named(text):
    """limn knows what it is, and that it does not read it."""
    return re.match(r"unsupported: (this is|not an image of a known format)", text) is not None


def describe(kind, image, data):
    """What the reasons need to know of a file that both read."""
    text = f"{kind} {image.mode if image else ''}"
    if kind == "PNG":
        text += f" {data[24]} bits"
        sizes = [int.from_bytes(data[at - 4:at], "big") for at in (data.find(b"PLTE"), data.find(b"tRNS"))]
        if image.mode == "P" and sizes[1] > sizes[0] // 3:
            text += ", too many alphas"
    elif kind == "BMP":
        text += f" {data[28]} bits" + (", runs" if data[30] in (1, 2) and data[14] > 12 else "")
    elif kind == "TGA":
        text += f" {data[16] or data[7]} bits"
    elif kind == "PSD":
        text += ", more than used" if data[13] > len(image.getbands()) else ""
    return text + (", key" if image and "transparency" in image.info else "")


def compare(path, decoder):
    """(kind, what limn says, what Pillow says); equal pixels: two empty texts. None: no image."""
    ours, our_text = decoder.decode(path)
    kind, image, theirs, their_text = pillow(path)
    if kind is None and (ours is None and is_named(our_text)):
        return None
    if their_text == "other format":
        return (f"{kind}, named", "", "") if is_named(our_text) else (kind, our_text or "read", their_text)
    if ours is not None and theirs is not None:
        return kind, difference(ours, theirs), describe(kind, image, path.read_bytes())
    if ours is None and theirs is None:
        return "refused by both", our_text if our_text.startswith("CRASH") else "", ""
    return kind or "refused by Pillow", our_text or "reads it", their_text


def reason_of(name, ours, theirs):
    for our_pattern, their_pattern, reason in REASONS:
        if re.search(our_pattern, ours) and re.search(their_pattern, theirs):
            return reason
    return FILES.get(name)


def files_below(folders):
    for folder in folders:
        for path in sorted(pathlib.Path(folder).rglob("*")):
            if path.is_file() and not path.is_symlink() and 0 < path.stat().st_size <= MAX_FILE_SIZE \
                    and "\n" not in str(path):
                yield path


def main(decode_pixels, *folders):
    warnings.simplefilter("ignore")
    decoder = Decoder(decode_pixels)
    kinds, reasons = collections.Counter(), collections.Counter()
    n_outliers = 0
    for path in files_below(folders):
        found = compare(path, decoder)
        if found is None:
            continue
        kind, ours, theirs = found
        kinds[kind] += 1
        if not ours:
            continue
        reason = reason_of(path.name, ours, theirs)
        if reason:
            reasons[reason] += 1
        else:
            n_outliers += 1
            print(f"{path}: limn: {ours}; Pillow: {theirs or 'reads it'}", flush=True)
    print(f"{sum(kinds.values())} images:", ", ".join(f"{n} {kind}" for kind, n in kinds.most_common()))
    for reason, n in reasons.most_common():
        print(f"{n} differ: {reason}")
    print(f"{n_outliers} outliers")
    return 1 if n_outliers else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
