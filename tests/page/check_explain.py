#!/usr/bin/env python3
"""Opens a page of limn --explain in headless Chromium and uses it: check_explain.py LIMN MODEL [SCREENSHOTS]

Skipped (exit code 77) without Chromium. The photo has a hostile name. With SCREENSHOTS, a folder, keeps screenshots of
the page at desktop and phone width, light and dark.
"""

import base64
import json
import math
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

import browser

HOSTILE = "<img src=x onerror=\"document.title='bad'\"> & 'so'.jpg"
WIDTHS = {"desktop": (1366, 1900), "phone": (500, 2600)}  # Chromium's windows can't be narrower than 500
# What a user does; the results go into an element that --dump-dom shows.
USE = """<script>
(async () => {
  const $ = (id) => document.getElementById(id);
  while (!document.documentElement.dataset.ready) await new Promise((done) => setTimeout(done, 20));
  const words = () => [...$("words").children];
  const key = (name) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: name, bubbles: true}));
  const pressed = () => words().findIndex((w) => w.getAttribute("aria-pressed") === "true");
  const alternatives = () => [...$("alternatives").children].map((li) => [li.querySelector(".word").firstChild.textContent,
    parseFloat(li.querySelector(".bar i").style.width), li.className]);
  const bytes = () => $("heat").getContext("2d").getImageData(0, 0, $("heat").width, $("heat").height).data;
  const sum = () => bytes().reduce((a, b) => a + b, 0);
  const data = JSON.parse($("data").textContent);
  /* Means of red, green and blue over the parts of a grid of 16 x 16. */
  function blocks() {
    const { width, height } = $("heat"), seen = bytes(), sums = new Float64Array(16 * 16 * 4);
    for (let y = 0, i = 0; y < height; y++)
      for (let x = 0; x < width; x++, i += 4) {
        const block = (Math.floor(16 * y / height) * 16 + Math.floor(16 * x / width)) * 4;
        for (let c = 0; c < 3; c++) sums[block + c] += seen[i + c];
        sums[block + 3]++;
      }
    return [...sums].map((s, i) => s / sums[i - i % 4 + 3]).filter((_, i) => i % 4 < 3);
  }
  const seen = { title: document.title, heading: document.querySelector(".lead").textContent, words: words().map((w) => w.textContent) };
  seen.start = pressed();
  words()[0].focus(); seen.focused = pressed(); seen.alternatives = alternatives(); seen.choice = $("choice-word").textContent;
  const first = sum();
  key("ArrowRight"); key("ArrowRight"); seen.moved = pressed(); seen.movedHeat = sum() !== first; seen.reading = $("reading").textContent;
  key("End"); seen.last = pressed(); key("Home"); seen.home = pressed();
  words()[2].focus(); words()[3].dispatchEvent(new PointerEvent("pointerenter", {pointerType: "mouse"})); seen.hovered = pressed();
  $("words").dispatchEvent(new PointerEvent("pointerleave", {pointerType: "mouse"})); seen.left = pressed();
  const views = [...document.querySelectorAll("#heads input")]; seen.views = views.map((v) => v.getAttribute("aria-label"));
  words()[1].focus(); seen.looks = [];
  for (const view of [views[3], views[views.length - 1], views[0]]) {
    view.click(); seen.looks.push([view.getAttribute("aria-label"), $("reading").textContent, sum()]);
  }
  seen.blocks = blocks();
  $("cells").click(); seen.cells = sum(); $("cells").click(); seen.smooth = sum();
  $("show").click(); seen.hidden = $("heat").hidden; $("show").click();
  const captions = [...document.querySelectorAll("#captions input")]; seen.captions = captions.length;
  captions[1].click(); seen.second = words().map((w) => w.textContent);
  captions[0].click(); seen.again = words().map((w) => w.textContent);
  const tree = [...$("tree").querySelectorAll("button")]; seen.nodes = tree.length;
  seen.current = tree.filter((b) => b.className.includes("is-current")).map((b) => b.textContent);
  seen.note = $("note").hidden;
  const gone = tree.filter((b) => b.className.includes("is-gone")); seen.gone = gone.length;
  gone[0].click(); seen.goneNote = [$("note").hidden, $("note").textContent]; seen.gonePath = words().map((w) => w.textContent);
  tree[0].focus(); key("ArrowRight"); seen.treeKey = document.activeElement.textContent; key("ArrowLeft");
  seen.treeBack = document.activeElement === tree[0]; key("ArrowDown"); seen.treeDown = tree.indexOf(document.activeElement);
  captions[0].click();
  seen.stops = [...document.querySelectorAll("a[href], input, button")].filter((e) => e.tabIndex >= 0).length;
  seen.wide = document.documentElement.scrollWidth - innerWidth;
  seen.outside = performance.getEntriesByType("resource").filter((e) => !e.name.startsWith("data:")).length;
  seen.labels = [...document.querySelectorAll("input, button")].every((e) => e.textContent || e.labels && e.labels[0].textContent || e.getAttribute("aria-label"));
  show(seen);
})();
</script>"""


