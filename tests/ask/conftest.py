"""A folder of parquet results with known people."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analyzer import registry
from analyzer.inference.runtime import Runtime
from analyzer.types import Attribute, MediaReport
from tests.support.reports import Face, make_report

BOX = (10, 20, 110, 140)
FACES = tuple(Face(5 * t, t * 0.2, BOX, track=track) for t, track in
              ((0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (4, 2)))  # fmt: skip
"""Who is on screen, each for 0.2 s: 0; 0 and 1; 0 and 1; 0; 2."""


def written(report: MediaReport, path: Path) -> Path:
    """Write a report as parquet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    registry.load("export", "parquet", runtime=Runtime()).write(report, path)
    return path


def with_people(report: MediaReport, **people: tuple[str, float]) -> MediaReport:
    """Give persons sex and age: `p0=("f", 61)`."""
    persons = []
    for person in report.persons:
        sex, age = people[f"p{person.person_id}"]
        attributes = {
            "sex": Attribute(label=sex, value=-1.0 if sex == "f" else 1.0),
            "age": Attribute(label=f"{age:.1f}", value=4.0, low=age - 5, high=age + 5),
        }
        persons.append(replace(person, attributes=attributes))
    return replace(report, persons=tuple(persons))


def described(report: MediaReport, *vectors: tuple[float, ...]) -> MediaReport:
    """Describe the first faces, and name the describer."""
    rows = replace(
        report.observations,
        embeddings=np.array(vectors, np.float32),
        embedding_rows=np.arange(len(vectors), dtype=np.int64),
    )
    options = {**report.provenance["options"], "describer": "dlib_resnet"}
    return replace(report, observations=rows, provenance={"options": options})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two films, a still, a film without faces, and two files that are no results."""
    root = tmp_path / "results"
    first = make_report(
        FACES, uri="films/old (1957).mp4", names={0: "Ada"}, persons={0: 0, 1: 1, 2: 2}
    )
    first = with_people(first, p0=("f", 61), p1=("m", 40), p2=("f", 30))
    written(described(first, (1, 0, 0, 0), (0, 1, 0, 0)), root / "old.parquet")
    second = make_report(FACES[:3], uri="new_2021_cut.mp4", names={0: "Ada"}, persons={0: 0, 1: -1})
    second = with_people(second, p0=("f", 62))
    written(described(second, (0.9, 0, 0, 0)), root / "sub [1]" / "new*.parquet")
    still = make_report(
        FACES[:1],
        uri="a\udcff.jpg",
        kind="image",
        engine="image",
        heads=("sex", "age", "ethnicity"),
    )
    written(still, root / "still.parquet")
    written(make_report((), uri="nobody.mp4"), root / "nobody.parquet")
    (root / "damaged.parquet").write_bytes(b"PAR1 no more")
    return root
