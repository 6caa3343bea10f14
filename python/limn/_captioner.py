"""Captioner: captions, features and tags of images."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

from . import _limn
from ._errors import Error, OptionError, UnsupportedFormat
from ._images import Pixels, read_file, take
from ._many import results
from ._models import PathLike, Shared, model_paths, open_shared
from ._options import Options, Pairs, describe, pairs_of
from ._programs import program

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

log = logging.getLogger("limn")
_OWN = ("model", "cpu", "threads", "sandbox")
_MAX_THREADS = 256


@dataclass(frozen=True, slots=True)
class Token:
    """A word as the model wrote it, and its natural log-probability; ``</s>`` is the end."""

    text: str
    logprob: float


@dataclass(frozen=True, slots=True)
class Tag:
    """A concept that the image shows, from one of the model's lists."""

    name: str
    set: str
    probability: float


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption; ``str()`` is its text.

    ``logprob`` is the sum of its tokens' natural log-probabilities; ``score`` is what captions are ranked by;
    ``confidence`` is the probability, 0 to 1, that it is right (None unless asked for); ``n_drawn`` is how often it was
    drawn, 1 unless sampled.
    """

    text: str
    logprob: float
    score: float
    confidence: float | None
    tokens: tuple[Token, ...]
    n_drawn: int

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome for an image: ``captions``, best first, or ``error``.

    ``line`` is its record as ``limn --format jsonl`` writes it, without the line end; ``name`` is the path as it was
    given, or the image's position if it has no path.
    """

    name: str
    captions: tuple[Caption, ...]
    tags: tuple[Tag, ...]
    error: Error | None
    line: bytes

    @property
    def caption(self) -> Caption:
        """The best caption; raises the error if there is one."""
        if self.error is not None:
            raise self.error
        return self.captions[0]


def _caption(raw: Any) -> Caption:
    text, logprob, score, confidence, tokens, n_drawn = raw
    return Caption(text, logprob, score, confidence, tuple(Token(*t) for t in tokens), n_drawn)


def success(name: str, items: Any, tags: Any, line: bytes) -> Result:
    """The result of an image with captions, from what C gives."""
    return Result(name, tuple(map(_caption, items)), tuple(Tag(*t) for t in tags), None, line)


def failure(name: str, error: Error) -> Result:
    """The result of an image that failed."""
    return Result(name, (), (), error, _limn.failure_json(error.kind, error.detail, os.fsencode(name)))


def thread_count(threads: int | None) -> int:
    """Checks a number of threads; None: the cores that this process may use."""
    if threads is None:
        return _limn.default_threads()
    if isinstance(threads, bool) or not isinstance(threads, int):
        raise TypeError(f"threads: int expected, not {type(threads).__name__}")
    if not 1 <= threads <= _MAX_THREADS:
        raise OptionError(f"threads: {threads} is not in 1 … {_MAX_THREADS}")
    return threads


