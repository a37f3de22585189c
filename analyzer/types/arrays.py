"""Array types, and the check of dtype and shape for dataclasses of arrays."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]


def check(owner: str, name: str, array: Any, dtype: Any, shape: tuple[int | None, ...]) -> None:
    """Check the dtype and shape of an array.

    Args:
        owner: Name of the class, for the message.
        name: Name of the field, for the message.
        array: Value of the field.
        dtype: Required dtype.
        shape: Required shape; `None` where a side may have any length.

    Raises:
        TypeError: The value is no array, or has another dtype.
        ValueError: The array has another shape.
    """
    if not isinstance(array, np.ndarray) or array.dtype != np.dtype(dtype):
        actual = getattr(array, "dtype", type(array).__name__)
        raise TypeError(f"{owner}.{name}: expected {np.dtype(dtype)}, got {actual}")
    fits = len(array.shape) == len(shape) and all(
        required is None or required == actual
        for required, actual in zip(shape, array.shape, strict=True)
    )
    if not fits:
        raise ValueError(f"{owner}.{name}: expected shape {shape}, got {array.shape}")


def require_finite(owner: str, arrays: Mapping[str, Any], *, lengths: bool = False) -> None:
    """Require numbers that can be counted with: one NaN in a vector spoils every comparison.

    Args:
        owner: Name of the class or file, for the message.
        arrays: Name for the message -> array; where `lengths` is set, (n, D) or (D,) vectors.
        lengths: Whether each vector must have a direction, so that its length is not 0.

    Raises:
        ValueError: A number is NaN or infinite, or a vector has length 0.
    """
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{owner}: {name}: a number is not finite")
        if lengths and not np.abs(array).any(axis=-1).all():
            raise ValueError(f"{owner}: {name}: a vector of length 0 has no direction")


class Arrays:
    """Base of dataclasses of arrays, with a `repr` that prints shapes instead of values."""

    def __repr__(self) -> str:
        def text(value: Any) -> str:
            if isinstance(value, np.ndarray):
                return f"{value.dtype}{list(value.shape)}"
            if isinstance(value, Mapping):
                return "{" + ", ".join(f"{k}: {text(v)}" for k, v in value.items()) + "}"
            return repr(value)

        parts = (f"{f.name}={text(getattr(self, f.name))}" for f in fields(self))  # type: ignore[arg-type]
        return f"{type(self).__name__}({', '.join(parts)})"
