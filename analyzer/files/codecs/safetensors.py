"""Named arrays in the format safetensors, which can contain only numbers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

_MAX_EMPTY = 1 << 24
"""Rows of an array without columns."""


def pack(arrays: Mapping[str, Any]) -> bytes:
    """Return named arrays as one block of bytes.

    Args:
        arrays: Name -> array.
    """
    return save({name: np.ascontiguousarray(array) for name, array in arrays.items()})


def unpack(data: bytes) -> dict[str, Any]:
    """Return the named arrays of a block of bytes; the inverse of `pack`.

    Args:
        data: Block of bytes.

    Raises:
        ValueError: The block is damaged, or not in this format.
    """
    try:
        arrays = dict(load(data))
    except (SafetensorError, KeyError, TypeError) as error:
        raise ValueError(f"not arrays in the format safetensors ({error})") from error
    # Nothing is stored of an array without columns, so that it may have any number of rows.
    empty = [array.shape for array in arrays.values() if array.size == 0]
    if any(max(shape) > _MAX_EMPTY for shape in empty):
        raise ValueError("an array of rows without columns")
    return arrays
