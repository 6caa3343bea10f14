"""Captioner and Scorer: they give what the command line gives, from any thread and after a fork."""

import contextlib
import gc
import logging
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from collections import deque
from pathlib import Path
from unittest import mock

import limn
from limn import _many

from support import LIMN, MODEL, PHOTOS, ROOT, TINY, needs

BAD = [str(ROOT / "tests/data/bad" / name) for name in ("truncated50.jpg", "bomb.png", "text.jpg")]
KITTEN = next(p for p in PHOTOS if p.endswith("kitten.jpg"))


def command_line(model, *arguments):
    """What limn writes, as JSONL lines."""
    run = subprocess.run([LIMN, "--model", model, "-q", "--format", "jsonl", *arguments], capture_output=True)
    return run.stdout.splitlines()


class CaptionTest(unittest.TestCase):
    def test_the_command_lines_words(self):
        c = limn.Captioner(MODEL)
        expected = dict(line.split("\t")[:2] for line in (ROOT / "samples/photos/captions.txt").read_text()
                        .splitlines())
        for path in PHOTOS:
            self.assertEqual(str(c.caption(path)), next(v for k, v in expected.items()
                                                        if Path(k).name == Path(path).name))

    def test_the_command_lines_bytes(self):
        cases = [({}, []), ({"beam": 5, "n_best": 3}, ["--beam", "5", "--n-best", "3"]),
                 ({"style": "sentence", "must": ["cat|dog"], "ban": "bench"},
                  ["--style", "sentence", "--must", "cat|dog", "--ban", "bench"]),
                 ({"confidence": True, "tags": 3}, ["--confidence", "--tags", "3"]),
                 ({"sample": True, "seed": 7, "n_best": 2, "top_p": 0.9},
                  ["--sample", "--seed", "7", "--n-best", "2", "--top-p", "0.9"]),
                 ({"alternatives": 2, "length_penalty": 0.3}, ["--alternatives", "2", "--length-penalty", "0.3"]),
                 ({"guidance": 1.5}, ["--guidance", "1.5"]), ({"guidance": 1}, ["--guidance", "1"])]
        for options, arguments in cases:
            c = limn.Captioner(MODEL, **options)
            lines = [r.line for r in c.caption_many(PHOTOS[:3], threads=2)]
            self.assertEqual(lines, command_line(MODEL, *arguments, *PHOTOS[:3]), options)
            self.assertEqual(c.json(PHOTOS[0]).encode(), lines[0])

    def test_the_models_guidance(self):
        with tempfile.TemporaryDirectory() as folder:
            guided = str(Path(folder) / "guided.safetensors")
            convert = Path(LIMN).with_name("limn-convert")
            subprocess.run([convert, "-q", TINY, "--guidance", "3", "-o", guided], check=True)
            plain, strong = limn.Captioner(TINY).json(KITTEN), limn.Captioner(TINY, guidance=3).json(KITTEN)
            self.assertNotEqual(strong, plain)
            self.assertEqual(limn.Captioner(guided).json(KITTEN), strong)
            self.assertEqual(limn.Captioner(guided, guidance=None).json(KITTEN), strong)
            self.assertEqual(limn.Captioner(guided, guidance=1).json(KITTEN), plain)

    def test_failures_are_the_command_lines(self):
        names = [*BAD, str(ROOT / "nowhere.jpg"), KITTEN]
        for sandbox in (None, False):
            c = limn.Captioner(TINY, sandbox=sandbox)
            self.assertEqual([r.line for r in c.caption_many(names)], command_line(TINY, *names))

    def test_inputs(self):
        c = limn.Captioner(MODEL)
        data = Path(KITTEN).read_bytes()
        expected = c.caption(KITTEN)
        for image in (Path(KITTEN), data, bytearray(data), memoryview(data)):
            self.assertEqual(c.caption(image), expected)

    @needs("numpy", "PIL")
    def test_arrays_and_pil(self):
        import numpy as np
        from PIL import Image
        c = limn.Captioner(MODEL)
        image = Image.open(KITTEN)
        pixels = np.asarray(image.convert("RGB"))
        expected = c.caption(image)
        self.assertEqual(c.caption(pixels), expected)
        self.assertEqual(c.caption(np.asfortranarray(pixels)), expected)
        self.assertEqual(c.caption(pixels[:, ::-1][:, ::-1]), expected)
        for wrong in (pixels[:, :, 0], pixels.astype(np.float32), pixels[:, :, :2], np.zeros((0, 5, 3), np.uint8)):
            with self.assertRaises(ValueError):
                c.caption(wrong)
        with self.assertRaises(TypeError):
            c.caption(5)

    @needs("numpy")
    def test_features(self):
        import numpy as np
        c = limn.Captioner(MODEL)
        f = c.features(PHOTOS[:2])
        self.assertEqual((f.shape, f.dtype), ((2, 81, 1280), np.float32))
        self.assertTrue(np.array_equal(f[0], c.features(PHOTOS[0])))
        self.assertTrue(np.isfinite(f).all() and f.std() > 0)
        self.assertFalse(np.array_equal(f[0], f[1]))

    def test_tags(self):
        tags = limn.Captioner(MODEL).tags(KITTEN, 5)
        self.assertEqual(len(tags), 5)
        self.assertIn("cat", [t.name for t in tags])
        self.assertEqual(tags, sorted(tags, key=lambda t: -t.probability))
        with self.assertRaises(limn.OptionError):
            limn.Captioner(TINY).tags(KITTEN)

    def test_ensembles(self):
        both = limn.Captioner([MODEL, MODEL])
        self.assertEqual(both.info["n_models"], 2)
        self.assertEqual(str(both.caption(KITTEN)), str(limn.Captioner(MODEL).caption(KITTEN)))

    def test_cpu_levels_have_the_same_bytes(self):
        lines = {limn.Captioner(TINY, cpu=level).json(KITTEN) for level in limn.cpu_levels()}
        self.assertEqual(len(lines), 1)
        with self.assertRaisesRegex(limn.OptionError, "pdp11"):
            limn.Captioner(TINY, cpu="pdp11")

    def test_numpy_and_pil_stay_away(self):
        code = ("import sys, limn; c = limn.Captioner(sys.argv[1]); c.caption(sys.argv[2]); "
                "list(c.caption_many([sys.argv[2]])); "
                "print([m for m in ('numpy', 'PIL', 'distributed') if m in sys.modules])")
        run = subprocess.run([sys.executable, "-c", code, TINY, KITTEN], capture_output=True, text=True, check=True)
        self.assertEqual(run.stdout.strip(), "[]", run.stderr)


