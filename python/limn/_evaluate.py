"""evaluate: BLEU, METEOR, ROUGE-L, CIDEr-D and sacreBLEU of captions against references."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

from . import _limn
from ._errors import OptionError

METRICS = ("Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "METEOR", "ROUGE_L", "CIDEr", "sacreBLEU")  # as in enum limn_metric
DEFAULT = ("Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "ROUGE_L", "CIDEr")
_IMAGE_COLUMNS = ("image_id", "image", "file_name", "file", "filename", "path", "name", "id")
_CAPTION_COLUMNS = ("caption", "text", "sentence", "comment")
Texts = Union[Mapping[Any, Any], Iterable[Any], str, os.PathLike[str]]


@dataclass(frozen=True, slots=True)
class Difference:
    """A score minus the baseline's; ``low`` to ``high`` is a 95 % interval, ``p`` the two-sided probability of a
    difference this large by chance."""

    value: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Scores(Mapping[str, float]):
    """Scores by name. ``per_item[metric]`` is a list in the order of ``ids``; ``intervals[metric]`` is a pair when
    trials were asked for; ``differences[metric]`` is there with a baseline; ``signature`` says how the scores were
    computed."""

    by_name: dict[str, float]
    ids: list[Any]
    per_item: dict[str, list[float]]
    intervals: dict[str, tuple[float, float]]
    differences: dict[str, Difference]
    signature: str

    def __getitem__(self, name: str) -> float:
        return self.by_name[name]

    def __iter__(self) -> Any:
        return iter(self.by_name)

    def __len__(self) -> int:
        return len(self.by_name)

    def __str__(self) -> str:
        return "\n".join(f"{name:12} {value:.4f}" for name, value in self.by_name.items()) + f"\n{self.signature}"


def read(path: str | os.PathLike[str]) -> dict[str, list[str]]:
    """The captions in a file or folder, by image, in any format that ``limn-eval`` reads."""
    found: dict[str, list[str]] = {}
    for name, caption, _ in _limn.read_captions(os.fsencode(path)):
        texts = found.setdefault(name, [])
        if caption is not None:
            texts.append(caption)
    return found


def find_meteor_data() -> str | None:
    """The folder ``meteor`` of an installed pycocoevalcap, whose data METEOR needs; None without it."""
    spec = importlib.util.find_spec("pycocoevalcap")
    for place in spec.submodule_search_locations or () if spec else ():
        if (Path(place) / "meteor").is_dir():
            return str(Path(place) / "meteor")
    return None


def open_metrics(names: Iterable[str], data: str | os.PathLike[str] | None) -> _limn.Metrics:
    """An empty corpus for these metrics, with METEOR's data if it is among them."""
    chosen = sum({1 << METRICS.index(name) for name in names})
    if "METEOR" not in names:
        return _limn.Metrics(chosen, None)
    folder = data if data is not None else find_meteor_data()
    if folder is None:
        raise OptionError("METEOR needs the folder meteor of pycocoevalcap: install that, or name the folder")
    return _limn.Metrics(chosen, os.fsencode(folder))


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, Iterable):
        raise TypeError(f"a str or a list of them expected, not {type(value).__name__}")
    found = [item["caption"] if isinstance(item, Mapping) else item for item in value]
    if not all(isinstance(item, str) or hasattr(item, "text") for item in found):
        raise TypeError("captions are str, Caption, or mappings with a 'caption'")
    return [item if isinstance(item, str) else item.text for item in found]


def _of_frame(frame: Any) -> dict[Any, list[str]]:
    columns = {str(c).lower(): c for c in frame.columns}
    image = next((columns[c] for c in _IMAGE_COLUMNS if c in columns), None)
    caption = next((columns[c] for c in _CAPTION_COLUMNS if c in columns), None)
    if image is None or caption is None:
        raise OptionError(f"a DataFrame needs a column of images and one of captions, not {list(frame.columns)}")
    found: dict[Any, list[str]] = {}
    for name, text in zip(frame[image], frame[caption]):
        found.setdefault(name, []).extend(_texts(text))
    return found


def collect(texts: Texts) -> dict[Any, list[str]]:
    """{image: [caption, …]} from what the caller gave: a mapping, a list with an entry per image, a path, or a
    DataFrame."""
    if isinstance(texts, (str, os.PathLike)):
        return dict(read(texts))
    if isinstance(texts, Mapping):
        return {key: _texts(value) for key, value in texts.items()}
    if hasattr(texts, "columns"):
        return _of_frame(texts)
    return {i: _texts(value) for i, value in enumerate(texts)}


