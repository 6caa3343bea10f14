"""What callers may give as an image: a path, bytes of a file, a PIL image, or pixels."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Any

from ._errors import FileError, LimitExceeded

MAX_FILE_SIZE = 1 << 30  # bytes, as on the command line


@dataclass
class Pixels:
    """Rows from the top, RGB, 8 bits: ``data`` [height, width, 3] without gaps."""

    data: Any
    width: int
    height: int


def read_file(path: str | os.PathLike[str]) -> bytes:
    """A file's bytes; errors name it."""
    try:
        with open(path, "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read() if size <= MAX_FILE_SIZE else b""
    except OSError as error:
        raise FileError(error.strerror or str(error)) from error
    if max(size, len(data)) > MAX_FILE_SIZE:
        raise LimitExceeded(f"more than {MAX_FILE_SIZE} bytes")
    return data


def _is_pil(image: object) -> bool:
    module = sys.modules.get("PIL.Image")  # a caller with such an image has imported it
    return module is not None and isinstance(image, module.Image)


def _pil_pixels(image: Any) -> Pixels:
    from PIL import ImageOps
    upright = ImageOps.exif_transpose(image)
    if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
        from PIL import Image
        layers = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", layers.size, (255, 255, 255, 255)), layers)
    rgb = upright.convert("RGB")
    return Pixels(rgb.tobytes(), rgb.width, rgb.height)


def _array_pixels(image: object) -> Pixels:
    view = memoryview(image)  # type: ignore[arg-type]
    if view.format not in ("B", "<B", "=B", "@B") or view.ndim != 3 or view.shape is None or view.shape[2] != 3:
        shape = list(view.shape or ())
        raise ValueError(f"an array of pixels is uint8 [height, width, 3], not {view.format!r} {shape}")
    height, width = view.shape[:2]
    return Pixels(view if view.c_contiguous else view.tobytes(), width, height)


def take(image: object) -> tuple[str | os.PathLike[str] | None, bytes | Pixels | None]:
    """(path, None) for a path, else (None, bytes or pixels)."""
    if isinstance(image, (str, os.PathLike)):
        return image, None
    if isinstance(image, bytes):
        return None, image
    if isinstance(image, bytearray):
        return None, bytes(image)
    if _is_pil(image):
        return None, _pil_pixels(image)
    try:
        view = memoryview(image)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError("an image is a path, bytes, a PIL image or a uint8 array [height, width, 3], not "
                        f"{type(image).__name__}") from None
    return (None, view.tobytes()) if view.ndim == 1 and view.itemsize == 1 else (None, _array_pixels(image))
