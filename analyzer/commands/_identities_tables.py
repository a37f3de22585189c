"""Tables of an identity store: on the terminal, as csv and as JSON."""

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ina_cli.console import console
from ina_cli.escapes import as_it_is

if TYPE_CHECKING:
    from analyzer.identities.archive import Alike, ArchivePerson, SeenIn
    from analyzer.identities.log.events import Event
    from analyzer.identities.log.people import People

READERS = ("list", "show", "history", "export")
"""Parts that change nothing."""
_HEADINGS = {
    "screen_time_s": "seconds",
    "first_date": "first",
    "last_date": "last",
    "members": "merged",
    "person_id": "person",
}
"""Of columns on the terminal, where names of tables are too long."""
FORMATS = ("csv", "json", "table")


def print_rows(rows: "Iterable[ArchivePerson] | Iterable[SeenIn]", form: str) -> None:
    """Print persons or appearances.

    Args:
        rows: All of one kind.
        form: One of `FORMATS`.
    """
    _print([asdict(row) for row in rows], form)


def print_person(
    person: "ArchivePerson", seen: "Sequence[SeenIn]", alike: "Sequence[Alike]", form: str
) -> None:
    """Print a person, where they were seen, and who is alike."""
    others = [{"distance": one.distance, **asdict(one.person)} for one in alike]
    if form == "json":
        _print_json({**asdict(person), "seen_in": [asdict(one) for one in seen], "alike": others})
        return
    _print([asdict(person)], form)
    _print([asdict(one) for one in seen], form)
    if others:
        if form == "table":
            print("alike, the nearest first:")
        _print(others, form)


def print_history(people: "People", limit: int, form: str) -> None:
    """Print the last events of a log, the last first."""
    from analyzer.identities.log.people import undone_events

    undone = undone_events(people.events)
    _print(
        [
            {
                "event": event.number,
                "at": event.at,
                "by": event.by,
                "what": in_words(event),
                "holds": event.number not in undone,
            }
            for event in people.events[: -limit - 1 : -1]
        ],
        form,
    )


def in_words(event: "Event") -> str:
    """Return what an event says."""
    from analyzer.identities.log import events as said

    match event.action:
        case said.Named(identity=identity, name=str() as name):
            return f"{identity} is {name}"
        case said.Named(identity=identity):
            return f"{identity} has no name"
        case said.Merged(identity=identity, other=other):
            return f"{other} is the same person as {identity}"
        case said.Different(identity=identity, other=other):
            return f"{identity} and {other} are different people"
        case said.Split(identity=identity, part=part, appearances=appearances):
            plural = "s" if len(appearances) > 1 else ""
            return f"{len(appearances)} appearance{plural} of {identity}: another person, {part}"
        case said.ThresholdSet(threshold=threshold):
            return f"people are matched with the threshold {threshold:g}"
        case said.Forgotten(identities=identities):
            return f"{', '.join(map(str, identities))} forgotten"
        case said.Undone(event=number):
            return f"event {number} undone"


def _print(rows: list[dict[str, Any]], form: str) -> None:
    if form == "json":
        _print_json(rows)
    elif form == "csv":
        _print_csv(rows)
    elif rows:
        _print_table(rows)
    else:
        print("nobody")


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=1), file=as_it_is(sys.stdout))


def _print_csv(rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    writer = csv.writer(as_it_is(sys.stdout))
    writer.writerow(rows[0])
    writer.writerows([_text(value) for value in row.values()] for row in rows)


def _print_table(rows: list[dict[str, Any]]) -> None:
    from rich import box, table

    shown = table.Table(box=box.SIMPLE_HEAD)
    for name, value in rows[0].items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        shown.add_column(
            _HEADINGS.get(name, name), justify="right" if is_number else "left", overflow="fold"
        )
    for row in rows:
        shown.add_row(*map(_text, row.values()))
    console().print(shown)


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.10g}"
        case tuple():
            return " ".join(map(str, value))
        case _:
            return str(value)