class ErrorTest(unittest.TestCase):
    def test_models_that_can_not_be_opened(self):
        with self.assertRaisesRegex(limn.FileError, "/nowhere.safetensors") as caught:
            limn.Captioner("/nowhere.safetensors")
        self.assertIsInstance(caught.exception, OSError)
        with self.assertRaisesRegex(limn.Error, "kitten.jpg"):
            limn.Captioner(KITTEN)

    def test_kinds(self):
        c = limn.Captioner(TINY)
        for path, kind, error in ((BAD[0], "truncated", limn.Truncated), (BAD[2], "unsupported",
                                                                        limn.UnsupportedFormat)):
            with self.assertRaisesRegex(error, Path(path).name) as caught:
                c.caption(path)
            self.assertEqual(caught.exception.kind, kind)
        with self.assertRaises(limn.Error):
            c.caption(b"")
        result = next(c.caption_many([BAD[0]]))
        self.assertEqual(result.error.kind, "truncated")
        with self.assertRaises(limn.Truncated):
            result.caption

    def test_errors_can_be_pickled(self):
        for error in (limn.Truncated("ends"), limn.OptionError("no"), limn.FileError("gone")):
            copy = pickle.loads(pickle.dumps(error))
            self.assertEqual((type(copy), copy.detail, copy.kind), (type(error), error.detail, error.kind))


