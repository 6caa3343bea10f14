#!/usr/bin/env python3
"""Archives in, a file for each out (limn -o FOLDER/, --tar): check_shards.py LIMN MODEL [KILLS]

Records by shard are those of one run over all; a tar has every member of its source byte for byte, with captions added
beside the images; and a run that is killed at random moments and begun again ends with the same bytes.
"""
import gzip
import io
import json
import pathlib
import random
import subprocess
import sys
import tarfile
import tempfile
import time

import images

N_SHARDS, N_SAMPLES = 6, 12
LONG = "folder-" + "x" * 120 + "/"


def add(tar, name, data):
    info = tarfile.TarInfo(name)
    info.size, info.mtime = len(data), 1000000000
    tar.addfile(info, io.BytesIO(data))


def make_tar(path, members):
    """A tar of (name, bytes) at this path."""
    with tarfile.open(path, "w") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def make_shards(folder):
    """Tars of samples: an image, its class; in each, a broken image, a hidden one, odd names."""
    paths = []
    for shard in range(N_SHARDS):
        out = io.BytesIO()
        kind = (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)[shard % 2]
        with tarfile.open(fileobj=out, mode="w", format=kind) as tar:
            for sample in range(N_SAMPLES):
                key = (LONG if sample == 3 else "./" if sample == 4 else "gr\u00fc\u00dfe " if sample == 5 else "")
                key += f"{shard}{sample:03}"
                image = images.png(20 + sample, 30 + shard, images.noise(100 * shard + sample))
                add(tar, key + ".png", image[:50] if sample == 6 else image)
                add(tar, key + ".cls", b"%d" % sample)
        path = folder / f"shard{shard}.tar{'.gz' if shard % 3 == 2 else ''}"
        path.write_bytes(gzip.compress(out.getvalue(), 1) if shard % 3 == 2 else out.getvalue())
        paths.append(path)
    return paths


def run(limn, model, *arguments):
    return subprocess.run([limn, "-q", "--model", model, *map(str, arguments)], capture_output=True, text=True, check=False)


