#!/usr/bin/env python3
"""limn-eval --objects against a count in Python, and by hand:

    test_objects.py LIMN_EVAL SOURCE_ROOT

Python's standard library only."""

import json
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

LIMN_EVAL = ROOT = None
FILLERS = ("a an the on in with and or next to near of two red white orange black is are standing sitting 's baby toy "
           "stuffed passenger field street , slices").split()


class ObjectsTest(unittest.TestCase):
    """Captions and what they name."""

    def evaluate(self, images, *args):
        """(JSON of the corpus, {id: JSON}) of [{"id", "hyp", "refs"}]."""
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / name for name in ("refs", "hyps", "each")]
            for path, lines in zip(paths, ([{"id": i["id"], "captions": i["refs"]} for i in images],
                                           [{"id": i["id"], "caption": i["hyp"]} for i in images])):
                path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
            out = subprocess.run([LIMN_EVAL, "--refs", paths[0], "--hyps", paths[1], "--objects", "--metrics", "rouge",
                                  "--format", "json", "--per-image", paths[2], *args], capture_output=True, check=True)
            each = map(json.loads, paths[2].read_text(encoding="utf-8").splitlines())
            return json.loads(out.stdout), {o["id"]: o for o in each}

    def compare(self, images):
        """Every number against the count in Python."""
        corpus, _ = self.evaluate(images)
        keys, each = count(Names(ROOT / "common/text/objects_words.c"), images)
        for key, value in keys.items():
            self.assertAlmostEqual(corpus[key], value, delta=1e-12, msg=key)
        columns = ("shown", "found", "absent", "false")
        got = {"people": corpus["objects"]["people"], **corpus["objects"]["classes"]}
        wanted = {kind: counts for kind, counts in each.items() if kind == "people" or counts[0] or counts[3]}
        self.assertEqual({kind: [o[c] for c in columns] for kind, o in got.items()}, wanted)
        return corpus

    def test_by_hand(self):
        corpus, each = self.evaluate([
            {"id": "a", "hyp": "a man and a dog", "refs": ["A dog.", "a puppy on a couch"]},
            {"id": "b", "hyp": "a hot dog on a table", "refs": ["a hot dog", "food on a plate"]},
            {"id": "c", "hyp": "a man with two dogs", "refs": ["A crowd of people", "a street"]},
            {"id": "d", "hyp": "a field", "refs": ["a stop sign", "a street"]}])
        self.assertAlmostEqual(corpus["False_person"], 1 / 3)   # a, of a, b, d
        self.assertAlmostEqual(corpus["CHAIR_s"], 3 / 4)        # man, table, dogs
        self.assertAlmostEqual(corpus["CHAIR_i"], 3 / 6)
        self.assertAlmostEqual(corpus["Obj_recall"], 3 / 5)     # dog couch | hot dog | person | stop sign
        self.assertAlmostEqual(corpus["Miss_object"], 2 / 5)
        self.assertAlmostEqual(corpus["Object_F1"], 2 * 3 / 6 * 3 / 5 / (3 / 6 + 3 / 5))
        self.assertAlmostEqual(corpus["Person_F1"], 2 / 3)      # precision 1 of 2 (a, c), recall 1 of 1
        self.assertEqual([corpus["Miss_person"], corpus["Miss_person3"]], [0, 0])
        self.assertEqual([each[i]["made_up"] for i in "abcd"], [["person"], ["dining table"], ["dog"], []])
        self.assertEqual(corpus["objects"]["classes"]["dog"], {"shown": 1, "found": 1, "absent": 3, "false": 1,
                                                               "false_rate": 1 / 3, "recall": 1})

    def test_missed_people(self):
        """Named by one reference, by three, by two and a crowd, by none."""
        corpus, each = self.evaluate([
            {"id": "one", "hyp": "a boat", "refs": ["a man in a boat", "a boat", "the sea", "a lake", "water"]},
            {"id": "three", "hyp": "a boat", "refs": ["a man", "people", "a girl", "a boat", "the sea"]},
            {"id": "seen", "hyp": "a woman", "refs": ["a man", "people", "a girl", "a boat", "the sea"]},
            {"id": "crowd", "hyp": "a boat", "refs": ["a man", "people", "a crowd"]},
            {"id": "none", "hyp": "a boat", "refs": ["a boat"]}])
        self.assertAlmostEqual(corpus["Miss_person"], 3 / 4)
        self.assertAlmostEqual(corpus["Miss_person3"], 1 / 2)
        self.assertAlmostEqual(corpus["Person_F1"], 2 * 1 * (1 / 4) / (1 + 1 / 4))
        self.assertEqual([each[i]["Miss_person"] for i in ("one", "three", "seen", "none")], [1, 1, 0, 0])

    def test_nothing_named(self):
        corpus, _ = self.evaluate([{"id": "a", "hyp": "", "refs": ["", "the sea"]}])
        self.assertEqual([corpus[key] for key in ("False_person", "CHAIR_s", "CHAIR_i", "Miss_person", "Miss_person3",
                                                       "Miss_object", "Obj_recall", "Person_F1", "Object_F1")], [0] * 9)
        self.assertEqual(corpus["objects"]["classes"], {})

    def test_words_do_not_depend_on_the_tokenizer(self):
        images = [{"id": "a", "hyp": "A MAN's dog.", "refs": ["A Dog"]}]
        self.assertEqual(self.evaluate(images)[0]["objects"], self.evaluate(images, "--tokenizer", "none")[0]["objects"])

    def test_phrases_in_any_order(self):
        """Phrases of the table among words that change their meaning."""
        rng = random.Random(7)
        phrases = [p for p in Names(ROOT / "common/text/objects_words.c").meaning if not p.endswith(("'", "'ses"))]
        words = lambda: rng.choice(phrases if rng.random() < 0.4 else FILLERS)
        caption = lambda: " ".join(words() for _ in range(rng.randint(1, 12)))
        self.compare([{"id": str(i), "hyp": caption(), "refs": [caption() for _ in range(rng.randint(1, 3))]}
                      for i in range(3000)])

    def test_captions_of_people(self):
        captions = {}
        path = ROOT.parent / "shared/data/coco_dev/captions.token.txt"
        if not path.is_file():
            print("SKIP: ../shared is not here")
            self.skipTest("../shared is not here")
        for line in path.read_text(encoding="utf-8").splitlines():
            name, text = line.split("\t")
            captions.setdefault(name.split("#")[0], []).append(text)
        corpus = self.compare([{"id": name, "hyp": refs[0], "refs": refs[1:]} for name, refs in captions.items()])
        self.assertLess(corpus["False_person"], 0.1)
        self.assertGreater(corpus["Obj_recall"], 0.5)


if __name__ == "__main__":
    LIMN_EVAL, ROOT = sys.argv[1], Path(sys.argv[2])
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "fixtures"))
    from reference_objects import Names, count
    unittest.main(argv=sys.argv[:1])
