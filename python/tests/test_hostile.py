"""Calls the extension with arguments that nobody should give: each raises an exception, and the process survives.
.ci/run does the same under AddressSanitizer."""

import itertools
import random
import sys
import threading
import unittest
from pathlib import Path

import limn
from limn import _limn

from support import PHOTOS, TINY

KITTEN = Path(PHOTOS[7]).read_bytes()
ODD = [None, 0, 1, -1, 2**31, 2**32, 2**63, 2**64, -2**63, 1.5, float("nan"), "", "a", "a\0b", "\ud800", b"", b"a", b"a\0",
       bytearray(8), memoryview(b"abc"), memoryview(bytearray(12))[::2], [], (), {}, ("a", ), [("beam", "3")], object(),
       True, type, "x" * 100_000, b"\xff" * 1000]


class Odd:
    """Objects whose methods lie."""

    def __index__(self):
        raise RuntimeError("no")

    def __iter__(self):
        return iter([1, "beam", ("beam", ), ("beam", 3), (3, "beam")])

    def __len__(self):
        return -1


def tried(function, *arguments):
    """Calls it; any exception is right except SystemError, which would be a flaw in the binding."""
    try:
        function(*arguments)
    except SystemError:
        raise
    except Exception:
        pass


def objects():
    model = _limn.Model((TINY.encode(), ), None)
    state = _limn.State(model, (), 1)
    return [model, state, _limn.Scorer(model, 0), _limn.Metrics(0xAF, None)]


