#!/usr/bin/env python3
"""limn-train from end to end: test_train.py LIMN-TRAIN LIMN-INSPECT LIMN-PREPROCESS TOY-MODEL SLOTTED-MODEL SOURCE-ROOT
[TEST...]. Standard library only. Sixteen small images, twelve of them to train on, a toy model, a few steps of each
stage."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

TRAIN, INSPECT, PREPROCESS, TOY, SLOTTED, ROOT = (os.path.abspath(a) for a in sys.argv[1:7])
sys.path.insert(0, os.path.join(ROOT, "tests", "cli"))
import images  # noqa: E402

COLOURS = {"red": (200, 30, 30), "green": (30, 180, 30), "blue": (30, 30, 200)}
N_IMAGES = 16
SMALL = ["--layers", 1, "--dim", 32, "--heads", 2, "--min-count", 1]


def word(seed):
    """The colour word of an image, to be learned from the toy encoder's random features."""
    return list(COLOURS)[seed % len(COLOURS)]


class Train(unittest.TestCase):
    """Each test has a folder of its own; the images are shared."""

    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.shared.cleanup)
        cls.data = pathlib.Path(cls.shared.name)
        (cls.data / "photos").mkdir()
        (cls.data / "more").mkdir()
        captions = []
        for i in range(N_IMAGES):
            name = f"p{i:02}.png"
            colour = COLOURS[word(i)]
            (cls.data / "photos" / name).write_bytes(images.png(24, 20, lambda x, y: colour))
            captions += [f"{name}\ta {word(i)} wall", f"{name}\tthe wall is {word(i)} ."]
        for i in range(4):
            (cls.data / "more" / f"m{i}.png").write_bytes(images.png(20, 20, images.noise(i)))
        (cls.data / "captions.tsv").write_text("\n".join(captions) + "\n")
        names = [f"p{i:02}.png" for i in range(N_IMAGES)]
        (cls.data / "train.txt").write_text("\n".join(names[:12]) + "\n")
        (cls.data / "dev.txt").write_text("\n".join(names[12:]) + "\n")
        (cls.data / "objects.tsv").write_text(
            "".join(f"m{i}.png\t{o}:0.9\n" for i, o in enumerate(("dog", "cat", "dog", "bus"))))
        (cls.data / "text.tsv").write_text(
            "1\ta dog on the wall\n2\ta cat\n3\ta bus in a street\n4\tone dog\n5\ta man\n")

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def command(self, *arguments, data=True, new=True):
        """A command line; `data` adds images, captions and lists, `new` a small decoder."""
        line = [TRAIN]
        if data:
            line += ["--images", self.data / "photos", "--captions", self.data / "captions.tsv", "--train",
                     self.data / "train.txt", "--dev", self.data / "dev.txt"]
        if new:
            line += ["--encoder", TOY, *SMALL]
        return list(map(str, [*line, *arguments]))

    def run_train(self, *arguments, code=0, **more):
        done = subprocess.run(self.command(*arguments, **more), capture_output=True, text=True, check=False,
                              cwd=self.folder)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def losses(self, run):
        """What a log says, except what depends on the clock."""
        lines = [json.loads(line) for line in (self.folder / run / "log.jsonl").read_text().splitlines()]
        return [{k: v for k, v in line.items() if k not in ("seconds", "tokens_per_second")} for line in lines]

    def kill_and_resume(self, run, arguments, threads, new):
        """Kills a run once it has a checkpoint, and resumes it to its end."""
        line = self.command("--run", run, "--threads", threads, *arguments, new=new)
        for _ in range(20):  # on a busy machine a run may be over before its checkpoint is seen
            with subprocess.Popen(line, cwd=self.folder, stderr=subprocess.DEVNULL) as process:
                while process.poll() is None and not (self.folder / run / "checkpoint-9.safetensors").exists():
                    time.sleep(0.001)
                process.send_signal(signal.SIGKILL)
            if process.returncode == -signal.SIGKILL:
                break
            self.assertEqual(process.returncode, 0)
            shutil.rmtree(self.folder / run)
            (self.folder / f"{run}.safetensors").unlink()
        self.assertEqual(process.returncode, -signal.SIGKILL, "it was over before it could be killed")
        self.run_train("--resume", run, "--threads", threads, data=False, new=False)

    def check_stage(self, *stage, n_steps=20, all_threads=(2,), new=True):
        """A straight run and one killed and resumed with other numbers of threads give the same model and log."""
        arguments = [*stage, "--epochs", 5, "--batch", 3, "--views", 2, "--checkpoint-steps", 3, "--cache", "cache"]
        self.run_train("--run", "straight", "--threads", 1, "-o", "straight.safetensors", *arguments, new=new)
        straight = (self.folder / "straight.safetensors").read_bytes()
        log = self.losses("straight")
        self.assertEqual(max(line["step"] for line in log if line["kind"] == "step"), n_steps)
        for threads in all_threads:
            run = f"killed{threads}"
            self.kill_and_resume(run, ["-o", f"{run}.safetensors", *arguments], threads, new)
            self.assertEqual((self.folder / f"{run}.safetensors").read_bytes(), straight)
            self.assertEqual(self.losses(run), log)
            self.assertEqual(list((self.folder / run).glob(".*")), [])

    def test_features_go_on_bit_for_bit(self):
        self.check_stage("--stage", "features", all_threads=(1, 2, 3))

    def test_end_to_end_goes_on_bit_for_bit(self):
        self.check_stage("--stage", "end-to-end", "--unfreeze", 3)

    def test_the_whole_encoder_goes_on_bit_for_bit(self):
        self.check_stage("--stage", "end-to-end", "--unfreeze", 64)

    def unpaired(self):
        return ("--unpaired-images", self.data / "more", "--objects", self.data / "objects.tsv", "--text",
                self.data / "text.tsv", "--unpaired-share", 0.4)

    def test_unpaired_captions_go_on_bit_for_bit(self):
        self.check_stage("--stage", "features", "--picture-dropout", 0.2, *self.unpaired(), n_steps=35)

    def test_reward_goes_on_bit_for_bit(self):
        self.check_stage("--stage", "reward", "--samples", 3)

    def test_reward_of_unpaired_images_goes_on_bit_for_bit(self):
        self.check_stage("--stage", "reward", "--samples", 3, "--object-cost", 0.5, *self.unpaired(), n_steps=35)

    def test_reward_of_all_terms_goes_on_bit_for_bit(self):
        terms = ("--object-f1", 0.5, "--person-f1", 0.5, "--retrieval", 0.3, "--repeat-cost", 0.5, "--unsupported-cost", 0.5, "--reward-text", self.data / "text.tsv")
        self.check_stage("--stage", "reward", "--samples", 3, *terms)
        plain = (self.folder / "straight.safetensors").read_bytes()
        self.run_train("--run", "off", "--stage", "reward", "--samples", 3, "--epochs", 5, "--batch", 3, "--views", 2,
                       "-o", "off.safetensors")
        self.assertNotEqual((self.folder / "off.safetensors").read_bytes(), plain)
        done = self.run_train("--run", "no", "--stage", "features", *terms, code=1)
        self.assertIn("--reward-text: needs --stage reward or all", done.stderr)

    def test_self_training_goes_on_bit_for_bit(self):
        """The model's choice of fitting captions is made once, and a resumed run uses it."""
        self.check_stage("--init", TOY, "--vocab", "extend", "--min-count", 1, "--stage", "features",
                         "--self-training", 1, *self.unpaired(), n_steps=35, new=False)
        opinions = [(self.folder / run / "agreement.npy").read_bytes() for run in ("straight", "killed2")]
        self.assertEqual(*opinions)
        done = self.run_train("--run", "no", "--self-training", 1, *self.unpaired(), code=1)
        self.assertIn("--self-training: needs --init MODEL", done.stderr)

    def test_new_words_come_behind_the_old_ones(self):
        self.run_train("--run", "a", "--stage", "features", "--epochs", 1, "-o", "a.safetensors")
        captions = self.folder / "captions.tsv"
        captions.write_text((self.data / "captions.tsv").read_text().replace("wall", "zorgle"))
        done = self.run_train("--run", "b", "--init", "a.safetensors", "--vocab", "extend", "--min-count", 1,
                              "--stage", "features", "--epochs", 1, "-o", "b.safetensors", "--captions", captions,
                              new=False)
        self.assertIn("1 new: zorgle\n", done.stderr)
        planned = self.run_train("--plan", "--init", "a.safetensors", "--vocab", "extend", "--min-count", 1, "--stage",
                                 "features", "--captions", captions, new=False)
        self.assertIn("in total", planned.stdout)
        words = [json.loads(self.metadata(f"{name}.safetensors")["limn.vocabulary"]) for name in "ab"]
        self.assertEqual(words[1], [*words[0], "zorgle"])

    # ---- tags ---------------------------------------------------------------------------------------------

    def sets_of_tags(self, name):
        """A model's sets of tags, and how many of the tags its decoder gets: None if it has no slots."""
        metadata = self.metadata(name)
        sets = [head["set"] for head in json.loads(metadata.get("limn.tags", "[]"))]
        return sets, json.loads(metadata["limn.config"])["decoder"].get("tag_slots")

    def test_tag_slots_of_a_new_decoder_go_on_bit_for_bit(self):
        self.check_stage("--encoder", SLOTTED, *SMALL, "--tag-slots", 3, "--stage", "features", "--picture-dropout",
                         0.3, all_threads=(3,), new=False)
        self.assertEqual(self.sets_of_tags("straight.safetensors"), (["one", "any", "objects"], 3))

    def test_tag_slots_of_a_model_go_on_bit_for_bit_end_to_end(self):
        """The head that the decoder reads is kept; heads that it doesn't read no longer fit and are dropped."""
        self.check_stage("--init", SLOTTED, "--stage", "end-to-end", "--unfreeze", 3, new=False)
        self.assertEqual(self.sets_of_tags("straight.safetensors"), (["objects"], 4))

    def test_tag_slots_of_a_model_go_on_bit_for_bit_by_reward(self):
        self.check_stage("--init", SLOTTED, "--vocab", "extend", "--min-count", 1, "--stage", "reward", "--samples", 3,
                         new=False)
        self.assertEqual(self.sets_of_tags("straight.safetensors"), (["one", "any", "objects"], 4))

    def test_tags_stay_as_long_as_the_encoder_does(self):
        done = self.run_train("--run", "run", "--encoder", SLOTTED, *SMALL, "-o", "model.safetensors", new=False)
        self.assertIn("they were trained on changes: 3; limn-convert --objects", done.stderr)
        self.assertIn(self.sets_of_tags("model.safetensors")[0], ([], ["one", "any", "objects"]))
        self.assertEqual(self.sets_of_tags("run/base-1.safetensors"), (["one", "any", "objects"], None))
        self.run_train("--run", "more", "--init", "run/base-1.safetensors", "--tag-slots", 2, "--stage", "features",
                       "--epochs", 1, "-o", "more.safetensors", new=False)
        self.assertEqual(self.sets_of_tags("more.safetensors"), (["one", "any", "objects"], 2))

    def altered_toy(self, name, alter):
        """The toy model with other metadata."""
        whole = pathlib.Path(TOY).read_bytes()
        size = int.from_bytes(whole[:8], "little")
        header = json.loads(whole[8:8 + size])
        alter(header["__metadata__"])
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 64 + 56)
        (self.folder / name).write_bytes(len(text).to_bytes(8, "little") + text + whole[8 + size:])

    def test_int8_is_refused_with_what_to_do(self):
        self.altered_toy("int8.safetensors", lambda metadata: metadata.update({"limn.int8": "2"}))
        for option in ("--encoder", "--init"):
            self.fails("int8.safetensors: is in int8, and training needs f32 or f16; convert it first: limn-convert "
                       "--dtype f16", "--run", "r", option, "int8.safetensors", code=2, new=False)
        self.assertFalse((self.folder / "r").exists())

    def test_a_new_decoder_has_a_search_of_its_own(self):
        def alter(metadata):
            config = json.loads(metadata["limn.config"])
            config["search"].update({"guidance": 2.0, "no_repeat_ngram": 3})
            metadata["limn.config"] = json.dumps(config)

        self.altered_toy("guided.safetensors", alter)
        stage = ["--stage", "features", "--epochs", 1]
        self.run_train("--run", "new", "--encoder", "guided.safetensors", *SMALL, *stage, "-o", "new.safetensors",
                       new=False)
        self.run_train("--run", "old", "--init", "guided.safetensors", *stage, "-o", "old.safetensors", new=False)
        search = {name: json.loads(self.metadata(f"{name}.safetensors")["limn.config"])["search"]
                  for name in ("new", "old")}
        self.assertEqual((search["new"].get("guidance", 1), search["new"].get("no_repeat_ngram", 0)), (1, 0))
        self.assertEqual((search["old"]["guidance"], search["old"]["no_repeat_ngram"]), (2, 3))

    def test_notes_of_scaled_channels_stay_with_their_networks(self):
        self.altered_toy("folded.safetensors", lambda metadata: metadata.update(
            {"limn.int8_folded": "encoder 2, decoder 1"}))
        stage = ["--stage", "features", "--epochs", 1]
        self.run_train("--run", "new", "--encoder", "folded.safetensors", *SMALL, *stage, "-o", "new.safetensors",
                       new=False)
        self.run_train("--run", "old", "--init", "folded.safetensors", *stage, "-o", "old.safetensors", new=False)
        self.run_train("--run", "more", "--init", "folded.safetensors", "--vocab", "extend", "--min-count", 1, *stage,
                       "-o", "more.safetensors", new=False)
        for name, note in (("new", "encoder 2, decoder 0"), ("old", "encoder 2, decoder 1"),
                           ("more/base-0", "encoder 2, decoder 1"), ("more", "encoder 2, decoder 1")):
            self.assertEqual(self.metadata(f"{name}.safetensors").get("limn.int8_folded"), note, name)
        self.run_train("--run", "plain", "--init", TOY, *stage, "-o", "plain.safetensors", new=False)
        self.assertNotIn("limn.int8_folded", self.metadata("plain.safetensors"))

    def test_tag_slots_without_tags(self):
        self.fails("has no tags of the set \"objects\": limn-convert --objects LABELS", "--run", "r", "--tag-slots", 3)
        self.fails("tag slots: 13 are more than the 12 tags", "--run", "r", "--encoder", SLOTTED, "--tag-slots", 13,
                   new=False)
        self.fails("tag slots: ", "--run", "r", "--init", SLOTTED, "--tag-slots", 3, new=False)
        self.assertFalse((self.folder / "r").exists())

    def metadata(self, name):
        """The metadata of a safetensors file."""
        with open(self.folder / name, "rb") as file:
            size = int.from_bytes(file.read(8), "little")
            return json.loads(file.read(size))["__metadata__"]

    def test_text_alone(self):
        self.run_train("--run", "run", "--stage", "text", "--text", self.data / "text.tsv", "--epochs", 30,
                       "--batch", 5)
        log = [line["loss"] for line in self.losses("run") if line["kind"] == "step"]
        self.assertLess(log[-1], 0.9 * log[0])

    def test_stages_follow_one_another(self):
        self.run_train("--run", "run", "-o", "model.safetensors", "--checkpoint-steps", 2)
        stages = [line["stage"] for line in self.losses("run") if line["kind"] == "start"]
        self.assertEqual(stages, ["features", "end-to-end", "reward"])

    def test_learns(self):
        done = self.run_train("--run", "run", "--stage", "features", "--epochs", 60, "--batch", 6, "--views", 1,
                              "--dropout", 0, "--feature-dropout", 0, "--rate", 3e-3, "-o", "model.safetensors",
                              "--eval-epochs", 60, "-v")
        self.assertIn("best CIDEr", done.stderr)
        log = self.losses("run")
        losses = [line["loss"] for line in log if line["kind"] == "step"]
        self.assertLess(losses[-1], 0.5 * losses[0])
        self.assertEqual(log[-1]["kind"], "end")
        small = json.loads((self.folder / "run/samples.json").read_text())
        shown = next(line for line in log if line["kind"] == "dev")["samples"]
        self.assertEqual(set(small), {sample["file"] for sample in shown})
        self.assertEqual((self.folder / "run/run.html").read_text().count("data:image/jpeg;base64,"), len(shown))
        info = subprocess.run([INSPECT, self.folder / "model.safetensors"], capture_output=True, text=True,
                              check=True).stdout
        self.assertIn("efficientnet-lite0", info)

    def test_characters_are_scored_as_characters(self):
        """Without spaces each caption would be a single word, and no two words would be the same."""
        captions = self.folder / "captions.tsv"
        lines = (line.split("\t") for line in (self.data / "captions.tsv").read_text().splitlines())
        captions.write_text("".join(f"{name}\t{text.replace(' ', '')}x{i}\n" for i, (name, text) in enumerate(lines)))
        self.run_train("--run", "run", "--tokenizer", "characters", "--stage", "features", "--epochs", 20, "--batch", 6,
                       "--views", 1, "--rate", 3e-3, "--captions", captions, "-o", "model.safetensors")
        scores = [line for line in self.losses("run") if line["kind"] == "dev"]
        self.assertGreater(scores[-1]["scores"]["BLEU-4"], 0.1)
        self.assertNotIn(" ", scores[-1]["samples"][0]["caption"])

    def test_plan_writes_nothing(self):
        done = self.run_train("--plan", "--stage", "features", "--epochs", 2, "--batch", 3)
        self.assertIn("12 to train on, 4 for development", done.stdout)
        self.assertIn("2 epochs, 8 steps of 3 images", done.stdout)
        self.assertEqual(list(self.folder.iterdir()), [])

    def plan(self, rows, *arguments, code=0, share=0.5):
        """What --plan says about captions that name images this way."""
        captions = self.folder / "planned.tsv"
        captions.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
        done = subprocess.run(
            list(map(str, [TRAIN, "--plan", "--images", self.data / "photos", "--captions", captions, "--encoder", TOY,
                           *SMALL, "--stage", "features", "--dev-share", share, *arguments])),
            capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def test_plan_looks_at_the_images(self):
        names = [f"p{i:02}" for i in range(N_IMAGES)]
        self.assertEqual(self.plan(f"{n}.png\ta wall" for n in names).stderr, "")
        for form, what in (("{}", "the extension"), ("{}.PNG", "upper and lower case"), ("photos\\{}.png", "backslashes")):
            error = self.plan((form.format(n) + "\ta wall" for n in names), code=2).stderr
            self.assertRegex(error, rf"is not in .*, but p\d\d\.png is: the names differ in {what}")
            self.assertIn("none of the 16 images that the captions name is in", error)
        error = self.plan(f"{n}.png\ta wall" for n in [*names, "gone", "q"]).stderr
        self.assertIn("2 of 18 images are not in", error)
        self.assertIn("the first: gone.png; a run stops if more than 1 % can't be read", error)
        self.assertIn("captions come first", self.plan(f"a red wall\t{n}.png" for n in names).stderr)
        self.assertIn("there are no development images", self.plan((f"{n}.png\ta wall" for n in names), share=0).stderr)

    def test_plan_opens_a_sample(self):
        photos = self.folder / "photos"
        photos.mkdir()
        (photos / "a.png").write_bytes((self.data / "photos/p00.png").read_bytes())
        (photos / "b.png").write_text("this is no image")
        error = self.plan(["a.png\tx", "b.png\ty"], "--images", photos, share=0).stderr
        self.assertIn("1 of 2 sampled images can't be read; the first: ", error)

    def test_splits_of_any_file(self):
        rows = [f"p{i:02}.png,{split},a wall" for i, split in enumerate(("train", "restval", "val", "test") * 4)]
        done = self.plan(["image,split,caption", *rows])
        self.assertIn("8 to train on, 4 for development", done.stdout)
        rows = [row for row in rows if ",val," not in row]
        self.assertIn("lacks one of the splits", self.plan(["image,split,caption", *rows]).stderr)

    def test_rejected_captions_are_left_out(self):
        rows = [json.dumps({"image": f"p{i:02}.png", "caption": "a wall", "is_rejected": i < 4}) for i in range(N_IMAGES)]
        done = self.plan(rows, share=0)
        self.assertIn("4 captions that are marked is_rejected or is_precanned are left out", done.stderr)
        self.assertIn("captions     12 to train on", done.stdout)
        self.assertIn("captions     16 to train on", self.plan(rows, "--keep-rejected", share=0).stdout)

    # ---- bad input ---------------------------------------------------------------------------------------

    def fails(self, text, *arguments, code=1, **more):
        done = self.run_train(*arguments, code=code, **more)
        self.assertIn(text, done.stderr)

    def test_options_that_lack_a_companion(self):
        self.fails("--run DIR", data=False, new=False)
        self.fails("--images DIR", "--run", "r", data=False, new=False)
        self.fails("either --encoder FILE or --init MODEL", "--run", "r", "--init", TOY)
        self.fails("need --stage NAME", "--run", "r", "--epochs", 3)
        self.fails("must be given together", "--run", "r", "--objects", "x")
        self.fails("whose features it lacks", "--run", "r", "--features", "f", "--unpaired-images", "u", "--objects", "o",
                   "--text", "t")

    def test_a_folder_in_use(self):
        self.run_train("--run", "run", "--stage", "features", "--epochs", 1, "--batch", 12)
        before = sorted((p.name, p.stat().st_mtime_ns) for p in (self.folder / "run").iterdir())
        self.fails("--resume run", "--run", "run", "--stage", "features")
        self.assertEqual(sorted((p.name, p.stat().st_mtime_ns) for p in (self.folder / "run").iterdir()), before)

    def test_a_list_with_an_unknown_image(self):
        (self.folder / "train.txt").write_text("p00.png\nnobody.png\n")
        self.fails("nobody.png", "--run", "r", "--train", "train.txt", "--stage", "features")
        self.assertFalse((self.folder / "r").exists())

    def test_an_output_that_is_there_already(self):
        (self.folder / "mine").write_text("dear")
        self.fails("mine: already exists", "--run", "r", "--stage", "features", "-o", "mine")
        self.assertEqual((self.folder / "mine").read_text(), "dear")
        self.assertFalse((self.folder / "r").exists())

    def test_a_broken_image_is_left_out_up_to_one_in_a_hundred(self):
        photos = self.folder / "photos"
        photos.mkdir()
        lines = []
        for i in range(120):
            (photos / f"{i}.png").write_bytes(images.png(4, 4, images.noise(i)))
            lines.append(f"{i}.png\ta wall {i % 7}")
        (photos / "7.png").write_bytes(b"no image")
        (self.folder / "c.tsv").write_text("\n".join(lines) + "\n")
        arguments = ["--images", photos, "--captions", self.folder / "c.tsv", "--encoder", TOY, *SMALL, "--stage",
                     "features", "--epochs", 1, "--views", 1]
        done = self.run_train("--run", "one", *arguments, data=False, new=False)
        self.assertIn("7.png", done.stderr)
        (photos / "8.png").write_bytes(b"no image either")
        self.fails("8.png", "--run", "two", *arguments, data=False, new=False, code=2)

    def test_a_torn_checkpoint_is_passed_over(self):
        arguments = ["--stage", "features", "--epochs", 2, "--batch", 3, "--views", 1, "--checkpoint-steps", 3]
        self.run_train("--run", "run", "-o", "a.safetensors", *arguments)
        model = (self.folder / "a.safetensors").read_bytes()
        newest = self.folder / "run" / "checkpoint-8.safetensors"
        newest.write_bytes(newest.read_bytes()[:1000])
        done = self.run_train("--resume", "run", data=False, new=False)
        self.assertIn("1 checkpoint is skipped, since it can't be read", done.stderr)
        self.assertEqual((self.folder / "a.safetensors").read_bytes(), model)

    def test_features_that_are_altered_meanwhile(self):
        """A resumed run notices that a given cache is no longer what the run began with."""
        subprocess.run([PREPROCESS, "-q", "--model", TOY, "--features", "-o", "given",
                        str(self.data / "photos")], check=True, cwd=self.folder)
        arguments = ["--features", "given", "--stage", "features", "--epochs", 2, "--batch", 3, "--checkpoint-steps", 3]
        self.run_train("--run", "run", "-o", "a.safetensors", *arguments)
        model = (self.folder / "a.safetensors").read_bytes()
        given = (self.folder / "given.npy").read_bytes()
        (self.folder / "run" / "checkpoint-8.safetensors").unlink()
        (self.folder / "given.npy").write_bytes(given[:1000] + bytes(b ^ 1 for b in given[1000:]))
        done = self.run_train("--resume", "run", data=False, new=False, code=2)
        self.assertIn("given.npy: the row of", done.stderr)
        (self.folder / "given.npy").write_bytes(given)
        self.run_train("--resume", "run", data=False, new=False)
        self.assertEqual((self.folder / "a.safetensors").read_bytes(), model)

    def test_other_captions_are_another_run(self):
        captions = self.folder / "captions.tsv"
        captions.write_bytes((self.data / "captions.tsv").read_bytes())
        self.run_train("--run", "run", "--captions", captions, "--stage", "features", "--epochs", 1, "--batch", 6)
        captions.write_text(captions.read_text().replace("p03.png\ta red wall", "p03.png\tthe red wall"))
        self.fails("other images, captions or settings", "--resume", "run", data=False, new=False)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[7:]])
