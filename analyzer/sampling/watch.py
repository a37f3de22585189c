"""A look at a sample while its segments are analysed: the confidence sequence, draw after draw."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.sampling.results import UNLABELLED, AmountReader
from analyzer.sampling.sequence import RunningSequence
from ina_input.tables import CsvTable

MOST_POINTS = 200
"""Intervals that are kept for a chart."""
_FIRST_ROWS = 1000
"""Rows of which the draw with the largest weight bounds what a draw counts."""
GROUP = "f"


@dataclass
class _Draw:
    """A draw of which some segments were read."""

    weight: float
    above: float = 0.0
    below: float = 0.0
    length_s: float = 0.0

    def rates(self, bound: float) -> tuple[float, float]:
        """Return what it counts above and below the line."""
        above, below = (self.weight * v / self.length_s for v in (self.above, self.below))
        scale = min(1.0, bound / max(below, 1e-12))
        return above * scale, below * scale


class SampleWatch:
    """Follows the draws of a joblist of `plan`, as far as all before them have results.

    Each file of results is read once, and of the draws only their sums are kept.

    Args:
        path: The joblist.
        reach: Half of the width at which one wants to stop, as a share; `None`: never.
        most_faces: See `analyzer.sampling.estimate.shares`.
    """

    def __init__(self, path: Path, *, reach: float | None, most_faces: float) -> None:
        self._path, self._reach = path, reach
        self._reader = AmountReader("sex", "faces")
        with CsvTable(path, strict=True) as table:
            weights = [float(r["draw_weight"] or 1) for _, r in islice(table.rows(), _FIRST_ROWS)]
        self._bound = most_faces * max(1.0, *weights) if weights else most_faces
        self._sequence = RunningSequence(bound=self._bound, reach=reach)
        self._rows = self._each_row()
        self._next: Mapping[str, str] | None = next(self._rows, None)
        self._open: dict[int, _Draw] = {}
        self._points: list[tuple[int, float, float]] = []
        self._stride = 1
        self._unlabelled_s = 0.0

    def _each_row(self) -> Iterator[Mapping[str, str]]:
        with CsvTable(self._path, strict=True) as table:
            for _, row in table.rows():
                if row["draw"].split():
                    yield row

    def advance(self, limit_s: float) -> bool:
        """Read results that have come; return whether there are more to read at once.

        Args:
            limit_s: Time that this may take, about.

        Raises:
            UsageError: A file of results cannot be read.
        """
        end = time.monotonic() + limit_s
        complete: list[_Draw] = []
        while self._next is not None and time.monotonic() < end:
            row = self._next
            numbers = [int(number) for number in row["draw"].split()]
            # Rows are in the order of their first draws: those before have no further segment.
            complete += [self._open.pop(n) for n in sorted(self._open) if n < numbers[0]]
            dests = {n.removeprefix("dest_"): v for n, v in row.items() if n.startswith("dest_")}
            result = self._reader.result(dests)
            if result is None:
                self._add(complete)
                return False
            self._take(row, numbers, result.amounts)
            self._next = next(self._rows, None)
        if self._next is None:
            complete += [self._open.pop(number) for number in sorted(self._open)]
        self._add(complete)
        return self._next is not None

    def _take(
        self, row: Mapping[str, str], numbers: Sequence[int], amounts: Mapping[str, float]
    ) -> None:
        """Add a segment to its draws."""
        self._unlabelled_s += amounts.get(UNLABELLED, 0.0)
        for number in numbers:
            draw = self._open.setdefault(number, _Draw(float(row["draw_weight"] or 1)))
            draw.above += amounts.get(GROUP, 0.0)
            draw.below += sum(v for group, v in amounts.items() if group != UNLABELLED)
            draw.length_s += float(row["stop_s"]) - float(row["start_s"] or 0)

    def _add(self, draws: list[_Draw]) -> None:
        """Bet on draws."""
        if not draws:
            return
        rates = np.array([draw.rates(self._bound) for draw in draws])
        first = self._sequence.earlier.count + 1
        bounds = self._sequence.add(rates[:, 0], rates[:, 1]).tolist()
        for count, (low, high) in enumerate(bounds, start=first):
            if count % self._stride == 0:
                self._points.append((count, low, high))
        while len(self._points) > MOST_POINTS:
            self._stride *= 2
            self._points = [point for point in self._points if point[0] % self._stride == 0]

    def state(self) -> dict[str, Any]:
        """Return what is known so far, as plain values for JSON."""
        sums, low, high = self._sequence.earlier, self._sequence.low, self._sequence.high
        last = [(sums.count, low, high)] if sums.count % self._stride else []
        return {
            "draws": sums.count,
            "share": sums.above / sums.below if sums.below else None,
            "lacks_labels": not sums.below and self._unlabelled_s > 0,
            "low": low,
            "high": high,
            "reach": self._reach,
            "can_stop": self._reach is not None and high - low <= 2 * self._reach,
            "points": [list(point) for point in (*self._points, *last)],
        }
