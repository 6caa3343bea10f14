#!/usr/bin/env python3
"""Captions on CPUs without AVX, emulated: check_old_cpu.py LIMN CONVERT MODEL

On each of these CPUs, limn knows its levels, runs no instruction that the CPU lacks (qemu stops it
there), and writes what it writes on the CPU of this machine, to the last digit, for weights in f32,
f16 and int8. Skipped where there is no qemu-x86_64 (Debian's qemu-user).
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

import images

SKIPPED = 77
LEVELS = {"Conroe": "c", "Nehalem": "c sse41"}


def run(*command):
    """(standard output, what went wrong or "")."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    return done.stdout, f"exit code {done.returncode}: {done.stderr}" if done.returncode else ""


def make_inputs(folder, convert, model):
    """The model in each type, and an image."""
    models = [pathlib.Path(model)]
    for dtype in ("f16", "int8"):
        models.append(folder / f"{dtype}.safetensors")
        _, problem = run(convert, model, "--dtype", dtype, "-q", "-o", models[-1])
        if problem:
            sys.exit(problem)
    image = folder / "image.png"
    image.write_bytes(images.png(64, 64, images.noise(1)))
    return models, image


def check(qemu, limn, models, image):
    """What is wrong, line by line."""
    for cpu, levels in LEVELS.items():
        version, _ = run(qemu, "-cpu", cpu, limn, "--version")
        if f"CPU levels here: {levels}\n" not in version:
            yield f"{cpu}: other levels than {levels}"
        for model in models:
            command = [limn, "--model", model, "--format", "jsonl", "--n-best", "2", "--threads", "1", image]
            (here, problem), (there, problem_there) = run(*command), run(qemu, "-cpu", cpu, *command)
            if problem or problem_there:
                yield f"{cpu}: {model.name}: {problem or problem_there}"
            elif here != there:
                yield f"{cpu}: {model.name}: {there}, not {here}"


def main(limn, convert, model):
    qemu = shutil.which("qemu-x86_64") or shutil.which("qemu-x86_64-static")
    if not qemu:
        print("skipped: there is no qemu-x86_64 (Debian: qemu-user)")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        models, image = make_inputs(pathlib.Path(folder), convert, model)
        problems = list(check(qemu, pathlib.Path(limn).resolve(), models, image))
    print("\n".join(problems) or f"{len(LEVELS)} CPUs, {len(models)} models, the same captions")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
