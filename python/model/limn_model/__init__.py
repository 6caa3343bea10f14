"""The default model of limn: ``path`` is its file. Its license is not that of limn's code: see limn-default.md."""

from pathlib import Path

path = Path(__file__).parent / "limn-default.safetensors"
__all__ = ["path"]
