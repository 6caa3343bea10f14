"""The command line tools in the wheel, as scripts: ``limn``, ``limn-eval`` …"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ._errors import FileError
from ._models import default_model
from ._programs import tool

_NEED_MODEL = ("limn", "limn-score", "limn-preprocess")


def run(name: str, arguments: list[str]) -> None:
    """Replaces this process with the tool; exits with a message if it can't."""
    path = tool(name)
    if name in _NEED_MODEL and "--model" not in arguments and not _is_about(arguments):
        try:
            arguments = ["--model", default_model(), *arguments]
        except FileError:
            pass  # the tool looks for itself, and says where
    try:
        os.execv(path, [name, *arguments])
    except OSError as error:
        sys.exit(f"{name}: {path}: {error.strerror}")


def _is_about(arguments: list[str]) -> bool:
    return any(a in ("--help", "--version") or a.startswith(("--model=", "--help=", "--completion", "--man-page"))
               for a in arguments)


def main() -> None:
    """Runs the tool that has the name this script was called by."""
    run(Path(sys.argv[0]).name, sys.argv[1:])
