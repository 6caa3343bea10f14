"""Where the programs are that come with the package."""

from __future__ import annotations

from pathlib import Path

from . import _limn

_FOLDERS = (Path(__file__).parent / "bin",
            Path(str(_limn.__file__)).parent.parent / "scripts")  # the build of an editable installation


def tool(name: str) -> Path:
    """The path of what is the tool when it is called by the tool's name: limn-tools, unless the tool is beside it."""
    path = program(name)
    return path if path.exists() else program("limn-tools")


def program(name: str) -> Path:
    """The path of a program; where the wheel has it, if it exists nowhere."""
    return next((folder / name for folder in _FOLDERS if (folder / name).exists()), _FOLDERS[0] / name)
