#!/usr/bin/env python3
"""How caption files are read and paired:

    test_readers.py LIMN_EVAL LIMN_VOCAB SOURCE_ROOT

Python's standard library only."""

import gzip
import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

LIMN_EVAL = LIMN_VOCAB = ROOT = None
REFS = {"1": ["a red tram goes up a steep hill", "an old tram, climbing"],
        "2": ["two goats stand on a wall", "goats on a wall"],
        "3": ["a baker takes out bread", "fresh bread is lifted"]}
HYPS = {"1": "a red tram climbs a steep hill", "2": "two goats on a stone wall", "3": "a baker lifts bread"}
CIDER = 2.4103331142035365  # of these, by pycocoevalcap 1.2 with its own tokenizer


def lines(rows):
    return "".join(row + "\n" for row in rows)


def each(form):
    """A line for every reference."""
    return lines(form(i, k, c) for i, captions in REFS.items() for k, c in enumerate(captions))


def quoted(caption):
    return f'"{caption}"'


def image_rows(form):
    """A line for every image with all its references."""
    return lines(form(i, captions) for i, captions in REFS.items())


def coco_name(i, folder=""):
    return f"{folder}COCO_val2014_{int(i):012}.jpg"


def karpathy():
    return json.dumps({"images": [
        {"filename": f"{i}.jpg", "imgid": int(i) - 1, "split": split, "sentences": [{"raw": c} for c in REFS[i]]}
        for i, split in zip(REFS, ("train", "restval", "train"))] +
        [{"filename": "4.jpg", "imgid": 3, "split": "test", "sentences": [{"raw": "nothing of this"}]}]})


# As data sets write them, with the images 1.jpg, 2.jpg and 3.jpg.
FORMATS = {
    "Flickr8k.token.txt": each(lambda i, k, c: f"{i}.jpg#{k}\t{c}"),
    "Flickr8k-CN": each(lambda i, k, c: f"{i}.jpg#zhc#{k} {c}"),
    "Kaggle's captions.txt": "image,caption\n" + each(lambda i, k, c: f"{i}.jpg,{quoted(c)}"),
    "an unquoted comma": "image,caption\n" + each(lambda i, k, c: f"{i}.jpg,{c}"),
    "Flickr30k's results.csv": "image_name| comment_number| comment\n" + each(lambda i, k, c: f"{i}.jpg| {k}| {c}"),
    "Flickr30k's broken row": "image_name| comment_number| comment\n" + each(
        lambda i, k, c: f"{i}.jpg| {k}   {c}" if i == "2" else f"{i}.jpg| {k}| {c}"),
    "Flickr30k of Hugging Face": "raw,sentids,split,filename,img_id\n" + image_rows(
        lambda i, c: ",".join(['"' + json.dumps(c).replace('"', '""') + '"', '"[0, 1]"', "test", f"{i}.jpg", i])),
    "Clotho": "file_name,caption_1,caption_2\r\n" + image_rows(lambda i, c: f"{i}.jpg,{c[0]},{quoted(c[1])}"),
    "OpenCLIP": "filepath\ttitle\n" + each(lambda i, k, c: f"images/{i}.jpg\t{c}"),
    "ArTEMIS": "art_style,painting,emotion,utterance,repetition\n" + each(
        lambda i, k, c: f"Cubism,{i}.jpg,awe,{quoted(c)},3"),
    "Excel, semicolons": "\ufeffImage ; Caption\r\n" + each(lambda i, k, c: f"{i}.jpg;{c}"),
    "Excel, sep=": "sep=;\r\nimage;caption\r\n" + each(lambda i, k, c: f"{i}.jpg;{c}"),
    "Excel, UTF-16": ("image\tcaption\r\n" + each(lambda i, k, c: f"{i}.jpg\t{c}")).encode("utf-16"),
    "Excel, Macintosh": ("image,caption\n" + each(lambda i, k, c: f"{i}.jpg,{quoted(c)}")).replace("\n", "\r"),
    "pandas' index": ",image,caption\n" + each(lambda i, k, c: f"{k},{i}.jpg,{quoted(c)}"),
    "Conceptual Captions": each(lambda i, k, c: f"{c}\thttp://example.org/{i}.jpg"),
    "TextCaps": json.dumps({"dataset_name": "textcaps", "data": [
        {"caption_id": k, "caption_str": c, "image_id": i, "image_name": i, "image_path": f"train/{i}.jpg",
         "reference_strs": REFS[i], "caption_tokens": c.split()} for i in REFS for k, c in enumerate(REFS[i])]}),
    "Localized Narratives": each(lambda i, k, c: json.dumps(
        {"dataset_id": "x", "image_id": i, "annotator_id": k, "caption": c, "timed_caption": [{"utterance": "a"}]})),
    "LAVIS": json.dumps([{"image": coco_name(i, "val2014/"), "caption": c} for i, c in REFS.items()]),
    "LAVIS, training": json.dumps([{"image": f"{i}.jpg", "image_id": f"coco_{i}", "caption": c}
                                   for i in REFS for c in REFS[i]]),
    "AI Challenger": json.dumps([{"url": "http://x/y", "image_id": f"{i}.jpg", "caption": c} for i, c in REFS.items()]),
    "Hugging Face, JSONL": image_rows(lambda i, c: json.dumps(
        {"image": {"bytes": None, "path": f"{i}.jpg"}, "caption": c, "img_id": i})),
    "captions by image": json.dumps(REFS),
    "lists of lists": json.dumps([{"image_id": int(i), "prediction": [c]} for i, c in REFS.items()]),
    "pandas' numbers": json.dumps([{"image_id": float(i), "caption": c} for i in REFS for c in REFS[i]]),
    "COCO": json.dumps({"images": [{"id": int(i), "file_name": coco_name(i)} for i in REFS], "annotations": [
        {"image_id": int(i), "id": 10 * int(i) + k, "caption": c} for i in REFS for k, c in enumerate(REFS[i])]}),
}


