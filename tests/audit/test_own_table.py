"""An archive's own table, counted by hand, in the shares of a film and in an estimate."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analyzer import registry
from analyzer.__main__ import main
from analyzer.audit import audit_file
from analyzer.errors import InputError
from analyzer.inference.runtime import Runtime
from analyzer.reports import report_file
from analyzer.results import locate
from analyzer.shares import tables
from analyzer.types import MediaReport
from tests.support.reports import Somebody, audited_report, save, write_labels
from tests.support.servers import table

SHIPPED = {"dlib_resnet_attributes": "5f2b5711a933fe13" + 48 * "0"}
"""Model -> a hash that begins as that of the network with the shipped table."""


def labels_of(audit: Path) -> list[tuple[int, str, str]]:
    """Of the first 40, seen as women, 30 are; of the others 5 are; all of 25 years."""
    faces = audit_file.read(audit).faces
    women = [face.face for face in faces if face.predicted["sex"] == 0]
    men = [face.face for face in faces if face.predicted["sex"] == 1]
    truth = dict.fromkeys(women[:30] + men[:5], "f")
    return [(face.face, truth.get(face.face, "m"), "20 to 39") for face in faces]


@pytest.fixture
def audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with results, audit.json, labels and confusion.json of 100 people."""
    monkeypatch.chdir(tmp_path)
    people = [Somebody("f", 3)] * 40 + [Somebody("m", 3)] * 60
    report = replace(audited_report(people), provenance={"options": {}, "models": SHIPPED})
    save(tmp_path / "results", [report])
    assert main(["audit", "draw", "results", "-o", "audit.json", "--strata", "sex"]) == 0
    write_labels(tmp_path / "ada.csv", Path("audit.json"), "ada", labels_of(Path("audit.json")))
    words = ["audit", "report", "audit.json", "ada.csv", "--write", "confusion.json"]
    assert main(words) == 0
    return tmp_path


def test_the_table_by_hand(audited):
    """Each row: the labelled faces, and ten of the shipped table; all sizes from the one seen."""
    own = tables.own(audited / "confusion.json")
    shipped = tables.tables_of(SHIPPED)["sex"].likelihoods()
    counts = own.counts["sex"].counts - 10 * shipped
    women, men = np.zeros(10), np.zeros(10)
    women[[0, 9]], men[[0, 9]] = (30, 5), (10, 55)
    for size in range(4):
        assert counts[size] == pytest.approx(np.array([women, men]), abs=1e-5)


def by_hand(folder: Path) -> float:
    """Return the share of women that explains 40 answers of the first kind, and 60 of the last."""
    likelihoods = tables.own(folder / "confusion.json").counts["sex"].likelihoods()[1]
    (a0, a9), (b0, b9) = likelihoods[0, [0, 9]], likelihoods[1, [0, 9]]
    d0, d9 = a0 - b0, a9 - b9
    # 40 d0 / (b0 + s d0) + 60 d9 / (b9 + s d9) = 0
    return -(40 * d0 * b9 + 60 * d9 * b0) / (100 * d0 * d9)


def test_shares_are_corrected_by_it(audited):
    """Two answers: the likelihood s a + (1 - s) b of both has its maximum where this is 0."""
    words = ["export", "results/film0.report.zip", "-o", "out"]
    assert main([*words, "--export", "shares:confusion=confusion.json"]) == 0
    row = table(audited / "out" / "film0.shares.csv")[0]
    assert (row["attribute"], row["group"], row["observed"]) == ("sex", "f", "0.4000")
    assert float(row["corrected"]) == pytest.approx(by_hand(audited), abs=1e-4)
    assert main([*words[:3], "again", "--export", "shares"]) == 0
    shipped = table(audited / "again" / "film0.shares.csv")[0]["corrected"]
    assert abs(float(shipped) - by_hand(audited)) > 0.02


def test_a_file_is_made_again_with_its_table(audited):
    path = audited / "film0.shares.csv"
    report = ["export", "results/film0.report.zip", "-o", ".", "--export"]
    assert main([*report, "shares:confusion=confusion.json"]) == 0
    before = path.read_bytes()
    again = locate.exporter_like("shares", path)
    again.write(report_of(audited), path)
    assert path.read_bytes() == before
    assert main([*report, "shares", "--overwrite"]) == 0
    assert locate.exporter_like("shares", path).spec_of(path) == "shares"


