"""Who is on screen, for how long, and how they are shown.

::

    from analyzer import analyze, dataframe, write

    report = analyze("film.mp4", fps=5)
    write(report, "film.ass")
    dataframe(report).to_csv("film.csv")

`analyzer.api` says more, and docs/python.md most.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

from analyzer._version import __version__

if TYPE_CHECKING:
    from analyzer.api import analyze, dataframe, load_models, write

__all__ = ["__version__", "analyze", "dataframe", "load_models", "write"]

# OpenCV reads it once, when it is loaded: pictures above 100 megapixels are refused by their
# header, before memory is taken for them.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(100_000_000))


def __getattr__(name: str) -> Any:
    """Import what is public when it is first asked for: every command imports this package."""
    if name in __all__:
        return getattr(importlib.import_module("analyzer.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