class ManyTest(unittest.TestCase):
    def test_order_and_read_ahead(self):
        c = limn.Captioner(TINY)
        read = []

        def names():
            for i in range(100):
                read.append(i)
                yield PHOTOS[i % len(PHOTOS)]

        results = c.caption_many(names(), threads=2)
        next(results)
        self.assertLessEqual(len(read), 2 * (8 + 4) + 1)  # in progress, and ahead
        self.assertEqual([r.name for r in results], [PHOTOS[i % len(PHOTOS)] for i in range(1, 100)])
        self.assertEqual({r.name for r in c.caption_many(PHOTOS, threads=3, ordered=False)}, set(PHOTOS))

    def test_together(self):
        """Images captioned together, loaded in and outside the sandbox, have the bytes of each alone; those that fail
        are in their places."""
        names = [(PHOTOS * 3 + BAD)[i * 7 % (3 * len(PHOTOS) + len(BAD))] for i in range(60)]
        for options in ({}, {"sample": True, "n_best": 2, "seed": 3}):
            expected = command_line(TINY, *(f"--{k.replace('_', '-')}" + ("" if v is True else f"={v}")
                                            for k, v in options.items()), *names)
            for sandbox, threads in ((None, 1), (False, 2)):
                results = list(limn.Captioner(TINY, sandbox=sandbox, **options).caption_many(names, threads=threads))
                self.assertEqual([r.line for r in results], expected)
                self.assertEqual([r.error is None for r in results], [n not in BAD for n in names])

    def test_images_are_in_progress_together(self):
        """Several images begin before the first of them is done: at least four of the default model without guidance,
        which takes the room of two."""
        state = limn._limn.State(limn.Captioner(MODEL)._shared.model, (("guidance", "1"),), 1)
        data, taken, done = Path(KITTEN).read_bytes(), [], []

        def take():
            if len(taken) < 10:
                taken.append(len(done))
                return len(taken), b"k", state.load(data, None)

        state.caption_many(take, lambda image, outcome: done.append((image, outcome[2])))
        self.assertTrue(4 <= taken.count(0) <= 8, taken)
        self.assertEqual(sorted(image for image, _ in done), list(range(1, 11)))
        self.assertEqual({line for _, line in done},
                         {limn.Captioner(MODEL, guidance=1).json(data, name="k").encode()})

    def test_items_that_are_no_images(self):
        c = limn.Captioner(TINY)
        for wrong, error in ((5, TypeError), ("a\0.jpg", ValueError), (("a\0", Path(KITTEN).read_bytes()), ValueError)):
            results = c.caption_many([KITTEN, wrong, KITTEN], threads=1)
            self.assertIsNone(next(results).error)
            with self.assertRaises(error):
                next(results)

        def broken():
            yield KITTEN
            raise KeyError("mine")

        with self.assertRaises(KeyError):
            list(c.caption_many(broken()))

    def test_leaving_gives_up(self):
        """Images in progress end at their next step, not at their end."""
        c = limn.Captioner(MODEL, beam=20)
        results = c.caption_many([KITTEN] * 100, threads=2)
        next(results)
        self.assertTrue([t for t in threading.enumerate() if t.name == "limn"])
        results.close()
        self.assertEqual([t for t in threading.enumerate() if t.name == "limn"], [])
        state, outcomes = limn._limn.State(c._shared.model, (), 1), []
        item = 1, None, state.load(Path(KITTEN).read_bytes(), None)
        with self.assertRaises(limn.Interrupted):
            state.caption_many(lambda: item if not state.stop() else None, lambda _, outcome: outcomes.append(outcome))
        self.assertEqual({type(o) for o in outcomes}, {limn.Interrupted})
        self.assertIsNotNone(state.caption(None, item[2]))

    def test_a_program_may_end_half_way(self):
        code = ("import sys, limn; r = limn.Captioner(sys.argv[1]).caption_many([sys.argv[2]] * 99, threads=2); "
                "next(r)")
        subprocess.run([sys.executable, "-c", code, TINY, KITTEN], check=True)

    def test_pairs_and_bytes(self):
        c = limn.Captioner(TINY)
        data = Path(KITTEN).read_bytes()
        results = list(c.caption_many([("a/b.jpg", data), data]))
        self.assertEqual([r.name for r in results], ["a/b.jpg", "1"])
        self.assertIn(b'"file":"a/b.jpg"', results[0].line)

    def test_threads(self):
        c = limn.Captioner(TINY)
        for wrong in (0, 257):
            with self.assertRaises(limn.OptionError):
                c.caption_many([], threads=wrong)
        with self.assertRaises(TypeError):
            c.caption_many([], threads="2")
        self.assertEqual(list(c.caption_many([])), [])

    def test_odd_names(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(os.fsencode(folder), b"a\xff.jpg")
            with open(path, "wb") as file:
                file.write(Path(KITTEN).read_bytes())
            name = os.fsdecode(path)
            line = next(limn.Captioner(TINY).caption_many([name])).line
            self.assertEqual([line], command_line(TINY, name))


class ThreadTest(unittest.TestCase):
    def test_any_thread_may_call_one(self):
        c = limn.Captioner(TINY)
        expected = [c.json(p) for p in PHOTOS]
        wrong = []

        def work():
            for _ in range(5):
                if [c.json(p) for p in PHOTOS] != expected:
                    wrong.append(1)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(wrong, [])

    def test_the_gil_is_free(self):
        """Another thread keeps running during captioning: its longest gap is far shorter than captioning a large photo
        takes."""
        c = limn.Captioner(MODEL, beam=20)
        c.caption(KITTEN)
        stop, ticks = threading.Event(), []

        def tick():
            while not stop.is_set():
                ticks.append(time.monotonic())
                time.sleep(0.001)

        ticker = threading.Thread(target=tick)
        ticker.start()
        begin = time.monotonic()
        for _ in range(3):
            c.caption(KITTEN)
        seconds = time.monotonic() - begin
        stop.set()
        ticker.join()
        during = [t for t in ticks if begin <= t <= begin + seconds]
        self.assertGreater(len(during), 10)

    def test_the_sandbox_of_a_large_process(self):
        """Its processes are forked from a small program, not from this process: that would cost time for each image."""
        def resident(pid):
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))

        if not Path("/proc/thread-self/children").exists():
            self.skipTest("the kernel lists no children")
        ballast = bytearray(b"1") * (200 << 20)
        c = limn.Captioner(TINY, sandbox=True)
        try:
            results = list(c.caption_many(PHOTOS[:3], threads=2))
        except limn.UnsupportedFormat as e:
            self.skipTest(str(e))
        self.assertEqual([bool(r.error) for r in results], [False] * 3)
        children = set()
        for task in Path("/proc/self/task").iterdir():
            with contextlib.suppress(FileNotFoundError):  # a thread that has ended meanwhile
                children.update((task / "children").read_text().split())
        keepers = [p for p in children if Path(f"/proc/{p}/comm").read_text() == "limn-sandbox\n"]
        self.assertTrue(keepers)
        for keeper in keepers:
            self.assertLess(resident(keeper), len(ballast) / 10)

    def test_the_sandboxs_program_is_missing(self):
        """A broken installation is an error, also where the sandbox is not required."""
        c = limn.Captioner(TINY)
        with mock.patch("limn._captioner.program", lambda name: Path("/nowhere") / name), \
                self.assertRaisesRegex(limn.FileError, "/nowhere/limn-sandbox: can't be started: No such file"):
            list(c.caption_many(PHOTOS[:1]))

    def test_a_fork_after_use(self):
        c = limn.Captioner(TINY, sandbox=None)
        expected = [r.line for r in c.caption_many(PHOTOS[:4], threads=2)]
        for fork_threads in (1, 2):
            pid = os.fork()
            if not pid:
                try:
                    lines = [r.line for r in c.caption_many(PHOTOS[:4], threads=fork_threads)]
                    os._exit(0 if lines == expected and c.json(PHOTOS[0]).encode() == expected[0] else 1)
                finally:
                    os._exit(2)
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
        self.assertEqual([r.line for r in c.caption_many(PHOTOS[:4], threads=2)], expected)

    def test_a_fork_amid_an_iteration(self):
        """The child can't go on with it, and says so; the parent can."""
        c = limn.Captioner(TINY, sandbox=None)
        running = c.caption_many(PHOTOS * 3, threads=2)
        first = next(running)
        pid = os.fork()
        if not pid:
            try:
                next(running)
            except limn.OptionError:
                os._exit(0)
            finally:
                os._exit(2)
        deadline = time.monotonic() + 60
        while not (ended := os.waitpid(pid, os.WNOHANG))[0] and time.monotonic() < deadline:
            time.sleep(0.01)
        if not ended[0]:
            os.kill(pid, 9)
            ended = os.waitpid(pid, 0)
        self.assertEqual(os.waitstatus_to_exitcode(ended[1]), 0)
        self.assertEqual([r.line for r in c.caption_many(PHOTOS * 3, threads=1)],
                         [first.line, *(r.line for r in running)])

    def test_a_thread_that_has_ended_stops_no_other(self):
        """Its state is another call's by then."""
        c = limn.Captioner(TINY)
        team = _many.Team(c, 1, None)
        work = team.put("first", PHOTOS[0])
        self.assertIs(team.feed.wait_for_result(deque([work]), True, True), work)
        team.feed.close()
        for worker in team._workers:
            worker.join()
        found, items = [], [Path(PHOTOS[1]).read_bytes()]
        with c._state(()) as state:
            def next_image():
                team.close()
                return (None, b"second", c._load(state, items.pop(), None)) if items else None
            state.caption_many(next_image, lambda image, outcome: found.append(outcome))
        self.assertEqual(found[0][2], c.json(PHOTOS[1], name="second").encode())

    def test_an_iteration_that_a_thread_of_it_drops(self):
        """The garbage collector runs in any thread, which then can't wait for itself."""
        class Holder:
            pass
        errors, is_done = [], threading.Event()
        self.addCleanup(setattr, sys, "unraisablehook", sys.unraisablehook)
        sys.unraisablehook = lambda error: errors.append(error.exc_value)
        c = limn.Captioner(TINY)
        holder = Holder()
        holder.itself, holder.running = holder, c.caption_many(PHOTOS * 3, threads=1)
        take = _many.Worker._next

        def take_and_collect(worker):
            gc.collect()
            if worker._feed.is_closed:
                is_done.set()
            return take(worker)
        self.addCleanup(setattr, _many.Worker, "_next", take)
        _many.Worker._next = take_and_collect
        gc.disable()
        self.addCleanup(gc.enable)
        next(holder.running)
        del holder
        self.assertTrue(is_done.wait(60))
        self.assertEqual(errors, [])

    def test_a_split_image(self):
        split = limn.Captioner(TINY, threads=2)
        self.assertEqual(split.json(KITTEN), limn.Captioner(TINY).json(KITTEN))


