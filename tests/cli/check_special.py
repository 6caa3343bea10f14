#!/usr/bin/env python3
"""Inputs that are not regular files: check_special.py LIMN MODEL

Pipes, devices, sockets and huge sparse files among the names of a list: each is an error of its own, in bounded time and memory,
and the images around it get their captions. A pipe that somebody writes an image into is read as one.
"""
import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import images

MAX_KB = 600_000


def run(limn, model, names, folder):
    """(exit code, names that got captions, standard error)"""
    done = subprocess.run([limn, "--model", model, "--threads", "1", "-"], input="\n".join(names), text=True, cwd=folder,
                          capture_output=True, timeout=600, check=False)
    return done.returncode, [line.split("\t")[0] for line in done.stdout.splitlines()], done.stderr


def check_refused(limn, model, folder):
    os.mkfifo(folder / "pipe.png")
    with open(folder / "sparse.png", "wb") as file:
        file.truncate(100 << 30)
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(folder / "socket.png"))
    (folder / "zero.png").symlink_to("/dev/zero")
    expected = {"pipe.png": "the file is empty", "sparse.png": "larger than", "socket.png": "", "zero.png": "a device", "/dev/zero": "a device" }
    code, names, error = run(limn, model, ["a.png", *expected, "b.png"], folder)
    if code != 3 or names != ["a.png", "b.png"]:
        yield f"exit code {code}, captions of {names}: {error}"
    for name, reason in expected.items():
        if not any(line.startswith(f"limn: {name}: ") and reason in line for line in error.splitlines()):
            yield f"{name}: nothing of '{reason}' in {error}"
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    if used > MAX_KB:
        yield f"{used} kB of memory"


def check_pipe(limn, model, folder):
    os.mkfifo(folder / "full.png")
    writer = threading.Thread(target=lambda: (folder / "full.png").write_bytes((folder / "a.png").read_bytes()))
    writer.start()
    time.sleep(0.2)
    code, names, error = run(limn, model, ["full.png"], folder)
    # Where limn came first, there was no writer yet.
    if code not in (0, 2) or (code == 0 and names != ["full.png"]) or (code == 2 and "empty" not in error):
        yield f"a pipe with an image: {code}, {names}, {error}"
    if code == 2:
        os.close(os.open(folder / "full.png", os.O_RDONLY | os.O_NONBLOCK))
    writer.join(1)


def check_signal(limn, model, folder):
    os.mkfifo(folder / "silent.png")
    process = subprocess.Popen([limn, "--model", model, "a.png", "silent.png", "b.png"], cwd=folder, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    silent = os.open(folder / "silent.png", os.O_RDWR)
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    begin = time.monotonic()
    try:
        process.wait(200)
    except subprocess.TimeoutExpired:
        process.kill()
        yield f"after SIGTERM, a silent pipe holds it up for {time.monotonic() - begin:.0f} s"
    os.close(silent)


def main():
    limn, model = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for i, path in enumerate(["a.png", "b.png"]):
            (folder / path).write_bytes(images.png(20, 30, images.noise(i)))
        faults = [*check_refused(limn, model, folder), *check_pipe(limn, model, folder), *check_signal(limn, model, folder)]
    print("\n".join(faults) or "inputs that are not regular files are refused")
    sys.exit(bool(faults))


main()
