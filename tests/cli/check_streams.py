#!/usr/bin/env python3
"""Standard streams: closed ones, and terminals. check_streams.py TOOLS MODEL

A tool that is started without standard input, output or error opens files all the same, and none of them gets the number of a
standard stream: nothing hangs, and no message goes into a file. On a terminal (a pty), no control character of a name or of a
file's text gets through, from any tool, on standard output or error; a pipe gets the bytes as they are.
"""
import os
import pathlib
import pty
import re
import resource
import subprocess
import sys
import tempfile

import images

EVIL = "x\033]0;title\007\u009b31m\u202e.png"
# What controls a terminal; it turns a line feed into CR LF itself.
STEERS = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|\r(?!\n)")


def close_and_run(command, closed, folder):
    """The exit code and the streams that are left."""
    def close():
        for fd in closed:
            os.close(fd)
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, preexec_fn=close, timeout=300, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def check_closed(tools, model, folder):
    limn = [tools / "limn", "--model", model]
    want = close_and_run([*limn, "a.png"], [], folder)
    for closed in [0], [2], [0, 2]:
        got = close_and_run([*limn, "a.png"], closed, folder)
        if got[:2] != want[:2]:
            yield f"limn a.png without {closed}: {got}"
    code, _, error = close_and_run([*limn, "a.png"], [1], folder)
    if code != 2 or "standard output: Bad file descriptor" not in error:
        yield f"limn a.png without standard output: {code}, {error!r}"
    code, out, error = close_and_run([*limn, "-"], [0], folder)
    if code != 2 or out or "Bad file descriptor" not in error:
        yield f"limn - without standard input: {code}, {out!r}, {error!r}"
    for name in [0, 1, 2], [1, 2]:
        code, *_ = close_and_run([*limn, "-o", f"out{len(name)}.txt", "a.png", "missing.png"], name, folder)
        text = (folder / f"out{len(name)}.txt").read_text()
        if code != 3 or text != want[1]:
            yield f"limn -o without {name}: {code}, and the file is {text!r}"


def check_full(tools, model, folder):
    """What is printed to a full disk, or to no standard output, is not complete."""
    (folder / "two.tsv").write_text("a.png\ta dog runs\n" + EVIL + "\ta cat\n")
    commands = [["limn", "--model", model, "a.png"], ["limn", "--model", model, "--dry-run", "a.png"], ["limn-inspect", model],
                ["limn-convert", "--force", model, "-o", "new.safetensors"],
                ["limn-vocab", "--captions", "two.tsv", "--min-count", "1"],
                ["limn-score", "--model", model, "--images", ".", "--captions", "two.tsv"],
                ["limn-eval", "--refs", "two.tsv", "--hyps", "two.tsv", "--metrics", "bleu"],
                ["limn-train", "--plan", "--images", ".", "--captions", "two.tsv", "--encoder", model, "--min-count", "1"]]
    for tool, *arguments in commands:
        for target in "/dev/full", "/dev/null":
            with open(target, "r" if target == "/dev/null" else "w", encoding="utf-8") as out:
                done = subprocess.run([tools / tool, *arguments], cwd=folder, stdout=out, stderr=subprocess.PIPE, text=True,
                                      timeout=300, check=False)
            if done.returncode != 2 or "standard output" not in done.stderr:
                yield f"{tool} {arguments} to {target}: {done.returncode}, {done.stderr!r}"


