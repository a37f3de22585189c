"""Tables of an identity store: on the terminal, as csv and as JSON."""

import csv
import json
import sys
from typing import Any

from analyzer.files.text import text_cell
from ina_cli.console import console
from ina_cli.escapes import as_it_is

READERS = ("list", "show", "history", "export", "suggest", "threshold")
"""Parts that print tables."""
_HEADINGS = {
    "screen_time_s": "seconds",
    "first_date": "first",
    "last_date": "last",
    "members": "numbers",
    "person_id": "person",
    "person_identity": "now",
    "other_identity": "other",
    "other_name": "name",
    "other_media": "media",
}
"""Of columns on the terminal, where names of tables are too long."""
FORMATS = ("csv", "json", "table")


def print_person(
    person: dict[str, Any],
    appearances: list[dict[str, Any]],
    alike: list[dict[str, Any]],
    form: str,
) -> None:
    """Print a person, their appearances, and who is alike."""
    if form == "json":
        print_json({**person, "seen_in": appearances, "alike": alike})
        return
    print_rows([person], form)
    print_rows(appearances, form)
    if alike:
        if form == "table":
            print("alike, the nearest first:")
        print_rows(alike, form)


def print_rows(rows: list[dict[str, Any]], form: str, *, nothing: str = "nobody") -> None:
    """Print rows.

    Args:
        rows: All with the same columns.
        form: One of `FORMATS`.
        nothing: What a table without rows says.
    """
    if form == "json":
        print_json(rows)
    elif form == "csv":
        _print_csv(rows)
    elif rows:
        _print_table(rows)
    else:
        print(nothing)


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    print(json.dumps(value, ensure_ascii=False, indent=1), file=as_it_is(sys.stdout))


def _print_csv(rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    writer = csv.writer(as_it_is(sys.stdout))
    writer.writerow(rows[0])
    writer.writerows([text_cell(_text(value)) for value in row.values()] for row in rows)


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
