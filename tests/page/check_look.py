#!/usr/bin/env python3
"""Makes a page with tests/bench/look.py, judges every caption on it in headless Chromium, and checks the counts:
check_look.py

Without Chromium, checks what it can and is then skipped (exit code 77)."""

import json
import pathlib
import sys
import tempfile

import browser

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path += [str(TESTS / "cli"), str(TESTS / "bench")]
import look  # noqa: E402  # pylint: disable=wrong-import-position
import images  # noqa: E402  # pylint: disable=wrong-import-position

N, SEED = 12, 3
# The first caption of an image is judged by the image's number modulo 3, the second by its length.
USE = """
<script>
addEventListener("load", () => {
  const press = (key) => dispatchEvent(new KeyboardEvent("keydown", { key }));
  const texts = () => [...document.querySelectorAll("fieldset p")].map((p) => p.textContent);
  const seen = { start: document.body.innerText, hidden: document.getElementById("end").hidden };
  for (let i = 0; i < data.items.length; i++) {
    go(i);
    texts().forEach((text, place) => press(String(place * 3 + 1 + text.length % 3)));
  }
  seen.table = [...document.querySelectorAll("tr")].map((tr) => [...tr.children].map((c) => c.textContent));
  seen.pairs = document.querySelector("#table p").textContent;
  seen.results = results();
  seen.ended = !document.getElementById("end").hidden;
  show(seen);
});
</script>
"""


def write_inputs(folder):
    """Images, and two caption files."""
    (folder / "images").mkdir()
    names = [f"p{i:02}.png" for i in range(20)]
    for i, name in enumerate(names):
        (folder / "images" / name).write_bytes(images.png(20 + i, 20, images.noise(i)))
    old = {name: "a dog" + "s" * (i % 4) for i, name in enumerate(names)}
    new = {name: "<b>two cats</b>" + "!" * (i % 5) for i, name in enumerate(names) if i != 7}
    (folder / "old.tsv").write_text("".join(f"{n}\t{c}\n" for n, c in old.items()), encoding="utf-8")
    (folder / "new.jsonl").write_text("".join(json.dumps({"file": "x/" + n, "caption": c}) + "\n" for n, c in new.items()),
                                      encoding="utf-8")
    return old, new


def check_page(folder, text, items):
    """Checks what needs no browser."""
    paths = [folder / "old.tsv", folder / "new.jsonl"]
    problems = []
    if text != look.make_page(folder / "images", paths, N, SEED):
        problems.append("the same options give another page")
    if look.choose([i["name"] for i in items], N, SEED) != [i["name"] for i in items] or len(items) != N:
        problems.append("the images are not those that seed and names choose")
    if any(i["name"] == "p07.png" for i in items):
        problems.append("an image without a caption in both files")
    if {i["swap"] for i in items} != {True, False}:
        problems.append("the order does not change")
    if "old.tsv" in text or "new.jsonl" in text:
        problems.append("the page tells the names of the files")
    return problems


def expected(items, old, new):
    """The table and the pairs, counted independently."""
    verdicts = [[len(captions[i["name"]]) % 3 for i in items] for captions in (old, new)]
    counts = [[str(v.count(k)) for k in range(3)] for v in verdicts]
    better = [sum(a < b for a, b in zip(*verdicts)), sum(a == b for a, b in zip(*verdicts)), sum(a > b for a, b in zip(*verdicts))]
    return [["captions of", *look.VERDICTS], ["old.tsv", *counts[0]], ["new.jsonl", *counts[1]]], better


def main():
    """Exit code 1 when something is wrong."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        old, new = write_inputs(folder)
        text = look.make_page(folder / "images", [folder / "old.tsv", folder / "new.jsonl"], N, SEED)
        items = json.loads(text.split("const data = ", 1)[1].split(";\nconst VERDICTS", 1)[0])["items"]
        problems = check_page(folder, text, items)
        if problems:
            sys.exit("\n".join(problems))
        found, seen = browser.use(browser.find(), folder / "page.html", text, USE)
        problems += found
        if seen:
            table, better = expected(items, old, new)
            words = f"old.tsv better: {better[0]}, both alike: {better[1]}, new.jsonl better: {better[2]}"
            for what, got, wanted in (("table", seen["table"], table), ("pairs", seen["pairs"], words),
                                      ("hidden", seen["hidden"], True), ("ended", seen["ended"], True),
                                      ("images", [r["image"] for r in seen["results"]], [i["name"] for i in items]),
                                      ("captions", [[c["caption"] for c in r["captions"]] for r in seen["results"]],
                                       [[old[i["name"]], new[i["name"]]] for i in items])):
                if got != wanted:
                    problems.append(f"{what}: {got}, expected {wanted}")
            if "old" in seen["start"] or "new" in seen["start"]:
                problems.append("the file names are shown before all is judged")
        sys.exit("\n".join(problems) if problems else 0)


if __name__ == "__main__":
    main()
