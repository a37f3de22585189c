"""A row of a joblist, what can be wrong with one, and which rows are wanted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def is_address(source: str) -> bool:
    """Say whether a medium is given by an address, not a path."""
    return _ADDRESS.match(source) is not None


@dataclass(frozen=True)
class JobSpec:
    """One row of a joblist."""

    source_path: str
    """Medium: an absolute path, or an https address where addresses are allowed."""
    dests: Mapping[str, str]
    """Exporter name -> absolute path of its file; `csv` is always there."""
    poster_path: str | None = None
    gallery: str | None = None
    """Folder of named portraits."""
    corrections: str | None = None
    """File of a reviewer's corrections, which may not be there yet."""
    item_id: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Numbers of the `metric_*` columns, by full column name."""
    start_s: float | None = None
    """Second of the medium from which on it is analysed; None: as the options say."""
    stop_s: float | None = None
    """Second of the medium up to which it is analysed; None: as the options say."""
    line: int = 0
    """Line of the joblist, from 1; 0 when it does not come from a file."""

    def read_paths(self) -> list[str]:
        """Return the paths that must be there for the job; an address is none."""
        wanted = (self.source_path, self.poster_path, self.gallery)
        return [path for path in wanted if path and not is_address(path)]

    @property
    def is_segment(self) -> bool:
        """Whether the row is about a stretch of the medium, not all of it."""
        return self.start_s is not None or self.stop_s is not None

    def analysed_s(self, length_s: float) -> float:
        """Return how much of a medium of this length is analysed, in seconds."""
        stop_s = length_s if self.stop_s is None else min(length_s, self.stop_s)
        return max(0.0, stop_s - (self.start_s or 0.0))

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the line: moving a row does not change the job."""
        # Ten times faster than asdict, which copies deeply: joblists have a million rows.
        plain = {
            "source_path": self.source_path,
            "dests": dict(self.dests),
            "poster_path": self.poster_path,
            "gallery": self.gallery,
            "item_id": self.item_id,
            "metrics": dict(self.metrics),
        }
        # Without these a job is the one that ledgers have always known.
        later = {"corrections": self.corrections or None, "start_s": self.start_s}
        later["stop_s"] = self.stop_s
        return plain | {name: value for name, value in later.items() if value is not None}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> JobSpec:
        """Build from `to_dict`."""
        return cls(**plain)


ROWS_HELP = (
    "rows A to B of the joblist only, both included; the first row under the header is 1, "
    "blank ones do not count; A: is from A on, :B up to B"
)


@dataclass(frozen=True)
class Rows:
    """A stretch of a joblist: rows are counted from 1, without the header and blank ones."""

    first: int = 1
    last: int | None = None
    """The last one taken; None for all from the first on."""

    @classmethod
    def parse(cls, text: str) -> Rows:
        """Read `A:B`, `A:` or `:B`.

        Raises:
            ValueError: With what is wrong, and the cure.
        """
        match = re.fullmatch(r"(\d*):(\d*)", text.strip())
        if not match or match[0] == ":":
            raise ValueError(f"{text!r} names no rows: write A:B, such as 1:100")
        rows = cls(int(match[1] or 1), int(match[2]) if match[2] else None)
        if rows.first < 1 or rows.last == 0:
            raise ValueError(f"{text!r}: the first row is 1")
        if rows.last is not None and rows.last < rows.first:
            raise ValueError(f"{text!r}: the first row is after the last: turn them round")
        return rows

    def __contains__(self, row: int) -> bool:
        return self.first <= row and (self.last is None or row <= self.last)

    def __str__(self) -> str:
        return f"{self.first}:{'' if self.last is None else self.last}"

    def fault(self, count: int) -> str:
        """Return what is wrong where the joblist has this many rows; empty if nothing is."""
        outside = max(self.first, self.last or 0)
        if outside <= count:
            return ""
        return f"there is no row {outside}, as --rows {self} wants: give rows from 1 to {count}"
