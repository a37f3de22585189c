"""Named arrays in the format safetensors, which can contain only numbers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save


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
        return dict(load(data))
    except SafetensorError as error:
        raise ValueError(str(error)) from error
