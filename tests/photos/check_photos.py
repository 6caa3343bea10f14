#!/usr/bin/env python3
"""Checks photos in the formats of the decoder modules: check_photos.py DECODE_PHOTO LIMN MODEL BUILT...

BUILT: the modules of this build. Files that need another module must fail and name the missing one, except for the
module of colour profiles, without which files are decoded unconverted. The files of tests/data/photos, made by
tests/fixtures/make_photos.py,

    expected.tsv     file, modules, reference image, largest difference, mean difference, note
    bad.tsv          file, module, kind of error, part of its text

are decoded here, and captioned by limn with and without a sandbox, which must not differ.
"""
import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

DATA = pathlib.Path(__file__).resolve().parents[1] / "data" / "photos"
Good = collections.namedtuple("Good", "file module reference largest mean note")
Bad = collections.namedtuple("Bad", "file module kind text")


def rows(kind, name):
    return [kind(*line.split("\t")) for line in (DATA / name).read_text().splitlines()]


def read_ppm(path):
    magic, size, top, pixels = path.read_bytes().split(b"\n", 3)
    assert (magic, top) == (b"P6", b"255"), path
    width, height = map(int, size.split())
    return width, height, pixels


def decode_all(program, files):
    """{file: (width, height, note, pixels) or an error's text}"""
    done = subprocess.run([program], input="".join(f"{DATA / f}\n" for f in files).encode(), stdout=subprocess.PIPE,
                          check=False)
    out, at, found = done.stdout, 0, {}
    for file in files:
        end = out.find(b"\n", at)
        if end < 0:
            raise SystemExit(f"{file}: the decoder died, exit code {done.returncode}")
        line, at = out[at:end].decode(), end + 1
        found[file] = line
        if line.startswith("ok "):
            width, height = map(int, line.split(" ")[1:3])
            size = width * height * 3
            found[file] = (width, height, line.split(" ", 3)[3], out[at:at + size])
            at += size
    return found


def compare(good, got):
    """Lists what is wrong with a decoded image."""
    if isinstance(got, str):
        yield got
        return
    width, height, note, pixels = got
    wanted_width, wanted_height, wanted = read_ppm(DATA / good.reference)
    if (width, height) != (wanted_width, wanted_height):
        yield f"{width} x {height}, not {wanted_width} x {wanted_height}"
        return
    differences = [abs(a - b) for a, b in zip(pixels, wanted, strict=True)]
    largest, mean = max(differences), sum(differences) / len(differences)
    if largest > int(good.largest) or mean > float(good.mean):
        yield f"pixels differ by {largest}, {mean:.2f} in the mean; at most {good.largest}, {good.mean}"
    if good.note not in note or bool(good.note) != bool(note):
        yield f"the note is {note!r}, not {good.note!r}"


def check_decoding(program, good, bad, built):
    found = decode_all(program, [row.file for row in good + bad])
    for row in good + bad:
        got = found[row.file]
        if row.module.split(",")[0] not in built + ("icc",):
            if not isinstance(got, str) or "not supported in this build" not in got:
                yield f"{row.file}: {row.module} is not built, and yet: {str(got)[:200]}"
        elif "icc" in row.module.split(",") and "icc" not in built:
            if isinstance(got, str):
                yield f"{row.file}: {got}"
        elif isinstance(row, Good):
            yield from (f"{row.file}: {what}" for what in compare(row, got))
        elif not isinstance(got, str):
            yield f"{row.file}: decoded, which must fail"
        elif not got.startswith(row.kind + ": ") or row.text not in got:
            yield f"{row.file}: {got!r}, not {row.kind}: {row.text!r}"


def records(limn, model, files, sandbox):
    done = subprocess.run([limn, "--model", model, "--format", "jsonl", "--sandbox", sandbox, "--threads", "2", "-"],
                          input="\n".join(files), text=True, cwd=DATA, capture_output=True, check=False)
    return done, [json.loads(line) for line in done.stdout.splitlines()]


def are_built(row, built):
    return set(row.module.split(",")) <= set(built)


def check_sandbox(limn, model, good, bad, built):
    """Captions and errors are the same with and without a sandbox; nothing that is an error outside kills a sandboxed
    process."""
    files = [row.file for row in good + bad if are_built(row, built)]
    inside, outside = (records(limn, model, files, how) for how in ("auto", "off"))
    for a, b in zip(inside[1], outside[1], strict=True):
        if a != b:
            yield f"in the sandbox: {str(a)[:200]}\n  outside: {str(b)[:200]}"
    if len(inside[1]) != len(files):
        yield f"{len(inside[1])} records of {len(files)} files: {inside[0].stderr}"
    failed = {record["file"] for record in inside[1] if "error" in record}
    if failed != {row.file for row in bad if are_built(row, built)}:
        yield f"in the sandbox other files failed: {failed}"


