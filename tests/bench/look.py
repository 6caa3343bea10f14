#!/usr/bin/env python3
"""Makes a page on which captions are judged by eye: right, partly right or wrong.

    look.py --images FOLDER --captions OLD.tsv [--captions NEW.tsv] [--n 60] [--seed 1] -o page.html

A caption file has lines "name<TAB>caption" or JSON objects as limn --format jsonl writes them. The images are N of those
that have a caption in every file, chosen by a hash of seed and name, without a look at the captions. With two files the
captions of an image stand one above the other in an order that the seed decides for each image; which is which is not revealed before all are judged. Keys: 1, 2, 3 judge the first caption right, partly right, wrong; 4, 5, 6 the second; the
arrows go to another image. The table at the end counts; "Download" saves all judgements as JSON. The page is one file,
keeps its judgements in the browser, and is the same bytes for the same files and options. Standard library only."""

import argparse
import base64
import hashlib
import html
import json
import sys
from pathlib import Path

VERDICTS = ("right", "partly", "wrong")
MAGICS = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG", "image/png"), (b"GIF8", "image/gif"), (b"RIFF", "image/webp"))

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Captions to judge</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 48rem; margin: 1rem auto; padding: 0 1rem; }
img { max-width: 100%; max-height: 60vh; display: block; margin: .5rem 0; }
fieldset { border: 1px solid #999; margin: .5rem 0; }
button[aria-pressed=true] { outline: 3px solid #06c; }
table { border-collapse: collapse; } td, th { border: 1px solid #999; padding: .2rem .6rem; text-align: right; }
th:first-child { text-align: left; }
</style>
<h1>Captions to judge</h1>
<p>Is all that the caption says there, and is it what matters? Keys: 1 right, 2 partly, 3 wrong@SECOND@; arrows: another image.</p>
<p><button id="back">← back</button> <span id="where" aria-live="polite"></span> <button id="on">on →</button></p>
<img id="image" alt="the image to judge">
<div id="captions"></div>
<section id="end" hidden><h2>All judged</h2><div id="table"></div><p><button id="download">Download</button></p></section>
<script>
"use strict";
const data = @DATA@;
const VERDICTS = ["right", "partly", "wrong"];
const $ = (id) => document.getElementById(id);
const files = JSON.parse(atob(data.files));
const store = "limn-look " + data.key;
let at = 0, judged = {};
try { judged = JSON.parse(localStorage.getItem(store)) || {}; } catch (error) { judged = {}; }
const n_captions = files.length;
const verdict = (image, place) => judged[image + " " + place];
/* The file whose caption stands at a place: the swap is undone only here. */
const file_at = (item, place) => (item.swap ? n_captions - 1 - place : place);
const is_done = () => data.items.every((item, i) => files.every((f, place) => verdict(i, place) !== undefined));

function judge(place, value) {
  judged[at + " " + place] = value;
  try { localStorage.setItem(store, JSON.stringify(judged)); } catch (error) { /* a page from a file may not */ }
  render();
  if (files.every((f, p) => verdict(at, p) !== undefined) && at + 1 < data.items.length) setTimeout(() => go(at + 1), 150);
}

function go(to) {
  at = Math.max(0, Math.min(data.items.length - 1, to));
  render();
}

function results() {
  return data.items.map((item, i) => ({ image: item.name, captions: files.map((file, f) => {
    const place = item.swap ? n_captions - 1 - f : f;
    return { file, caption: item.captions[place], verdict: VERDICTS[verdict(i, place)] };
  }) }));
}

function counts() {
  return files.map((file, f) => VERDICTS.map((v) => results().filter((r) => r.captions[f].verdict === v).length));
}

function pairs() {
  const better = [0, 0, 0];
  for (const r of results()) {
    const [a, b] = r.captions.map((c) => VERDICTS.indexOf(c.verdict));
    better[a < b ? 0 : a > b ? 2 : 1]++;
  }
  return better;
}

function row(cells, tag) {
  const tr = document.createElement("tr");
  cells.forEach((text, i) => {
    const cell = document.createElement(i === 0 ? "th" : tag);
    cell.textContent = text;
    tr.append(cell);
  });
  return tr;
}

function render_end() {
  $("end").hidden = !is_done();
  if (!is_done()) return;
  const table = document.createElement("table");
  table.append(row(["captions of", ...VERDICTS], "th"));
  counts().forEach((c, f) => table.append(row([files[f], ...c], "td")));
  $("table").replaceChildren(table);
  if (n_captions === 2) {
    const [first, same, second] = pairs();
    const p = document.createElement("p");
    p.textContent = `${files[0]} better: ${first}, both alike: ${same}, ${files[1]} better: ${second}`;
    $("table").append(p);
  }
}

function render() {
  const item = data.items[at];
  $("image").src = item.image;
  $("where").textContent = `${at + 1} of ${data.items.length}`;
  $("captions").replaceChildren(...item.captions.map((caption, place) => {
    const box = document.createElement("fieldset");
    const text = document.createElement("p");
    text.textContent = caption;
    box.append(text, ...VERDICTS.map((name, value) => {
      const button = document.createElement("button");
      button.textContent = `${place * 3 + value + 1} ${name}`;
      button.setAttribute("aria-pressed", verdict(at, place) === value);
      button.onclick = () => judge(place, value);
      return button;
    }));
    return box;
  }));
  render_end();
}

addEventListener("keydown", (event) => {
  const key = "123456".indexOf(event.key);
  if (event.key === "ArrowLeft") go(at - 1);
  else if (event.key === "ArrowRight") go(at + 1);
  else if (key >= 0 && event.key && Math.floor(key / 3) < n_captions) judge(Math.floor(key / 3), key % 3);
});
$("back").onclick = () => go(at - 1);
$("on").onclick = () => go(at + 1);
$("download").onclick = () => {
  const text = JSON.stringify({ seed: data.seed, verdicts: VERDICTS, files, counts: counts(),
    pairs: n_captions === 2 ? pairs() : undefined, images: results() }, null, 1);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = "judged.json";
  link.click();
};
render();
</script>
</body>
"""


def read_captions(path):
    """{name: caption} of a file, the first caption of each name."""
    captions = {}
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        if line.startswith("{"):
            record = json.loads(line)
            name, caption = record.get("file") or record.get("id"), record.get("caption")
        else:
            name, _, caption = line.partition("\t")
        if name and caption:
            captions.setdefault(name.split("#")[0].rsplit("/", 1)[-1], caption)
    return captions


def draw(seed, *words):
    """A number that seed and words decide."""
    return int.from_bytes(hashlib.sha256("\0".join([str(seed), *words]).encode()).digest()[:8], "big")


def choose(names, n, seed):
    """N of the names, in an order of their own."""
    return sorted(names, key=lambda name: (draw(seed, "image", name), name))[:n]


def image_url(path):
    """The image within the page."""
    data = Path(path).read_bytes()
    kind = next((kind for magic, kind in MAGICS if data.startswith(magic)), None)
    if not kind:
        sys.exit(f"{path}: browsers show JPEG, PNG, GIF and WebP")
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def make_page(images, paths, n, seed):
    """The page's text."""
    files = [read_captions(path) for path in paths]
    names = [name for name in set.intersection(*map(set, files)) if (Path(images) / name).is_file()]
    if not names:
        sys.exit("no image of the folder has a caption in every file")
    items = []
    for name in choose(names, n, seed):
        captions = [file[name] for file in files]
        swap = len(files) == 2 and draw(seed, "order", name) % 2 == 1
        items.append({"name": name, "image": image_url(Path(images) / name), "swap": swap,
                      "captions": captions[::-1] if swap else captions})
    labels = base64.b64encode(json.dumps([Path(path).name for path in paths]).encode()).decode()
    key = hashlib.sha256(json.dumps([seed, [[i["name"], i["captions"]] for i in items]]).encode()).hexdigest()[:16]
    data = json.dumps({"seed": seed, "key": key, "files": labels, "items": items}).replace("<", "\\u003c")
    second = html.escape("; 4, 5, 6 for the second") if len(files) == 2 else ""
    return PAGE.replace("@SECOND@", second).replace("@DATA@", data)


def main():
    """Writes the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--images", required=True)
    parser.add_argument("--captions", action="append", required=True)
    parser.add_argument("--n", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", required=True)
    args = parser.parse_args()
    if len(args.captions) > 2:
        parser.error("one caption file or two")
    Path(args.output).write_text(make_page(args.images, args.captions, args.n, args.seed), encoding="utf-8")


if __name__ == "__main__":
    main()
