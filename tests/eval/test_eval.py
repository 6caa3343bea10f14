#!/usr/bin/env python3
"""limn-eval's scores against those of pycocoevalcap, and against what must hold of any score:

    test_eval.py LIMN_EVAL SOURCE_ROOT

Python's standard library only."""

import json
import math
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BLEU = [f"Bleu_{n}" for n in range(1, 5)]
KEYS = [*BLEU, "ROUGE_L", "CIDEr"]
EXACT = 1e-9
LIMN_EVAL = ROOT = None
WORDS = "a the dog man ball red runs with on in park".split()


def images_of_golden(path):
    """The data of golden/metrics_flickr8k_dev.json: caption #0 against the others."""
    with open(path / "data/flickr8k/dev.txt", encoding="utf-8") as file:
        dev = file.read().split()
    captions = {name: {} for name in dev}
    with open(path / "data/flickr8k/captions.token.txt", encoding="utf-8") as file:
        for line in file:
            name, caption = line.rstrip("\n").split("\t")
            name, number = name.rsplit("#", 1)
            if name in captions:
                captions[name][int(number)] = caption
    return [{"id": name, "hyp": captions[name][0], "refs": [captions[name][n] for n in range(1, 5)]} for name in dev]


def scores_of_golden(entry):
    """{key: value} of one entry of the golden files."""
    return {**dict(zip(BLEU, entry["Bleu"])), "ROUGE_L": entry["ROUGE_L"], "CIDEr": entry["CIDEr"]}