class ReadersTest(unittest.TestCase):
    """Each test has a folder of its own."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def write(self, name, content):
        path = self.folder / name
        if isinstance(content, (list, dict)):
            content = json.dumps(content)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def run_tool(self, *line, code=0):
        done = subprocess.run(line, capture_output=True, check=False)
        self.assertEqual(done.returncode, code, done.stderr.decode())
        return done.stdout.decode(), done.stderr.decode()

    def fails(self, refs, hyps, *words, code=2):
        """Scoring fails, and the message has all the words."""
        error = self.run_tool(LIMN_EVAL, "--refs", self.write("refs", refs), "--hyps", self.write("hyps", hyps),
                              code=code)[1]
        for word in words:
            self.assertIn(word, error)

    def evaluate(self, refs, hyps, *options):
        """(scores, {id: [caption, references]}, standard error)"""
        images = self.folder / "each.jsonl"
        out, error = self.run_tool(LIMN_EVAL, "--refs", self.write("refs", refs), "--hyps", self.write("hyps", hyps),
                                   "--format", "json", "--per-image", str(images), *options)
        pairs = {o["id"]: [o["caption"], o["references"]] for o in map(json.loads, images.read_text().splitlines())}
        return json.loads(out), pairs, error

    # ---- formats ------------------------------------------------------------------------------

    def test_formats_of_the_field(self):
        hyps = {"TSV": lines(f"{i}.jpg\t{h}" for i, h in HYPS.items()),
                "results": json.dumps([{"image_id": int(i), "caption": h} for i, h in HYPS.items()]),
                "padded": lines(f"{int(i):012}\t{h}" for i, h in HYPS.items()),
                "COCO's names": json.dumps([{"image_id": coco_name(i), "caption": h} for i, h in HYPS.items()])}
        for name, content in FORMATS.items():
            for kind, hypotheses in hyps.items():
                with self.subTest(name, hyps=kind):
                    self.assertAlmostEqual(self.evaluate(content, hypotheses)[0]["CIDEr"], CIDER, delta=1e-9)

    def test_packed(self):
        hyps = lines(f"{i}.jpg\t{h}" for i, h in HYPS.items())
        for name, content in FORMATS.items():
            packed = gzip.compress(content if isinstance(content, bytes) else content.encode())
            with self.subTest(name):
                self.assertAlmostEqual(self.evaluate(packed, hyps)[0]["CIDEr"], CIDER, delta=1e-9)

    def test_the_vocabulary_reads_alike(self):
        words = set()
        for number, content in enumerate(FORMATS.values()):
            out = self.folder / f"{number}.vocab"
            self.run_tool(LIMN_VOCAB, "--captions", self.write("captions", content), "--min-count", "1", "-q", "-o", out)
            words.add(out.read_text(encoding="utf-8"))
        self.assertEqual(len(words), 1)

    def test_splits(self):
        hyps = lines(f"{i}.jpg\t{h}" for i, h in HYPS.items())
        scores, _, _ = self.evaluate(karpathy(), hyps, "--split", "train,restval")
        self.assertAlmostEqual(scores["CIDEr"], CIDER, delta=1e-9)
        self.assertEqual(self.evaluate(karpathy(), hyps, "--split", "restval", "--allow-missing")[0]["n_images"], 1)

    def test_surplus_fields(self):
        for content in ("image,caption,split\n1.jpg,a dog, running,train\n", "image\tcaption\tn\n1.jpg\ta dog\tx\t1\n",
                        'image,caption\n1.jpg,"a dog", running\n', "image|caption|n\n1.jpg|a dog|x|1\n"):
            for tool in ([LIMN_EVAL, "--tokenize"], [LIMN_VOCAB, "--captions"]):
                with self.subTest(content, tool=tool[0]):
                    error = self.run_tool(*tool, self.write("surplus", content), code=2)[1]
                    self.assertRegex(error, r"surplus: line 2: \d fields?, but the header has \d")

    # ---- pairs --------------------------------------------------------------------------------

    def test_image_id_is_the_image(self):
        with open(ROOT / "tests/data/metrics/coco_ids.json", encoding="utf-8") as file:
            cases = json.load(file)
        self.assertEqual(len(cases), 12)
        for number, case in enumerate(cases):
            annotations = case["refs"]["annotations"]
            named = [{"image": f"image {a['image_id']}", **a} for a in annotations]
            for form, refs in {"annotations": json.dumps(case["refs"]), "list": json.dumps(annotations),
                               "JSONL": lines(map(json.dumps, annotations)),
                               "image and image_id": lines(map(json.dumps, named))}.items():
                with self.subTest(number, form=form):
                    _, pairs, error = self.evaluate(refs, case["results"])
                    self.assertEqual({i.removeprefix("image "): p for i, p in pairs.items()}, case["pairs"])
                    self.assertNotIn("warning: the", error)

    def test_the_name_that_the_other_file_has(self):
        refs = lines(json.dumps({"image": f"{i}.jpg", "image_id": 10 + int(i), "id": 4 - int(i), "caption": c[0]})
                     for i, c in REFS.items())
        for hyps in (lines(f"x/{i}.jpg\t{h}" for i, h in HYPS.items()), lines(f"{i}\t{h}" for i, h in HYPS.items()),
                     json.dumps([{"image_id": 10 + int(i), "caption": h} for i, h in HYPS.items()])):
            self.assertEqual(self.evaluate(refs, hyps)[1], {f"{i}.jpg": [HYPS[i], REFS[i][:1]] for i in REFS})
            self.assertEqual(len(self.evaluate(hyps, refs)[1]), 3)

    def test_a_name_of_two_images(self):
        refs = [{"image": "7", "image_id": 8, "caption": "of the first"}, {"image": "8", "image_id": 7, "caption": "of the second"}]
        hyps = [{"image_id": 7, "caption": "x"}, {"image_id": 8, "caption": "y"}]
        _, pairs, error = self.evaluate(refs, hyps)
        self.assertEqual(pairs, {"7": ["y", ["of the first"]], "8": ["x", ["of the second"]]})
        self.assertEqual(error, "")
        self.fails(refs, "7\tx\n8\ty\n", "7: two images of the references have this name")
        self.fails("a/1.jpg\tx\nb/1.jpg\ty\n", "1.jpg\tz\n", "two images of the references")
        self.fails("1.jpg\tx\n01.png\ty\n", "001\tz\n", "two images of the references")

    def test_own_ids_count_where_nothing_else_does(self):
        refs = [{"image": "a.jpg", "id": 1, "caption": "x"}, {"image": "b.jpg", "id": 2, "caption": "y"}]
        _, pairs, error = self.evaluate(refs, [{"id": 2, "caption": "p"}, {"id": 1, "caption": "q"}])
        self.assertEqual(pairs, {"a.jpg": ["q", ["x"]], "b.jpg": ["p", ["y"]]})
        self.assertIn('matched by the references\' "id"', error)

    def test_what_differs_is_named(self):
        for ref, hyp, what in (("a.png", "a.jpg", "the extension"), ("b.jpg", "B.jpg", "upper and lower case"),
                               ("a.jpg", "x\\a.jpg", "backslashes"), ("caf\u00e9.jpg", "cafe\u0301.jpg", "NFC, NFD")):
            self.fails(f"{ref}\tx\n", f"{hyp}\ty\n", "no image is in both files", f'differ in {what}' if what[0] != "N"
                       else "differ in Unicode's normal form (NFC, NFD)")
        self.fails("a.jpg\tx\nb.png\ty\n", "a.jpg\tx\nb.jpg\ty\n", '"b.png" and "b.jpg" differ in the extension')

    # ---- VizWiz -------------------------------------------------------------------------------

    def test_rejected_captions(self):
        """vizwiz_api's defaults, ignore_rejected and ignore_precanned; VizWizEvalCap takes images that have a
        caption left."""
        refs = {"images": [{"id": n} for n in range(4)], "annotations": [
            {"image_id": n % 4, "id": n, "caption": f"reference {n}", "is_rejected": n in (1, 5), "is_precanned": n == 4}
            for n in range(8)]}
        hyps = [{"image_id": n, "caption": "a reference"} for n in range(4)]
        _, pairs, error = self.evaluate(refs, hyps)
        self.assertEqual({i: p[1] for i, p in pairs.items()}, {"0": ["reference 0"], "2": ["reference 2", "reference 6"],
                                                               "3": ["reference 3", "reference 7"]})
        self.assertIn("3 captions that are marked is_rejected or is_precanned are left out", error)
        self.assertIn("1 image whose references are all marked as unfit is left out", error)
        _, pairs, error = self.evaluate(refs, hyps, "--keep-rejected")
        self.assertEqual(len(pairs), 4)
        self.assertNotIn("rejected", error)
        counts = self.run_tool(LIMN_VOCAB, "--captions", str(self.folder / "refs"))
        self.assertIn("captions       5 of 3 images", counts[0])
        self.assertIn("3 captions that are marked", counts[1])

    # ---- messages -----------------------------------------------------------------------------

    def test_metrics_by_any_name(self):
        refs, hyps = FORMATS["captions by image"], json.dumps(HYPS)
        for names in ("CIDEr", "CIDER", "Bleu_4, rouge-l", "ROUGE_L,Meteor", "sacreBLEU,CIDEr-plain"):
            self.evaluate(refs, hyps, "--metrics", names)
        error = self.run_tool(LIMN_EVAL, "--refs", "x", "--hyps", "y", "--metrics", "spice", code=1)[1]
        self.assertIn('"spice"; choose from bleu, meteor, rouge, cider, cider-plain, sacrebleu, objects', error)

    def test_hints(self):
        error = self.evaluate({"1": ["a dog"]}, {"1": "a dog"})[2]
        self.assertIn("CIDEr of a single image is always 0", error)
        chinese = {"1": "\u7ea2\u8272\u7684\u7535\u8f66", "2": "\u4e24\u53ea\u5c71\u7f8a"}
        self.assertIn("--tokenizer char", self.evaluate(chinese, chinese)[2])
        self.assertNotIn("--tokenizer char", self.evaluate(chinese, chinese, "--tokenizer", "char")[2])
        self.assertEqual(self.evaluate(FORMATS["COCO"], HYPS)[2], "")

    def test_names_as_other_programs_write_them(self):
        """pandas' fractions and URLs with a query are the images; VizWiz' file numbers are not its image ids
        (val.json: id 23431 is VizWiz_val_00000000.jpg), so they are refused with a hint."""
        numbers = json.dumps([{"image_id": 1, "caption": "a dog"}, {"image_id": 2, "caption": "a cat runs"}])
        pandas = "image_id,caption\n1.0,a dog\n2.0,a cat runs\n"
        urls = "https://x.org/p/1.jpg?w=640\ta dog\nhttps://x.org/p/2.jpg?u=a/b\ta cat runs\n"
        files = "1.jpg\ta dog\n2.jpg\ta cat runs\n"
        vizwiz = "VizWiz_val_00000001.jpg\ta dog\nVizWiz_val_00000002.jpg\ta cat runs\n"
        for refs, hyps in ((numbers, pandas), (pandas, numbers), (files, urls), (urls, files), (pandas, files)):
            self.assertEqual(len(self.evaluate(refs, hyps, "--metrics", "bleu")[1]), 2)
        self.fails(vizwiz, numbers, "what stands before the number", "as of VizWiz")
        self.fails(files, vizwiz.replace("val", "train"), "what stands before the number")

    def test_every_name_of_a_field(self):
        """The table of common/io/caption_fields.c, by its own words."""
        source = (ROOT / "common/io/caption_fields.c").read_text()
        names = re.search(r"LIMN_FIELD_FILE, ((?:\s*\"[^\"]*\")+)", source).group(1).replace('"', "").split()
        self.assertEqual(len(set(names)), len(names))
        self.assertIn("picture", names)
        for name in names:
            table = f"{name},caption\na.jpg,a dog\n"
            self.assertEqual(list(self.evaluate(table, table, "--metrics", "bleu")[1]), ["a.jpg"], name)

    def test_other_encodings_are_named(self):
        text = "a.jpg\tit\u2019s a caf\u00e9\n"
        self.fails(text.encode("cp1252"), text, "line 1, byte 9: invalid UTF-8 (0x92)", "Windows-1252")
        self.fails("a.jpg\tx\nb.jpg\ty\n".encode("utf-16-le"), text, "UTF-16LE without a byte order mark")


if __name__ == "__main__":
    LIMN_EVAL, LIMN_VOCAB, ROOT = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    unittest.main(argv=sys.argv[:1])
