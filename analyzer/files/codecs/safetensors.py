"""Named arrays as one block of bytes that can hold nothing but numbers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save


def pack(arrays: Mapping[str, Any]) -> bytes:
    """Lay out arrays."""
    return save({name: np.ascontiguousarray(array) for name, array in arrays.items()})


def unpack(data: bytes) -> dict[str, Any]:
    """Unpack tensors; the inverse of `pack`.

    Raises:
        ValueError: Damaged, or something else.
    """
    try:
        return dict(load(data))
    except SafetensorError as error:
        raise ValueError(str(error)) from error
