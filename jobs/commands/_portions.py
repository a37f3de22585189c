"""Parts of commands that change many jobs: portions, progress, and figures that add up."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from jobs.commands._target import Target
from jobs.ledger import operations, queries
from jobs.types import State

T = TypeVar("T")
REPORT_EVERY_S = 5.0
MAX_BYTES = 1 << 18
"""Of one call as JSON: a server accepts 1 MiB, in a longer form."""


class WaitingProgress:
    """Lines of progress for a person who waits; none for work that takes a moment.

    Args:
        what: What is done with the jobs, such as `checked`.
        total: Number of jobs.
    """

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total = what, total
        self._done = 0
        self._due = time.monotonic() + REPORT_EVERY_S

    def advance(self, jobs: int) -> None:
        """Count jobs; print a line every five seconds."""
        self._done += jobs
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + REPORT_EVERY_S
            print(f"{self._what} {self._done} of {self._total} jobs", file=sys.stderr, flush=True)


def in_portions(entries: Iterable[T], *, most: int = operations.PORTION) -> Iterator[list[T]]:
    """Yield what fits into one call: entries that JSON can hold, by their number and size."""
    portion: list[T] = []
    size = 0
    for entry in entries:
        length = len(json.dumps(entry))
        if portion and (len(portion) >= most or size + length > MAX_BYTES):
            yield portion
            portion, size = [], 0
        portion.append(entry)
        size += length
    if portion:
        yield portion


def change_jobs(
    target: Target,
    operation: str,
    named: Sequence[int] | None,
    *states: State,
    lacking: bool = False,
    what: str,
) -> int:
    """Change jobs in portions, and print what came of it.

    Args:
        target: The ledger.
        operation: `retry` or `cancel`.
        named: Numbers of the jobs; None for all in some states.
        states: These states.
        lacking: Whether jobs that are done but for a file are among them.
        what: What the jobs are then, in words.

    Returns:
        Exit code: 0, or 1 if some jobs were left as they are.
    """
    requested = changed = 0
    left: Counter[str] = Counter()
    with target.changing() as change, target.reading() as db:
        total = sum(queries.counts(db).get(state, 0) for state in states)
        progress = WaitingProgress(operation, len(named or ()) or total)
        found = operations.pages(db, *states, lacking=lacking)
        for page in found if named is None else in_portions(named):
            done = change(operation, page)
            requested, changed = requested + len(page), changed + len(done)
            left.update(operations.reasons(db, set(page).difference(done)))
            progress.advance(len(page))
    print(f"{changed} jobs {what}")
    if changed == requested:
        return 0
    print(f"{requested - changed} of {requested} were left: {reasons(left)}", file=sys.stderr)
    return 1


def reasons(left: Counter[str]) -> str:
    """Return why jobs were left as they are, in words."""
    return ", ".join(f"{number} {reason}" for reason, number in sorted(left.items()))
