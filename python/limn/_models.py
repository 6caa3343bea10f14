"""Model files: the default one, and a cache of those open in this process."""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path

from . import _limn
from ._errors import FileError

DEFAULT_NAME = "limn-default.safetensors"
PathLike = str | os.PathLike[str]
_cache: weakref.WeakValueDictionary[object, Shared] = weakref.WeakValueDictionary()
_lock = threading.Lock()


class Shared:
    """An open model: immutable, and shared by all captioners of its file."""

    def __init__(self, paths: tuple[str, ...], cpu: str | None) -> None:
        self.model = _limn.Model(tuple(os.fsencode(path) for path in paths), cpu)
        self.info = self.model.info()


def default_model() -> str:
    """The path of the default model: in the package ``limn-model``, or in an installation of limn."""
    if importlib.util.find_spec("limn_model") is not None:
        import limn_model
        return str(limn_model.path)
    folders = dict.fromkeys(Path(prefix) / "share/limn" for prefix in (sys.prefix, "/usr/local", "/usr"))
    for folder in folders:
        if (folder / DEFAULT_NAME).is_file():
            return str(folder / DEFAULT_NAME)
    raise FileError("no default model: the package limn-model is not installed, and there is no " + DEFAULT_NAME +
                    " in " + ", ".join(map(str, folders)))


def model_paths(model: PathLike | Sequence[PathLike] | None) -> tuple[str, ...]:
    """Absolute paths of the models that a captioner was given."""
    if model is None:
        return (default_model(), )
    given = [model] if isinstance(model, (str, os.PathLike)) else model
    return tuple(os.path.abspath(os.fspath(path)) for path in given)


def _identity(path: str) -> tuple[object, ...]:
    try:
        s = os.stat(path)
    except OSError:
        return (path, )  # opening it reports what is wrong
    return (path, s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns)


def open_shared(paths: tuple[str, ...], cpu: str | None) -> Shared:
    """The model of these files, opened once for all captioners of this process."""
    key = (tuple(_identity(path) for path in paths), cpu)
    with _lock:
        shared = _cache.get(key)
        if shared is None:
            shared = _cache[key] = Shared(paths, cpu)
        return shared


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
