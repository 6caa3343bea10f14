"""Many images: read ahead by some threads, captioned by others, several at once by each."""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import _limn
from ._errors import Error, Interrupted, OptionError
from ._images import Pixels, read_file, take

if TYPE_CHECKING:
    from ._captioner import Captioner, Result

AHEAD = 4  # images for each thread that wait, and are read meanwhile
_MAX_READERS = 32
_here = threading.local()  # has is_ours in the threads of a team, in which the garbage collector may close one


def _mark_as_ours() -> None:
    _here.is_ours = True


@dataclass(frozen=True)
class Later:
    """An image of which ``read`` gets the file's bytes; it is called ahead, in another thread."""

    read: Callable[[], bytes]


class Work:
    """An image on its way to its result, or to the exception that ends the iteration. ``image`` may also be a ``Later``,
    or an ``Error``: then it has failed already."""

    __slots__ = ("name", "result", "_image", "_bytes")

    def __init__(self, name: str, image: object, readers: ThreadPoolExecutor) -> None:
        self.name = name
        self.result: Result | Exception | None = None
        self._image = image
        self._bytes: Future[bytes] | None = None
        if isinstance(image, Later):
            self._bytes = readers.submit(image.read)
        elif isinstance(image, (str, os.PathLike)):
            self._bytes = readers.submit(read_file, image)

    @property
    def is_read(self) -> bool:
        return self._bytes is None or self._bytes.done()

    def data(self) -> bytes | Pixels:
        """Bytes of a file, or pixels; waits until they are read."""
        if isinstance(self._image, Error):
            raise self._image
        if self._bytes is not None:
            return self._bytes.result()
        data = take(self._image)[1]
        assert data is not None
        return data

    def cancel(self) -> None:
        if self._bytes is not None:
            self._bytes.cancel()


class Feed:
    """Images between the thread that names them and the n threads that caption them."""

    def __init__(self, n: int) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[Work] = deque()
        self._max_waiting, self._max_unfinished = AHEAD * n, (AHEAD + _limn.max_together) * n
        self._n_idle = 0  # threads without images
        self._failure: Exception | None = None
        self.is_closed = False

    # ---- for the thread that names images

    def has_room(self, n_unfinished: int) -> bool:
        return len(self._waiting) < self._max_waiting and n_unfinished < self._max_unfinished

    def put(self, work: Work) -> bool:
        """Returns whether a thread is idle that may take it."""
        with self._changed:
            self._waiting.append(work)
            self._changed.notify_all()
            return self._n_idle >= len(self._waiting)

    def wait_for_result(self, window: deque[Work], is_ordered: bool, is_end: bool) -> Work | None:
        """Waits for a result among the images that were put. None: there is room for more, or, if ``is_end``, no image is
        left."""
        with self._changed:
            self._changed.wait_for(lambda: self._failure or finished(window, is_ordered) or
                                   (not window if is_end else self.has_room(len(window))))
            if self._failure is not None:
                raise self._failure
            return finished(window, is_ordered)

    def close(self) -> None:
        """Drops the images that wait: no thread gets another one."""
        with self._changed:
            self.is_closed = True
            while self._waiting:
                self._waiting.popleft().cancel()
            self._changed.notify_all()

    # ---- for the threads that caption

    def rest(self) -> None:
        """The thread has no images from now on."""
        with self._changed:
            self._n_idle += 1

    def wait(self) -> bool:
        """Waits until images wait; False: there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self.is_closed)
            self._n_idle -= 1
            return not self.is_closed

    def take(self, is_busy: bool) -> Work | None:
        """The oldest image that waits. A thread with others in progress leaves it to those that have none, and does not
        wait for its bytes."""
        with self._changed:
            if not self._waiting or is_busy and (self._n_idle or not self._waiting[0].is_read):
                return None
            self._changed.notify_all()
            return self._waiting.popleft()

    def finish(self, work: Work, result: Result | Exception) -> None:
        with self._changed:
            work.result = result
            self._changed.notify_all()

    def fail(self, failure: Exception) -> None:
        """Something failed that is not one image's."""
        with self._changed:
            self._failure = failure
            self._changed.notify_all()


def finished(window: deque[Work], is_ordered: bool) -> Work | None:
    """The first image if it has its result; else, unless they are ordered, any that has."""
    for work in window:
        if work.result is not None:
            return work
        if is_ordered:
            break
    return None


