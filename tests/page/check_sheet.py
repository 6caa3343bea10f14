#!/usr/bin/env python3
"""Opens a page of limn --report in headless Chromium and uses it: check_sheet.py LIMN MODEL

Skipped (exit code 77) without Chromium. Names are hostile on purpose.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

import browser

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
import images  # noqa: E402  # pylint: disable=wrong-import-position

N_GOOD, N_BAD = 40, 15
HOSTILE = "<img src=x onerror='document.title=1'><\u2028script>&amp;.png"
# What a user does; the results go into an element that --dump-dom shows.
USE = """
<script>
addEventListener("load", () => {
  const $ = (id) => document.getElementById(id);
  const names = () => [...document.querySelectorAll("#cards .name")].map((e) => e.textContent);
  const scores = () => [...document.querySelectorAll("#cards .chips")].map((e) => Number(e.textContent.slice(6).replace("\u2212", "-")));
  const set = (id, value, type) => { $(id).value = value; $(id).dispatchEvent(new Event(type, {bubbles: true})); };
  const failures = () => [...document.querySelectorAll("#failures li")].map((li) => [...li.children].map((e) => e.textContent));
  const seen = { title: document.title, lead: document.querySelector(".lead").textContent, failures: failures(),
    causes: [...$("causes").children].map((e) => e.textContent), low: scores(), lowNames: names(), count: $("count").textContent,
    last: $("images").compareDocumentPosition($("failed")) === Node.DOCUMENT_POSITION_FOLLOWING,
    links: [...document.querySelectorAll("#cards .name a")].map((e) => decodeURIComponent(e.getAttribute("href"))),
    alts: [...document.images].every((i) => i.alt === i.closest("li").querySelector("h3").textContent),
    thumbnails: [...document.images].map((i) => [i.naturalWidth, i.naturalHeight]) };
  $("more-failures").click(); seen.allFailures = failures().length; seen.focus = document.activeElement.textContent;
  set("order", "high", "change"); seen.high = scores();
  set("order", "name", "change"); seen.names = names();
  set("search", "hostile", "input"); seen.none = $("count").textContent;
  set("search", "onerror img", "input"); seen.found = names();
  set("search", "", "input"); $("more").click(); seen.all = names().length;
  seen.focusable = [...document.querySelectorAll("a[href], input, select, button")].every((e) => e.tabIndex >= 0);
  seen.outside = performance.getEntriesByType("resource").filter((e) => !e.name.startsWith("data:")).length;
  seen.wide = document.documentElement.scrollWidth > innerWidth;
  show(seen);
});
</script>
"""


def write_inputs(folder):
    """Writes images; returns the names of good and of bad ones, as passed to limn."""
    good = [f"p{n:02}.png" for n in range(N_GOOD - 1)] + [HOSTILE.replace("/", "")]
    bad = [f"b{n:02}.png" for n in range(N_BAD)]
    for n, name in enumerate(good):
        (folder / name).write_bytes(images.png(300 + n, 200, images.noise(n)) if n < 2 else
                                    images.png(40, 30 + n, images.noise(n)))
    for n, name in enumerate(bad):
        (folder / name).write_bytes(b"" if n % 3 == 0 else b"This is no image.")
    return good, bad


def check(seen, good, bad):
    problems = []

    def expect(what, value, wanted):
        if value != wanted:
            problems.append(f"{what}: {value!r}, expected {wanted!r}")

    rows = [["truncated", name, "the file is empty"] if n % 3 == 0 else
            ["unsupported", name, "this is text, not an image"] for n, name in enumerate(bad)]
    expect("title", seen["title"], "Contact sheet")
    expect("lead", seen["lead"], f"{N_GOOD} images with a caption, {N_BAD} failed.")
    expect("failures last", seen["last"], True)
    expect("links", seen["links"], ["./" + name for name in seen["lowNames"]])
    expect("descriptions are the captions", seen["alts"], True)
    expect("failures", seen["failures"], rows[:12])
    expect("all failures", seen["allFailures"], N_BAD)
    expect("focus", seen["focus"], "".join(rows[12]))
    expect("causes", seen["causes"], ["10 unsupported", "5 truncated"])
    expect("lowest first", seen["low"], sorted(seen["low"]))
    expect("highest first", seen["high"], sorted(seen["high"], reverse=True))
    expect("different scores", len(set(seen["low"])) > 5, True)
    expect("shown at first", seen["count"], f"30 of {N_GOOD} images shown")
    expect("by name", seen["names"], sorted(good)[:30])
    expect("nothing found", seen["none"], "No image has these words.")
    expect("found", seen["found"], [good[-1]])
    expect("all", seen["all"], N_GOOD)
    expect("by keyboard", seen["focusable"], True)
    expect("requests to elsewhere", seen["outside"], 0)
    expect("wider than the window", seen["wide"], False)
    expect("a thumbnail each", len(seen["thumbnails"]), 30)
    expect("sides of thumbnails", max(max(t) for t in seen["thumbnails"]) <= 288, True)
    return problems


def run_limn(limn, model, folder, names, page, *options):
    return subprocess.run([limn, "-q", "--model", model, "--report", page, *options, "-"], input="\n".join(names),
                          text=True, cwd=folder, capture_output=True, check=False)


def check_page(limn, model, chromium, folder):
    good, bad = write_inputs(folder)
    page, mine = folder / "sheet.html", folder / "mine.html"
    problems = []
    run_limn(limn, model, folder, good + bad, page)
    html = page.read_text()
    run_limn(limn, model, folder, good[::-1] + bad, page, "--threads", "7")  # replaces it
    if page.read_text() != html:
        problems.append("the page depends on the order or the threads")
    mine.write_text("my own")
    refused = run_limn(limn, model, folder, good, mine)
    if refused.returncode != 1 or "is not a contact sheet" not in refused.stderr or mine.read_text() != "my own":
        problems.append(f"a file of the user's: exit code {refused.returncode}, {refused.stderr}")
    used, seen = browser.use(chromium, page, html, USE)
    return problems + used + (check(seen, good, bad) if seen else [])


def main(limn, model):
    chromium = browser.find()
    with tempfile.TemporaryDirectory() as name:
        problems = check_page(os.path.abspath(limn), os.path.abspath(model), chromium, pathlib.Path(name))
    print("\n".join(problems) or "the page works")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
