"""limn: captions for images.

>>> import limn
>>> c = limn.Captioner()            # the default model
>>> print(c.caption("photo.jpg"))   # doctest: +SKIP
a cat is sitting on a wooden bench

``limn.evaluate`` scores captions; ``limn.coco`` has pycocoevalcap's classes; ``limn.dask`` captions on a cluster.
"""

from ._captioner import Caption, Captioner, Result, Tag, Token
from ._errors import (BadFormat, Crashed, Error, FileError, Interrupted, LimitExceeded, OptionError, OutOfMemory,
                      Truncated, UnsupportedFormat)
from ._evaluate import Difference, Scores, evaluate, read
from ._limn import cpu_levels, default_threads
from ._limn import version as __version__
from ._models import default_model
from ._options import Option, options
from ._scorer import Score, Scorer

__all__ = [
    "BadFormat", "Caption", "Captioner", "Crashed", "Difference", "Error", "FileError", "Interrupted",
    "LimitExceeded", "Option", "OptionError", "OutOfMemory", "Result", "Score", "Scorer", "Scores", "Tag", "Token",
    "Truncated", "UnsupportedFormat", "__version__", "cpu_levels", "default_model", "default_threads", "evaluate",
    "options", "read",
]