def contents(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def raw_members(data):
    """(name, bytes with header and padding) of each member of a tar."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        members = tar.getmembers()
    ends = [-(-(m.offset_data + m.size) // 512) * 512 for m in members]
    return [(m.name, data[begin:end], data[m.offset_data:m.offset_data + m.size])
            for m, begin, end in zip(members, [0, *ends], ends)], data[ends[-1]:]


def check_tar(source, data, records):
    original = gzip.decompress(source.read_bytes()) if source.suffix == ".gz" else source.read_bytes()
    (before, rest), (after, rest_after) = raw_members(original), raw_members(data)
    added = {name: text for name, _, text in after} if after else {}
    if [m for m in after if not m[0].endswith((".txt", ".json"))] != before or rest != rest_after:
        yield f"{source.name}: a member is not what it was"
    for record in records:
        member = record["file"].split(f"{source.name}/", 1)[1]
        names = [name for name, _, _ in before if name.removeprefix("./") == member]
        key = names[0].rsplit(".", 1)[0]
        wanted = None if "error" in record else record["caption"].encode() + b"\n"
        if added.get(key + ".txt") != wanted:
            yield f"{source.name}: {key}.txt is {added.get(key + '.txt')}"
        if wanted and json.loads(added[key + ".json"]) != record:
            yield f"{source.name}: {key}.json differs"
        order = [name for name, _, _ in after]
        if wanted and order[order.index(names[0]) + 1:][:2] != [key + ".txt", key + ".json"]:
            yield f"{source.name}: {key} is not together"


def check_results(limn, model, folder, shards):
    one = run(limn, model, "--format", "jsonl", *shards).stdout.splitlines(keepends=True)
    done = run(limn, model, "-o", f"{folder}/records/", *shards)
    if done.returncode != 3:
        yield f"records: exit code {done.returncode}: {done.stderr}"
    found = contents(folder / "records")
    wanted = {f"shard{i}.jsonl": "".join(one[i * N_SAMPLES:][:N_SAMPLES]).encode() for i in range(N_SHARDS)}
    if found != wanted:
        yield "records by shard differ from those of one run"
    run(limn, model, "-o", f"{folder}/tars/", "--tar", "txt", "--tar", "json", "--threads", "5", *shards)
    tars = contents(folder / "tars")
    if list(tars) != [f"shard{i}.tar" for i in range(N_SHARDS)]:
        yield f"tars: {list(tars)}"
        return
    for i, shard in enumerate(shards):
        records = [json.loads(line) for line in one[i * N_SAMPLES:][:N_SAMPLES]]
        yield from check_tar(shard, tars[f"shard{i}.tar"], records)
    again = run(limn, model, "-o", f"{folder}/tars/", "--tar", "txt", "--tar", "json", *shards)
    if again.returncode or contents(folder / "tars") != tars:
        yield f"a second run: exit code {again.returncode}"


def check_kills(limn, model, folder, shards, name, options, n_kills):
    """Kills runs until so many were killed; each time the run is begun again with the same command."""
    whole, killed = contents(folder / name), 0
    for attempt in range(10 * n_kills):
        out = folder / f"{name}.{attempt}"
        command = [limn, "-q", "--model", model, "-o", f"{out}/", *options, *map(str, shards)]
        for _ in range(20):
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                try:
                    process.wait(random.uniform(0.02, 0.6))
                    break
                except subprocess.TimeoutExpired:
                    process.kill()
                    killed += 1
        else:
            subprocess.run(command, check=False, capture_output=True)
        if contents(out) != whole:
            yield f"{name}: other bytes after kills: {sorted(contents(out))}"
            return
        if killed >= n_kills:
            return
    yield f"{name}: killed only {killed} times"


def check_refusals(limn, model, folder, shards):
    loose = folder / "loose.png"
    loose.write_bytes(images.png(20, 20, images.noise(1)))
    (folder / "other").mkdir()
    (folder / "other" / shards[0].name).write_bytes(shards[1].read_bytes())
    image = loose.read_bytes()
    two = make_tar(folder / "two.tar", [("dog.jpg", image), ("dog.png", image)])
    pair = make_tar(folder / "pair.tar", [("dog.jp2", b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(20)), ("dog.jpg", image)])
    cut = folder / "cut.tar"
    cut.write_bytes(shards[0].read_bytes()[:20000])
    for name, arguments, code, wanted, files in (
            ("an ending that is taken", ["--tar", "cls", shards[0]], 1, "choose another extension for --tar", set()),
            ("an image in no archive", [loose], 2, "is not in an archive", set()),
            ("two of a name", [shards[0], folder / "other" / shards[0].name], 3, "given earlier", {"shard0.jsonl"}),
            ("one twice", [shards[0], shards[0]], 3, "given earlier", {"shard0.jsonl"}),
            ("a tar that is cut off", ["--tar", "txt", cut, shards[1]], 2, "the archive is cut off", {"shard1.tar"}),
            ("records of a tar that is cut off", [cut, shards[1]], 2, "the archive is cut off", {"shard1.jsonl"}),
            ("two images of a name", ["--tar", "txt", two], 1, "would share a member dog.txt", set()),
            ("a JPEG 2000 beside its JPEG", ["--tar", "txt", pair], 3, "this is JPEG 2000", {"pair.tar"}),
            ("an ending twice", ["--tar", "txt", "--tar", "json", "--tar", "txt", shards[0]], 1, "given twice", set()),
            ("an ending with a slash", ["--tar", "a/b", shards[0]], 1, "is not a valid extension", set()),
            ("a format with --tar", ["--tar", "txt", "--format", "csv", shards[0]], 1, "can't be combined with --format", set())):
        out = folder / name.replace(" ", "_")
        done = run(limn, model, "-o", f"{out}/", *arguments)
        left = set(contents(out)) if out.exists() else set()
        if done.returncode != code or wanted not in done.stderr or left != files:
            yield f"{name}: exit code {done.returncode}, {left}: {done.stderr}"


def check_siblings(limn, model, folder):
    """Of several files of one photo, one gets the members that are added; records have each of them."""
    if "libtiff" not in subprocess.run([limn, "--version"], capture_output=True, text=True, check=True).stdout:
        print("left out: several files of one photo (no libtiff)")
        return
    data = pathlib.Path(__file__).resolve().parents[1] / "data"
    jpeg, tiff = (data / "images/grey.jpg").read_bytes(), (data / "photos/tiff_lzw.tif").read_bytes()
    members = [("a.tif", tiff), ("a.jpg", jpeg), ("b.jpg", jpeg), ("b.tif", tiff), ("c.tif", tiff)]
    tar, out = make_tar(folder / "photos.tar", members), folder / "photos out"
    captions = {line.split("\t")[0].removeprefix(f"{tar}/"): line.split("\t")[1]
                for line in run(limn, model, tar).stdout.splitlines()}
    done = subprocess.run([limn, "--model", model, "-o", f"{out}/", "--tar", "txt", "--tar", "json", tar], capture_output=True,
                          text=True, check=False)
    copy = [(member[0], member[-1]) for member in raw_members((out / tar.name).read_bytes())[0]] if done.returncode == 0 else []
    wanted = {f"{photo[0]}.txt": f"{captions[photo]}\n".encode() for photo in ("a.jpg", "b.jpg", "c.tif")}
    if (len(captions) != 5 or "2 images share the caption of another file of the same photo" not in done.stderr or
            {name: data for name, data in copy if name.endswith("txt")} != wanted or len(copy) != 5 + 2 * 3 or
            [pair for pair in copy if pair[0][2:] in ("jpg", "tif")] != members):
        yield f"several files of one photo: exit code {done.returncode}, {[name for name, _ in copy]}: {done.stderr}"
    both = make_tar(folder / "taken.tar", [*members, ("a.txt", b"x")])
    done = run(limn, model, "-o", f"{folder}/taken photos/", "--tar", "txt", both)
    if done.returncode != 1 or "already has a member a.txt" not in done.stderr:
        yield f"several files and a text: exit code {done.returncode}: {done.stderr}"


def check_clashes(limn, model, folder):
    """What two members of one name would come of is refused before anything is written, and then anything goes."""
    image = images.png(20, 20, images.noise(1))
    good = make_tar(folder / "good.tar", [("first.png", image)])
    for name, members, wanted in (
            ("taken before", [("a.txt", b"x"), ("b.png", image), ("a.png", image)], "already has a member a.txt"),
            ("taken after", [("b.png", image), ("a.png", image), ("./a.txt", b"x")], "already has a member a.txt"),
            ("one name", [("./0.png", image), ("0.png", image)], "has two members 0.png"),
            ("one name in a folder", [("d/./0.png", image), ("d/0.png", image)], "has two members d/0.png"),
            ("one added name", [("./0.png", image), ("0.jpg", image)], "0.png and 0.jpg would share a member 0.txt"),
            ("a number", [("0.png", image), ("0.gif", image)], "0.png and 0.gif would share a member 0.txt")):
        tar, out = make_tar(folder / f"{name}.tar", members), folder / f"{name} out"
        listed = subprocess.run([limn, "-q", "--model", model, "-o", f"{out}/", "--tar", "txt", "-"], capture_output=True,
                                text=True, check=False, input=f"{good}\n{tar}\n")
        done = run(limn, model, "-o", f"{out}/", "--tar", "txt", good, tar)
        for attempt in (done, listed):
            if attempt.returncode != 1 or f"{tar}: {wanted}" not in attempt.stderr or out.exists():
                yield f"{name}: exit code {attempt.returncode}: {attempt.stderr}"
        kept = run(limn, model, "-o", f"{out}/", "--tar", "txt", "--exclude", "0.png", "--exclude", "a.png", good, tar)
        rest = {tar.name} if wanted.find("two members") < 0 else set()
        if kept.returncode or set(contents(out)) != {"good.tar", *rest}:
            yield f"{name}: without the image: exit code {kept.returncode}: {kept.stderr}"
    other = run(limn, model, "-o", f"{folder}/taken out/", "--tar", "caption", good, folder / "taken before.tar")
    if other.returncode or list(contents(folder / "taken out")) != ["good.tar", "taken before.tar"]:
        yield f"another ending: exit code {other.returncode}: {other.stderr}"
    done = run(limn, model, "--sidecar", "--out-dir", folder / "beside", folder / "one name.tar")
    if done.returncode != 1 or "has two members with this name" not in done.stderr or (folder / "beside").exists():
        yield f"sidecars of one name: exit code {done.returncode}: {done.stderr}"


def main(limn, model, n_kills="6"):
    limn, model = pathlib.Path(limn).resolve(), pathlib.Path(model).resolve()
    random.seed(time.time_ns())
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shards = make_shards(folder)
        problems = list(check_results(limn, model, folder, shards))
        if not problems:
            problems += check_kills(limn, model, folder, shards, "records", [], int(n_kills))
            problems += check_kills(limn, model, folder, shards, "tars", ["--tar", "txt", "--tar", "json"], int(n_kills))
        problems += check_refusals(limn, model, folder, shards)
        problems += check_clashes(limn, model, folder)
        problems += check_siblings(limn, model, folder)
    print("\n".join(problems) or "shards come out as they should")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
