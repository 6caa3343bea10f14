"""What workers do: turn a chunk of images into a file of results."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import threading
import traceback
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from . import _limn
from ._captioner import Captioner, Result
from ._errors import BadFormat, Error, FileError, OptionError
from ._many import Later
from ._models import model_paths


@dataclass(frozen=True)
class Job:
    """A run as workers need to know it: small, and the same for all chunks."""

    model: tuple[str, ...] | None
    cpu: str | None
    sandbox: bool | None
    options: tuple[tuple[str, Any], ...]
    output: str
    format: str
    storage: dict[str, Any]
    checksum: str
    version: str


@dataclass(frozen=True)
class Chunk:
    """Names of images, in order. ``number`` is the chunk's; a piece of a halved chunk begins at image ``begin`` of the
    chunk's ``of`` images."""

    number: int
    names: tuple[str, ...]
    begin: int
    of: int
    is_archive: bool = False

    @property
    def is_piece(self) -> bool:
        return 0 < len(self.names) < self.of

    @property
    def label(self) -> str:
        return f"chunk-{self.number:06}" + (f"-{self.begin}-{len(self.names)}" if self.is_piece else "")

    def part(self, ending: str) -> str:
        """The name of its file."""
        if self.is_piece:
            return f"piece-{self.number:06}-{self.begin:06}-{len(self.names)}.jsonl"
        return f"part-{self.number:06}.{ending}"

    def halves(self) -> list[Chunk]:
        middle = len(self.names) // 2
        return [replace(self, names=self.names[:middle]),
                replace(self, names=self.names[middle:], begin=self.begin + middle)]


@dataclass(frozen=True)
class Done:
    """What a task returns: the number of images, and the records of those that failed."""

    n: int
    failed: list[bytes]
    error: BaseException | None = None  # of the task: returned, because not every version of Dask passes exceptions on


# ---- models -------------------------------------------------------------------------------------

_sums: dict[object, str] = {}
_captioners: dict[str, Captioner] = {}
_lock = threading.Lock()


def model_of(paths: tuple[str, ...] | None) -> tuple[str, ...]:
    return model_paths(list(paths) if paths is not None else None)


def checksum(paths: tuple[str, ...]) -> str:
    """SHA-256 of model files, computed once per process for each."""
    found = []
    for path in paths:
        try:
            s = os.stat(path)
        except OSError as error:
            raise FileError(f"{path}: {error.strerror}") from None
        key = (path, s.st_ino, s.st_size, s.st_mtime_ns)
        if key not in _sums:
            with open(path, "rb") as file:
                _sums[key] = hashlib.file_digest(file, "sha256").hexdigest()
        found.append(_sums[key])
    return " ".join(found)


def captioner_of(job: Job) -> Captioner:
    """This process's captioner for a run; refuses if limn or the model differ from the client's."""
    key = repr((job.model, job.cpu, job.sandbox, job.options, job.checksum, job.version))
    with _lock:
        if key not in _captioners:
            if _limn.version != job.version:
                raise OptionError(f"limn {_limn.version} is here, {job.version} at the client")
            found = checksum(model_of(job.model))
            if found != job.checksum:
                raise OptionError(f"another model is here: SHA-256 {found[:16]}…, {job.checksum[:16]}… at the client")
            _captioners.clear()  # one run at a time is usual
            _captioners[key] = Captioner(list(model_of(job.model)), cpu=job.cpu, sandbox=job.sandbox,
                                         **dict(job.options))
        return _captioners[key]


# ---- tasks --------------------------------------------------------------------------------------


def _threads_here() -> int:
    """The number of tasks that this worker runs at once."""
    from distributed import get_worker
    try:
        return int(get_worker().state.nthreads)
    except ValueError:
        return 1