def read_npy(path):
    """Shape and values of an array of f32."""
    data = path.read_bytes()
    size = struct.unpack("<H", data[8:10])[0]
    shape = [int(n) for n in re.search(rb"\(([^)]*)\)", data[10:10 + size]).group(1).split(b",") if n.strip()]
    return shape, struct.unpack(f"<{math.prod(shape)}f", data[10 + size:])


def read_png(path):
    """Width, height, and the rows of an RGB PNG."""
    data, at, packed = path.read_bytes(), 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            width, height = struct.unpack(">II", data[at + 8:at + 16])
        if kind == b"IDAT":
            packed += data[at + 8:at + 8 + size]
        at += 12 + size
    raw, rows = zlib.decompress(packed), []
    above = bytes(3 * width)
    for y in range(height):
        kind, row = raw[y * (3 * width + 1)], bytearray(raw[y * (3 * width + 1) + 1:(y + 1) * (3 * width + 1)])
        for x in range(3 * width):
            left, up = row[x - 3] if x >= 3 else 0, above[x]
            corner = above[x - 3] if x >= 3 else 0
            guess = left + up - corner
            paeth = min((left, up, corner), key=lambda v: abs(guess - v))
            row[x] = (row[x] + (0, left, up, (left + up) // 2, paeth)[kind]) & 255
        rows.append(row)
        above = row
    return width, height, rows


def check_painting(blocks, path):
    """The page paints the same as the overlay file, apart from the photo's JPEG compression."""
    width, height, rows = read_png(path)
    sums = [[0, 0, 0, 0] for _ in range(256)]
    for y, row in enumerate(rows):
        for x in range(width):
            block = sums[16 * y // height * 16 + 16 * x // width]
            for c in range(3):
                block[c] += row[3 * x + c]
            block[3] += 1
    theirs = [block[c] / block[3] for block in sums for c in range(3)]
    worst = max(abs(a - b) for a, b in zip(blocks, theirs))
    return [f"the page paints otherwise than {path.name}: {worst:.1f} levels off"] if worst > 4 else []


def check_numbers(data, folder):
    """The page's maps are those of attention.npy."""
    problems = []
    shape, values = read_npy(folder / "attention.npy")
    tokens = (folder / "attention.txt").read_text(encoding="utf-8").split("\n")[:-1]
    caption = data["captions"][0]
    if tokens != [t[0] for t in caption["tokens"]] or shape != [len(tokens), data["layers"], data["heads"], *data["grid"][::-1]]:
        problems.append(f"attention.npy: shape {shape}, tokens {tokens}")
    maps = base64.b64decode(data["maps"])
    size = math.prod(shape[1:])
    n_cells = shape[3] * shape[4]
    for word in range(len(tokens)):
        number = data["steps"][word][caption["rows"][word]]["m"]
        theirs = struct.unpack_from(f"<{size}H", maps, number * size * 2)
        ours = values[word * size:(word + 1) * size]
        if max(abs(a - b / 65535) for a, b in zip(ours, theirs)) > 1e-5:
            problems.append(f"word {word}: the page has another map than attention.npy")
        for head in range(size // n_cells):
            if abs(sum(ours[head * n_cells:(head + 1) * n_cells]) - 1) > 1e-5:
                problems.append(f"word {word}, head {head}: does not sum to 1")
    return problems


def check(seen, data):
    problems = []

    def expect(what, value, wanted):
        if value != wanted:
            problems.append(f"{what}: {value!r}, expected {wanted!r}")

    caption, second = data["captions"][:2]
    words = [t[0].replace("</s>", "end") for t in caption["tokens"]]
    expect("name", seen["heading"], HOSTILE)
    expect("title", seen["title"], f"{HOSTILE}: {caption['text']}")
    expect("words", seen["words"], words)
    expect("focus, arrows, End, Home", [seen[k] for k in ("focused", "moved", "last", "home")], [0, 2, len(words) - 1, 0])
    expect("pointing, and away", [seen["hovered"], seen["left"]], [3, 2])
    expect("another word, another map", seen["movedHeat"], True)
    step = data["steps"][0][0]
    expect("alternatives", [a[0] for a in seen["alternatives"]], [a[0] for a in step["a"]])
    expect("their number", len(seen["alternatives"]), 8)
    expect("bars", all(abs(a[1] - 100 * math.exp(b[1])) < 0.1 for a, b in zip(seen["alternatives"], step["a"])), True)
    expect("the chosen one", [a[0] for a in seen["alternatives"] if "is-chosen" in a[2]], [words[0]])
    expect("views", len(seen["views"]), data["layers"] * (data["heads"] + 1) + 1)
    for name, reading, _ in seen["looks"]:
        expect(f"{name} in the reading", name in reading, True)
    expect("views look different", len({look[2] for look in seen["looks"]}), 3)
    expect("cells look different", seen["cells"] != seen["smooth"], True)
    expect("heat map off", seen["hidden"], True)
    expect("captions", seen["captions"], len(data["captions"]))
    expect("second caption", seen["second"], [t[0].replace("</s>", "end") for t in second["tokens"]])
    expect("first again", seen["again"], words)
    expect("nodes", seen["nodes"], sum(len(s) for s in data["steps"][1:]) + len(data["captions"]))
    expect("current branch", seen["current"], words[:-1] + [f"end \u00b7 1"])
    expect("no note", seen["note"], True)
    expect("something was let go", seen["gone"] > 0 and seen["goneNote"][0] is False and seen["goneNote"][1] != "", True)
    expect("a beginning's words", 0 < len(seen["gonePath"]) <= len(words) + 8, True)
    expect("tree by keyboard", [seen["treeKey"], seen["treeBack"], seen["treeDown"]], [words[1], True, 1])
    # the skip link, two boxes, one each for the words and the tree, and all radio buttons
    expect("stops of Tab", seen["stops"], 1 + 2 + 1 + 1 + len(seen["views"]) + len(data["captions"]))
    expect("wider than the window", seen["wide"] <= 0, True)
    expect("requests to elsewhere", seen["outside"], 0)
    expect("everything has a name", seen["labels"], True)
    return problems


def use(chromium, page, text, data, overlays, name):
    """Uses the page at one width, and checks what was seen."""
    problems, seen = browser.use(chromium, page, text, USE, "--window-size=%d,%d" % WIDTHS[name], "--hide-scrollbars")
    if seen:
        problems += check(seen, data) + check_painting(seen["blocks"], next(overlays.glob("02-*.png")))
    return [f"{name}: {problem}" for problem in problems]


def take_screenshots(chromium, page, text, folder):
    """Captures the page at each width, light and dark; each must be a PNG of that size with plenty of content."""
    problems = []
    page.write_text(text, encoding="utf-8")
    for name, size in WIDTHS.items():
        for theme, scheme in (("light", "1"), ("dark", "0")):
            shot = folder / f"explain-{name}-{theme}.png"
            browser.run(chromium, page, f"--window-size={size[0]},{size[1]}", "--hide-scrollbars", f"--screenshot={shot}",
                        f"--blink-settings=preferredColorScheme={scheme}")
            data = shot.read_bytes()
            if struct.unpack(">II", data[16:24]) != size or len(data) < 60000:
                problems.append(f"{shot.name}: {len(data)} bytes, {struct.unpack('>II', data[16:24])}")
    return problems


def main(limn, model, screenshots=None):
    chromium = browser.find()
    root = pathlib.Path(os.environ["LIMN_SOURCE_ROOT"])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shutil.copy(root / "samples/photos/kitten.jpg", folder / HOSTILE)
        subprocess.run([limn, "-q", "--model", model, "--explain", folder / "out", "--attention", folder / "out", folder / HOSTILE],
                       check=True, stdout=subprocess.DEVNULL)
        text = (folder / "out" / (HOSTILE + ".html")).read_text(encoding="utf-8")
        data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S).group(1))
        problems = check_numbers(data, folder / "out" / HOSTILE)
        page = folder / "page.html"
        for width in WIDTHS:
            problems += use(chromium, page, text, data, folder / "out" / HOSTILE, width)
        problems += take_screenshots(chromium, page, text, pathlib.Path(screenshots) if screenshots else folder)
    print("\n".join(problems) or "the page works")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
