"""Array dataclasses; their fields check dtype and shape."""

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
    """Raise `TypeError` or `ValueError` unless `array` has this dtype and shape."""
    if not isinstance(array, np.ndarray) or array.dtype != np.dtype(dtype):
        actual = getattr(array, "dtype", type(array).__name__)
        raise TypeError(f"{owner}.{name}: expected {np.dtype(dtype)}, got {actual}")
    fits = len(array.shape) == len(shape) and all(
        want is None or want == have for want, have in zip(shape, array.shape, strict=True)
    )
    if not fits:
        raise ValueError(f"{owner}.{name}: expected shape {shape}, got {array.shape}")


class Arrays:
    """Base of the array dataclasses: a `repr` that prints shapes instead of values."""

    def __repr__(self) -> str:
        def text(value: Any) -> str:
            if isinstance(value, np.ndarray):
                return f"{value.dtype}{list(value.shape)}"
            if isinstance(value, Mapping):
                return "{" + ", ".join(f"{k}: {text(v)}" for k, v in value.items()) + "}"
            return repr(value)

        parts = (f"{f.name}={text(getattr(self, f.name))}" for f in fields(self))  # type: ignore[arg-type]
        return f"{type(self).__name__}({', '.join(parts)})"
