"""Progress on a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from analyzer.types import Progress, ProgressHook


@contextmanager
def bars() -> Iterator[ProgressHook]:
    """Show one bar a stage on standard error while it lasts; nothing where that is no terminal."""
    from rich import progress
    from rich.console import Console

    console = Console(stderr=True)
    tasks: dict[str, progress.TaskID] = {}
    with progress.Progress(console=console, disable=not console.is_terminal) as shown:

        def tell(step: Progress) -> None:
            if step.stage not in tasks:
                tasks[step.stage] = shown.add_task(step.stage)
            shown.update(tasks[step.stage], completed=step.done, total=step.total)

        yield tell


@contextmanager
def bar(name: str) -> Iterator[ProgressHook]:
    """Show one bar of one medium on standard error while it lasts; nothing on no terminal."""
    from rich import progress
    from rich.console import Console
    from rich.markup import escape

    console = Console(stderr=True)
    columns = (
        progress.TextColumn("{task.fields[name]} {task.description}"),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as shown:
        task = shown.add_task("", total=None, name=escape(name))
        yield lambda step: shown.update(
            task, description=step.stage, completed=step.done, total=step.total
        )
