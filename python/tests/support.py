"""What the package's tests share: paths and models."""

import os
import unittest
from pathlib import Path

ROOT = Path(os.environ["LIMN_SOURCE_ROOT"])
LIMN = os.environ["LIMN_TOOL"]
MODEL = os.environ["LIMN_MODEL"]  # the default model
TINY = os.environ["LIMN_TINY_MODEL"]  # random weights, images of 32 pixels
PHOTOS = sorted(str(p) for p in (ROOT / "samples/photos").glob("*.jpg"))
SHARED = ROOT.parent / "shared"


def needs(*modules):
    """Skips a test, and says so, where a module is missing."""
    import importlib.util
    missing = [m for m in modules if importlib.util.find_spec(m) is None]
    return unittest.skipIf(missing, f"left out: {', '.join(missing)} is not installed")
