"""evaluate and limn.coco: pycocoevalcap's numbers."""

import json
import os
import random
import shutil
import tempfile
import unittest
from pathlib import Path

import limn

from support import ROOT, SHARED, needs

SETS = json.loads((ROOT / "tests/data/metrics/metrics.json").read_text())
KEYS = ("Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "CIDEr")
REFS = {"a": ["A dog runs.", "the dog is running"], "b": ["two cats"], "c": ["men play football", "a game"]}
HYPS = {"a": "a dog runs", "b": "two cats on a bed", "c": "men play a game"}


def made_captions(n):
    """n images with four references and a caption each, made of words that METEOR's stems, synonyms and paraphrases
    match, and of text that tokenizers split."""
    parts = (("A", "The", "One", "Two"), ("dog", "dogs", "puppy", "man's dog", "kitten", "well-known cat", "U.S. woman", "child"),
             ("is running", "runs", "ran quickly", "isn't sitting", "sits", "was seated", "jumped 2.5 feet"),
             ("on", "in front of", "near", "beside"), ("the beach.", "a beach", "grass, water", "a table!", "the sofa/couch",
                                                        "the \"red\" house", "caf\u00e9"))
    chance = random.Random(5)
    texts = [[" ".join(map(chance.choice, parts)) for _ in range(5)] for _ in range(n)]
    return {i: t[1:] for i, t in enumerate(texts)}, {i: t[:1] for i, t in enumerate(texts)}


def many_captions(n=5000):
    """(references, captions) of n images: Flickr8k's human captions against each other where available, else made-up
    ones."""
    path = SHARED / "data/flickr8k/captions.token.txt"
    if not path.exists():
        return made_captions(n)
    images = list(limn.read(path).items())[:n]
    return {k: v[1:] for k, v in images}, {k: v[:1] for k, v in images}


class CocoTest(unittest.TestCase):
    @needs("numpy")
    def test_pycocoevalcaps_numbers(self):
        """Its scores of captions taken as they are, for the sets that it scored (tests/fixtures/make_metrics.py)."""
        from limn.coco import Bleu, Cider, PTBTokenizer, Rouge
        for data in SETS:
            gts = {i: image["refs"] for i, image in enumerate(data["images"])}
            res = {i: [image["hyp"]] for i, image in enumerate(data["images"])}
            if data["tokenizer"] == "ptb":
                tokenizer = PTBTokenizer()
                gts, res = tokenizer.tokenize(gts), tokenizer.tokenize(res)
            found = {}
            scores, each = Bleu(4).compute_score(gts, res)
            for k in range(4):
                found[KEYS[k]] = scores[k], each[k]
            found["ROUGE_L"] = Rouge().compute_score(gts, res)
            found["CIDEr"] = Cider().compute_score(gts, res)
            for key in KEYS:
                self.assertAlmostEqual(found[key][0], data["scores"][key], delta=1e-10)
                for i, image in enumerate(data["images"]):
                    self.assertAlmostEqual(found[key][1][i], image["scores"][key], delta=1e-10)

    @needs("numpy", "pycocoevalcap")
    def test_pycocoevalcap_itself(self):
        """Scores of 5,000 captions, and of each image, agree to 1e-8."""
        from pycocoevalcap.bleu.bleu import Bleu
        from pycocoevalcap.cider.cider import Cider
        from pycocoevalcap.rouge.rouge import Rouge
        import limn.coco
        tokenizer = limn.coco.PTBTokenizer()
        gts, res = (tokenizer.tokenize(captions) for captions in many_captions())
        for theirs, ours in ((Cider(), limn.coco.Cider()), (Rouge(), limn.coco.Rouge())):
            (a, each_a), (b, each_b) = theirs.compute_score(gts, res), ours.compute_score(gts, res)
            self.assert_close(a, each_a, b, each_b)
            self.assertEqual(type(each_a), type(each_b))
        (a, each_a), (b, each_b) = Bleu(4).compute_score(gts, res, verbose=0), limn.coco.Bleu(4).compute_score(gts, res)
        for k in range(4):
            self.assert_close(a[k], each_a[k], b[k], each_b[k])

    @needs("pycocoevalcap")
    @unittest.skipUnless(shutil.which("java"), "left out: pycocoevalcap's tokenizer and METEOR need java")
    def test_pycocoevalcaps_java(self):
        """Its tokenizer gives the same texts, and METEOR with its data the same scores."""
        from pycocoevalcap.meteor.meteor import Meteor
        from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer
        import limn.coco
        captions = many_captions()
        wrapped = [{k: [{"caption": t} for t in v] for k, v in part.items()} for part in captions]
        theirs = [PTBTokenizer().tokenize(part) for part in wrapped]
        self.assertEqual(theirs, [limn.coco.PTBTokenizer().tokenize(part) for part in captions])
        a, each_a = Meteor().compute_score(*theirs)
        self.assert_close(a, each_a, *limn.coco.Meteor().compute_score(*theirs))

    def assert_close(self, a, each_a, b, each_b):
        self.assertAlmostEqual(float(a), b, delta=1e-8)
        self.assertEqual(len(each_a), len(each_b))
        self.assertLess(max(abs(x - y) for x, y in zip(each_a, each_b)), 1e-8)

    def test_meteor(self):
        from limn.coco import Meteor
        data = ROOT / "tests/data/meteor"
        score, each = Meteor(data).compute_score({1: ["a dog runs"], 2: ["two cats"]}, {1: ["the dog runs"],
                                                                                       2: ["men play"]})
        self.assertTrue(0 < score < 1 and each[0] > 0.3 and each[1] < 0.2)
        with self.assertRaises(limn.Error):
            Meteor("/nowhere").compute_score({1: ["a"]}, {1: ["a"]})

    def test_wrong_arguments(self):
        from limn.coco import Bleu, Cider
        with self.assertRaises(ValueError):
            Cider().compute_score({1: ["a"]}, {2: ["a"]})
        with self.assertRaises(ValueError):
            Cider().compute_score({1: ["a"]}, {1: ["a", "b"]})
        with self.assertRaises(ValueError):
            Bleu(5)
        with self.assertRaises(TypeError):
            Cider().compute_score({1: [3]}, {1: ["a"]})


class EvaluateTest(unittest.TestCase):
    def test_shapes_of_input(self):
        whole = limn.evaluate(REFS, HYPS)
        lists = limn.evaluate(list(REFS.values()), list(HYPS.values()))
        self.assertEqual(dict(whole), dict(lists))
        self.assertEqual(whole.ids, ["a", "b", "c"])
        self.assertEqual(whole.per_item["CIDEr"], lists.per_item["CIDEr"])
        self.assertAlmostEqual(sum(whole.per_item["CIDEr"]) / 3, whole["CIDEr"])
        self.assertIn("nrefs:1-2", whole.signature)
        self.assertEqual(dict(limn.evaluate(REFS, {k: [{"caption": v}] for k, v in HYPS.items()})), dict(whole))

    def test_paths(self):
        with tempfile.TemporaryDirectory() as folder:
            refs, hyps = os.path.join(folder, "refs.txt"), Path(folder, "hyps.jsonl")
            with open(refs, "w", encoding="utf-8") as file:
                file.writelines(f"{k}.jpg#{i}\t{t}\n" for k, texts in REFS.items() for i, t in enumerate(texts))
            hyps.write_text("".join(json.dumps({"file": f"photos/{k}.jpg", "caption": v}) + "\n"
                                    for k, v in HYPS.items()))
            self.assertEqual(dict(limn.evaluate(refs, hyps)), dict(limn.evaluate(REFS, HYPS)))
            with self.assertRaises(limn.FileError):
                limn.read(os.path.join(folder, "none"))

    @needs("pandas")
    def test_frames(self):
        import pandas as pd
        refs = pd.DataFrame([(k, t) for k, texts in REFS.items() for t in texts], columns=["image", "caption"])
        hyps = pd.DataFrame(HYPS.items(), columns=["file", "caption"])
        self.assertEqual(dict(limn.evaluate(refs, hyps)), dict(limn.evaluate(REFS, HYPS)))
        with self.assertRaisesRegex(limn.OptionError, "column"):
            limn.evaluate(refs, hyps[["caption"]])

    def test_intervals_and_baselines(self):
        s = limn.evaluate(REFS, HYPS, trials=200, seed=1, baseline={"a": "a", "b": "dog", "c": "x"})
        low, high = s.intervals["CIDEr"]
        self.assertTrue(low <= s["CIDEr"] <= high)
        d = s.differences["Bleu_1"]
        self.assertTrue(d.low <= d.value <= d.high and 0 <= d.p <= 1)
        self.assertIn("CIDEr", str(s))

    def test_meteor_and_sacrebleu(self):
        s = limn.evaluate(REFS, HYPS, metrics=["METEOR", "sacreBLEU"], meteor_data=ROOT / "tests/data/meteor")
        self.assertEqual(set(s), {"METEOR", "sacreBLEU"})
        self.assertTrue(0 < s["METEOR"] < 1 < s["sacreBLEU"])

    def test_tokenized_texts_stay(self):
        self.assertEqual(limn.evaluate([["a ."]], ["a ."], tokenized=True, metrics="Bleu_2")["Bleu_2"] > 0.9, True)
        self.assertLess(limn.evaluate([["a ."]], ["a ."], metrics="Bleu_2")["Bleu_2"], 0.1)

    def test_wrong_arguments(self):
        for refs, hyps in ((REFS, {"a": "x"}), (REFS, {**HYPS, "d": "x"}), ({}, {}), (REFS, {**HYPS, "a": []}),
                           ({"a": []}, {"a": "x"})):
            with self.assertRaises(limn.OptionError):
                limn.evaluate(refs, hyps)
        for wrong in (3, {"a": 3}):
            with self.assertRaises(TypeError):
                limn.evaluate(REFS, wrong)
        with self.assertRaisesRegex(limn.OptionError, "SPICE"):
            limn.evaluate(REFS, HYPS, metrics=["SPICE"])


if __name__ == "__main__":
    unittest.main()
