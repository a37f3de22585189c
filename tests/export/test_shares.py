"""The shares of a medium: observed ones counted by hand, corrected ones, intervals."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analyzer import registry
from analyzer.inference.runtime import Runtime
from analyzer.options.analysis import MIN_SEX_AGE
from analyzer.shares import tables
from analyzer.shares.answers import GROUPS
from analyzer.shares.measure import shares
from tests.support.reports import DIGEST, film_of_shots, make_report


def rows(report):
    exporter = registry.load("export", "shares", runtime=Runtime())
    columns = exporter.columns(report)
    table = zip(*(column.values for column in columns), strict=True)
    return [dict(zip((c.name for c in columns), row, strict=True)) for row in table]


def film(women, men, *, seconds=1.0):
    """A film with a shot for each face, sure ones of women first."""
    return film_of_shots([-3.2] * women + [3.1] * men, seconds=seconds)


def of_sex(report, measure="face_time"):
    return {
        row["group"]: row
        for row in rows(report)
        if (row["measure"], row["attribute"]) == (measure, "sex")
    }


def test_face_time_is_that_of_every_face():
    report = film(30, 70, seconds=2.5)
    sexes = of_sex(report)
    assert (sexes["f"]["observed"], sexes["m"]["observed"]) == pytest.approx((0.3, 0.7))
    assert sexes["f"]["amount"] == pytest.approx(250)
    assert sexes["f"]["clusters"] == 100


def test_what_the_network_confuses_is_taken_out():
    """It takes more men for women than women for men, so that few women are fewer still."""
    women = of_sex(film(50, 950))["f"]
    assert women["observed"] == pytest.approx(0.05)
    assert women["corrected"] < women["observed"]
    assert women["low"] < women["corrected"] < women["high"]
    assert sum(row["corrected"] for row in of_sex(film(50, 950)).values()) == pytest.approx(1)


def test_a_network_without_a_table_is_not_corrected():
    report = film(30, 70)
    women = of_sex(replace(report, provenance={"models": {"branch": "0" * 64}}))["f"]
    assert women["corrected"] is None
    assert women["low"] < 0.3 < women["high"]


def test_few_shots_give_a_reason_and_no_interval():
    women = of_sex(film(3, 5))["f"]
    assert (women["low"], women["high"]) == (None, None)
    assert "fewer than 10 shots" in women["note"]


def test_persons_count_once_each():
    women = of_sex(film(30, 70), "persons")["f"]
    assert (women["observed"], women["amount"]) == (pytest.approx(0.3), 100)


def test_faces_that_were_not_described_count_for_nothing():
    report = film(30, 70)
    logits = report.observations.heads["sex"].copy()
    logits[:10] = np.nan
    report = replace(report, observations=replace(report.observations, heads={"sex": logits}))
    women = of_sex(report)["f"]
    assert (women["observed"], women["amount"]) == (pytest.approx(20 / 90), 90)


def test_a_film_without_faces_has_no_rows():
    assert rows(make_report(())) == []


def test_an_audit_of_missed_faces_is_read_back_and_used():
    """A detector that misses every third woman shows too few of them."""
    shipped = tables.tables_of({"branch": DIGEST})["sex"]
    audited = replace(shipped, found=np.array([[800.0, 400], [1200, 0]]))
    again = tables.read(tables.written({"sex": audited}, "test"))
    assert np.array_equal(again["sex"].found, audited.found)
    before, after = (
        next(shares(film(300, 700), {"sex": table})) for table in (shipped, again["sex"])
    )
    expected = 1.5 * before.corrected / (1 + 0.5 * before.corrected)
    assert after.corrected == pytest.approx(expected, abs=0.002)
    assert after.interval.low < after.corrected < after.interval.high
    assert after.interval.low > before.interval.low


def test_tables_are_of_all_heads_and_read_back():
    shipped = tables.tables_of({"branch": DIGEST})
    assert set(shipped) == set(GROUPS)
    again = tables.read(tables.written(shipped, "test"))
    for head, table in shipped.items():
        assert table.counts.shape[1] == len(GROUPS[head])
        assert table.counts[0].sum() == 5000
        assert np.array_equal(again[head].counts, table.counts)


def test_faces_without_a_sex_are_not_counted():
    """The older a face must look for a label, the fewer faces; and sure answers stay."""
    path = Path(tables.__file__).parent / "counts" / f"{DIGEST[:16]}.json"
    text = path.read_text(encoding="utf-8")
    ages = sorted(map(float, json.loads(text)["sex_given_from"]))
    assert MIN_SEX_AGE in ages
    of_all = tables.tables_of({"branch": DIGEST})
    counts = [of_all["sex"].counts]
    for age in ages:
        given = tables.tables_of({"branch": DIGEST}, sex_given_from=age)
        assert given.keys() == of_all.keys()
        assert np.array_equal(given["age"].counts, of_all["age"].counts)
        counts.append(given["sex"].counts)
    assert all((less <= more).all() for more, less in itertools.pairwise(counts))
    assert (
        3000
        < tables.tables_of({"branch": DIGEST}, sex_given_from=MIN_SEX_AGE)["sex"].counts[0].sum()
        < 5000
    )
    again = tables.written(of_all, "test", {15: of_all["sex"]})
    assert "sex" in tables.read(again, sex_given_from=15)
    assert "sex" not in tables.read(again, sex_given_from=16)


def test_counts_of_found_faces_are_consistent():
    path = Path(tables.__file__).parent / "counts" / "recall_centerface.json"
    counted = json.loads(path.read_text(encoding="utf-8"))
    tried = len(counted["stops"]) * np.array(counted["pictures"])
    assert np.array(counted["by_darkness"]).sum(axis=(1, 2)).tolist() == tried.tolist()
    for head, counts in counted["by_group"].items():
        assert np.shape(counts)[2] == len(GROUPS[head])
        assert np.sum(counts, axis=(0, 2, 3)).tolist() == tried.tolist()
