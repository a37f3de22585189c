"""Errors that joblists and both programs have in common.

::

    UsageError             a command, option or value that cannot be carried out as given
    └── JoblistError       rows of a joblist are wrong

`analyzer.errors.UsageError` and `jobs.errors.UsageError` are `UsageError` too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

SHOWN_PROBLEMS = 50


class UsageError(Exception):
    """A command, option or value that cannot be carried out as given."""


class Problem(NamedTuple):
    """Something wrong with a joblist."""

    line: int
    """Line of the file, from 1; 0 for all of it."""
    text: str
    """What is wrong, and the cure."""


class JoblistError(UsageError):
    """Rows of a joblist are wrong; nothing of it is to be used.

    Args:
        path: The joblist.
        problems: Everything found, with line numbers.
        more: Number of further problems that were not kept.
    """

    def __init__(self, path: str, problems: Sequence[Problem], *, more: int = 0) -> None:
        self.path = path
        self.problems = list(problems)
        shown = self.problems[:SHOWN_PROBLEMS]
        lines = [f"{path}:{p.line}: {p.text}" if p.line else f"{path}: {p.text}" for p in shown]
        hidden = more + max(0, len(self.problems) - SHOWN_PROBLEMS)
        if hidden:
            lines.append(f"{path}: and {hidden} more")
        super().__init__("\n".join(lines))
