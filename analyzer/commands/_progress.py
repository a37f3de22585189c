"""Progress on a terminal: bars on standard error, nothing where that is no terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyzer.types import Progress, ProgressHook


@contextmanager
def bars() -> Iterator[ProgressHook]:
    """Show one bar for each step while it lasts."""
    from rich import console, progress

    stderr = console.Console(stderr=True)
    tasks: dict[str, progress.TaskID] = {}
    with progress.Progress(console=stderr, disable=not stderr.is_terminal) as display:

        def show(step: Progress) -> None:
            if step.stage not in tasks:
                tasks[step.stage] = display.add_task(step.stage)
            display.update(tasks[step.stage], completed=step.done, total=step.total)

        yield show


@contextmanager
def bar(name: str) -> Iterator[ProgressHook]:
    """Show one bar for one medium while it lasts.

    Args:
        name: Name of the medium, shown before the bar.
    """
    from rich import console, markup, progress

    stderr = console.Console(stderr=True)
    columns = (
        progress.TextColumn("{task.fields[name]} {task.description}"),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(
        *columns, console=stderr, transient=True, disable=not stderr.is_terminal
    ) as display:
        task = display.add_task("", total=None, name=markup.escape(name))
        yield lambda step: display.update(
            task, description=step.stage, completed=step.done, total=step.total
        )
