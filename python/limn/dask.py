"""Captions on a Dask cluster: the same bytes as on one machine, whatever dies on the way.

>>> run = limn.dask.caption("photos/**/*.jpg", "out/", client=client, beam=3)   # doctest: +SKIP
>>> run.result()                                                                # doctest: +SKIP
Summary(done=99987, failed=13, skipped=0, errors='out/errors.jsonl')
>>> limn.dask.merge("out/", "captions.jsonl")                                   # doctest: +SKIP

Workers get chunks of names, and write a file for each: results live in files, not in workers. Repeating the call does
what is missing.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeAlias, Unpack

from . import _limn
from ._captioner import Captioner
from ._chunks import Chunk, Done, Job, attempt, caption_chunk, captioner_of, checksum, join_pieces, model_of
from ._errors import Crashed, Error, Interrupted, OptionError
from ._options import Options, pairs_of
from ._places import Place, expand, names_sum

if TYPE_CHECKING:
    from distributed import Client

Future: TypeAlias = Any  # from distributed, whose types change from release to release
FORMATS = ("jsonl", "parquet")
_OWN = ("client", "chunk", "model", "cpu", "format", "retries", "sandbox", "storage_options")
_LOST = (TimeoutError, CancelledError, asyncio.CancelledError, OSError)
_LOST_SECONDS = 20.0  # without a scheduler until the run ends with an error


@dataclass(frozen=True)
class Summary:
    """Numbers of images: captioned in this run, failed (in this or earlier runs; ``errors`` is the JSONL list of them),
    and captioned by earlier runs."""

    done: int
    failed: int
    skipped: int
    errors: str


def caption(images: str | Iterable[str], output: str, *, client: Client, chunk: int = 256,
            model: str | list[str] | None = None, cpu: str | None = None, format: str = "jsonl", retries: int = 3,
            sandbox: bool | None = None, storage_options: Mapping[str, Any] | None = None,
            **options: Unpack[Options]) -> Run:
    """Starts captioning ``images`` into the folder ``output``, and returns at once.

    ``images``: a folder, a pattern with ``*``, a list of names, or tars, each of which is one chunk; paths that all
    workers see, or URLs that fsspec reads with ``storage_options``. ``output`` likewise: ``part-000000.jsonl`` …, a
    record for each image as ``limn --format jsonl`` writes it (or parquet, which needs pyarrow). ``chunk`` images make
    a task: about a minute of work is best. ``model`` None: the default model of each worker, which must be the same.
    ``sandbox`` is as in ``Captioner``: without one, an image that kills its worker is found by halving its chunk. A
    task that fails is retried up to ``retries`` times.

    Errors: ``OptionError`` if ``output`` holds another run, or a worker has another limn or model.
    """
    if format not in FORMATS:
        raise OptionError(f"format: {format!r} is none of {', '.join(FORMATS)}")
    if isinstance(chunk, bool) or not isinstance(chunk, int) or chunk < 1:
        raise OptionError(f"chunk: {chunk!r} is no number of images")
    pairs_of(dict(options), _OWN)
    paths = tuple([model] if isinstance(model, str) else model) if model is not None else None
    job = Job(paths, cpu, sandbox, tuple(sorted(options.items())), output, format, dict(storage_options or {}),
              checksum(model_of(paths)), _limn.version)
    _check_workers(client, job)
    chunks = expand(images, chunk, job.storage)
    _claim(job, chunks, chunk)
    return Run(client, job, chunks, retries)


def _check_workers(client: Client, job: Job) -> None:
    """Checks that the workers now there have the same limn and model."""
    for worker, answer in client.run(importlib.import_module, "limn", on_error="return").items():
        if isinstance(answer, BaseException):
            raise OptionError(f"{worker} has no limn ({answer}); install limn-captioner there")
    for worker, answer in client.run(_look, job, on_error="return").items():
        if isinstance(answer, BaseException):
            raise OptionError(f"{worker}: {answer}")


def _look(job: Job) -> None:
    captioner_of(job)


def _claim(job: Job, chunks: list[Chunk], size: int) -> None:
    """Describes the run in run.json, or compares with the one there."""
    place = Place(job.output, job.storage)
    mine = {"limn": job.version, "model": job.checksum, "options": dict(job.options), "format": job.format,
            "chunk": size, "chunks": len(chunks), "images": sum(len(c.names) for c in chunks),
            "names": names_sum(chunks)}
    mine = json.loads(json.dumps(mine, default=list))
    if place.exists("run.json"):
        theirs = json.loads(place.read("run.json"))
        other = [key for key in mine if theirs.get(key) != mine[key]]
        if other:
            raise OptionError(f"{job.output} has another run: {', '.join(other)} differ "
                              f"({other[0]}: {theirs.get(other[0])!r}, now {mine[other[0]]!r})")
    elif place.parts(job.format):
        raise OptionError(f"{job.output} has parts, but no run.json")
    else:
        place.write("run.json", json.dumps(mine, indent=1).encode() + b"\n")


class Run:
    """A run in progress in a thread of the client: ``progress()`` shows it, ``result()`` waits for it, ``cancel()``
    ends it. What is written stays; the same call resumes from there."""

    def __init__(self, client: Client, job: Job, chunks: list[Chunk], retries: int) -> None:
        self._client: Any = client  # as with Future
        self._job = job
        self._retries = retries
        self._place = Place(job.output, job.storage)
        self._events: SimpleQueue[Future] = SimpleQueue()
        self._flying: dict[str, tuple[Future, Any, Chunk, tuple[Any, ...]]] = {}
        self._pieces: dict[int, dict[int, Chunk | bytes]] = {}  # of chunks that were halved
        self._failed: dict[int, list[bytes]] = {}
        self._tries: dict[str, int] = {}  # that failed, by chunk
        self._suspects: list[Chunk] = []  # that wait to run alone
        self._accused: set[str] = set()  # labels of all that were suspects
        self._error: BaseException | None = None
        self._is_cancelled = False
        self._done = self._skipped = 0
        self.total = sum(len(c.names) for c in chunks)
        self.n_in_flight_max = 0
        self._n_threads = 1
        there = self._place.parts(job.format)
        self._todo = [c for c in chunks if c.part(job.format) not in there]
        self._todo.reverse()
        for c in chunks:
            if c.part(job.format) in there:
                self._skip(c)
        self._thread = threading.Thread(target=self._drive, name="limn-dask", daemon=True)
        self._thread.start()

    def _skip(self, chunk: Chunk) -> None:
        self._failed[chunk.number] = self._place.failures(chunk.part(self._job.format))
        n = self._place.count(chunk.part(self._job.format)) if chunk.is_archive else len(chunk.names)
        self._skipped += n - len(self._failed[chunk.number])

    # ---- for callers

    @property
    def counts(self) -> tuple[int, int, int]:
        """(captioned, failed, captioned before)"""
        return self._done, sum(map(len, self._failed.values())), self._skipped

    def progress(self, every: float = 1.0) -> None:
        """Shows progress on standard error until the run ends."""
        begin = time.monotonic()
        is_live = sys.stderr.isatty() or "ipykernel" in sys.modules
        while True:
            self._thread.join(every)
            done, failed, skipped = self.counts
            seconds = time.monotonic() - begin
            line = f"{done + failed + skipped} of {self.total} images, {failed} failed, {done / seconds:.1f} a second"
            print(f"\r{line:<70}" if is_live else line, end="" if is_live else "\n", file=sys.stderr, flush=True)
            if not self._thread.is_alive():
                if is_live:
                    print(file=sys.stderr)
                return
            if not is_live:
                every = min(60.0, every * 2)

    def result(self, timeout: float | None = None) -> Summary:
        """Waits for the end; raises what ended the run early, ``TimeoutError`` after ``timeout`` seconds."""
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise TimeoutError("the run goes on")
        if self._error is not None:
            raise self._error
        done, failed, skipped = self.counts
        lines = b"".join(line + b"\n" for number in sorted(self._failed) for line in self._failed[number])
        self._place.write("errors.jsonl", lines)  # empty where there is none
        return Summary(done, failed, skipped, self._place.name("errors.jsonl"))

    def cancel(self) -> None:
        """Ends the run; chunks in progress may still be finished."""
        self._is_cancelled = True
        self._thread.join()

    # ---- the thread

    def _drive(self) -> None:
        try:
            self._fill()
            while self._flying:
                self._take(self._next())
                self._fill()
            self._place.remove_leftovers()
        except BaseException as error:  # handed to the caller of result()
            self._error = error
        finally:
            for future, *_ in self._flying.values():  # what nobody waits for is not begun; never asks the scheduler
                future.release()

    def _next(self) -> Future:
        lost = 0.0
        while True:
            if self._is_cancelled:
                raise Interrupted("cancelled")
            try:
                return self._events.get(timeout=0.5)
            except Empty:
                lost = lost + 0.5 if self._client.status != "running" else 0.0
                if lost >= _LOST_SECONDS:
                    raise Error(f"no scheduler for {lost:.0f} seconds ({self._client.status}); run it again to go "
                                "on") from None

    def _fill(self) -> None:
        """Keeps two chunks per thread in flight; in the end, one suspect after another."""
        if not self._todo:
            if self._suspects and not self._flying:
                chunk = self._suspects.pop()
                self._submit(caption_chunk, chunk, self._job, chunk)
            return
        most = 2 * self._count_threads()
        while self._todo and len(self._flying) < most:
            chunk = self._todo.pop()
            self._submit(caption_chunk, chunk, self._job, chunk)
        self.n_in_flight_max = max(self.n_in_flight_max, len(self._flying))

    def _count_threads(self) -> int:
        """Of the cluster; as many as before while its scheduler does not answer, which _next() gives up on."""
        if self._client.status == "running":
            try:
                threads = self._client.sync(self._client.scheduler.ncores, callback_timeout=_LOST_SECONDS)
                self._n_threads = max(1, sum(threads.values()))
            except (TimeoutError, OSError):
                pass
        return self._n_threads

    def _submit(self, work: Any, chunk: Chunk, *arguments: Any) -> None:
        key = f"limn-{chunk.label}-{time.time_ns():x}"
        future = self._client.submit(attempt, work, *arguments, key=key, pure=False)
        self._flying[future.key] = future, work, chunk, arguments
        future.add_done_callback(self._events.put)

    def _take(self, future: Future) -> None:
        found = self._flying.pop(future.key, None)
        if found is None:
            return
        _, work, chunk, arguments = found
        error = self._error_of(future)
        if error is not None:
            if type(error).__name__ != "KilledWorker":
                raise error
            if chunk.names:
                self._halve(chunk, str(error))
            else:  # pieces were being joined on a worker that something else killed
                self._count_try(chunk, error)
                self._submit(work, chunk, *arguments)
            return
        done = self._result_of(future)
        if done is not None and done.error is None:
            self._finish(chunk, done)
        elif done is not None and done.error is not None:
            self._count_try(chunk, done.error)
            self._submit(work, chunk, *arguments)
        elif self._client.status == "running" and future.status == "error":
            self._count_try(chunk, Error(f"chunk {chunk.label}: its error can't be fetched"))
            self._submit(work, chunk, *arguments)
        elif self._client.status == "running":  # its worker died with the result: the file still has it
            self._submit(work, chunk, *arguments)
        else:
            raise Error(f"no scheduler ({self._client.status}); run it again to go on")

    def _count_try(self, chunk: Chunk, error: BaseException) -> None:
        """Of a chunk that failed with the error, which ends the run after the last one."""
        self._tries[chunk.label] = self._tries.get(chunk.label, 0) + 1
        if self._tries[chunk.label] > self._retries:
            raise error

    @staticmethod
    def _error_of(future: Future) -> BaseException | None:
        """None also when the error is lost, with the scheduler."""
        if future.status != "error":
            return None
        try:
            error: BaseException | None = future.exception(timeout=_LOST_SECONDS)
            return error
        except _LOST:
            return None

    @staticmethod
    def _result_of(future: Future) -> Done | None:
        """None when the result is lost."""
        if future.status != "finished":
            return None
        try:
            done: Done = future.result(timeout=_LOST_SECONDS)
            return done
        except _LOST:
            return None

    def _finish(self, chunk: Chunk, done: Done) -> None:
        if chunk.is_piece:
            self._pieces[chunk.number][chunk.begin] = chunk
            self._join_if_whole(chunk)
            return
        self._done += done.n - len(done.failed)
        self._failed[chunk.number] = done.failed

    def _halve(self, chunk: Chunk, reason: str) -> None:
        """An image of the chunk kills workers: its halves are tried separately. For Dask, whatever else a dead worker
        had is to blame too; so a single image, or an archive, has failed when workers die of it alone."""
        pieces = self._pieces.setdefault(chunk.number, {})
        if len(chunk.names) > 1:
            self._todo += reversed(chunk.halves())
            return
        if chunk.label not in self._accused:
            self._accused.add(chunk.label)
            self._suspects.append(chunk)
            return
        if chunk.is_archive:
            raise Crashed(f"{chunk.names[0]}: workers die of it: {reason}")
        error = Crashed("its worker died of it, each time")
        pieces[chunk.begin] = _limn.failure_json(error.kind, error.detail, chunk.names[0].encode())
        self._join_if_whole(chunk)

    def _join_if_whole(self, chunk: Chunk) -> None:
        pieces = self._pieces[chunk.number]
        n = sum(len(p.names) if isinstance(p, Chunk) else 1 for p in pieces.values())
        if n == chunk.of:
            whole = Chunk(chunk.number, (), 0, chunk.of)
            self._submit(join_pieces, whole, self._job, whole, [pieces[begin] for begin in sorted(pieces)])


def merge(output: str, to: str, *, overwrite: bool = False,
          storage_options: Mapping[str, Any] | None = None) -> int:
    """Writes the parts of a finished run to one file, in the order of the names: the bytes that one machine would have
    written. Returns the number of images. ``to`` gets its name once it is complete."""
    place = Place(output, dict(storage_options or {}))
    if not place.exists("run.json"):
        raise OptionError(f"{output} has no run.json: it is no run's output")
    run = json.loads(place.read("run.json"))
    if run["format"] != "jsonl":
        raise OptionError(f"{output} has parts in {run['format']}, which programs read as a folder")
    names = [Chunk(i, (), 0, 0).part("jsonl") for i in range(run["chunks"])]
    missing = sorted(set(names) - place.parts("jsonl"))
    if missing:
        raise OptionError(f"{output}: {len(missing)} of {len(names)} parts are missing, {missing[0]} the first: the "
                          "run has not finished")
    folder, slash, name = to.rpartition("/")
    target = Place(folder + slash or ".", dict(storage_options or {}))
    if target.exists(name) and not overwrite:
        raise OptionError(f"{to} already exists")
    return target.write_all(name, (place.read(part) for part in names))


def map_partitions(frame: Any, *, column: str = "image", model: str | list[str] | None = None,
                   sandbox: bool | None = None, **options: Unpack[Options]) -> Any:
    """Captions for the images of a Dask DataFrame, as a column: each row has a path, bytes, or ``{"bytes", "path"}``.
    An image that fails gets None."""
    captioner = Captioner(model, sandbox=sandbox, **options)
    return frame.map_partitions(caption_frame, column, captioner, meta=(column, object))


def caption_frame(frame: Any, column: str, captioner: Captioner) -> Any:
    """The same for a pandas DataFrame."""
    images = [_image_of(value) for value in frame[column]]
    found = [None if r.error else str(r.caption) for r in captioner.caption_many(images, threads=1)]
    return type(frame[column])(found, index=frame.index, dtype=object, name=column)


def _image_of(value: Any) -> object:
    if isinstance(value, Mapping):
        return (str(value.get("path") or ""), value["bytes"]) if value.get("bytes") is not None else value["path"]
    return value


__all__ = ["Run", "Summary", "caption", "caption_frame", "map_partitions", "merge"]
