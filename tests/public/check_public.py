#!/usr/bin/env python3
"""Compiles what users compile, with the installed headers alone:
check_public.py ROOT LIBRARY MODEL CC CXX HEADER...

Each header as C11 and as C++17, without a warning; and caption_one_first.c, the first release's sample, which must give
the same caption as today's sample.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

STRICT = ["-Wall", "-Wextra", "-pedantic", "-Werror"]


def copy_headers(root, to, headers):
    """Copies the headers into the folders that they are installed in."""
    for header in headers:
        path = to / header
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((root / header).read_bytes())


def check_headers(folder, cc, cxx, headers):
    """Compiles each header on its own, so that it must include what it needs."""
    for header in headers:
        text = f'#include "{header}"\nint main(void) {{ return 0; }}\n'
        for compiler, standard, ending in ((cc, "c11", ".c"), (cxx, "c++17", ".cpp")):
            source = folder / f"header{ending}"
            source.write_text(text)
            subprocess.run([*compiler, f"-std={standard}", *STRICT, f"-I{folder}", "-fsyntax-only", str(source)],
                           check=True)


def caption(folder, root, library, model, cc, source):
    """A sample's caption for a photo."""
    program = folder / source.stem
    subprocess.run([*cc, "-std=c11", *STRICT, f"-I{folder}", str(source), "-o", str(program), library], check=True)
    environment = dict(os.environ, LD_LIBRARY_PATH=str(Path(library).parent))
    return subprocess.run([str(program), model, str(root / "samples/photos/kitten.jpg")], check=True,
                          capture_output=True, env=environment).stdout


def main(root, library, model, cc, cxx, headers):
    root, library = Path(root), str(Path(library).resolve())
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        copy_headers(root, folder, headers)
        check_headers(folder, cc, cxx, headers)
        first, today = (caption(folder, root, library, model, cc, root / source)
                        for source in ("tests/public/caption_one_first.c", "samples/caption_one.c"))
    print(f"{len(headers)} headers; {first.decode().strip()}")
    return 0 if first == today and first.strip() else 1


if __name__ == "__main__":
    if len(sys.argv) < 7:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:4], sys.argv[4].split(), sys.argv[5].split(), sys.argv[6:]))
