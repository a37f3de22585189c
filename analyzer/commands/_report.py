"""Printed report of `analyze`."""

import sys
from typing import TYPE_CHECKING

from ina_cli.console import console

if TYPE_CHECKING:
    from analyzer.types import MediaReport, Person


def print_report(report: "MediaReport", results: str, elapsed: float) -> None:
    """Print the counts and the persons of one medium.

    Args:
        report: Report of the medium.
        results: Where its results are, for people.
        elapsed: Seconds that the analysis took.
    """
    from rich import table

    stdout = console()
    stdout.print(
        f"{report.info.uri}: {_counted(report)}, {len(report.persons)} persons; "
        f"{_speed(report, elapsed)} -> {results}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    if report.partial:
        print(f"warning: {report.info.uri}: done in part: {report.partial}", file=sys.stderr)
    for note in report.notes:
        print(f"warning: {report.info.uri}: {note}", file=sys.stderr)
    times = ("first", "last", "screen time", "share") if report.info.is_timed else ()
    rows = table.Table("person", "sex", "age", "faces", *times)
    for person in report.persons:
        sex, age = (person.attributes.get(head) for head in ("sex", "age"))
        rows.add_row(
            str(person.person_id) if person.name is None else person.name,
            sex.label if sex else "",
            age.label if age else "",
            str(person.face_count),
            *(_times(person, report.info.duration_s) if report.info.is_timed else ()),
        )
    unassigned = report.tally.faces_saved - report.tally.faces_kept
    if unassigned:
        rows.add_row("unidentified", "", "", str(unassigned), *[""] * len(times))
    if report.persons:
        stdout.print(rows)


def _speed(report: "MediaReport", elapsed: float) -> str:
    """Return how long it took, and how long that is in lengths of a video."""
    if not report.info.is_timed:
        return f"{elapsed:.1f} s"
    return f"{elapsed:.1f} s, {report.info.duration_s / elapsed:.1f} times real time"


def _times(person: "Person", duration_s: float) -> tuple[str, str, str, str]:
    """Return when a person is on screen, how long, and the share of the video."""
    return (
        f"{person.first_s:.1f} s",
        f"{person.last_s:.1f} s",
        f"{person.screen_time_s:.1f} s",
        f"{person.screen_time_s / max(duration_s, 1e-9):.0%}",
    )


def _counted(report: "MediaReport") -> str:
    """Return the counts in words: detected and tracked faces are those left out and those saved."""
    tally = report.tally
    blurred = f" ({tally.frames_gated} too blurred)" if tally.frames_gated else ""
    tracked = f"{tally.faces_tracked} tracked in between, " if tally.faces_tracked else ""
    left_out = f"{tally.faces_filtered} left out, " if tally.faces_filtered else ""
    return (
        f"{tally.frames_analysed} of {tally.frames_decoded} frames{blurred}, "
        f"{tally.faces_detected} faces detected, {tracked}{left_out}"
        f"{tally.faces_described} described, {tally.faces_saved} saved, "
        f"{tally.faces_kept} of persons"
    )
