#!/usr/bin/env python3
"""Runs check_parity.py on models that the reference material makes: check_shared.py TOOLS SCRIPTS [FOLDER…]

SCRIPTS is a folder of scripts fx_*.py, which make tiny models from SEEDS in the public layout, with the original code's
numbers. FOLDERs hold models made before, for example full-size ones. Needs torch, transformers,
safetensors and pillow, and for VirTex a checkout of its code (VIRTEX_SRC), cv2, which that needs, and captions
(CORPUS). What is missing is skipped, with a message; exit code 77 if nothing could be checked."""

import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile

CHECK = pathlib.Path(__file__).with_name("check_parity.py")
PICTURE = "../../data/coco_dev/images/000000000285.jpg"  # for SCRIPTS, and for folders without an image
MODULES = ("torch", "transformers", "safetensors", "PIL")
# For each model, variables of the environment and more modules.
MODELS = {"blip": ((), ()), "git": ((), ()), "vitgpt2": ((), ()), "virtex": (("VIRTEX_SRC", "CORPUS"), ("cv2",))}
SEEDS = (1, 2)


def not_installed(modules):
    """Those modules that aren't."""
    return [m for m in modules if importlib.util.find_spec(m) is None]


def missing(scripts):
    """What the reference material needs and is missing."""
    if not scripts.is_dir():
        return f"no {scripts}"
    modules = not_installed(MODULES)
    return f"{', '.join(modules)} not installed" if modules else ""


def parity(tools, folder, scripts):
    """The exit code of check_parity.py."""
    image = [] if list(folder.glob("picture.*")) else ["--image", scripts / PICTURE]
    return subprocess.run([sys.executable, "-B", CHECK, tools, folder, *image], check=False).returncode


def makes(scripts, name, seed, folder):
    """Has the script make a model; returns whether it did."""
    environment = {**os.environ, "SEED": str(seed), "THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, scripts / f"fx_{name}.py", "tiny", folder], env=environment, check=False,
                          capture_output=True, text=True)
    if done.returncode:
        print(f"fx_{name}.py tiny, seed {seed}: {done.stderr.strip().splitlines()[-1]}")
    return done.returncode == 0


def main():
    tools, scripts = sys.argv[1], pathlib.Path(sys.argv[2]).absolute()
    given = [pathlib.Path(f) for f in sys.argv[3:]]
    codes = [parity(tools, folder, scripts) for folder in given]
    reason = missing(scripts)
    if reason:
        print(f"left out: tiny models of the reference material: {reason}")
    for name, (variables, modules) in MODELS.items() if not reason else ():
        absent = [v for v in variables if v not in os.environ] + not_installed(modules)
        if absent:
            print(f"left out: {name}: no {', '.join(absent)}")
            continue
        for seed in SEEDS:
            with tempfile.TemporaryDirectory() as work:
                folder = pathlib.Path(work) / f"{name}-{seed}"
                codes.append(parity(tools, folder, scripts) if makes(scripts, name, seed, folder) else 1)
    return 77 if not codes else int(any(codes))


if __name__ == "__main__":
    sys.exit(main())
