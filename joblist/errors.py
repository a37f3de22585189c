"""Errors that joblists, `analyzer` and `jobs` have in common.

::

    ExplainedError         base: the message is one line that names the cure
    ├── FetchFailed        a medium behind an address cannot be had
    └── UsageError         a command, option or value that cannot be carried out as given
        └── JoblistError   rows of a joblist are wrong

`analyzer.errors` names `UsageError` too, for users of its Python API.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

SHOWN_PROBLEMS = 50


class ExplainedError(Exception):
    """An error that is raised on purpose; the message is one line that names the cure.

    `kind` says what a scheduler should do with a job that failed so: `input`: never retry,
    `resource`: retry elsewhere or later, `usage` and `bug`: call a human.
    """

    kind: str = "bug"


class UsageError(ExplainedError):
    """A command, option or value that cannot be carried out as given."""

    kind = "usage"


class FetchFailed(ExplainedError):
    """A medium behind an address cannot be had.

    Args:
        kind: `input`: refused, too large or not there; `transient`: another try may succeed;
            `unknown_host`, `silent_host`: another machine's network may have it.
        message: The reason.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


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
