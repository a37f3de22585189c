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
