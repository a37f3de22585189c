"""Speed of a network on this machine."""

import time
from pathlib import Path

import numpy as np

from analyzer.errors import AnalyzerError
from analyzer.inference.runtime import Runtime

_FREE_PX = 640
"""Length of sides that a network leaves free, in the measurement."""
_TRIES = 5


def milliseconds(path: Path) -> str:
    """Return the milliseconds per picture, the least of some tries, and the picture's size.

    Args:
        path: Path of an ONNX file.

    Returns:
        Text for a table; the message of the error if the network cannot be run.
    """
    try:
        session = Runtime().load(path)
        inputs = {
            name: np.zeros([shape[0] or 1, *(side or _FREE_PX for side in shape[1:])], np.float32)
            for name, shape in session.inputs.items()
        }
        seconds = []
        for _ in range(_TRIES):
            started = time.perf_counter()
            session.run(**inputs)
            seconds.append(time.perf_counter() - started)
    except AnalyzerError as error:
        return str(error)
    shapes = ", ".join("x".join(map(str, array.shape[1:])) for array in inputs.values())
    count = len(next(iter(inputs.values())))
    return f"{1000 * min(seconds) / count:.1f} ({shapes})"
