"""Perceived sex and age of people in videos, labelled by eye, against what an analysis says."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.attributes import heads
from analyzer.errors import InputError
from analyzer.evaluation import _lines, intervals, truth
from analyzer.observations import persons
from analyzer.observations.table import concat
from analyzer.pipeline import observe, summarize
from analyzer.pipeline.components import Components
from analyzer.types import F64, I64, MediaReport, ProgressHook

COLUMNS = ("video", "labels", "person", "sex", "age_from", "age_to")
FPS = 5.0
"""Pictures a second that are analysed: those at which the faces are labelled."""
_SHARES = ("sex_accuracy", "sex_given", "sex_given_accuracy", "age_within")


@dataclass(frozen=True, kw_only=True)
class SeenPerson:
    """How one person of a video looks to who labelled it."""

    video: Path
    labels: Path
    """CSV of the labelled faces; see `analyzer.evaluation.truth.of_video`."""
    person: str
    """Name in that file."""
    sex: str
    """`f` or `m`."""
    age_from: float
    age_to: float
    """Years between which the age is."""


def read(path: Path) -> list[SeenPerson]:
    """Read a CSV with the columns `COLUMNS`; its paths are relative to it.

    Raises:
        InputError: The file is missing or has a line that cannot be read.
    """

    def person(row: dict[str, str], where: str) -> SeenPerson:
        try:
            age_from, age_to = float(row["age_from"]), float(row["age_to"])
        except (TypeError, ValueError):
            raise InputError(f"{where}: age_from and age_to must be numbers") from None
        if row["sex"] not in ("f", "m") or not 0 <= age_from < age_to < math.inf:
            raise InputError(f"{where}: sex must be f or m, and age_from below age_to, from 0 on")
        return SeenPerson(
            video=path.parent / row["video"],
            labels=path.parent / row["labels"],
            person=row["person"],
            sex=row["sex"],
            age_from=age_from,
            age_to=age_to,
        )

    return _lines.read(path, COLUMNS, person, "person")


def measure(
    people: Sequence[SeenPerson], components: Components, progress: ProgressHook
) -> dict[str, Any]:
    """Return figures per face and per person, and every person, as JSON-able values.

    A person is what the labelled faces of one person say together, as in the results.

    Args:
        people: Labelled people; those of one video are analysed together.
        components: Of an analysis at `FPS`, with sex and age.
        progress: Hook that is called at each step.

    Returns:
        `persons`, and `figures`: `faces` and `persons` -> shares with their 95 % intervals. That
        of faces draws persons (Efron's bootstrap), as the faces of one are alike.

    Raises:
        InputError: A video or its labels cannot be read.
    """
    seen = list(_each(people, components, progress))
    found = [one for one in seen if one["found"]]
    return {
        "persons": [{k: v for k, v in one.items() if k != "_faces"} for one in seen],
        "figures": {
            "faces": _figures([one["_faces"] for one in found]),
            "persons": _figures([_as_one(one) for one in found]),
        },
    }


def _each(
    people: Sequence[SeenPerson], components: Components, progress: ProgressHook
) -> Iterator[dict[str, Any]]:
    """Yield what is said of each person; `_faces` are counts."""
    labels_of = {path: truth.of_video(path) for path in dict.fromkeys(one.labels for one in people)}
    for one in people:  # before minutes of work, not behind them
        if one.person not in labels_of[one.labels].persons:
            raise InputError(f"{one.labels}: no face of {one.person!r}")
    for video in dict.fromkeys(one.video for one in people):
        report = _report(video, components, progress)
        for one in people:
            if one.video == video:
                labels = labels_of[one.labels]
                rows = labels.rows(report.observations)
                named = np.array(labels.persons) == one.person
                yield _person(one, report, rows[named], components)


def _report(video: Path, components: Components, progress: ProgressHook) -> MediaReport:
    with components.decoder.open(str(video)) as medium:
        batches = list(observe.observe(medium, components=components, progress=progress))
    table = concat([table for _, table in batches])
    return summarize.summarize(medium.info, table, components=components)


def _person(
    one: SeenPerson, report: MediaReport, labelled: I64, components: Components
) -> dict[str, Any]:
    """Return what is said of one person, of which rows (n,) are labelled; -1 was not found."""
    table = report.observations
    rows = labelled[labelled >= 0]
    facts: dict[str, Any] = {
        "video": one.video.name,
        "person": one.person,
        "sex": one.sex,
        "age_from": one.age_from,
        "age_to": one.age_to,
        "labelled": len(labelled),
        "found": len(rows),
    }
    if not len(rows):
        return facts
    raw = {head: table.heads[head][rows] for head in ("sex", "age")}
    given = np.array([report.row_attributes["sex"].label[row] for row in rows]) != ""
    years = heads.years(heads.decode("age", raw["age"]).value)
    said = components.labeller.summarize(raw, persons.views(table)[rows], table.quality[rows])
    age = said["age"]
    return {
        **facts,
        "given": said["sex"].label,
        "sex_raw": said["sex"].value,
        "years": float(heads.years(age.value)),
        "low": age.low,
        "high": age.high,
        "_faces": _counts(one, raw["sex"][:, 0] > 0, given, years),
    }


def _as_one(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return the counts of a person as of one face."""
    age = float(one["age_from"]) <= one["years"] < float(one["age_to"])
    right = (one["sex_raw"] > 0) == (one["sex"] == "m")
    return _sums(*(np.array([value]) for value in (right, bool(one["given"]), age)))


def _counts(
    one: SeenPerson, male: NDArray[np.bool_], given: NDArray[np.bool_], years: F64
) -> dict[str, Any]:
    within = (years >= one.age_from) & (years < one.age_to)
    return _sums(male == (one.sex == "m"), given, within)


def _sums(
    right: NDArray[np.bool_], given: NDArray[np.bool_], within: NDArray[np.bool_]
) -> dict[str, tuple[int, int]]:
    """Return for each share how many faces it counts, of how many."""
    n = len(right)
    return {
        "sex_accuracy": (int(right.sum()), n),
        "sex_given": (int(given.sum()), n),
        "sex_given_accuracy": (int((right & given).sum()), int(given.sum())),
        "age_within": (int(within.sum()), n),
    }


def _figures(counts: Sequence[Mapping[str, tuple[int, int]]]) -> dict[str, Any]:
    figures: dict[str, Any] = {"count": sum(one["sex_accuracy"][1] for one in counts)}
    for name in _SHARES:
        parts, wholes = np.array([one[name] for one in counts], np.float64).reshape(-1, 2).T
        if not wholes.sum():
            figures[name] = None
            continue
        alone = (wholes <= 1).all()
        ends = (
            intervals.wilson(parts.sum(), wholes.sum())
            if alone
            else intervals.bootstrap_of_ratio(parts, wholes)
        )
        value = float(parts.sum() / wholes.sum())
        figures[name] = {"value": value, "low": float(ends[0]), "high": float(ends[1])}
    return figures