def _members(name: str, data: Any) -> Iterator[tuple[str, bytes]]:
    """The images in a tar or zip, in archive order."""
    if name.endswith(".zip"):
        with zipfile.ZipFile(data) as archive:
            for item in archive.infolist():
                if not item.is_dir() and _limn.is_image_name(os.fsencode(item.filename)):
                    yield item.filename, archive.read(item)
        return
    with tarfile.open(fileobj=data, mode="r|*") as tar:
        for member in tar:
            if member.isfile() and _limn.is_image_name(os.fsencode(member.name)):
                file = tar.extractfile(member)
                yield member.name, file.read() if file is not None else b""


def _images(job: Job, chunk: Chunk) -> Iterator[tuple[str, Later | bytes | Error]]:
    from ._places import read_image
    for name in chunk.names:
        if not chunk.is_archive:
            yield name, Later(partial(read_image, name, job.storage))
            continue
        import fsspec
        try:
            with fsspec.open(name, "rb", **job.storage) as data:
                for member, content in _members(name, data):
                    yield f"{name}/{member}", content
        except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
            yield name, BadFormat(str(error))


def results_of(job: Job, chunk: Chunk) -> Iterator[Result]:
    """The results of a chunk, of one thread: the worker's other threads work on other chunks."""
    captioner = captioner_of(job)
    captioner.decoders(_threads_here())  # for all of them
    return captioner.caption_many(_images(job, chunk), threads=1)


def _row(line: bytes) -> dict[str, Any]:
    record = json.loads(line)
    error = record.get("error") or {}
    return {"file": record["file"], "caption": record.get("caption"), "logprob": record.get("logprob"),
            "score": record.get("score"), "confidence": record.get("confidence"), "error": error.get("kind"),
            "detail": error.get("detail")}


def _encode(lines: list[bytes], format: str) -> bytes:
    if format == "jsonl":
        return b"".join(line + b"\n" for line in lines)
    import pyarrow
    import pyarrow.parquet
    text, number = pyarrow.string(), pyarrow.float64()
    types = {"file": text, "caption": text, "logprob": number, "score": number, "confidence": number, "error": text,
             "detail": text}
    table = pyarrow.Table.from_pylist([_row(line) for line in lines], schema=pyarrow.schema(types.items()))
    out = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, out)
    data: bytes = out.getvalue().to_pybytes()
    return data


def _failed(lines: list[bytes]) -> list[bytes]:
    return [line for line in lines if b',"error":{"kind":' in line]


def attempt(work: Callable[..., Done], *arguments: Any) -> Done:
    """The result of the work, or its error with the traceback as a note."""
    try:
        return work(*arguments)
    except Exception as error:
        known = error if isinstance(error, (Error, OSError)) else Error(f"{type(error).__name__}: {error}")
        known.add_note(traceback.format_exc())
        known.__cause__ = known.__context__ = None
        return Done(0, [], known)


def caption_chunk(job: Job, chunk: Chunk) -> Done:
    """Writes the chunk's file, unless it exists. May run twice, even in two workers at once."""
    from ._places import Place
    place = Place(job.output, job.storage)
    part = chunk.part(job.format)
    if place.exists(part) and part.endswith(".jsonl"):
        lines = place.read(part).splitlines()
    else:
        lines = [result.line for result in results_of(job, chunk)]
        place.write(part, _encode(lines, "jsonl" if chunk.is_piece else job.format))
    return Done(len(lines), _failed(lines))


def join_pieces(job: Job, whole: Chunk, pieces: list[Chunk | bytes]) -> Done:
    """Writes the file of a chunk that was halved, and removes its pieces. A piece that is bytes is the record of an
    image that kills workers."""
    from ._places import Place
    place = Place(job.output, job.storage)
    part = whole.part(job.format)
    lines: list[bytes] = []
    if place.exists(part) and part.endswith(".jsonl"):
        lines = place.read(part).splitlines()
    else:
        for piece in pieces:
            lines += [piece] if isinstance(piece, bytes) else place.read(piece.part("jsonl")).splitlines()
        place.write(part, _encode(lines, job.format))
    for piece in pieces:
        if not isinstance(piece, bytes) and place.exists(piece.part("jsonl")):
            place.remove(piece.part("jsonl"))
    return Done(len(lines), _failed(lines))
