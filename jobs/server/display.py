"""Display of a server: lines for a log, or a table in a terminal."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from ina_cli.console import console
from jobs.server.progress import describe, finished_count, totals
from jobs.system.steady import NUMBER
from jobs.types import Job, State

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from jobs.ledger.imports import Imported
    from jobs.server.estimate import Estimate

REPORT_EVERY_S = 30.0
"""Time between two lines of progress in a log."""
FAILED_STATES = (State.FAILED, State.POISON)
BAR_WIDTH = 40


def import_notes(imported: Imported) -> list[str]:
    """Return a line for each thing that happened to jobs of an earlier run."""
    counts = (
        (imported.skipped, "done before and skipped"),
        (imported.missing, "done before, but their outputs are gone: to be done again"),
        (imported.retried, "failed before and tried again"),
        (imported.cancelled, "no longer in the joblist and cancelled"),
        (imported.unreadable, "cannot be read in the ledger and put aside"),
    )
    return [f"{number} jobs {text}" for number, text in counts if number]


def clock(seconds: float) -> str:
    """Return a time as hours, minutes and seconds."""
    # Rounded first: 59.7 s are a minute.
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def summary(counts: dict[str, int]) -> str:
    """Return the number of jobs in each group as text, without the empty groups."""
    return ", ".join(f"{n} {name}" for name, n in totals(counts).items() if n)


def results(
    counts: dict[str, int], sums: dict[str, float], *, done: int, elapsed_s: float
) -> list[str]:
    """Return the totals of a run, a line each.

    Args:
        counts: Number of jobs by state, of this run and earlier ones.
        sums: Sums of the statistics of all jobs done in this run.
        done: Number of these jobs.
        elapsed_s: Time since the start of the run, in seconds.
    """
    media_s = sums.get("media_s", 0.0)
    media = done - sums.get("medium_skipped", 0.0)
    lines = {
        "elapsed": clock(elapsed_s),
        "jobs": ", ".join(f"{n} {state}" for state, n in sorted(counts.items())),
        "media": f"{media:.0f} of {clock(media_s)} in total, {media_s / 3600:.3f} h",
        "frames": f"{sums.get('frames_decoded', 0):.0f} decoded, "
        f"{sums.get('frames_analysed', 0):.0f} analysed",
        "faces": f"{sums.get('faces_detected', 0):.0f} detected, "
        f"{sums.get('faces_described', 0):.0f} described, "
        f"{sums.get('faces_saved', 0):.0f} saved, {sums.get('faces_kept', 0):.0f} of persons",
        "persons": f"{sums.get('persons', 0):.0f}",
        "speed": f"{media_s / max(elapsed_s, 1e-3):.2f} x real time",
    }
    if sums.get("frames_gated"):
        lines["frames"] += f", {sums['frames_gated']:.0f} too blurred"
    if sums.get("faces_tracked"):
        lines["faces"] += f", {sums['faces_tracked']:.0f} tracked in between"
    if sums.get("persons_named"):
        lines["persons"] += f", {sums['persons_named']:.0f} of them named"
    if sums.get("faces_filtered"):
        lines["faces"] += f", {sums['faces_filtered']:.0f} left out"
    if sums.get("partial"):
        number = f"{sums['partial']:.0f}"
        lines["partial"] = f"{number} media are damaged, cut off, or lack a file: see the warnings"
    return [f"{name:<8} {text}" for name, text in lines.items()]


class PlainDisplay:
    """Lines for a log file: one for each job that ends, and one of progress every 30 s."""

    def __init__(self) -> None:
        self._last_report = time.monotonic()
        self._withheld = ""
        self._withheld_told = 0.0

    def note(self, text: str) -> None:
        """Print a line of text."""
        print(text, flush=True)

    def report_end(self, job: Job) -> None:
        """Print how a job ended."""
        self.note(f"{job.state.value}: {describe(job)}")

    def show(self, status: dict[str, Any]) -> None:
        """Print the progress every 30 s, and at once the reason when jobs are withheld."""
        self._tell_withheld(status.get("withheld", ""))
        if time.monotonic() - self._last_report >= REPORT_EVERY_S:
            self._last_report = time.monotonic()
            self.report_progress(status["counts"])
            if status.get("sample"):
                self.note(status["sample"])

    def report_progress(self, counts: dict[str, int]) -> None:
        """Print the numbers of jobs."""
        self.note(f"progress: {summary(counts)}")

    def _tell_withheld(self, why: str) -> None:
        """Print why jobs are withheld: what only counts on is told every 30 s."""
        now = time.monotonic()
        is_other = NUMBER.sub("0", why) != NUMBER.sub("0", self._withheld)
        if is_other or (why != self._withheld and now - self._withheld_told >= REPORT_EVERY_S):
            self._withheld, self._withheld_told = why, now
            self.note(f"no jobs are handed out: {why}" if why else "jobs are handed out again")

    def close(self) -> None:
        """Release the terminal; lines need nothing."""


class LiveDisplay(PlainDisplay):
    """A progress bar and a table in the terminal: all jobs, and what each worker does.

    Args:
        estimate: Estimate of the time that is left.
    """

    def __init__(self, estimate: Estimate) -> None:
        from rich.live import Live

        super().__init__()
        self._estimate = estimate
        self._live = Live(console=console(), refresh_per_second=4)
        self._live.start()

    def note(self, text: str) -> None:
        """Print a line of text above the table."""
        self._live.console.print(text, markup=False, highlight=False)

    def report_end(self, job: Job) -> None:
        """Print a job that failed; the bar counts the others."""
        if job.state in FAILED_STATES:
            super().report_end(job)

    def show(self, status: dict[str, Any]) -> None:
        """Draw the bar and the table again."""
        from rich.console import Group
        from rich.text import Text

        super().show(status)
        parts: list[RenderableType] = [self._overall(status)]
        if status.get("sample"):
            parts.append(Text(status["sample"]))
        if status["workers"]:
            parts.append(_workers(status["workers"]))
        self._live.update(Group(*parts))

    def _overall(self, status: dict[str, Any]) -> Table:
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        counts = status["counts"]
        total = sum(counts.values())
        finished = finished_count(status)
        left_s = self._estimate.left_s(status)
        grid = Table.grid(padding=(0, 2))
        grid.add_row(
            ProgressBar(total=max(1, total), completed=finished, width=BAR_WIDTH),
            f"{100 * finished / max(1, total):.0f} %",
            f"{clock(self._estimate.elapsed_s())} elapsed",
            "" if left_s is None else f"{clock(left_s)} left, until {_time_of_day(left_s)}",
        )
        outer = Table.grid()
        outer.add_row(grid)
        outer.add_row(f"{total} jobs: {summary(counts)}")
        return outer

    def close(self) -> None:
        """Stop drawing; the last state stays on the terminal."""
        self._live.stop()
        self._estimate.close()


def _time_of_day(left_s: float) -> str:
    pattern = "%H:%M" if left_s < 12 * 3600 else "%a %H:%M"
    return time.strftime(pattern, time.localtime(time.time() + left_s))


def _workers(workers: list[dict[str, Any]]) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("worker", "medium", "stage", "%", "x real time"):
        table.add_column(title, justify="right" if title in ("%", "x real time") else "left")
    for worker in workers:
        for job in worker["jobs"] or [{"source": "", "progress": {"stage": "waiting"}}]:
            progress = job["progress"]
            table.add_row(
                worker["name"].rpartition(":")[0],
                os.path.basename(job["source"]),
                progress.get("stage", ""),
                f"{100 * progress['fraction']:.0f}" if "fraction" in progress else "",
                f"{progress['speed']:.1f}" if "speed" in progress else "",
            )
    return table
