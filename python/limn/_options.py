"""Captioning options as keywords: names, types, ranges and help come from the C library's table."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypedDict, Union

from . import _limn

Pairs = tuple[tuple[str, Union[str, None]], ...]


class Options(TypedDict, total=False):
    """Keywords of ``Captioner``, named as on the command line; ``limn.options()`` lists each one's range, default and
    help."""

    max_pixels: int
    beam: int
    sample: bool
    min_words: int
    max_words: int
    prompt: str
    search: str
    min_length: int
    max_length: int
    min_new_tokens: int
    max_new_tokens: int
    must: str | Iterable[str]
    ban: str | Iterable[str]
    start_with: str
    no_bad_endings: bool
    no_repeat_ngram: int
    rerank: str
    candidates: int
    groups: int
    diversity: float
    patience: float
    length_penalty: float
    guidance: float
    length_reward: float
    repetition_penalty: float
    coverage_penalty: float
    distinct: bool
    temperature: float
    top_k: int
    top_p: float
    min_p: float
    typical: float
    seed: int
    n_best: int
    style: str
    alternatives: int
    tags: int
    confidence: bool


@dataclass(frozen=True)
class Option:
    """A row of the table: ``name`` is the keyword; ``type`` one of int, float, bool, str, choice and list."""

    name: str
    type: str
    help: str
    detail: str | None
    group: str
    min: float | None
    max: float | None
    choices: tuple[str, ...]
    default: str | None


def options() -> tuple[Option, ...]:
    """All options that ``Captioner`` takes as keywords, by group."""
    return tuple(
        Option(name=row["name"].replace("-", "_"), type=row["type"], help=row["help"], detail=row["detail"],
               group=row["group"], min=row["min"] if row["type"] in ("int", "float") else None,
               max=row["max"] if row["type"] in ("int", "float") else None, choices=tuple(row["choices"]),
               default=row["default"]) for row in _limn.options())


_TABLE = {option.name: option for option in options()}


def describe() -> str:
    """The table as lines for docstrings."""
    lines: list[str] = []
    group = ""
    for o in _TABLE.values():
        if o.group != group:
            group = o.group
            lines.append(f"    {group}:")
        bounds = f", {o.min:g} to {o.max:g}" if o.min is not None else ""
        bounds = f", {' or '.join(o.choices)}" if o.choices else bounds
        default = f"; default {o.default}" if o.default else ""
        lines.append(f"        {o.name} ({o.type}{bounds}{default}): {o.help}")
    return "\n".join(lines)


def _unknown(name: str, others: Iterable[str]) -> TypeError:
    known = [*_TABLE, *others]
    near = difflib.get_close_matches(name, known, n=1)
    return TypeError(f"unknown option {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


def _number(option: Option, value: Any) -> str:
    wanted = (int, ) if option.type == "int" else (int, float)
    if isinstance(value, bool) or not (isinstance(value, wanted) or hasattr(value, "__index__")
                                       or option.type == "float" and hasattr(value, "__float__")):
        raise TypeError(f"{option.name}: {option.type} expected, not {type(value).__name__}")
    return repr(int(value)) if option.type == "int" else repr(float(value))


def _values(option: Option, value: object) -> list[str | None]:
    """A keyword's value, as passed to the C library."""
    if option.type == "bool":
        if not isinstance(value, bool):
            raise TypeError(f"{option.name}: bool expected, not {type(value).__name__}")
        return [None] if value else ["no"]
    if option.type in ("int", "float"):
        return [_number(option, value)]
    if option.type == "list" and not isinstance(value, str) and isinstance(value, Iterable):
        items = list(value)
        if all(isinstance(item, str) for item in items):
            return [*items]
    if not isinstance(value, str):
        raise TypeError(f"{option.name}: str expected, not {type(value).__name__}")
    return [value]


def pairs_of(keywords: dict[str, object], others: Iterable[str] = ()) -> Pairs:
    """Keywords as checked pairs of names and texts; None means the default. ``others`` are the caller's own
    keywords."""
    pairs: list[tuple[str, str | None]] = []
    for name, value in keywords.items():
        option = _TABLE.get(name)
        if option is None:
            raise _unknown(name, others)
        if value is not None:
            pairs += [(name, text) for text in _values(option, value)]
    _limn.check_options(pairs)
    return tuple(pairs)
