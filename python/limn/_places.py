"""Where a run on a cluster reads and writes: local paths through system calls, URLs through fsspec."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections.abc import Iterable, Iterator
from typing import Any

from . import _limn
from ._chunks import Chunk
from ._errors import FileError, OptionError

ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.zst", ".zip")


def is_url(name: str) -> bool:
    return "://" in name


def local_path(name: str) -> str | None:
    """The path of a local place; None for any other."""
    if name.startswith("file://"):
        return name[len("file://"):]
    return None if is_url(name) else name


class Place:
    """A folder for results. Files appear there whole: each is written under another name, synced and renamed; object
    stores guarantee this by themselves."""

    def __init__(self, folder: str, storage: dict[str, Any]) -> None:
        self.folder = folder if folder.endswith("://") else folder.rstrip("/") or "/"
        self._local = local_path(self.folder)
        if self._local is None:
            import fsspec
            self._fs, self._root = fsspec.core.url_to_fs(self.folder, **storage)

    def name(self, file: str) -> str:
        return self.folder + ("" if self.folder.endswith("/") else "/") + file

    def exists(self, file: str) -> bool:
        if self._local is not None:
            return os.path.exists(os.path.join(self._local, file))
        return bool(self._fs.exists(f"{self._root}/{file}"))

    def read(self, file: str) -> bytes:
        if self._local is not None:
            with open(os.path.join(self._local, file), "rb") as f:
                return f.read()
        data: bytes = self._fs.cat_file(f"{self._root}/{file}")
        return data

    def remove(self, file: str) -> None:
        if self._local is not None:
            os.unlink(os.path.join(self._local, file))
        else:
            self._fs.rm_file(f"{self._root}/{file}")

    def parts(self, ending: str) -> set[str]:
        """The names of the parts that exist."""
        try:
            names = os.listdir(self._local) if self._local is not None else \
                [str(path).rsplit("/", 1)[-1] for path in self._fs.ls(self._root, detail=False)]
        except FileNotFoundError:
            return set()
        return {n for n in names if n.startswith("part-") and n.endswith(f".{ending}")}

    def write(self, file: str, data: bytes) -> None:
        self.write_all(file, [data])

    def write_all(self, file: str, pieces: Iterable[bytes]) -> int:
        """Writes a file and returns the number of its lines."""
        if self._local is not None:
            return self._write_local(self._local, file, pieces)
        data = b"".join(pieces)
        self._fs.makedirs(self._root, exist_ok=True)
        self._fs.pipe_file(f"{self._root}/{file}", data)
        return data.count(b"\n")

    @staticmethod
    def _write_local(folder: str, file: str, pieces: Iterable[bytes]) -> int:
        os.makedirs(folder, exist_ok=True)
        temporary = os.path.join(folder, f".{file}.{socket.gethostname()}.{os.getpid()}.{threading.get_ident()}")
        n_lines = 0
        try:
            with open(temporary, "wb") as f:
                for data in pieces:
                    f.write(data)
                    n_lines += data.count(b"\n")
                f.flush()
                os.fsync(f.fileno())
            os.replace(temporary, os.path.join(folder, file))
        except BaseException:
            if os.path.exists(temporary):
                os.unlink(temporary)
            raise
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return n_lines

    def failures(self, part: str) -> list[bytes]:
        """The records of the images in a part that failed."""
        if not part.endswith(".jsonl"):
            return []
        return [line for line in self.read(part).splitlines() if b',"error":{"kind":' in line]

    def count(self, part: str) -> int:
        """The number of a part's records."""
        return self.read(part).count(b"\n") if part.endswith(".jsonl") else 0

    def remove_leftovers(self) -> None:
        """Removes pieces, and temporary files of writers that died; call it once nobody is writing."""
        if self._local is None or not os.path.isdir(self._local):
            return
        for name in os.listdir(self._local):
            if name.startswith((".part-", ".piece-", ".errors", ".run", "piece-")):
                os.unlink(os.path.join(self._local, name))


# ---- names of images ----------------------------------------------------------------------------


def _order(name: str) -> list[bytes]:
    """The sort key: byte order within each folder, as the command line walks."""
    return os.fsencode(name).split(b"/")


def _is_hidden(name: str, below: int) -> bool:
    return any(part.startswith(".") for part in name[below:].split("/"))


def _looks_like_image(path: str) -> bool:
    if _limn.is_image_name(os.fsencode(path)):
        return True
    try:
        with open(path, "rb") as f:
            return _limn.is_image_head(f.read(64))
    except OSError:
        return False


def _in_folder(folder: str) -> Iterator[str]:
    for where, folders, files in os.walk(folder):
        folders[:] = [f for f in folders if not f.startswith(".")]
        for file in files:
            path = os.path.join(where, file)
            if not file.startswith(".") and os.path.isfile(path) and _looks_like_image(path):
                yield path


def _remote(pattern: str, storage: dict[str, Any]) -> list[str]:
    import fsspec
    fs, path = fsspec.core.url_to_fs(pattern, **storage)
    found = fs.glob(path) if "*" in path else fs.find(path)
    found = [p for p in found if _limn.is_image_name(os.fsencode(p)) and not _is_hidden(p, len(path.split("*")[0]))]
    return [str(fs.unstrip_protocol(p)) for p in found]


def _of_text(images: str, storage: dict[str, Any]) -> list[str]:
    if images.endswith(ARCHIVES) and "*" not in images:
        return [images]
    path = local_path(images)
    if path is None:
        found = _remote(images, storage)
    elif "*" in path or "?" in path:
        import glob
        found = [p for p in glob.glob(path, recursive=True) if os.path.isfile(p)]
    elif os.path.isdir(path):
        found = list(_in_folder(path.rstrip("/") or "/"))
    else:
        found = [path]
    if not found:
        raise OptionError(f"{images}: no images")
    return sorted(found, key=_order)


def expand(images: str | Iterable[str], size: int, storage: dict[str, Any]) -> list[Chunk]:
    """Numbered chunks of names, in output order."""
    names = _of_text(images, storage) if isinstance(images, str) else [os.fspath(name) for name in images]
    chunks: list[Chunk] = []
    waiting: list[str] = []
    for name in [*names, None]:
        is_archive = name is not None and name.endswith(ARCHIVES)
        if waiting and (name is None or is_archive or len(waiting) == size):
            chunks.append(Chunk(len(chunks), tuple(waiting), 0, len(waiting)))
            waiting = []
        if is_archive:
            assert name is not None
            chunks.append(Chunk(len(chunks), (name, ), 0, 1, is_archive=True))
        elif name is not None:
            waiting.append(name)
    return chunks


def names_sum(chunks: list[Chunk]) -> str:
    """SHA-256 of the names in order."""
    total = hashlib.sha256()
    for chunk in chunks:
        for name in chunk.names:
            total.update(os.fsencode(name) + b"\0")
    return total.hexdigest()


def read_image(name: str, storage: dict[str, Any]) -> bytes:
    """The bytes of an image, by its path or URL."""
    from ._images import read_file
    path = local_path(name)
    if path is not None:
        return read_file(path)
    import fsspec
    try:
        with fsspec.open(name, "rb", **storage) as f:
            data: bytes = f.read()
            return data
    except FileNotFoundError:
        raise FileError("No such file or directory") from None
    except OSError as error:
        raise FileError(error.strerror or str(error)) from error