class HostileTest(unittest.TestCase):
    def test_every_function_with_odd_arguments(self):
        things = objects()
        odd = [*ODD, Odd(), *things]
        functions = [_limn.options, _limn.check_options, _limn.read_captions, _limn.failure_json, _limn.default_threads,
                     _limn.cpu_levels, _limn.is_image_name, _limn.is_image_head, _limn.Model, _limn.State, _limn.Scorer,
                     _limn.Metrics]
        for thing in things:
            functions += [getattr(thing, name) for name in dir(thing) if not name.startswith("_")]
        chance = random.Random(1)
        for function in functions:
            tried(function)
            for a in odd:
                tried(function, a)
            for a, b in itertools.product(odd, repeat=2):
                tried(function, a, b)
            for _ in range(300):
                tried(function, *(chance.choice(odd) for _ in range(chance.randrange(3, 7))))
        for type_ in (_limn.Model, _limn.State, _limn.Scorer, _limn.Metrics, _limn.Decoders):
            with self.assertRaises(TypeError):
                type_(a=1)
            with self.assertRaises(TypeError):
                type("Below", (type_, ), {})
            with self.assertRaises(TypeError):
                type_.new = 1

    def test_pixels_that_do_not_fit(self):
        _, state, _, _ = objects()
        for size in (0, 1, 11, 12, 13, 100):
            for width, height, stride in itertools.product((0, 1, 2, 65535, 65536, 2**32 - 1), (0, 1, 2, 65535),
                                                           (0, 1, 3, 6, 2**40, 2**62, -6)):
                tried(state.load_pixels, bytes(size), width, height, stride, False)
        self.assertEqual(len(state.load_pixels(bytes(12), 2, 2, 6, False)), 32 * 32 * 3)
        for wrong in (bytes(11), memoryview(bytearray(48))[::2]):
            with self.assertRaises(Exception):
                state.load_pixels(wrong, 2, 2, 6, False)

    def test_bytes_that_are_no_image(self):
        _, state, _, _ = objects()
        chance = random.Random(2)
        for _ in range(50):
            data = bytearray(KITTEN[:chance.randrange(len(KITTEN))])
            for _ in range(20):
                if data:
                    data[chance.randrange(len(data))] = chance.randrange(256)
            tried(state.load, bytes(data), None)
        for n in (0, 1, 3071, 3073):
            with self.assertRaises(limn.OptionError):
                state.caption(b"x", bytes(n))
        with self.assertRaises(limn.OptionError):
            state.json(None)

    def test_buffers_of_the_wrong_size(self):
        model, state, _, _ = objects()
        pixels = state.load(KITTEN, None)
        floats = model.info()["n_features"]
        state.encode(pixels, bytearray(floats * 4))
        for wrong in (bytearray(floats * 4 - 1), bytearray(0), bytes(floats * 4),
                      memoryview(bytearray(floats * 4 + 1))[1:], memoryview(bytearray(floats * 8))[::2]):
            with self.assertRaises(Exception):
                state.encode(pixels, wrong)

    def test_one_state_in_two_threads(self):
        """A busy state is an error, never a race."""
        _, state, _, _ = objects()
        pixels = state.load(KITTEN, None)
        found = []

        def work():
            for _ in range(200):
                try:
                    state.caption(b"x", pixels)
                    found.append(True)
                except limn.OptionError:
                    found.append(False)

        threads = [threading.Thread(target=work) for _ in range(3)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(len(found), 600)
        self.assertIn(True, found)

    def test_functions_that_do_wrong(self):
        """What next and done of caption_many raise, and what next gives that is no image, ends the call."""
        _, state, _, _ = objects()
        pixels = state.load(KITTEN, None)

        def fail(*_):
            raise KeyError("mine")

        for wrong in (fail, lambda: 5, lambda: (1, b"x"), lambda: (1, "x", pixels), lambda: (1, b"a\0b", pixels),
                      lambda: (1, None, pixels[1:]), lambda: (1, None, bytearray(pixels)),
                      lambda: state.caption(None, pixels), lambda: state.caption_many(fail, fail),
                      lambda: state.json(None)):
            items, done = [(1, None, pixels)] * 3, []
            with self.assertRaises((KeyError, TypeError, ValueError, limn.OptionError)):
                state.caption_many(lambda: items.pop() if items else wrong(), lambda *what: done.append(what))
            self.assertEqual(done, [])
        items = [(i, None, pixels) for i in range(20)]
        with self.assertRaises(KeyError):
            state.caption_many(lambda: items.pop() if items else None, fail)
        for wrong in ((5, fail), (fail, None)):
            with self.assertRaises(TypeError):
                state.caption_many(*wrong)
        self.assertIsNotNone(state.caption(None, pixels))

    def test_no_other_thread_may_load(self):
        _, state, _, _ = objects()
        pixels, found = state.load(KITTEN, None), []

        def load():
            try:
                state.load(KITTEN, None)
            except limn.OptionError as error:
                found.append(str(error))

        def take():
            if found:
                return None
            thread = threading.Thread(target=load)
            thread.start()
            thread.join()
            return 1, None, state.load(KITTEN, None)

        state.caption_many(take, lambda _, outcome: found.append(outcome[2]))
        self.assertEqual(len(found), 2)
        self.assertIn("another thread", found[0])

    def test_references_are_returned(self):
        """What a call took and returned is freed: reference counts stay the same."""
        model, state, scorer, metrics = objects()
        pixels, name, pairs = state.load(KITTEN, None), b"a name", [("beam", "2")]
        references = tuple(["a dog"])
        for _ in range(3):
            tried(state.caption, name, pixels)
        before = [sys.getrefcount(x) for x in (model, pixels, name, pairs, references, KITTEN)]
        for _ in range(20):
            state.caption(name, pixels)
            state.json(name)
            items = [(5, name, pixels)] * 3
            state.caption_many(lambda: items.pop() if items else None, lambda *_: None)
            tried(state.caption_many, lambda: (5, name, pixels), references.index)
            state.load(KITTEN, None)
            _limn.State(model, pairs, 1)
            _limn.Scorer(model, 0).score(pixels, "a b")
            scorer.score(pixels, "a b")
            metrics.add("a dog", references, False)
            for wrong in (("x", ), (b"x", b""), (None, None)):
                tried(state.caption, *wrong)
            tried(_limn.State, model, [("beam", "0")], 1)
        self.assertEqual([sys.getrefcount(x) for x in (model, pixels, name, pairs, references, KITTEN)], before)


if __name__ == "__main__":
    unittest.main()
