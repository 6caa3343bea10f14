"""The keywords match the table of options."""

import typing
import unittest

import limn
from limn import _limn
from limn._options import Options

from support import TINY

TYPES = {"int": int, "float": float, "bool": bool, "str": str, "choice": str, "list": "list"}


class TableTest(unittest.TestCase):
    def test_keywords_are_the_tables(self):
        hints = typing.get_type_hints(Options)
        self.assertEqual(set(hints), {o.name for o in limn.options()})
        for option in limn.options():
            wanted = TYPES[option.type]
            if wanted == "list":
                self.assertIn(str, typing.get_args(hints[option.name]))
            else:
                self.assertIs(hints[option.name], wanted, option.name)

    def test_all_are_in_the_help(self):
        for option in limn.options():
            self.assertIn(f"{option.name} ({option.type}", limn.Captioner.__doc__)
            self.assertIn(option.help, limn.Captioner.__doc__)

    def test_bounds(self):
        for option in limn.options():
            if option.min is None:
                continue
            kind = TYPES[option.type]
            for inside in (option.min, option.max):
                _limn.check_options([(option.name, repr(kind(inside)))])
            step = 1 if kind is int else 1e-3 * max(1, abs(option.max))
            for outside in (option.min - step, option.max + step):
                with self.assertRaisesRegex(ValueError, option.name.replace("_", "-")):
                    limn.Captioner(TINY, **{option.name: kind(outside)})

    def test_defaults(self):
        for option in limn.options():
            if option.default is not None:
                _limn.check_options([(option.name, option.default)])


class KeywordTest(unittest.TestCase):
    def test_unknown_ones(self):
        for wrong, near in (("baem", "beam"), ("modle", "model"), ("nbest", "n_best"), ("topp", "top_p")):
            with self.assertRaisesRegex(TypeError, f"{wrong}.*did you mean '{near}'"):
                limn.Captioner(TINY, **{wrong: 1})
        with self.assertRaisesRegex(TypeError, "unknown option 'zzzzzz'$"):
            limn.Captioner(TINY, zzzzzz=1)

    def test_wrong_types(self):
        for name, value in (("beam", "3"), ("beam", 2.5), ("beam", True), ("top_p", "0.5"), ("sample", 1),
                            ("must", 3), ("must", [3]), ("style", 1), ("start_with", ["a"])):
            with self.assertRaisesRegex(TypeError, name):
                limn.Captioner(TINY, **{name: value})

    def test_wrong_values(self):
        for options in ({"style": "loud"}, {"beam": 0}, {"top_p": float("nan")}, {"must": "qwertz"},
                        {"groups": 2, "beam": 3}):
            with self.assertRaises(limn.OptionError):
                limn.Captioner(TINY, **options)

    def test_none_is_the_default(self):
        self.assertEqual(limn.Captioner(TINY, beam=None)._pairs, ())
        self.assertEqual(limn.Captioner(TINY, sample=False)._pairs, (("sample", "no"), ))


if __name__ == "__main__":
    unittest.main()
