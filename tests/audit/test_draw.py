"""Draws: the same again with the same seed, all groups, and weights that add up to all faces."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from analyzer.__main__ import main
from analyzer.audit import audit_file, drawing, lot
from analyzer.audit.drawing import DrawWish
from tests.support.reports import Somebody, audited_report, save

RANDOM = np.random.default_rng(2)
PEOPLE = [
    Somebody(
        sex="f" if number % 5 == 0 else "m",
        age_bin=int(RANDOM.integers(0, 9)),
        faces=int(RANDOM.integers(1, 30)),
        face_px=(20.0, 40.0, 150.0)[number % 3],
    )
    for number in range(120)
]
FACES = sum(person.faces for person in PEOPLE)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four films of thirty people each."""
    reports = [audited_report(PEOPLE[30 * n : 30 * n + 30], uri=f"films/{n}.mp4") for n in range(4)]
    return save(tmp_path_factory.mktemp("audit") / "results", reports)


def draw(results: Path, **wish: object) -> audit_file.Audit:
    values = {"count": 60, "strata": ["sex", "age", "size"], **wish}
    return drawing.draw([str(results)], DrawWish(**values))  # type: ignore[arg-type]


def test_the_same_seed_draws_the_same(results):
    first, again, other = draw(results), draw(results), draw(results, seed=1)
    assert first == again
    assert first.identifier == again.identifier != other.identifier


def test_weights_add_up_to_the_number_of_faces(results):
    for count in (10, 60, 119, 500):
        audit = draw(results, count=count)
        assert audit.total == FACES
        assert sum(face.weight for face in audit.faces) == pytest.approx(FACES)
        assert len(audit.faces) == min(count, 120)


def test_one_face_of_a_person_unless_more_are_wanted(results):
    assert len({face.cluster for face in draw(results).faces}) == 60
    counts = np.bincount([face.cluster for face in draw(results, count=300, per_person=3).faces])
    assert counts.max() == 3


def test_small_groups_are_drawn_more_often_than_they_come(results):
    drawn = [face.predicted["sex"] for face in draw(results, strata=["sex"]).faces]
    # A fifth are women. Two parts of the draws: half and half, and as the faces are.
    assert drawn.count(0) > 15


def test_groups_of_a_column_of_the_catalogue(results, tmp_path):
    with (tmp_path / "archive.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["source_path", "decade"])
        rows.writerows([f"films/{n}.mp4", 1950 + 10 * (n // 2)] for n in range(3))
    audit = draw(results, strata=["decade"], catalogue=tmp_path / "archive.csv")
    groups = [face.groups["decade"] for face in audit.faces]
    assert set(groups) == {"1950", "1960", "unknown"}


def test_totals_of_groups_are_right_in_the_mean():
    """Every weighted total is that of the whole, over many seeds."""
    weights = RANDOM.integers(1, 30, 300).astype(float)
    sex, size = (RANDOM.random(300) < 0.1).astype(int), RANDOM.integers(0, 3, 300)
    values = RANDOM.random(300) + sex
    sums = []
    for seed in range(400):
        places, of = lot.draw(weights, [sex, size], 40, np.random.default_rng(seed))
        sums.append([of @ values[places], of @ sex[places]])
    truth = np.array([weights @ values, weights @ sex])
    error = np.std(sums, axis=0) / 20
    # The weights are scaled to the total, which bends a ratio of forty faces by little.
    assert (np.abs(np.mean(sums, axis=0) - truth) < 3 * error + 0.01 * truth).all()


def test_chances_add_up_and_none_is_above_one():
    weights = np.array([1.0] * 50 + [500.0, 900.0])
    chances = lot.inclusion(weights, [np.arange(52) % 2], 10)
    assert chances.sum() == pytest.approx(10)
    assert chances.max() == 1
    assert (chances[:50] > 0).all()


def test_shares_of_the_network_over_all_faces(results):
    women = sum(person.faces for person in PEOPLE if person.sex == "f")
    assert draw(results).shares["sex"][0].share == pytest.approx(women / FACES)
    assert draw(results).clustered_by == "person"


def test_a_file_says_the_same_again(results, tmp_path):
    audit = draw(results)
    audit_file.write(audit, tmp_path / "audit.json")
    assert audit_file.read(tmp_path / "audit.json") == audit


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--strata", "genre"], 2, "no stratum genre: there are sex, age, size, darkness; columns"),
        (["--strata", "sex", "--catalogue", "none.csv"], 1, "cannot be read as a list of media"),
        (["--strata", "sex"], 0, "warning: 400 faces are wanted, and there are 120 with 1 of each"),
    ],
)
def test_what_draw_says(words, code, message, results, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["audit", "draw", str(results), "-o", "audit.json", *words]) == code
    assert message in capsys.readouterr().err


def test_results_that_cannot_be_audited(results, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert main(["audit", "draw", str(tmp_path / "empty"), "-o", str(tmp_path / "a.json")]) == 1
    assert "no reports: an audit needs them: analyze --export report" in capsys.readouterr().err
    (tmp_path / "a.json").write_text(json.dumps({"form": "other"}))
    assert main(["audit", "draw", str(results), "-o", str(tmp_path / "a.json")]) == 2
    assert "labels of it would be of no use any more" in capsys.readouterr().err
    page = ["audit", "page", str(tmp_path / "a.json"), "-o", str(tmp_path / "a.html")]
    assert main(page) == 1
    assert "cannot be read as an audit (it has no format)" in capsys.readouterr().err
