"""pycocoevalcap's classes with its numbers, without Java: ``from limn.coco import Cider``.

``compute_score(gts, res)`` takes ``{id: [caption, …]}`` and ``{id: [caption]}``, and splits them at white space only:
tokenize them first with ``PTBTokenizer`` (or any other), as with pycocoevalcap. It returns the score, and one for each
image in the order of ``gts``, in numpy arrays where pycocoevalcap does.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from . import _limn
from ._evaluate import METRICS, open_metrics

Captions = Mapping[Any, Sequence[Any]]


def _corpus(gts: Captions, res: Captions, meteor_data: str | os.PathLike[str] | None,
            *metrics: str) -> _limn.Metrics:
    if set(gts) != set(res):
        raise ValueError("gts and res have different images")
    corpus = open_metrics(metrics, meteor_data)
    for name, references in gts.items():
        if len(res[name]) != 1:
            raise ValueError(f"{name!r}: one caption expected, not {len(res[name])}")
        corpus.add(res[name][0], tuple(references), True)
    return corpus


class _Scorer:
    """A metric with a single score."""

    _metric = ""
    _name = ""

    def compute_score(self, gts: Captions, res: Captions, verbose: int = 1) -> tuple[float, Any]:
        """(score, scores of each image in the order of ``gts``)"""
        import numpy as np
        corpus = _corpus(gts, res, None, self._metric)
        number = METRICS.index(self._metric)
        return corpus.score(number, 0, 0)[0], np.array(corpus.image_scores(number))

    def method(self) -> str:
        return self._name


class Cider(_Scorer):
    """CIDEr-D, 0 to 10: n-grams are weighted by the given references."""

    _metric = _name = "CIDEr"


class Rouge(_Scorer):
    """ROUGE-L, 0 to 1."""

    _metric = "ROUGE_L"
    _name = "Rouge"


class Bleu:
    """BLEU-1 … BLEU-n, 0 to 1."""

    def __init__(self, n: int = 4) -> None:
        if not 1 <= n <= 4:
            raise ValueError(f"n: {n} is not in 1 … 4")
        self._n = n

    def compute_score(self, gts: Captions, res: Captions, verbose: int = 1) -> tuple[list[float], list[list[float]]]:
        """([score of each order], [scores of each image, of each order])"""
        orders = range(self._n)
        corpus = _corpus(gts, res, None, *(METRICS[k] for k in orders))
        return [corpus.score(k, 0, 0)[0] for k in orders], [corpus.image_scores(k) for k in orders]

    def method(self) -> str:
        return "Bleu"


class Meteor:
    """METEOR 1.5, 0 to 1. ``data``: the folder ``meteor`` of pycocoevalcap; None: that of an installed one."""

    def __init__(self, data: str | os.PathLike[str] | None = None) -> None:
        self._data = data

    def compute_score(self, gts: Captions, res: Captions) -> tuple[float, list[float]]:
        """(score, scores of each image in the order of ``gts``)"""
        corpus = _corpus(gts, res, self._data, "METEOR")
        number = METRICS.index("METEOR")
        return corpus.score(number, 0, 0)[0], corpus.image_scores(number)

    def method(self) -> str:
        return "METEOR"


class PTBTokenizer:
    """The Penn Treebank tokenizer, dropping punctuation, as coco-caption runs it."""

    def __init__(self, verbose: bool = True) -> None:
        self._metrics = _limn.Metrics(0, None)

    def tokenize(self, captions_for_image: Mapping[Any, Sequence[Any]]) -> dict[Any, list[str]]:
        """``{id: [{"caption": text}, …]}`` or ``{id: [text, …]}`` to ``{id: [tokens, …]}``, in lower case with
        spaces between."""
        return {name: [self._metrics.tokenize(c if isinstance(c, str) else c["caption"]) for c in captions]
                for name, captions in captions_for_image.items()}
