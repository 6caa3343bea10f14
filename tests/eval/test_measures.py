#!/usr/bin/env python3
"""limn-eval's measures of captions that repeat and fit many images, and of subsets, against a count in Python:

    test_measures.py LIMN_EVAL SOURCE_ROOT

Python's standard library only."""

import json
import random
import subprocess
import sys
import tempfile
import unittest
from collections import Counter
from pathlib import Path

LIMN_EVAL = ROOT = None
WHO = "a man|a woman|two dogs|a cat|the boy|a herd of cows|a bus|three birds".split("|")
DOES = "runs|is sitting|plays with a ball|stands|is parked|jumps".split("|")
WHERE = "in the park|on a beach|near water|on the street|in a field|at night|".split("|")


def make_images(n, seed):
    """Images whose captions resemble their references, many of them alike."""
    rng = random.Random(seed)
    images = []
    for i in range(n):
        parts = [rng.choice(WHO), rng.choice(DOES), rng.choice(WHERE)]
        vary = lambda: " ".join(rng.choice(all_) if rng.random() < 0.3 else part  # pylint: disable=cell-var-from-loop
                                for part, all_ in zip(parts, (WHO, DOES, WHERE))).strip()
        hyp = "a herd of cows in a field" if rng.random() < 0.15 else vary()
        images.append({"id": f"dir/{i:04}.jpg", "hyp": hyp, "refs": [vary() for _ in range(rng.randint(1, 5))]})
    return images


class MeasuresTest(unittest.TestCase):
    """What scores hide."""

    def evaluate(self, images, *args, metrics="cider,objects,retrieval,diversity", subsets=None, output="json"):
        """limn-eval's JSON, or its text and its page."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for file, lines in (("refs", ({"id": i["id"], "captions": i["refs"]} for i in images)),
                                ("hyps", ({"id": i["id"], "caption": i["hyp"]} for i in images))):
                (folder / file).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
            for subset, names in (subsets or {}).items():
                (folder / f"{subset}.txt").write_text("".join(f"{n}\tnot read\n" for n in names), encoding="utf-8")
            chosen = [a for subset in subsets or () for a in ("--subset", folder / f"{subset}.txt")]
            out = subprocess.run([LIMN_EVAL, "-q", "--refs", folder / "refs", "--hyps", folder / "hyps", "--metrics", metrics,
                                  "--format", output, "--report", folder / "page.html", "--per-image", folder / "each",
                                  *chosen, *args], capture_output=True, check=False, text=True)
            if out.returncode:
                return out.stderr
            page = (folder / "page.html").read_text(encoding="utf-8")
            each = [json.loads(line) for line in (folder / "each").read_text(encoding="utf-8").splitlines()]
            return (json.loads(out.stdout), each) if output == "json" else (out.stdout, page)

    def check_repetition(self, got, images):
        """Distinct captions and the most frequent one."""
        counts = Counter(image["hyp"] for image in images)
        self.assertAlmostEqual(got["distinct_share"], len(counts) / len(images))
        self.assertAlmostEqual(got["most_frequent_share"], max(counts.values()) / len(images))
        self.assertEqual(got["most_frequent"], next(i["hyp"] for i in images if counts[i["hyp"]] == max(counts.values())))

    def test_retrieval_and_repetition(self):
        for n in (1, 2, 60, 101, 102, 400):
            images = make_images(n, n)
            got, each = self.evaluate(images)
            parts = retrieval(images)
            for image, part in zip(each, parts):
                self.assertAlmostEqual(image["Retrieval"], part, msg=image["id"])
            self.assertAlmostEqual(got["Retrieval"], sum(parts) / n)
            self.check_repetition(got["diversity"], images)
        self.assertTrue(0.1 < got["Retrieval"] < 0.9)

    def test_equal_captions_share_and_nothing_alike_counts_for_nothing(self):
        images = [{"id": str(i), "hyp": hyp, "refs": [ref]} for i, (hyp, ref) in enumerate(
            [("a red dog", "a red dog"), ("a red dog", "two blue cats"), ("birds fly", "birds fly"), ("x y", "green grass")])]
        _, each = self.evaluate(images)
        self.assertEqual([image["Retrieval"] for image in each], [0.5, 0, 1, 0])

    def test_subsets(self):
        images = make_images(150, 5)
        members = {"cows": [i for i in images if "cows" in i["hyp"]], "few": images[3:9]}
        named = {"cows": [i["id"] for i in members["cows"]], "few": [Path(i["id"]).name for i in members["few"]] + ["other.jpg"]}
        got, each = self.evaluate(images, subsets=named)
        scores = {image["id"]: image for image in each}
        for name, part in members.items():
            subset = got["subsets"][name]
            self.assertEqual(subset["n_images"], len(part))
            for key in ("CIDEr", "Retrieval"):  # of all images' frequencies and rivals
                self.assertAlmostEqual(subset[key], sum(scores[i["id"]][key] for i in part) / len(part))
            for key, value in count(Names(ROOT / "common/text/objects_words.c"), part)[0].items():
                self.assertAlmostEqual(subset[key], value, msg=key)
            self.check_repetition(subset["diversity"], part)
        self.assertIn("names none of the 150 images, e.g. dir/0000.jpg", self.evaluate(images, subsets={"none": ["x.jpg"]}))

    def test_text_and_page_show_them(self):
        images = make_images(120, 6)
        text, page = self.evaluate(images, subsets={"few": [i["id"] for i in images[:7]]}, output="text")
        for line in ("Miss_person ", "Miss_person3 ", "Person_F1 ", "Object_F1 ", "Retrieval ", "distinct ", "most often ",
                     "subset few: 7 images", "  Retrieval ", "  distinct "):
            self.assertIn("\n" + line, text)
        for part in ("Miss_person3", "Retrieval", "captions are distinct", "most frequent caption, ", ": a herd of cows in a field", '<th scope="col">few</th>'):
            self.assertIn(part, page)


if __name__ == "__main__":
    LIMN_EVAL, ROOT = sys.argv[1], Path(sys.argv[2])
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "fixtures"))
    from reference_objects import Names, count
    from reference_retrieval import retrieval
    unittest.main(argv=sys.argv[:1])
