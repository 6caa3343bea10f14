"""Errors: what C reports, as exceptions."""

from __future__ import annotations


class Error(Exception):
    """Something that limn could not do.

    ``kind`` and ``detail`` are those in the command line's JSONL: ``{"error": {"kind", "detail"}}``.
    """

    kind = "bad argument"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        return self.detail


class OutOfMemory(Error, MemoryError):
    """An allocation failed."""

    kind = "out of memory"


class FileError(Error, OSError):
    """A file could not be opened, read or written."""

    kind = "i/o error"


class BadFormat(Error, ValueError):
    """Data that is not what its header promises."""

    kind = "bad format"


class Truncated(BadFormat):
    """Data that ends before its header says it does."""

    kind = "truncated"


class UnsupportedFormat(Error):
    """Well-formed, but of a kind that limn does not read."""

    kind = "unsupported"


class LimitExceeded(Error):
    """Larger than a limit, or over a limit on memory or time."""

    kind = "over limit"


class OptionError(Error, ValueError):
    """An invalid option or argument."""

    kind = "bad argument"


class Interrupted(Error):
    """Asked to stop."""

    kind = "interrupted"


class Crashed(Error):
    """The image crashed the process that decoded it."""

    kind = "crashed"


_BY_KIND: dict[str, type[Error]] = {
    c.kind: c for c in (OutOfMemory, FileError, BadFormat, Truncated, UnsupportedFormat, LimitExceeded, OptionError,
                        Interrupted, Crashed)
}


def make(kind: str, detail: str) -> Error:
    """The exception for a status of the C library, given by name."""
    return _BY_KIND.get(kind, Error)(detail)
