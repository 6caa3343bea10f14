#!/usr/bin/env python3
"""Opens a page of limn-eval --report in headless Chromium and uses it: check_report.py LIMN_EVAL

Skipped (exit code 77) without Chromium. Captions are hostile on purpose.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import browser

HOSTILE = '</script><img src=x onerror="document.title=1"> & "quoted" \'so\' <b>'
# What a user does.
USE = """
<script>
addEventListener("load", () => {
  const $ = (id) => document.getElementById(id);
  const names = () => [...document.querySelectorAll("#cards .name")].map((e) => e.textContent);
  const set = (id, value, type) => { $(id).value = value; $(id).dispatchEvent(new Event(type, {bubbles: true})); };
  const seen = { title: document.title, keys: [...$("sort").options].map((o) => o.textContent),
    first: names(), madeUp: [...document.querySelectorAll(".made-up")].map((e) => e.textContent),
    classes: document.querySelectorAll("details tr").length - 1, more: $("more").hidden, histograms: document.querySelectorAll(".histograms svg").length,
    bins: [...document.querySelectorAll(".reliability g title")].map((e) => e.textContent),
    thumbnails: [...document.images].map((i) => [i.closest("li").querySelector(".name").textContent, i.naturalWidth, i.naturalHeight]),
    alts: [...document.images].map((i) => i.alt), links: [...document.querySelectorAll("#cards .name a")].map((e) => e.getAttribute("href")) };
  set("order", "best", "change"); seen.best = names();
  set("sort", "-1", "change"); set("order", "worst", "change"); seen.names = names();
  set("search", "hostile quoted", "input"); seen.found = names(); seen.hostile =
    document.querySelector("#cards h3") && document.querySelector("#cards h3").textContent;
  set("search", "nothing-like-this", "input"); seen.none = $("count").textContent;
  set("search", "", "input"); $("more").click(); seen.all = names().length;
  seen.focusable = [...document.querySelectorAll("a[href], input, select, button")].every((e) => e.tabIndex >= 0);
  seen.outside = performance.getEntriesByType("resource").filter((e) => !e.name.startsWith("data:")).length;
  show(seen);
});
</script>
"""


def write_inputs(folder):
    """40 images: the n-th has n of its caption's 40 words right; p03 invents a cat, p07 is hostile."""
    refs, hyps = [], []
    for n in range(40):
        words = [f"w{i}" for i in range(40)]
        caption = " ".join(words[:n] + ["x" if n != 3 else "cat"] * (40 - n)) if n != 7 else "hostile " + HOSTILE
        refs += [f"p{n:02}.jpg#0\t{' '.join(words)}", f"p{n:02}.jpg#1\t{HOSTILE}"]
        hyps.append(json.dumps({"file": f"p{n:02}.jpg", "caption": caption, "confidence": n / 40}))
    (folder / "refs.tsv").write_text("\n".join(refs) + "\n")
    (folder / "hyps.jsonl").write_text("\n".join(hyps) + "\n")
    photos = sorted((pathlib.Path(os.environ["LIMN_SOURCE_ROOT"]) / "samples/photos").glob("*.jpg"))
    for i, photo in enumerate(photos[:2]):
        shutil.copy(photo, folder / f"p0{i}.jpg")
    return len(photos[:2])


def check(seen, n_photos):
    names = [f"p{n:02}.jpg" for n in range(40)]
    problems = []

    def expect(what, value, wanted):
        if value != wanted:
            problems.append(f"{what}: {value!r}, expected {wanted!r}")

    expect("title", seen["title"], "Captions of hyps.jsonl")
    expect("sort keys", seen["keys"], ["Bleu_4", "ROUGE_L", "Obj_recall", "file name"])
    expect("histograms", seen["histograms"], 3)
    expect("bins of confidence", [b.split(" of ")[1][:1] for b in seen["bins"]], ["4"] * 10)
    expect("the last bin", seen["bins"][-1:], ["0 of 4 right (0.00) at a confidence of 0.94"])
    expect("shown at first", len(seen["first"]), 30)
    expect("best first", seen["best"][:3], ["p39.jpg", "p38.jpg", "p07.jpg"])
    expect("by name", seen["names"], names[:30])
    expect("found", seen["found"], ["p07.jpg"])
    expect("made up", (seen["madeUp"], seen["classes"]), (["in no reference: cat"], 1))
    expect("hostile caption", seen["hostile"], "hostile " + HOSTILE)
    expect("nothing found", seen["none"], "No image has these words.")
    expect("all", seen["all"], 40)
    expect("by keyboard", seen["focusable"], True)
    expect("requests to elsewhere", seen["outside"], 0)
    expect("descriptions are references", set(seen["alts"]), {" ".join(f"w{i}" for i in range(40))})
    expect("links", sorted(seen["links"]), [f"./{name}" for name in names[:n_photos]])
    expect("thumbnails", sorted(t[0] for t in seen["thumbnails"]), names[:n_photos])
    for name, width, height in seen["thumbnails"]:
        expect(f"longer side of {name}", max(width, height), 288)
    return problems


def main(limn_eval):
    chromium = browser.find()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        n_photos = write_inputs(folder)
        page = folder / "report.html"
        subprocess.run([limn_eval, "-q", "--refs", folder / "refs.tsv", "--hyps", folder / "hyps.jsonl", "--metrics",
                        "bleu,rouge", "--objects", "--report", page, "--images", folder], check=True, stdout=subprocess.DEVNULL)
        problems, seen = browser.use(chromium, page, page.read_text(), USE)
        problems += check(seen, n_photos) if seen else []
    print("\n".join(problems) or "the page works")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
