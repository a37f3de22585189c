"""What files of results tell of a segment: each face counts by its own label."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analyzer.export._document import document
from analyzer.pipeline.segment import segment_of
from analyzer.sampling.results import UNLABELLED, AmountReader
from analyzer.types import MediaReport
from tests.support.reports import Face, make_report

WOMEN_FIRST = [
    Face(i, float(i), (0, 0, 50, 50), duration_s=1.0, sex=-1.0 if i < 5 else 2.0) for i in range(12)
]
"""A shot of one track, longer than any segment: the network takes it for a woman, then a man."""


def analysed(faces: Sequence[Face], *heads: str) -> MediaReport:
    """A report in which each face has an answer of its own."""
    report = make_report(faces, heads=heads)
    answers = {
        "sex": np.array([[face.sex] for face in faces], np.float32),
        "age": np.tile(np.eye(9, dtype=np.float32)[3] * 9, (len(faces), 1)),
    }
    known = {head: answers[head] for head in heads}
    return replace(report, observations=replace(report.observations, heads=known))


def amounts(report: MediaReport, path: Path, head: str = "sex") -> dict[str, float]:
    path.write_text(json.dumps(document(report)))
    result = AmountReader(head, "faces").result({"json": str(path)})
    assert result is not None
    return result.amounts


def segment(report: MediaReport, start_s: float, end_s: float) -> MediaReport:
    span_s = np.array([start_s, end_s])
    return segment_of(replace(report, observations=replace(report.observations, span_s=span_s)))


def test_segments_of_a_long_shot_add_up(tmp_path: Path) -> None:
    report = analysed(WOMEN_FIRST, "sex")
    whole = amounts(report, tmp_path / "whole.json")
    assert whole == pytest.approx({"f": 5.0, "m": 7.0}, abs=1e-3)
    for count in (2, 3, 5, 7):
        edges = np.linspace(0, 12, count + 1).tolist()
        parts = [
            amounts(segment(report, start, end), tmp_path / "part.json")
            for start, end in itertools.pairwise(edges)
        ]
        assert not any(UNLABELLED in part for part in parts)
        for group in "fm":
            added = sum(part.get(group, 0.0) for part in parts)
            assert added == pytest.approx(whole[group], abs=1e-3 * count)


def test_faces_without_an_answer_have_no_label(tmp_path: Path) -> None:
    faces = [*WOMEN_FIRST[:-1], replace(WOMEN_FIRST[-1], sex=float("nan"))]
    found = amounts(analysed(faces, "sex"), tmp_path / "some.json")
    assert found == pytest.approx({"f": 5.0, "m": 6.0, UNLABELLED: 1.0}, abs=1e-3)
    without = amounts(analysed(faces, "age"), tmp_path / "none.json")
    assert without == {UNLABELLED: 12.0}


def test_ages_are_those_of_the_faces_too(tmp_path: Path) -> None:
    found = amounts(analysed(WOMEN_FIRST, "age"), tmp_path / "ages.json", head="age")
    assert sum(found.values()) == pytest.approx(12.0)
    assert max(found, key=lambda group: found[group]) == "20-39"


def test_files_of_older_versions_tell_by_track(tmp_path: Path) -> None:
    older = document(analysed(WOMEN_FIRST, "sex"))
    del older["shares"], older["answers_s"]
    path = tmp_path / "older.json"
    path.write_text(json.dumps(older))
    result = AmountReader("sex", "faces").result({"json": str(path)})
    assert result is not None
    assert result.amounts == pytest.approx({"m": 12.0})
