#!/usr/bin/env python3
"""Opens pages of training runs in headless Chromium and uses them: check_run_page.py WRITE_RUN_PAGE MAKE_RUN_LOG

The runs are made up. Skipped (exit code 77) without Chromium.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import browser

HOSTILE = '</script><img src=x onerror="document.title=1"> & "quoted" \'so\' <b>'
SAMPLE = "1096395242_fc69f0ae5a.jpg"
# What a user does: looks, moves along a curve by keyboard and pointer, steps through the evaluations.
USE = """<script>
addEventListener("load", () => {
  const $ = (id) => document.getElementById(id), all = (css) => [...document.querySelectorAll(css)];
  const texts = (css) => all(css).map((e) => e.textContent);
  const press = (e, key) => e.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  const plot = all("svg.plot")[0];
  const seen = { title: document.title, lead: $("lead").textContent, charts: texts("figcaption b"), bar: $("bar").hidden,
    tiles: texts(".tiles .value"), stages: [...new Set(texts("svg.plot .stage"))], best: texts(".best-label"),
    reload: $("reload").hidden, rows: all("#table tbody tr").length, bestRow: texts(".best-row td"),
    settings: $("settings").textContent, images: all(".samples img").map((e) => [e.alt, e.naturalWidth > 0]), names: texts(".samples .name"), captions: texts(".samples h3"),
    references: texts(".samples > li:first-child > ul > li"), versions: texts(".samples > li:first-child .history li").length };
  if (plot) {
    const value = () => plot.getAttribute("aria-valuetext");
    seen.end = value();
    press(plot, "Home"); seen.home = value(); seen.cursors = all(".cursor").length;
    press(plot, "ArrowRight"); seen.next = value();
    press(plot, "Escape"); seen.left = all(".cursor").length;
    const box = plot.getBoundingClientRect();
    plot.dispatchEvent(new PointerEvent("pointermove", { clientX: box.left + 46 + (box.width - 54) / 2, clientY: box.top + 50 }));
    seen.middle = Number(plot.getAttribute("aria-valuenow"));
    plot.dispatchEvent(new PointerEvent("pointerleave", { pointerType: "mouse" }));
    $("by-time").click(); seen.time = texts("svg.plot text").filter((t) => /^[\\d.]+ (h|min)$/.test(t)).length;
    $("by-step").click();
  }
  if (seen.names.length) {
    $("evaluation").value = 0; $("evaluation").dispatchEvent(new Event("input"));
    seen.first = texts(".samples h3"); seen.firstMarks = all("mark").length; seen.firstEarlier = $("earlier").disabled;
    $("later").click(); seen.which = $("which").textContent;
    for (seen.marks = 0; !$("later").disabled; seen.marks += all("mark").length) $("later").click();
  }
  seen.wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
  seen.named = all("button:not([hidden]), input, svg.plot").every((e) => e.textContent.trim() || e.getAttribute("aria-label"));
  seen.focusable = all("a[href], input, button:not(:disabled), svg.plot").every((e) => e.tabIndex >= 0);
  seen.outside = performance.getEntriesByType("resource").filter((e) => !e.name.startsWith("data:")).length;
  show(seen);
});
</script>"""

ALL_CHARTS = ["Loss", "Scores", "Learning rate", "Gradient norm", "Tokens per second", "Captions, % of all", "Reward"]


class Check:
    """Makes and opens pages, and collects what is wrong with them."""

    def __init__(self, folder, write_run_page, make_run_log):
        self.folder, self.write, self.make = folder, write_run_page, make_run_log
        self.chromium = browser.find()
        self.problems = []
        self.case = ""

    def expect(self, what, value, wanted):
        if value != wanted:
            self.problems.append(f"{self.case}: {what}: {value!r}, expected {wanted!r}")

    def expect_true(self, what, value):
        self.expect(what, bool(value), True)

    def run_page(self, run):
        return subprocess.run([self.write, run / "run.html", run / "log.jsonl"], capture_output=True, text=True, check=False)

    def open(self, name, *words, options=()):
        """Makes a run and its page, and uses the page; returns its text and what was seen."""
        self.case, run = name, self.folder / name
        subprocess.run([sys.executable, self.make, run, *words], check=True)
        self.expect("written", self.run_page(run).stderr, "")
        text = (run / "run.html").read_text(encoding="utf-8")
        problems, seen = browser.use(self.chromium, run / "run.html", text, USE, *options)
        self.problems += [f"{name}: {p}" for p in problems]
        if seen:
            self.expect("wider than the window", seen["wide"], False)
            self.expect("all have names", seen["named"], True)
            self.expect("by keyboard", seen["focusable"], True)
            self.expect("requests to elsewhere", seen["outside"], 0)
        return text, seen

    def check_finished(self):
        text, seen = self.open("flickr")
        self.expect("reloads", 'http-equiv="refresh"' in text, False)
        self.expect("title", seen["title"], "Training – flickr")
        self.expect_true("lead", seen["lead"].startswith("Finished after 20,636 steps in 2 h "))
        self.expect("charts", seen["charts"], ALL_CHARTS)
        self.expect("stages", seen["stages"], ["features", "end-to-end", "reward"])
        self.expect("evaluations", seen["rows"], 22)
        log = [json.loads(line) for line in (self.folder / "flickr/log.jsonl").read_text().splitlines()]
        best = max((line for line in log if line["kind"] == "dev"), key=lambda line: line["scores"]["CIDEr"])
        score = f"{100 * best['scores']['CIDEr']:.1f}"
        self.expect("best in tile, chart and table", [seen["tiles"][0], seen["best"], seen["bestRow"][0], seen["bestRow"][6]],
                    [score, [f"best {score}"], f"{best['step']:,}", score])
        self.expect("samples", len(seen["names"]), 8)
        self.expect("images, and what they show", seen["images"], [[s["references"][0], True] for s in log[-2]["samples"]])
        self.expect("captions are of the last evaluation", seen["captions"], [s["caption"] for s in log[-2]["samples"]])
        self.expect("references", seen["references"], log[-2]["samples"][0]["references"])
        self.expect("at first", seen["first"], [s["caption"] for s in next(x for x in log if x["kind"] == "dev")["samples"]])
        self.expect("nothing marked at first", (seen["firstMarks"], seen["firstEarlier"]), (0, True))
        self.expect_true("changes are marked", seen["marks"] > 20)
        self.expect_true("second evaluation", seen["which"].startswith("step 1,876 · epoch 2.0 · features · CIDEr "))
        self.expect_true("versions", seen["versions"] > 3)
        self.expect_true("readout at the end", seen["end"].startswith("step 20,636 · epoch 4.0: train 2.2"))
        self.expect("readout at the start", seen["home"].split(": train ")[0], "step 38 · epoch 0.0")
        self.expect("readout of the next", seen["next"].split(": train ")[0], "step 75 · epoch 0.1")
        self.expect("cursor in all charts, then in none", (seen["cursors"], seen["left"]), (7, 0))
        self.expect_true("pointer in the middle", abs(seen["middle"] - 10318) < 150)
        self.expect_true("time axis", seen["time"] > 7)
        self.expect_true("command", "--train train.txt \\\n" in seen["settings"] and "-o 'my model.safetensors'" in seen["settings"])

    def check_running(self):
        text, seen = self.open("running", "running", options=("--window-size=400,800",))
        self.expect("reloads", 'http-equiv="refresh"' in text, True)
        self.expect("lead", seen["lead"], "Stage end-to-end: step 4,502 of 5,628, epoch 4.80.")
        self.expect("bar, button", (seen["bar"], seen["reload"]), (False, False))
        self.expect("a resumed stage is no new one", seen["stages"], ["features", "end-to-end"])

    def check_hostile(self):
        _, seen = self.open("hostile", "hostile", "torn")
        self.expect("title", seen["title"], "Training – hostile")
        self.expect("name", seen["names"][0], SAMPLE + HOSTILE)
        self.expect("nothing but JPEG images", seen["images"], [[HOSTILE, True]])
        self.expect("caption", seen["captions"][0], "hostile " + HOSTILE)
        self.expect("reference", seen["references"][0], HOSTILE)
        self.expect_true("setting", HOSTILE.replace("'", "'\\''") in seen["settings"])
        self.expect_true("without the torn end", seen["lead"].startswith("Stage reward: step 3,752 of 3,752"))

    def check_long(self):
        text, seen = self.open("long", "long")
        self.expect_true("size below 1 MB", len(text.encode()) < 1_000_000)
        self.expect_true("thinned points", len(json.loads(text.split('id="data">')[1].split("</script>")[0])["points"]["step"]) <= 602)
        self.expect("charts", seen["charts"], ALL_CHARTS)
        self.expect_true("last point", seen["end"].startswith("step 20,636"))

    def check_small_logs(self):
        """A run that has just begun, and logs that are broken."""
        _, seen = self.open("short", "short")
        self.expect("charts", seen["charts"], ALL_CHARTS[:6])
        run = self.folder / "short"
        lines = (run / "log.jsonl").read_text().splitlines(keepends=True)
        for self.case, text, wanted in [
                ("no lines", "", ""), ("one line", lines[0], ""), ("two lines", "".join(lines[:2]), ""),
                ("half a line", lines[0][:20], ""), ("a broken line", lines[0] + "{\"kind\":\n" + lines[1], "line 2: JSON"),
                ("no object", "[]\n", "line 1: is not a JSON object")]:
            (run / "log.jsonl").write_text(text)
            said = self.run_page(run).stderr
            self.expect_true(f"{said!r} says {wanted!r}", wanted in said if wanted else not said)
            if self.case in ("no lines", "two lines"):
                page = (run / "run.html").read_text()
                problems, seen = browser.use(self.chromium, run / "run.html", page, USE)
                self.problems += [f"{self.case}: {p}" for p in problems]
        self.case = "no log"
        (run / "log.jsonl").unlink()
        self.expect_true("no log", "log.jsonl: can't open" in self.run_page(run).stderr)


def main(write_run_page, make_run_log):
    with tempfile.TemporaryDirectory() as name:
        check = Check(pathlib.Path(name), write_run_page, make_run_log)
        check.check_finished()
        check.check_running()
        check.check_hostile()
        check.check_long()
        check.check_small_logs()
    print("\n".join(check.problems) or "the pages work")
    return 1 if check.problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
