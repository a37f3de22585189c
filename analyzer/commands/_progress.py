"""Progress on a terminal: bars on standard error, nothing where that is no terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ina_cli.console import console
from ina_cli.escapes import shown

if TYPE_CHECKING:
    from analyzer.types import Progress, ProgressHook


@contextmanager
def bars() -> Iterator[ProgressHook]:
    """Show one bar for each step while it lasts."""
    from rich import progress

    stderr = console(stderr=True)
    tasks: dict[str, progress.TaskID] = {}
    display = progress.Progress(console=stderr, disable=not stderr.is_terminal)
    # What is printed meanwhile goes through the display, which would obey its codes.
    with display, shown():

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
    from rich import markup, progress

    stderr = console(stderr=True)
    columns = (
        progress.TextColumn("{task.fields[name]} {task.description}"),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TimeRemainingColumn(),
    )
    display = progress.Progress(
        *columns, console=stderr, transient=True, disable=not stderr.is_terminal
    )
    with display, shown():
        task = display.add_task("", total=None, name=markup.escape(name))
        yield lambda step: display.update(
            task, description=step.stage, completed=step.done, total=step.total
        )