def _stem(name: object) -> object:
    return os.path.splitext(os.path.basename(name))[0] if isinstance(name, str) else name


def _pair(refs: dict[Any, list[str]], hyps: dict[Any, list[str]], what: str) -> dict[Any, str]:
    """The caption of each image of the references: by whole name, or, where those differ, by last part without
    extension if that is unique."""
    if set(refs) == set(hyps):
        by_name = hyps
    else:
        stems = {_stem(name): name for name in refs}
        by_name = {stems.get(_stem(name), name): texts for name, texts in hyps.items()}
        if len(stems) < len(refs) or len(by_name) < len(hyps) or set(by_name) != set(refs):
            missing = sorted(map(str, set(refs) - set(by_name)))[:3]
            extra = sorted(map(str, set(by_name) - set(refs)))[:3]
            raise OptionError(f"{what} are not of the images of the references; without a caption: {missing}; "
                              f"without references: {extra}")
    empty = [str(name) for name, texts in by_name.items() if not texts]
    if empty:
        raise OptionError(f"{what}: no caption for {empty[:3]}")
    return {name: by_name[name][0] for name in refs}


def _fill(metrics: _limn.Metrics, refs: dict[Any, list[str]], hyps: dict[Any, str], are_tokens: bool) -> None:
    for name, references in refs.items():
        metrics.add(hyps[name], tuple(references), are_tokens)


def _signature(refs: dict[Any, list[str]], names: tuple[str, ...], are_tokens: bool) -> str:
    counts = sorted({len(r) for r in refs.values()})
    n = str(counts[0]) if counts[0] == counts[-1] else f"{counts[0]}-{counts[-1]}"
    tokens = "none" if are_tokens else "ptb"
    return f"nrefs:{n}|case:lc|tok:{tokens}|metrics:{','.join(names)}|version:limn-{_limn.version}"


def _check(metrics: Iterable[str]) -> tuple[str, ...]:
    names = tuple([metrics] if isinstance(metrics, str) else metrics)
    for name in names:
        if name not in METRICS:
            raise OptionError(f"metrics: {name!r} is none of {', '.join(METRICS)}")
    return names


def evaluate(refs: Texts, hyps: Texts, *, baseline: Texts | None = None, metrics: Iterable[str] = DEFAULT,
             meteor_data: str | os.PathLike[str] | None = None, tokenized: bool = False, trials: int = 0,
             seed: int = 0) -> Scores:
    """Scores captions against references, as pycocoevalcap and sacreBLEU compute them.

    ``refs`` and ``hyps``: ``{image: [caption, …]}``, a list with an entry for each image, a path that ``limn.read``
    reads, or a DataFrame with columns like ``image`` and ``caption``. The first caption of each image counts. Names are
    matched whole, or by their last part without extension. ``metrics`` are from Bleu_1 … Bleu_4, METEOR (0 to 1; needs
    pycocoevalcap's folder ``meteor``), ROUGE_L, CIDEr (CIDEr-D, 0 to 10) and sacreBLEU (0 to 100). ``tokenized``: the
    texts are already tokens. ``trials`` resamplings give 95 % intervals (1000 are usual). ``baseline``: other captions
    of the same images; differences have intervals and p, from 1000 trials by default.
    """
    names = _check(metrics)
    references = collect(refs)
    if not references:
        raise OptionError("no references")
    corpus = open_metrics(names, meteor_data)
    _fill(corpus, references, _pair(references, collect(hyps), "captions"), tokenized)
    differences: dict[str, Difference] = {}
    if baseline is not None:
        other = open_metrics(names, meteor_data)
        _fill(other, references, _pair(references, collect(baseline), "captions of the baseline"), tokenized)
        differences = {name: Difference(*corpus.compare(other, METRICS.index(name), trials or 1000, seed))
                       for name in names}
    found = {name: corpus.score(METRICS.index(name), trials, seed) for name in names}
    return Scores({name: value for name, (value, _, _) in found.items()}, list(references),
                  {name: corpus.image_scores(METRICS.index(name)) for name in names},
                  {name: (low, high) for name, (_, low, high) in found.items()} if trials else {}, differences,
                  _signature(references, names, tokenized))