class Captioner:
    """Captions for images.

    ``Captioner()`` uses the default model; ``model`` is a path, or several for an ensemble. Other keywords are the
    options of the command line tool ``limn``:

%(options)s

    ``cpu`` is one of ``cpu_levels()``: "c", "sse41", "avx2" … (None: the best this machine has; captions are the same
    bytes). ``threads`` splits the work on each image of ``caption``.
    ``sandbox`` is for ``caption_many``: True decodes images in processes that can do nothing else, or raises an error
    where that is impossible; None (default) does so where possible; False decodes in this process. ``caption`` always
    decodes in this process.

    Any thread may call one captioner. The same image, model and options give the same bytes, whatever the threads. A
    pickle holds only paths and options; captioners of the same file share its model.

    Errors: ``limn.Error`` and its subclasses; ``TypeError`` for an unknown option, with the nearest name.
    """

    _all: weakref.WeakSet[Captioner] = weakref.WeakSet()

    def __init__(self, model: PathLike | Sequence[PathLike] | None = None, *,
                 cpu: str | None = None, threads: int = 1, sandbox: bool | None = None,
                 **options: Unpack[Options]) -> None:
        self._options: dict[str, object] = dict(options)
        self._pairs: Pairs = pairs_of(self._options, _OWN)
        self._paths = model_paths(model)
        self._cpu = cpu
        self._threads = thread_count(threads)
        self._sandbox = sandbox
        self._shared: Shared = open_shared(self._paths, cpu)
        self._forget()
        with self._state(()):  # options that this model can't meet raise here
            pass
        Captioner._all.add(self)

    def _forget(self) -> None:
        """Drops everything that a fork does not copy."""
        self._lock = threading.Lock()
        self._free: dict[Pairs, list[_limn.State]] = {}
        self._decoders: _limn.Decoders | None = None
        self._n_decoders = 0

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self._paths, self._cpu, self._threads, self._sandbox, self._options)

    def __repr__(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self._options.items())
        return f"limn.Captioner({', '.join(map(repr, self._paths))}{options})"

    @property
    def info(self) -> dict[str, Any]:
        """Properties of the model: sizes in pixels, layers, heads, tokens."""
        return dict(self._shared.info)

    @contextmanager
    def _state(self, more: Pairs, n_threads: int = 1) -> Iterator[_limn.State]:
        """A state for this call alone, new or reused; ``more`` are options for this call only."""
        key = (*more, ("", str(n_threads)))
        free = self._free.setdefault(key, [])
        try:
            state = free.pop()
        except IndexError:
            state = _limn.State(self._shared.model, self._pairs + more, n_threads)
        try:
            yield state
        finally:
            free.append(state)

    def _load(self, state: _limn.State, image: bytes | Pixels, decoders: _limn.Decoders | None) -> bytes:
        if isinstance(image, bytes):
            return state.load(image, decoders)
        return state.load_pixels(image.data, image.width, image.height, image.width * 3, False)

    def _run(self, image: object, name: str | None, more: Pairs) -> Result:
        """Captions one image, or raises the error; reads a path with ``open``."""
        path, data = take(image)
        if data is None:
            assert path is not None
            data = read_file(path)
        if name is None:
            name = os.fspath(path) if path is not None else ""
        encoded = os.fsencode(name)
        with self._state(more, self._threads) as state:
            items, tags = state.caption(encoded, self._load(state, data, None))
            line = state.json(encoded)
        return success(name, items, tags, line)

    def _one(self, image: object, name: str | None, more: Pairs = ()) -> Result:
        try:
            return self._run(image, name, more)
        except Error as error:
            where = name if name is not None else os.fspath(image) if isinstance(image, (str, os.PathLike)) else ""
            if where and not error.detail.startswith(f"{where}: "):
                error.detail = f"{where}: {error.detail}"
            raise

    def caption(self, image: object, *, name: str | None = None) -> Caption:
        """The best caption of an image: a path, bytes of an image file, a PIL image, or pixels, uint8 [height, width,
        3] RGB. ``name`` takes the place of a path: with the seed it determines the random numbers."""
        return self._one(image, name).captions[0]

    def captions(self, image: object, *, name: str | None = None) -> list[Caption]:
        """Captions of an image, best first: at most ``n_best``."""
        return list(self._one(image, name).captions)

    def tags(self, image: object, n: int = 10) -> list[Tag]:
        """The ``n`` (1 to 100) most probable concepts that the image shows, from all of the model's lists."""
        more = pairs_of({"tags": n})
        return list(self._one(image, None, more).tags)

    def json(self, image: object, *, name: str | None = None) -> str:
        """The image's record as ``limn --format jsonl`` writes it."""
        return self._one(image, name).line.decode()

    def decoders(self, n: int) -> _limn.Decoders | None:
        """At least n processes that decode images, started once; None where there is no sandbox."""
        if self._sandbox is False:
            return None
        with self._lock:
            if self._decoders is None or self._n_decoders < n:
                self._decoders = self._start_decoders(n)
                self._n_decoders = n if self._decoders is not None else _MAX_THREADS
            return self._decoders

    def _start_decoders(self, n: int) -> _limn.Decoders | None:
        try:
            max_pixels = self._options.get("max_pixels")
            path = os.fsencode(program("limn-sandbox"))
            return _limn.Decoders(n, max_pixels if isinstance(max_pixels, int) else 0, path)
        except UnsupportedFormat as error:
            if self._sandbox:
                raise
            log.warning("images are decoded without a sandbox: %s", error)
            return None

    def caption_many(self, images: Iterable[object], *, threads: int | None = None,
                     ordered: bool = True) -> Iterator[Result]:
        """Results for many images, one by one: in the order of ``images``, or as they are ready.

        ``threads`` threads (None: the cores that this process may use) caption up to eight images together each, which
        takes less time than one after another. ``images`` is any iterable of what ``caption`` takes, or of pairs (name,
        image); your thread takes items from it, at most four per thread ahead of those in progress, and files are read
        ahead. An image that fails gives a result with an error. Images are decoded in a sandbox where possible (see the
        class). Leaving the iteration gives up the images in progress.
        """
        n = thread_count(threads)
        return results(self, iter(images), n, self.decoders(n), ordered)

    def features(self, images: object) -> NDArray[numpy.float32]:
        """The encoder's features: float32 [n, positions, channels]; for one image [positions, channels]. An ensemble
        gives its models' features, flat: [n, floats]."""
        import numpy as np
        if isinstance(images, (list, tuple)):
            return np.stack([self._features(image) for image in images]) if images else np.empty((0, ), np.float32)
        return self._features(images)

    def _features(self, image: object) -> NDArray[numpy.float32]:
        import numpy as np
        info = self._shared.info
        out = np.empty(info["n_features"], np.float32)
        path, data = take(image)
        if data is None:
            assert path is not None
            data = read_file(path)
        with self._state((), self._threads) as state:
            state.encode(self._load(state, data, None), out)
        return out.reshape(-1, info["feature_dim"]) if info["n_models"] == 1 else out


def _rebuild(paths: tuple[str, ...], cpu: str | None, threads: int, sandbox: bool | None,
             options: Options) -> Captioner:
    return Captioner(paths, cpu=cpu, threads=threads, sandbox=sandbox, **options)


def _after_fork() -> None:
    for captioner in list(Captioner._all):
        captioner._forget()


os.register_at_fork(after_in_child=_after_fork)
Captioner.__doc__ = (Captioner.__doc__ or "") % {"options": describe()}
__all__ = ["Caption", "Captioner", "Result", "Tag", "Token"]
