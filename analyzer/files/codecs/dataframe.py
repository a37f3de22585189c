"""Columns as pandas has them."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from analyzer.files.columns import Column

_TYPES = {"integer": "Int64", "number": "float64", "text": "string", "box": "object"}
"""Nullable where a cell may be empty: a column's type does not depend on its values."""


def of(columns: Sequence[Column]) -> pd.DataFrame:
    """Return a table; a box is `(x1, y1, x2, y2)`, an empty cell `NA` or, of a number, NaN."""
    return pd.DataFrame({column.name: _series(column) for column in columns})


def _series(column: Column) -> Any:
    boxes = column.kind == "box"
    values = list(map(tuple, column.values)) if boxes else list(column.values)
    return pd.Series(values, dtype=_TYPES[column.kind])
