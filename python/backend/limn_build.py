"""The build backend: meson-python, which also makes a wheel built from a clone require the clone's model.

The model is the package limn-model in python/model, whose license differs from the code's. It is in no registry, so a
wheel that pip builds here requires it by its path; `--config-settings model=none` leaves that out, for published wheels
(their extra `model` then asks a registry).
"""

import base64
import hashlib
import os
import zipfile
from pathlib import Path

import mesonpy
from mesonpy import build_sdist, get_requires_for_build_sdist  # noqa: F401

MODEL = Path(__file__).resolve().parent.parent / "model"


def _split(settings):
    """Returns (meson-python's settings, whether to require the model)."""
    rest = dict(settings or {})
    return rest, rest.pop("model", "local") != "none"


def get_requires_for_build_wheel(config_settings=None):
    return mesonpy.get_requires_for_build_wheel(_split(config_settings)[0])


def get_requires_for_build_editable(config_settings=None):
    return mesonpy.get_requires_for_build_editable(_split(config_settings)[0])


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    settings, has_model = _split(config_settings)
    name = mesonpy.build_wheel(wheel_directory, settings, metadata_directory)
    if has_model:
        require_model(Path(wheel_directory) / name)
    return name


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    settings, has_model = _split(config_settings)
    name = mesonpy.build_editable(wheel_directory, settings, metadata_directory)
    if has_model:
        require_model(Path(wheel_directory) / name)
    return name


def with_requirement(metadata, requirement):
    """The metadata with one more line in its header, which ends at the first empty line."""
    head, blank, body = metadata.partition("\n\n")
    return f"{head}\nRequires-Dist: {requirement}{blank or chr(10)}{body}"


def record_of(record, name, data):
    """The wheel's list of files, with the new checksum of one of them."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    lines = [f"{name},sha256={digest},{len(data)}" if line.startswith(f"{name},") else line
             for line in record.splitlines()]
    return "\n".join(lines) + "\n"


def require_model(wheel):
    """Rewrites a wheel so that its metadata requires the model by its path."""
    changed = wheel.with_suffix(".changed")
    requirement = f"limn-model @ {MODEL.as_uri()}"
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        names = {Path(i.filename).name: i.filename for i in old.infolist() if ".dist-info/" in i.filename}
        metadata = with_requirement(old.read(names["METADATA"]).decode(), requirement).encode()
        contents = {names["METADATA"]: metadata,
                    names["RECORD"]: record_of(old.read(names["RECORD"]).decode(), names["METADATA"],
                                               metadata).encode()}
        for item in old.infolist():
            new.writestr(item, contents.get(item.filename, old.read(item)))
    os.replace(changed, wheel)