class RecipeTest(unittest.TestCase):
    def test_pickles(self):
        c = limn.Captioner(TINY, beam=2, must=["w1"] if limn.Captioner(TINY)._shared.model.knows("w1") else None)
        data = pickle.dumps(c)
        self.assertLess(len(data), 1000)
        copies = [pickle.loads(data) for _ in range(1000)]
        self.assertTrue(all(copy._shared is c._shared for copy in copies))
        self.assertEqual(copies[-1].json(KITTEN), c.json(KITTEN))
        self.assertIn("beam=2", repr(copies[0]))

    def test_a_changed_file_is_another_model(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "m.safetensors"
            path.write_bytes(Path(TINY).read_bytes())
            first = limn.Captioner(path)
            path.unlink()
            path.write_bytes(Path(MODEL).read_bytes())
            self.assertNotEqual(limn.Captioner(path).info["encoder"] + str(limn.Captioner(path).info["n_tokens"]),
                                first.info["encoder"] + str(first.info["n_tokens"]))

    def test_no_leaks(self):
        """Memory use stays the same over many rounds of everything."""
        def round_of_all():
            c = limn.Captioner(TINY, n_best=2)
            c.captions(KITTEN)
            list(c.caption_many([KITTEN, BAD[0], "/nowhere"], threads=2))
            limn.Scorer(c).score(KITTEN, ["a b c"])
            limn.evaluate({"a": ["a dog"]}, {"a": "a cat"})
            try:
                limn.Captioner("/nowhere")
            except limn.Error:
                pass
            gc.collect()

        def resident():
            return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

        for _ in range(10):
            round_of_all()
        before = resident()
        for _ in range(30):
            round_of_all()
        self.assertLess(resident() - before, 8 << 20)


class ScorerTest(unittest.TestCase):
    def test_scores_are_the_captioners(self):
        c = limn.Captioner(MODEL, guidance=1)  # the scores are those without guidance
        caption = c.caption(KITTEN)
        found = limn.Scorer(c).score(KITTEN, [str(caption), "a dog", "a zyxwv", ""])
        self.assertEqual(found[0].logprobs, tuple(t.logprob for t in caption.tokens))
        self.assertAlmostEqual(found[0].logprob, caption.logprob, places=9)
        self.assertGreater(found[0].pmi, found[1].pmi)
        self.assertNotEqual(found[2].logprobs[1], found[2].logprobs[1])  # NaN
        self.assertEqual(found[3].words, ())
        with self.assertRaises(TypeError):
            limn.Scorer(c).score(KITTEN, "a dog")
        copy = pickle.loads(pickle.dumps(limn.Scorer(c)))
        self.assertEqual(copy.score(KITTEN, ["a dog"])[0].logprobs, found[1].logprobs)


if __name__ == "__main__":
    logging.getLogger("limn").addHandler(logging.NullHandler())
    unittest.main()