class EvalTest(unittest.TestCase):
    """Each test has a folder of its own."""

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.folder = Path(self.temporary.name)

    def write(self, name, objects):
        """Writes JSONL and returns its path."""
        path = self.folder / name
        path.write_text("".join(json.dumps(o) + "\n" for o in objects), encoding="utf-8")
        return str(path)

    def run_eval(self, *args, code=0):
        """Standard output of limn-eval."""
        done = subprocess.run([LIMN_EVAL, *args], capture_output=True, check=False)
        self.assertEqual(done.returncode, code, done.stderr.decode())
        return done.stdout.decode()

    def evaluate(self, images, *args):
        """(corpus, {id: scores}) of images as in metrics.json."""
        refs = self.write("refs.jsonl", [{"id": i["id"], "captions": i["refs"]} for i in images])
        hyps = self.write("hyps.jsonl", [{"id": i["id"], "caption": i["hyp"]} for i in images])
        each = str(self.folder / "each.jsonl")
        out = self.run_eval("--refs", refs, "--hyps", hyps, "--format", "json", "--per-image", each, *args)
        with open(each, encoding="utf-8") as file:
            return json.loads(out), {o["id"]: o for o in map(json.loads, file)}

    def assert_scores(self, got, wanted, where, tolerance=EXACT):
        """Every score that is wanted, to the tolerance."""
        for key, value in wanted.items():
            self.assertAlmostEqual(got[key], value, delta=tolerance, msg=f"{where}: {key}")

    def shared(self):
        """The folder beside the tree that has the golden values, or skips."""
        path = ROOT.parent / "shared"
        if not path.is_dir():
            print("SKIP: ../shared is not here")
            self.skipTest("../shared is not here")
        return path

    def random_images(self, rng, n_images, shortest=1):
        """Captions of random words."""
        caption = lambda: " ".join(rng.choices(WORDS, k=rng.randint(shortest, 12)))
        return [{"id": f"{i}.jpg", "hyp": caption(), "refs": [caption() for _ in range(rng.randint(1, 5))]}
                for i in range(n_images)]

    # ---- equal to the reference implementation ------------------------------------------------

    def test_fixture(self):
        with open(ROOT / "tests/data/metrics/metrics.json", encoding="utf-8") as file:
            sets = json.load(file)
        self.assertEqual(len(sets), 7)
        for number, one in enumerate(sets):
            corpus, each = self.evaluate(one["images"], "--tokenizer", one["tokenizer"])
            self.assert_scores(corpus, one["scores"], f"set {number}")
            for image in one["images"]:
                self.assert_scores(each[image["id"]], image["scores"], f"set {number}, {image['id']}")

    def test_golden_small(self):
        with open(self.shared() / "golden/metrics_small.json", encoding="utf-8") as file:
            golden = json.load(file)["small"]
        corpus, each = self.evaluate(golden["inputs"])
        self.assert_scores(corpus, scores_of_golden(golden), "corpus")
        for image in golden["per_image"]:
            self.assert_scores(each[image["id"]], scores_of_golden(image), image["id"])

    def test_golden_flickr8k(self):
        with open(self.shared() / "golden/metrics_flickr8k_dev.json", encoding="utf-8") as file:
            golden = json.load(file)
        corpus, each = self.evaluate(images_of_golden(self.shared()))
        self.assert_scores(corpus, scores_of_golden(golden), "corpus")
        self.assertEqual(corpus["n_images"], 1000)
        for name, entry in golden["per_image"].items():
            self.assert_scores(each[name], scores_of_golden(entry), name)

    # ---- what must hold of any captions -------------------------------------------------------

    def test_identity(self):
        images = self.random_images(random.Random(1), 50, shortest=4)
        for image in images:
            image["refs"].append(image["hyp"])
        corpus, each = self.evaluate(images)
        for scores in [corpus, *each.values()]:
            self.assertAlmostEqual(scores["ROUGE_L"], 1, delta=1e-12)
            for key in BLEU:
                self.assertGreaterEqual(scores[key], 1 - 1e-8)
                self.assertLessEqual(scores[key], 1)

    def test_order_of_images_and_references(self):
        rng = random.Random(2)
        images = self.random_images(rng, 80)
        corpus, each = self.evaluate(images)
        for image in images:
            rng.shuffle(image["refs"])
        rng.shuffle(images)
        corpus_shuffled, each_shuffled = self.evaluate(images)
        self.assert_scores(corpus_shuffled, {k: corpus[k] for k in KEYS}, "corpus", 1e-12)
        for name, scores in each.items():
            self.assert_scores(each_shuffled[name], {k: scores[k] for k in KEYS}, name, 1e-12)

    def test_bounds(self):
        for seed in range(3):
            corpus, each = self.evaluate(self.random_images(random.Random(seed), 60))
            for scores in [corpus, *each.values()]:
                for key, most in zip(KEYS, [1] * 5 + [10]):
                    self.assertTrue(0 <= scores[key] <= most + 1e-12, (key, scores[key]))
                    self.assertTrue(math.isfinite(scores[key]))

    def test_rouge_is_bounded_both_ways(self):
        """The F score lies between precision and recall, and swapping both sides swaps these."""
        images = [{**i, "refs": i["refs"][:1]} for i in self.random_images(random.Random(3), 60)]
        swapped = [{**i, "hyp": i["refs"][0], "refs": [i["hyp"]]} for i in images]
        _, each = self.evaluate(images)
        _, each_swapped = self.evaluate(swapped)
        for image in images:
            n_hyp, n_ref = len(image["hyp"].split()), len(image["refs"][0].split())
            score, other = each[image["id"]]["ROUGE_L"], each_swapped[image["id"]]["ROUGE_L"]
            self.assertEqual(score > 0, other > 0)
            # F = 2.44 PR / (R + 1.44 P) with P = L / n_hyp, R = L / n_ref
            common = score * (n_hyp + 1.44 * n_ref) / 2.44
            self.assertAlmostEqual(common, round(common), delta=1e-9)
            self.assertAlmostEqual(other, 2.44 * common / (n_ref + 1.44 * n_hyp), delta=1e-9)
            low, high = sorted((common / n_hyp, common / n_ref))
            self.assertTrue(low - 1e-12 <= score <= high + 1e-12)

    def test_frequencies_from_a_file_are_those_of_the_references(self):
        images = self.random_images(random.Random(5), 60)
        path = str(self.folder / "df")
        corpus, each = self.evaluate(images, "--save-df", path)
        again, each_again = self.evaluate(images, "--df", path)
        self.assertEqual(corpus["CIDEr"], again["CIDEr"])
        # With them a part of the images keeps its scores, which it otherwise doesn't.
        part, each_part = self.evaluate(images[:20], "--df", path)
        _, each_alone = self.evaluate(images[:20])
        for image in images[:20]:
            name = image["id"]
            self.assertEqual(each_part[name]["CIDEr"], each[name]["CIDEr"])
            self.assertEqual(each_again[name]["CIDEr"], each[name]["CIDEr"])
        self.assertNotEqual([i["CIDEr"] for i in each_alone.values()], [i["CIDEr"] for i in each_part.values()])
        self.assertIn("df:file", part["signature"])

    def test_plain_cider(self):
        """Without clipping and length penalty no score is smaller."""
        _, each = self.evaluate(self.random_images(random.Random(6), 60), "--metrics", "cider,cider-plain")
        self.assertTrue(all(i["CIDEr_plain"] >= i["CIDEr"] - 1e-12 for i in each.values()))
        self.assertTrue(any(i["CIDEr_plain"] > i["CIDEr"] + 0.1 for i in each.values()))

    # ---- n-best lists, diversity --------------------------------------------------------------

    def test_oracle_and_diversity(self):
        refs = self.write("r", [{"id": "a", "captions": ["a dog runs on grass"]},
                                {"id": "b", "captions": ["two men sit at a table"]}])
        hyps = self.write("h", [
            {"file": "a", "caption": "a cat of", "captions": [{"caption": "a cat of"}, {"caption": "a dog runs on grass"}]},
            {"file": "b", "captions": [{"caption": "two men sit at a table"}, {"caption": "two men sit at a table"}]}])
        train = self.write("t", [{"id": "x", "captions": ["Two men sit at a table."]}])
        out = json.loads(self.run_eval("--refs", refs, "--hyps", hyps, "--train", train, "--format", "json"))
        self.assertEqual(out["oracle"]["ROUGE_L"], 1)
        self.assertLess(out["ROUGE_L"], 1)
        self.assertGreater(out["oracle"]["Bleu_4"], 1 - 1e-8)
        self.assertAlmostEqual(out["oracle"]["CIDEr"], 10)
        diversity = out["diversity"]
        self.assertEqual(diversity["distinct_captions"], 2)
        self.assertEqual(diversity["vocabulary"], 8)  # a cat of two men sit at table
        self.assertAlmostEqual(diversity["Div_1"], 8 / 9)
        self.assertAlmostEqual(diversity["Div_2"], 7 / 9)
        self.assertAlmostEqual(diversity["mean_length"], 4.5)
        self.assertEqual(diversity["bad_endings"], 0.5)
        self.assertEqual(diversity["seen_in_training"], 0.5)
        self.assertEqual(diversity["n_best_lists"], 2)
        self.assertAlmostEqual(diversity["list_Div_1"], (7 / 8 + 6 / 12) / 2)
        # The list of "b" has equal captions, that of "a" nearly nothing in common.
        self.assertTrue(0.3 < diversity["self_CIDEr"] <= 0.5)

    # ---- size ---------------------------------------------------------------------------------

    def test_nothing_is_ever_nan(self):
        images = [{"id": "a", "hyp": "", "refs": ["", "."]}, {"id": "b", "hyp": "...", "refs": ["\u00a0"]},
                  {"id": "c", "hyp": "\U0001F600", "refs": ["a"]}]
        for some in (images, images[:1]):
            corpus, each = self.evaluate(some)
            for scores in [corpus, *each.values()]:
                self.assertTrue(all(math.isfinite(scores[key]) for key in KEYS))


if __name__ == "__main__":
    LIMN_EVAL, ROOT = sys.argv[1], Path(sys.argv[2])
    unittest.main(argv=sys.argv[:1])