def report_of(folder: Path) -> MediaReport:
    return report_file.load(folder / "results" / "film0.report.zip")


def test_an_estimate_is_corrected_by_it(audited, capsys):
    """As in a film: the likelihood of two answers has its maximum there."""
    with (audited / "sample.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["source_path", "start_s", "stop_s", "weight", "draw", "dest_json"])
        for number in range(40):
            women = 40 + 10 * (number % 2) - 5
            seconds = {"f": women, "m": 100 - women}
            tracks = [
                {"labels": {"sex": sex, "age": "30"}, "intervals_s": [[0, length]]}
                for sex, length in seconds.items()
            ]
            answers = np.zeros((4, 10))
            answers[1, [0, 9]] = list(seconds.values())
            ages = np.zeros((4, 10))
            ages[1, 5] = 100
            seconds_of = {"sex": answers.tolist(), "age": ages.tolist()}
            document = {"models": SHIPPED, "tracks": tracks, "answers_s": seconds_of}
            (audited / f"{number}.json").write_text(json.dumps(document))
            rows.writerow([f"{number}.mp4", 0, 60, 10, number + 1, f"{number}.json"])
    words = ["estimate", "sample.csv", "--write", "out.json"]
    assert main([*words, "--confusion", "confusion.json"]) == 0
    women, men = json.loads((audited / "out.json").read_text())["shares"]
    assert women["share"] == pytest.approx(0.4)
    assert women["corrected"] == pytest.approx(by_hand(audited), abs=1e-4)
    assert men["corrected"] == pytest.approx(1 - women["corrected"], abs=1e-6)
    own_error = women["corrected_error"]
    assert main(words) == 0
    shipped = json.loads((audited / "out.json").read_text())["shares"][0]
    assert abs(shipped["corrected"] - women["corrected"]) > 0.02
    # A table of 100 faces is less sure than the shipped one of 5,000.
    assert own_error > shipped["corrected_error"]
    assert main([*words, "--confusion", "confusion.json", "--of", "age"]) == 0
    of_ages = json.loads((audited / "out.json").read_text())["shares"]
    assert sum(share["corrected"] for share in of_ages) == pytest.approx(1)
    for more, message in (
        (["--of", "ethnicity"], "has no table of ethnicity, but of sex, age"),
        (["--over", "persons"], "leave out --over persons"),
        (["--of", "age", "--ages", "9"], "leave out --ages"),
    ):
        assert main([*words, "--confusion", "confusion.json", *more]) == 2
        assert message in capsys.readouterr().err
    document = json.loads((audited / "0.json").read_text())
    del document["answers_s"]
    (audited / "0.json").write_text(json.dumps(document))
    assert main([*words, "--confusion", "confusion.json"]) == 2
    assert "corrects no results of versions that kept no answers_s" in capsys.readouterr().err


def test_tables_of_other_networks_are_refused(audited):
    own = tables.own(audited / "confusion.json")
    with pytest.raises(InputError, match="is of other networks than these results"):
        tables.tables_of({"other": "0"}, own)


@pytest.mark.parametrize(
    "damage",
    [
        {"counts": {"sex": [[[1, 2]]]}},
        {"counts": {"sex": np.zeros((4, 2, 10)).tolist()}},
        {"models": None, "counts": None},
    ],
)
def test_what_is_no_table_is_named(damage, audited, capsys):
    values = json.loads((audited / "confusion.json").read_text()) | damage
    (audited / "confusion.json").write_text(json.dumps(values))
    words = ["export", "results/film0.report.zip", "-o", "out"]
    assert main([*words, "--export", "shares:confusion=confusion.json"]) == 1
    assert "cannot be read as a table of confusions" in capsys.readouterr().err


def test_the_exporter_without_a_table_is_as_before(audited):
    exporter = registry.load("export", "shares", runtime=Runtime())
    columns = exporter.columns(report_of(audited))
    assert columns[-1].name == "confusion"
    assert set(columns[-1].values) == {None}
