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

SHIPPED = {"dlib_resnet_attributes": "db024e51f43b8849" + 48 * "0"}
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
    assert own.labels["sex"].counts.tolist() == [[[30, 5], [10, 55]]]


def test_shares_are_corrected_by_it(audited):
    """Two answers: the likelihood s a + (1 - s) b of both has its maximum where this is 0."""
    words = ["export", "results/film0.report.zip", "-o", "out"]
    assert main([*words, "--export", "shares:confusion=confusion.json"]) == 0
    row = table(audited / "out" / "film0.shares.csv")[0]
    assert (row["attribute"], row["group"], row["observed"]) == ("sex", "f", "0.4000")
    likelihoods = tables.own(audited / "confusion.json").counts["sex"].likelihoods()[1]
    (a0, a9), (b0, b9) = likelihoods[0, [0, 9]], likelihoods[1, [0, 9]]
    d0, d9 = a0 - b0, a9 - b9
    # 40 d0 / (b0 + s d0) + 60 d9 / (b9 + s d9) = 0
    by_hand = -(40 * d0 * b9 + 60 * d9 * b0) / (100 * d0 * d9)
    assert float(row["corrected"]) == pytest.approx(by_hand, abs=1e-4)
    assert main([*words[:3], "again", "--export", "shares"]) == 0
    shipped = table(audited / "again" / "film0.shares.csv")[0]["corrected"]
    assert abs(float(shipped) - by_hand) > 0.02


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
    """The adjusted count of Forman 2008, with half a face in each cell."""
    with (audited / "sample.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["source_path", "start_s", "stop_s", "weight", "draw", "dest_json"])
        for number in range(40):
            women = 40 + 10 * (number % 2) - 5
            tracks = [
                {"labels": {"sex": sex, "age": "30"}, "intervals_s": [[0, seconds]]}
                for sex, seconds in (("f", women), ("m", 100 - women))
            ]
            document = {"models": SHIPPED, "tracks": tracks}
            (audited / f"{number}.json").write_text(json.dumps(document))
            rows.writerow([f"{number}.mp4", 0, 60, 10, number + 1, f"{number}.json"])
    words = ["estimate", "sample.csv", "--write", "out.json"]
    assert main([*words, "--confusion", "confusion.json"]) == 0
    women, men = json.loads((audited / "out.json").read_text())["shares"]
    a, b = 30.5 / 36, 10.5 / 66
    assert women["share"] == pytest.approx((0.4 - b) / (a - b), abs=1e-6)
    assert men["share"] == pytest.approx(1 - women["share"])
    corrected_error = women["error"]
    assert main(words) == 0
    plain = json.loads((audited / "out.json").read_text())["shares"][0]
    # The error of the lot grows by the slope; that of a table from 100 faces comes to it.
    assert corrected_error > plain["error"] / (a - b)
    assert plain["share"] == pytest.approx(0.4)
    for more, message in (
        (["--of", "ethnicity"], "has no table of ethnicity, but of sex, age"),
        (["--over", "persons"], "leave out --over persons"),
        (["--until", "3"], "leave out --confusion"),
        (["--of", "age", "--ages", "9"], "leave out --ages"),
    ):
        assert main([*words, "--confusion", "confusion.json", *more]) == 2
        assert message in capsys.readouterr().err


def test_tables_of_other_networks_are_refused(audited):
    own = tables.own(audited / "confusion.json")
    with pytest.raises(InputError, match="is of other networks than these results"):
        tables.tables_of({"other": "0"}, own)


@pytest.mark.parametrize(
    "damage",
    [
        {"counts": {"sex": [[[1, 2]]]}},
        {"counts": {"sex": np.zeros((4, 2, 10)).tolist()}},
        {"labels": {}},
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
