"""``python -m limn photo.jpg``: the command line ``limn``; ``python -m limn eval …`` is ``limn-eval``."""

import sys

from ._tools import run

TOOLS = ("eval", "score", "vocab", "preprocess", "inspect")

if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments and arguments[0] in TOOLS:
        run(f"limn-{arguments[0]}", arguments[1:])
    else:
        run("limn", arguments)
