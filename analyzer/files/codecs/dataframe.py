"""Data frames of pandas from columns."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from analyzer.files.columns import Column

_TYPES = {"integer": "Int64", "number": "float64", "text": "string", "box": "object"}
"""Kind of column -> nullable dtype: a column's dtype does not depend on its values."""


def of(columns: Sequence[Column]) -> pd.DataFrame:
    """Return a data frame.

    A box is a tuple `(x1, y1, x2, y2)`; an empty cell is `NA`, or NaN among numbers.

    Args:
        columns: Columns of equal length.
    """
    return pd.DataFrame({column.name: _series(column) for column in columns})


def _series(column: Column) -> Any:
    is_box = column.kind == "box"
    values = list(map(tuple, column.values)) if is_box else list(column.values)
    return pd.Series(values, dtype=_TYPES[column.kind])