class Worker:
    """A thread that captions images of a feed, several at once."""

    def __init__(self, captioner: Captioner, feed: Feed, decoders: _limn.Decoders | None) -> None:
        self._captioner = captioner
        self._feed = feed
        self._decoders = decoders
        self._n_busy = 0
        self._state: _limn.State | None = None  # while it is this thread's: others use it before and after
        self._lock = threading.RLock()  # of _state
        feed.rest()
        self._thread = threading.Thread(target=self._main, name="limn", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Gives up the images in progress. The feed is closed."""
        with self._lock:
            if self._state is not None:
                self._state.stop()

    def join(self) -> None:
        self._thread.join()

    def _main(self) -> None:
        _mark_as_ours()
        try:
            with self._captioner._state(()) as state:
                self._state = state
                try:
                    while self._feed.wait():
                        state.caption_many(self._next, self._done)
                        self._feed.rest()
                finally:
                    with self._lock:
                        self._state = None
        except Exception as error:
            if not (self._feed.is_closed and isinstance(error, Interrupted)):
                self._feed.fail(error)

    def _next(self) -> tuple[Work, bytes, bytes] | None:
        while (work := self._feed.take(self._n_busy > 0)) is not None:
            try:
                item = work, encoded(work.name), self._load(work)
            except Exception as error:
                self._feed.finish(work, outcome(work.name, error))
            else:
                self._n_busy += 1
                return item
        return None

    def _load(self, work: Work) -> bytes:
        assert self._state is not None
        return self._captioner._load(self._state, work.data(), self._decoders)

    def _done(self, work: Work, found: Any) -> None:
        self._n_busy -= 1
        self._feed.finish(work, outcome(work.name, found))


def encoded(name: str) -> bytes:
    """A name as C gets it."""
    data = os.fsencode(name)
    if b"\0" in data:
        raise ValueError("a name has a NUL character")
    return data


def outcome(name: str, found: Any) -> Result | Exception:
    """The result of an image; an exception that is no fault of the image's file stays one."""
    from ._captioner import failure, success
    if isinstance(found, Error):
        return failure(name, found)
    return found if isinstance(found, Exception) else success(name, *found)


class Team:
    """The threads of one ``caption_many``: at most n that caption, started as there is work, and those that read."""

    _all: weakref.WeakSet[Team] = weakref.WeakSet()

    def __init__(self, captioner: Captioner, n: int, decoders: _limn.Decoders | None) -> None:
        self._captioner = captioner
        self._n = n
        self._decoders = decoders
        self._owner = os.getpid()
        self._workers: list[Worker] = []
        self._readers = ThreadPoolExecutor(min(AHEAD * n, _MAX_READERS), thread_name_prefix="read-limn",
                                           initializer=_mark_as_ours)
        self.feed = Feed(n)
        Team._all.add(self)

    def put(self, name: str, image: object) -> Work:
        work = Work(name, image, self._readers)
        if not self.feed.put(work) and len(self._workers) < self._n:
            self._workers.append(Worker(self._captioner, self.feed, self._decoders))
        return work

    def check_owner(self) -> None:
        """A child of fork() has none of the threads."""
        if self._owner != os.getpid():
            raise OptionError("caption_many: a child of fork() can't go on with an iteration of its parent")

    def close(self) -> None:
        """Ends all threads: captioning at its next step, reading once the files being read are read. A thread of a team
        does not wait for others."""
        if self._owner != os.getpid():
            return
        waits = not getattr(_here, "is_ours", False)
        self.feed.close()
        for worker in self._workers:
            worker.stop()
        self._readers.shutdown(wait=waits, cancel_futures=True)
        for worker in self._workers if waits else ():
            worker.join()


def _named(position: int, item: object) -> tuple[str, object]:
    if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str):
        return item
    return os.fspath(item) if isinstance(item, (str, os.PathLike)) else str(position), item


def results(captioner: Captioner, images: Iterator[object], n: int, decoders: _limn.Decoders | None,
            is_ordered: bool) -> Iterator[Result]:
    """What ``Captioner.caption_many`` yields, of n threads. All images are taken by the caller's thread."""
    team = Team(captioner, n, decoders)
    window: deque[Work] = deque()  # put, and not yielded yet
    items = enumerate(images)
    is_end = False
    try:
        while window or not is_end:
            team.check_owner()
            if not is_end and team.feed.has_room(len(window)):
                item = next(items, None)
                is_end = item is None
                if item is not None:
                    window.append(team.put(*_named(*item)))
            work = team.feed.wait_for_result(window, is_ordered, is_end)
            if work is not None:
                window.remove(work)
                if isinstance(work.result, Exception):
                    raise work.result
                assert work.result is not None
                yield work.result
    finally:
        team.close()


@atexit.register
def _close_all() -> None:
    """Threads of an iteration that was left half-way would call into an interpreter that is gone."""
    for team in list(Team._all):
        team.close()
