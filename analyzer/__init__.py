"""Analysis of films: who is on screen, for how long, and with which perceived sex and age.

In: a video, pictures, portraits, options. Out: a `MediaReport`, tables and files.
Used by `ina`, by the command line and by Python programs::

    from analyzer import analyze, dataframe, write

    report = analyze("film.mp4", fps=5)
    write(report, "film.ass")
    dataframe(report).to_csv("film.csv")

The functions are documented in `analyzer.api`, with more examples in docs/python.md.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

from analyzer._version import __version__

if TYPE_CHECKING:
    from analyzer.api import analyze, dataframe, load_models, player, read, recluster, write

__all__ = [
    "__version__",
    "analyze",
    "dataframe",
    "load_models",
    "player",
    "read",
    "recluster",
    "write",
]

_ENVIRONMENT = {
    # OpenCV then refuses pictures above 100 megapixels by their header, before it allocates
    # memory for them.
    "OPENCV_IO_MAX_IMAGE_PIXELS": str(100_000_000),
    # From 1.29 on, ONNX Runtime otherwise keeps an identifier of the device and events to be sent.
    "ORT_DISABLE_TELEMETRY": "1",
    # ultralytics otherwise sends statistics, and fetches packages and networks.
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
    "YOLO_VERBOSE": "false",
    # Ray sends statistics unless the program that starts it says otherwise.
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""Settings that libraries read once, when they are loaded; docs/security.md lists them."""

# Every command, server, worker and job imports this package before those libraries, and hands its
# environment on to the processes that it starts.
for _name, _value in _ENVIRONMENT.items():
    os.environ.setdefault(_name, _value)


def __getattr__(name: str) -> Any:
    """Import public functions at their first use: every command imports this package."""
    if name in __all__:
        return getattr(importlib.import_module("analyzer.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
