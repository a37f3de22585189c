"""Whether a joblist is a sample: read without numpy, as servers of other joblists ask it too."""

import csv
from pathlib import Path

from ina_input.tables import CsvTable


def has_draws(path: Path) -> bool:
    """Return whether a joblist has the columns of a sample that `plan` has drawn."""
    try:
        with CsvTable(path) as table:
            return {"draw", "draw_weight", "start_s", "stop_s"} <= set(table.columns)
    except (OSError, UnicodeDecodeError, csv.Error):
        return False
