"""Scorer: how probable given captions are to a model."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from . import _limn
from ._captioner import Captioner
from ._images import read_file, take
from ._models import PathLike


@dataclass(frozen=True, slots=True)
class Score:
    """The score of a caption. ``words`` are the model's, with ``logprobs``, natural, of each and of the end, and the
    same without the image; a word that the vocabulary lacks has NaN and does not count in the sums.

    ``pmi``: the log-probability minus its value without the image, how much likelier the image makes the caption.
    """

    caption: str
    words: tuple[str, ...]
    logprobs: tuple[float, ...]
    logprobs_without: tuple[float, ...]

    @property
    def logprob(self) -> float:
        return math.fsum(v for v in self.logprobs if not math.isnan(v))

    @property
    def pmi(self) -> float:
        return self.logprob - math.fsum(v for v in self.logprobs_without if not math.isnan(v))


class Scorer:
    """Scores of given captions: ``Scorer().score("photo.jpg", ["a dog", "a cat"])``.

    ``model`` and ``cpu`` are as in ``Captioner``; ``model`` may also be a captioner, to share its model. Any thread may
    call one scorer.
    """

    def __init__(self, model: Captioner | PathLike | Sequence[PathLike] | None = None, *, cpu: str | None = None) -> None:
        self._captioner = model if isinstance(model, Captioner) else Captioner(model, cpu=cpu)
        self._free: list[_limn.Scorer] = []

    def __reduce__(self) -> tuple[type[Scorer], tuple[Captioner]]:
        return Scorer, (self._captioner, )

    def score(self, image: object, captions: Iterable[str]) -> list[Score]:
        """A score for each caption, in order; ``image`` is as in ``Captioner.caption``."""
        if isinstance(captions, str):
            raise TypeError("captions: a list of str, not a str")
        path, data = take(image)
        if data is None:
            assert path is not None
            data = read_file(path)
        c = self._captioner
        with c._state(()) as state:
            pixels = c._load(state, data, None)
        try:
            scorer = self._free.pop()
        except IndexError:
            scorer = _limn.Scorer(c._shared.model, 0)
        try:
            return [self._one(scorer, pixels, caption) for caption in captions]
        finally:
            self._free.append(scorer)

    @staticmethod
    def _one(scorer: _limn.Scorer, pixels: bytes, caption: str) -> Score:
        words, logprobs, without = scorer.score(pixels, caption)
        return Score(caption, tuple(words.split(" ")) if words else (), tuple(logprobs), tuple(without))
