"""What a notebook shows of a report: a table of its persons with their portraits."""

import base64
from collections.abc import Iterator
from html import escape
from pathlib import Path

from analyzer.reports import portraits
from analyzer.types import Attribute, MediaReport, Person

_SHOWN = 30
"""Persons that are listed; the others are counted."""
_PORTRAIT_PX = 64
_COLUMNS, _TIMES = ("", "person", "sex", "age", "faces"), ("first", "last", "screen time")


def table(report: MediaReport) -> str:
    """Return an HTML table of a report's persons, most screen time first.

    Args:
        report: Report of a medium; its portraits are cut out of the medium, if that is there.
    """
    shown = report.persons[:_SHOWN]
    rows = portraits.best(report)
    wanted = [rows[person.person_id] for person in shown if person.person_id in rows]
    pictures = portraits.cut(report, wanted, side_px=_PORTRAIT_PX)
    timed = report.info.is_timed
    columns = (*_COLUMNS, *(_TIMES if timed else ()))
    head = "".join(f"<th>{column}</th>" for column in columns)
    body = "".join(
        f"<tr>{''.join(_cells(person, pictures.get(rows.get(person.person_id, -1)), timed))}</tr>"
        for person in shown
    )
    more = len(report.persons) - len(shown)
    note = f"<p>and {more} more persons</p>" if more else ""
    return (
        f"<p>{escape(Path(report.info.uri).name)}: {len(report.persons)} persons, "
        f"{len(report.observations)} faces, {report.length}</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}"
    )


def _cells(person: Person, picture: bytes | None, timed: bool) -> Iterator[str]:
    """Yield the cells of one person; of stills, without times."""
    image = ""
    if picture:
        data = base64.b64encode(picture).decode()
        image = (
            f'<img alt="" width="{_PORTRAIT_PX}" height="{_PORTRAIT_PX}" '
            f'src="data:image/jpeg;base64,{data}">'
        )
    unknown = Attribute(label="", value=0)
    sex, age = (person.attributes.get(head, unknown).label for head in ("sex", "age"))
    yield f"<td>{image}</td>"
    times = (person.first_s, person.last_s, person.screen_time_s) if timed else ()
    for text in (
        person.name or str(person.person_id),
        sex,
        age,
        str(person.face_count),
        *(f"{time_s:.1f} s" for time_s in times),
    ):
        yield f"<td>{escape(text)}</td>"