# What a phone and a camera leave in a folder: {name there: file in DATA, or bytes}
FOLDER = {"IMG_0001.HEIC": "heic_lossless.heic", "IMG_0001.MOV": b"\0\0\0\x14ftypqt  \0\0\2\0qt  \0\0\0\x08wide",
          "IMG_0001.AAE": b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist>\n<plist version="1.0"></plist>\n',
          "IMG_0002.XMP": b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>', "IMG_0002.Avif": "avif_lossless.avif",
          "IMG_0003.JXL": "jxl_lossless.jxl", "SCAN1.TIF": "tiff_lzw.tif", "_DSC0001.NEF": "raw_nikon.nef",
          "DSC0002.ARW": "raw_sony.arw", "P1010003.Orf": "raw_olympus.orf", "IMG_0004.CR2": "raw_canon.cr2", "IMG_0007.CR3": "raw_canon.cr3",
          "DSCF0005.RAF": "raw_fuji.raf", "L1000006.DNG": "raw_dng.dng", "VIDEO.mp4": b"\0\0\0\x18ftypisom\0\0\2\0isommp42"}


IMAGES = {name for name, content in FOLDER.items() if isinstance(content, str)}
WRITABLE = {"SCAN1.TIF"}  # by --write-xmp
# Arguments: exit code, the files that the run makes, and those that it changes.
MODES = {(): (0, set(), set()), ("--format", "jsonl"): (0, set(), set()),
         ("--sidecar",): (0, {name.rsplit(".", 1)[0] + ".txt" for name in IMAGES}, set()),
         ("--sidecar=xmp",): (0, {name + ".xmp" for name in IMAGES} | {".limn-undo"}, set()), ("--write-xmp",): (3, {".limn-undo"}, WRITABLE)}


def check_mode(limn, model, arguments, code, made, changed):
    """Images are captioned however their extension is spelled; videos, edits and sidecars are skipped without a
    warning."""
    with tempfile.TemporaryDirectory() as folder:
        old = {name: (DATA / content).read_bytes() if isinstance(content, str) else content for name, content in FOLDER.items()}
        for name, content in old.items():
            pathlib.Path(folder, name).write_bytes(content)
        done = subprocess.run([limn, "--model", model, "--sandbox", "off", "-r", ".", *arguments], cwd=folder,
                              capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        new = {path.name: path.read_bytes() for path in pathlib.Path(folder).iterdir()}
    if done.returncode != code or set(new) != set(old) | made or {name for name in old if new[name] != old[name]} != changed:
        yield f"{arguments}: exit code {done.returncode}, {sorted(set(new) ^ set(old) ^ made)}, {done.stderr!r}"
    if code and {name for name in IMAGES if f"{name}: " in done.stderr} != IMAGES - changed:
        yield f"{arguments}: other files than {sorted(IMAGES - changed)} failed: {done.stderr!r}"
    lines = done.stdout.splitlines()
    names = {json.loads(line)["file"] if "jsonl" in arguments else line.split("\t")[0] for line in lines}
    if names != (set() if made else {"./" + name for name in IMAGES}):
        yield f"{arguments}: captions of {sorted(names)}"


def check_folder(limn, model):
    """In each mode."""
    has_xmp = "exempi" in subprocess.run([limn, "--version"], capture_output=True, text=True, check=True).stdout
    for arguments, wanted in MODES.items():
        if has_xmp or "xmp" not in "".join(arguments):
            yield from check_mode(limn, model, arguments, *wanted)


def check_loading(limn, model):
    """Modules are loaded for their own images only."""
    for file, wanted in (("icc_srgb.png", set()), ("tiff_lzw.tif", {"limn_tiff.so"})):
        done = subprocess.run([limn, "-q", "--model", model, "--sandbox", "off", DATA / file], capture_output=True, text=True,
                              check=False, env={**os.environ, "LD_DEBUG": "files"})
        loaded = set(re.findall(r"limn_\w+\.so", done.stderr))
        if loaded != wanted:
            yield f"{file}: loads {sorted(loaded)}, not {sorted(wanted)}"


def main(program, limn, model, *built):
    program, limn, model = (pathlib.Path(path).resolve() for path in (program, limn, model))
    good, bad = rows(Good, "expected.tsv"), rows(Bad, "bad.tsv")
    problems = list(check_decoding(program, good, bad, built))
    if built:
        problems += check_sandbox(limn, model, good, bad, built)
    if {"heif", "jxl", "raw", "tiff"} <= set(built):
        problems += check_folder(limn, model)
        problems += check_loading(limn, model)
    print(*problems, sep="\n")
    print(f"{len(good)} good and {len(bad)} bad files; built: {' '.join(built) or 'none'}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