def check_size_limit(tools, model, folder):
    """A file beyond the limit of its size is a full disk: an error, and no temporary file is left."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
    for tool, *arguments in (["limn-vocab", "--captions", "captions.tsv", "--min-count", "1", "-o", "v.txt"],
                             ["limn-eval", "--refs", "captions.tsv", "--hyps", "captions.tsv", "--report", "r.html"],
                             ["limn-preprocess", "--model", model, "-o", "limited", "a.png"],
                             ["limn", "--model", model, "--sidecar", "a.png"], ["limn", "--model", model, "--report", "r.html", "a.png"]):
        before = set(os.listdir(folder))
        done = subprocess.run([tools / tool, *arguments], cwd=folder, capture_output=True, text=True, preexec_fn=limit, timeout=300,
                              check=False)
        left = {name for name in os.listdir(folder) if not name.endswith((".limn-run", ".part"))} - before
        if done.returncode != 2 or "File too large" not in done.stderr or left:
            yield f"{tool} {arguments} with a limit of file sizes: {done.returncode}, {done.stderr!r}, {left}"


def check_every_tool_closed(tools, folder):
    for tool in "limn", "limn-convert", "limn-eval", "limn-inspect", "limn-preprocess", "limn-score", "limn-train", "limn-vocab":
        code, out, error = close_and_run([tools / tool, "--version"], [0, 1], folder)
        if code != 2:
            yield f"{tool} --version without standard output: {code}, {out!r}, {error!r}"


def on_terminal(command, folder):
    """What a terminal would show of both streams."""
    main, other = pty.openpty()
    process = subprocess.Popen(command, cwd=folder, stdin=other, stdout=other, stderr=other)
    os.close(other)
    shown = b""
    while True:
        try:
            part = os.read(main, 65536)
        except OSError:
            part = b""
        if not part:
            break
        shown += part
    os.close(main)
    process.wait(60)
    # the progress line erases itself
    return shown.decode(errors="surrogateescape").replace("\r\033[K", "")


def commands(tools, model):
    limn = [tools / "limn", "--model", model]
    for form in "text", "tsv", "csv", "jsonl", "coco", "metadata":
        yield [*limn, "--format", form, EVIL]
    yield [*limn, "--dry-run", EVIL]
    yield [*limn, "no-" + EVIL]
    yield [*limn, "--no-such\033[31m"]
    yield [tools / "limn-score", "--model", model, "--images", ".", "--captions", "captions.tsv"]
    yield [tools / "limn-eval", "--refs", "captions.tsv", "--hyps", "captions.tsv", "--worst", "1"]
    yield [tools / "limn-eval", "--refs", "captions.tsv", "--hyps", "none.tsv"]
    yield [tools / "limn-vocab", "--captions", "captions.tsv", "--min-count", "1"]
    yield [tools / "limn-inspect", EVIL]
    yield [tools / "limn-preprocess", "--model", model, "-o", "cache", EVIL, "no-" + EVIL]
    yield [tools / "limn-convert", EVIL, "-o", "new.safetensors"]
    yield [tools / "limn-train", "--images", ".", "--captions", "none\033.tsv", "--encoder", model, "--run", "run"]


def check_terminal(tools, model, folder):
    for command in commands(tools, model):
        shown = on_terminal(command, folder)
        found = STEERS.search(shown)
        if found:
            yield f"{command}: {found.group()!r} in {shown!r}"
        if not shown:
            yield f"{command}: shows nothing"


def check_pipe(tools, model, folder):
    out = subprocess.run([tools / "limn", "--model", model, EVIL], cwd=folder, capture_output=True, check=False).stdout
    if not out.startswith(EVIL.encode() + b"\t"):
        yield f"through a pipe: {out!r}"


def main():
    tools, model = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for i, path in enumerate(["a.png", EVIL]):
            (folder / path).write_bytes(images.png(20, 30, images.noise(i)))
        (folder / "captions.tsv").write_text(f"{EVIL}\ta \033[31mdog\u009b runs\n")
        (folder / "none.tsv").write_text("no-" + EVIL + "\ta dog\n")
        faults = [*check_closed(tools, model, folder), *check_full(tools, model, folder),
                  *check_size_limit(tools, model, folder), *check_every_tool_closed(tools, folder),
                  *check_terminal(tools, model, folder), *check_pipe(tools, model, folder)]
    print("\n".join(faults) or "standard streams are safe")
    sys.exit(bool(faults))


main()
