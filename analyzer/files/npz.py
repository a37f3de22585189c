"""Arrays in the format npz of NumPy, as files keep them; only numbers and texts."""

import io
import math
from pathlib import Path
from typing import Any

import numpy as np

from ina_input.archives import open_zip
from ina_input.regular import Opener, open_descriptor

_SUFFIX = ".npy"
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
"""Version of the format -> function that reads the header."""


def read(path: Path, *, opener: Opener = open_descriptor) -> dict[str, Any]:
    """Read the arrays of a file by name.

    Args:
        path: Path of the file.
        opener: Function that opens the file.

    Raises:
        OSError: The file is missing, unreadable, or not a regular file.
        ValueError: The file is damaged, too large, or has arrays of objects.
    """
    with open_zip(path, opener=opener) as file:
        return {name.removesuffix(_SUFFIX): _array(file.read(name)) for name in file.names}


def _array(data: bytes) -> Any:
    """Return an array; room is made only for what is there.

    Raises:
        ValueError: The data are no array of numbers or text, or not as many as the header says.
    """
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version not in _HEADERS:
        raise ValueError(f"an array of version {version}")
    shape, _, dtype = _HEADERS[version](stream)
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != len(data) - stream.tell():
        raise ValueError("an array of another size than its header says, or of objects")
    return np.load(io.BytesIO(data), allow_pickle=False)
