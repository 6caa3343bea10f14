#!/usr/bin/env python3
"""Runs every fuzz target for a number of CPU-minutes: run_all.py FOLDER [--minutes N] [--only NAME ...]

FOLDER, which must lie outside the tree, holds all that comes of it: build/, corpus/NAME/, findings/NAME/ and
log.tsv with a line for each round: when, target, CPU seconds of the round and of all rounds, executions, files in
the corpus, findings. A run that was stopped continues where it was; so does one with a larger N. Needs clang.

What a target finds goes to findings/NAME/ and ends its rounds. After mending it, the file moves to tests/data,
where every test run replays it, and the target goes on. Exit code 1 when there are findings.
"""
import argparse
import os
import pathlib
import re
import resource
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROUND = 60  # seconds
# Libraries without frame pointers, whose leaks library_leaks.txt names by functions further up.
WITH_WHOLE_STACKS = {"heif"}
# Bytes of an input at most, where libFuzzer's own choice does not fit.
MAX_SIZE = {"image": 1 << 16, "archive": 1 << 16, "list": 70000, "options": 1000}


def targets():
    """{name: [folders of seeds]} as in meson.build."""
    text = (ROOT / "tests/fuzz/meson.build").read_text()
    entries = re.search(r"fuzz_entries = \{\n(.*?)\}", text, re.DOTALL).group(1)
    found = {name: re.findall(r"'(\w+)'", folders) for name, folders in re.findall(r"'(\w+)': \[(.*?)\]", entries)}
    decoders = (ROOT / "tools/annotate/decoders/meson.build").read_text()
    modules = re.search(r"decoder_modules = \{\n(.*?)\n\}", decoders, re.DOTALL).group(1)
    return found | {name: ["photos"] for name in re.findall(r"(?m)^ +'(\w+)':", modules)}


def build(folder):
    if not (folder / "build.ninja").exists():
        subprocess.run(["meson", "setup", folder, ROOT, "--buildtype=debugoptimized", "-Dfuzzing=libfuzzer",
                        "-Db_sanitize=address,undefined", "-Db_lundef=false"],
                       check=True, env={**os.environ, "CC": "clang"}, stdout=subprocess.DEVNULL)
    names = [f"tests/fuzz/fuzz_{name}" for name in targets()]
    subprocess.run(["ninja", "-C", folder, *names], check=True, stdout=subprocess.DEVNULL)


def seconds_used(log):
    """CPU seconds of each target so far."""
    used = {}
    if log.exists():
        for line in log.read_text().splitlines():
            columns = line.split("\t")
            used[columns[1]] = float(columns[3])
    return used


def findings(folder, name):
    path = folder / "findings" / name
    return sorted(path.iterdir()) if path.exists() else []


def run_round(folder, name, seeds, seconds):
    """One round; CPU seconds and what libFuzzer said at its end."""
    corpus, found = folder / "corpus" / name, folder / "findings" / name
    corpus.mkdir(parents=True, exist_ok=True)
    found.mkdir(parents=True, exist_ok=True)
    command = [folder / "build/tests/fuzz" / f"fuzz_{name}", f"-max_total_time={seconds}", "-timeout=25",
               "-rss_limit_mb=2048", "-print_final_stats=1", f"-artifact_prefix={found}/", "-close_fd_mask=3"]
    if name in MAX_SIZE:
        command.append(f"-max_len={MAX_SIZE[name]}")
    asan = "detect_leaks=1:allocator_may_return_null=1"
    if name in WITH_WHOLE_STACKS:
        asan += ":fast_unwind_on_malloc=0"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*command, corpus, *(ROOT / "tests/data" / seed for seed in seeds)], check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          env={**os.environ, "ASAN_OPTIONS": asan,
                               "LSAN_OPTIONS": f"suppressions={ROOT / 'tests/fuzz/library_leaks.txt'}:print_suppressions=0",
                               "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        (folder / f"{name}.txt").write_bytes(done.stderr)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stderr.decode("utf-8", "replace")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--only", nargs="*", default=[], choices=sorted(targets()))
    parser.add_argument("folder", type=pathlib.Path)
    options = parser.parse_args()
    folder = options.folder.resolve()
    if ROOT in (folder, *folder.parents):
        sys.exit("FOLDER must lie outside the tree")
    folder.mkdir(parents=True, exist_ok=True)
    build(folder / "build")
    log = folder / "log.tsv"
    names = [name for name in targets() if not options.only or name in options.only]
    while True:
        used = seconds_used(log)
        left = [n for n in names if used.get(n, 0) < options.minutes * 60 and not findings(folder, n)]
        if not left:
            break
        name = min(left, key=lambda n: used.get(n, 0))
        seconds = min(ROUND, int(options.minutes * 60 - used.get(name, 0)) + 1)
        cpu, said = run_round(folder, name, targets()[name], seconds)
        executions = re.search(r"stat::number_of_executed_units:\s*(\d+)", said)
        line = (time.strftime("%Y-%m-%d %H:%M:%S"), name, f"{cpu:.1f}", f"{used.get(name, 0) + cpu:.1f}",
                executions.group(1) if executions else "?", len(list((folder / "corpus" / name).iterdir())),
                len(findings(folder, name)))
        with log.open("a") as file:
            file.write("\t".join(map(str, line)) + "\n")
        print(*line, sep="\t", flush=True)
    used = seconds_used(log)
    n_found = 0
    for name in names:
        found = findings(folder, name)
        n_found += len(found)
        print(f"{name}: {used.get(name, 0) / 60:.1f} CPU-minutes, {len(found)} findings", *found, sep="\n  ")
    sys.exit(1 if n_found else 0)


if __name__ == "__main__":
    main()
