"""Corrections in all files that are made of a report."""

import csv
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from lxml import etree

from analyzer import registry
from analyzer.__main__ import main
from analyzer.attributes.labeller import PLAIN
from analyzer.inference.runtime import Runtime
from analyzer.options import AnalysisOptions
from analyzer.reports import corrections_file, portraits, report_file
from analyzer.reports.corrections_file import correction_to_json
from analyzer.review import apply
from analyzer.types import MediaReport
from tests.support.corrected import applied, op, people, sample_report, write

UNIDENTIFIED = "unidentified faces"
EXPORTS = ("csv", "characters", "eaf", "html", "ass", "posters", "names", "json")
PLACE = Path("res/clip.report.zip")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def export(report: MediaReport, stem: str = "res/clip") -> None:
    Path(stem).parent.mkdir(parents=True, exist_ok=True)
    for name in EXPORTS:
        exporter = registry.load("export", name, runtime=Runtime())
        exporter.write(report, Path(f"{stem}{exporter.suffix}"))
    report_file.save(report, Path(f"{stem}.report.zip"), portraits={})


def contents(folder: str = "res") -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


def command(*arguments: str) -> int:
    return main(["correct", *arguments])


def names_in(path: str) -> list[str]:
    return pd.read_csv(path, keep_default_na=False)["name"].tolist()


class TestCommand:
    def test_every_file_has_what_was_corrected(self, capsys: pytest.CaptureFixture[str]) -> None:
        export(sample_report())
        before = contents()
        ops = (op("rename", 1, name="Grace & <b>"), op("split", 2), op("merge", 1, 2))
        assert command(str(PLACE), write(*ops, op("not_a_face", 3))) == 0
        after = contents()
        assert after.keys() - before.keys() == {"clip.corrections.json"}
        assert all(before[name] != after[name] for name in before)
        table = pd.read_csv("res/clip.csv")
        assert table.groupby("name").size().to_dict() == {"Ada": 10, "Grace & <b>": 20}
        assert names_in("res/clip.characters.csv") == ["Grace & <b>", "Ada"]
        tiers = etree.parse("res/clip.eaf").xpath("//TIER/@TIER_ID")
        assert any("Grace & <b>" in tier for tier in tiers)
        assert (
            "Grace \\u0026" in Path("res/clip.html").read_text()
            or "Grace & " in Path("res/clip.html").read_text()
        )
        shown = capsys.readouterr().out
        assert "persons 2 -> 2, faces 40 -> 30" in shown
        assert "person 1 is Grace & <b>" in shown

    def test_the_files_are_those_of_an_analysis_with_these_corrections(self) -> None:
        """What `correct` leaves is what analysing again gives, to the byte."""
        export(sample_report())
        ops = (op("rename", 0, name="Grace"), op("split", 2), op("merge", 1, 2))
        assert command(str(PLACE), write(*ops)) == 0
        corrected = contents()
        document = corrections_file.read(Path("res/clip.corrections.json"))
        export(apply.reapply(sample_report(), document, labeller=lambda: PLAIN))
        assert contents() == corrected

    def test_they_add_up_and_are_taken_back(self) -> None:
        export(sample_report())
        before = contents()
        assert command(str(PLACE), write(op("rename", 0, name="Grace"))) == 0
        assert command(str(PLACE), write(op("split", 2))) == 0
        assert names_in("res/clip.characters.csv") == ["Grace", "", "", UNIDENTIFIED]
        document = corrections_file.read(Path("res/clip.corrections.json"))
        assert [c.op for c in document.corrections] == ["rename", "split"]
        assert command(str(PLACE), "--revert") == 0
        after = contents()
        assert corrections_file.read(Path("res/clip.corrections.json")).corrections == ()
        assert {name: data for name, data in after.items() if name in before} == before

    def test_a_dry_run_changes_nothing(self, capsys: pytest.CaptureFixture[str]) -> None:
        export(sample_report())
        before = contents()
        assert command(str(PLACE), write(op("rename", 0, name="Grace")), "--dry-run") == 0
        assert contents() == before
        assert "res/clip.eaf" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("ops", "change", "code", "says"),
        [
            ([op("rename", 9, name="a")], {}, 2, "there is no person 9: nothing was changed"),
            ([op("split", 9)], {}, 2, "there is no track 9"),
            ([op("merge", 0, 9)], {}, 2, "there is no person 9"),
            ([], {"source": {"uri": "b.mp4", "name": "b.mp4", "options": ""}}, 2, "are of b.mp4"),
            (
                [],
                {"source": {"uri": "clip.mp4", "name": "clip.mp4", "options": "0"}},
                2,
                "with other options than res/clip.report.zip",
            ),
            ([], {"version": 7}, 1, "version 7"),
        ],
    )
    def test_what_cannot_be_made_is_told_and_nothing_is_changed(
        self,
        ops: Sequence[Mapping[str, Any]],
        change: dict[str, Any],
        code: int,
        says: str,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        export(sample_report())
        before = contents()
        assert command(str(PLACE), write(*ops, change=change)) == code
        errors = capsys.readouterr().err
        assert says in errors
        assert errors.count("\n") == 1
        assert contents() == before

    def test_others_can_be_tried_by_their_boxes(self) -> None:
        export(sample_report(rate=2.0, first_track=7))
        operations = [
            correction_to_json(c)
            for c in applied(sample_report(), op("rename", 0, name="Grace")).corrections
        ]
        source = {"uri": "old/b.mp4", "name": "b.mp4", "options": "0"}
        assert command(str(PLACE), write(*operations, change={"source": source}), "--force") == 0
        assert names_in("res/clip.characters.csv") == ["Grace", "", UNIDENTIFIED]

    def test_what_is_asked_for_must_be_clear(self, capsys: pytest.CaptureFixture[str]) -> None:
        export(sample_report())
        export(sample_report(), "res/twin")
        export(sample_report(uri="far/b.mp4"), "res/b")
        rename = write(op("rename", 0, name="Grace"))
        for arguments, says in (
            ([str(PLACE)], "give a file of corrections, or --revert"),
            ([str(PLACE), rename, "--revert"], "give a file of corrections, or --revert"),
            (["res", rename], "2 reports may be meant"),
            (["res", "--revert"], "3 reports may be meant"),
            (["res/clip.csv", rename], "no report there"),
        ):
            assert command(*arguments) == 2
            assert says in capsys.readouterr().err
        source = {"uri": "b.mp4", "name": "b.mp4", "options": AnalysisOptions().digest()}
        assert command("res", write(op("rename", 1, name="Bob"), change={"source": source})) == 0
        assert names_in("res/b.characters.csv") == ["Ada", "Bob", UNIDENTIFIED]

    def test_a_joblist_names_files_corrections_and_changes(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        export(sample_report())
        columns = "source_path,dest_csv,dest_report"
        Path("jobs.csv").write_text(f"{columns}\nclip.mp4,res/clip.csv,res/clip.report.zip\n")
        assert command("jobs.csv", write(op("rename", 0, name="Grace"))) == 0
        assert "a column corrections of jobs.csv" in capsys.readouterr().out
        Path("jobs.csv").write_text(
            f"{columns},corrections\nclip.mp4,res/clip.csv,res/clip.report.zip,kept.json\n"
        )
        assert command("jobs.csv", write(op("split", 2))) == 0
        shown = capsys.readouterr().out
        assert "python -m jobs accept jobs.csv --changes jobs.changes.csv" in shown
        assert "a column corrections" not in shown
        assert len(corrections_file.read(Path("kept.json")).corrections) == 2
        with open("jobs.changes.csv", newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert [Path(row["path"]).name for row in rows] == ["clip.csv", "clip.report.zip"] * 2
        assert all(row["sha256_before"] for row in rows)

    def test_if_one_file_cannot_be_written_none_is_changed(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        export(sample_report())
        before = contents()
        monkeypatch.setattr(
            report_file, "save", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "full"))
        )
        assert command(str(PLACE), write(op("rename", 0, name="Grace"))) == 1
        assert contents() == before

    def test_the_medium_itself_is_never_written(self) -> None:
        """A medium beside its results has the name that their video would have."""
        Path("res").mkdir()
        Path("res/clip.mp4").write_bytes(b"the only one")
        export(sample_report(uri="res/clip.mp4"))
        assert command(str(PLACE), write(op("rename", 0, name="Grace")), "--force") == 0
        assert Path("res/clip.mp4").read_bytes() == b"the only one"
        assert main(["forget", "Grace", "--results", "res", "--yes"]) == 0
        assert Path("res/clip.mp4").read_bytes() == b"the only one"

    def test_portraits_stay_where_the_medium_is_gone(self) -> None:
        export(sample_report())
        pictures = {track: b"\xff\xd8 %d" % track for track in portraits.of_tracks(sample_report())}
        report_file.save(sample_report(), PLACE, portraits=pictures)
        assert command(str(PLACE), write(op("not_a_face", 1))) == 0
        assert report_file.portraits(PLACE) == {t: p for t, p in pictures.items() if t != 1}


class TestForgetting:
    def test_nothing_of_who_was_renamed_is_left(self, folder: Path) -> None:
        export(sample_report())
        assert command(str(PLACE), write(op("rename", 1, name="Grace"), op("split", 2))) == 0
        assert main(["forget", "Grace", "--results", "res", "--yes"]) == 0
        shutil.unpack_archive(PLACE, "whole", "zip")
        for path in [*Path("res").iterdir(), *Path("whole").rglob("*.*")]:
            assert b"Grace" not in path.read_bytes(), path
        report = report_file.load(PLACE)
        assert report.uncorrected is not None
        for each in (report, report.uncorrected):
            assert not each.identities.centroids[1].any()
            rows = each.observations.embedding_rows
            assert 1 not in each.observations.track_id[rows]
        assert [c.name for c in report.corrections] == ["", ""]
        assert people(report)[1].identity_id is None
        assert people(report)[0].identity_id == 17

    def test_by_number_the_name_does_not_come_back(self) -> None:
        export(sample_report())
        assert command(str(PLACE), write(op("rename", 1, name="Grace"))) == 0
        assert main(["forget", "person:1", "--results", "res", "--yes"]) == 0
        document = corrections_file.read(Path("res/clip.corrections.json"))
        again = apply.reapply(sample_report(), document, labeller=lambda: PLAIN)
        assert people(again)[1].name is None
        assert command(str(PLACE), write(op("split", 2))) == 0
        assert not any("Grace" in name for name in names_in("res/clip.characters.csv"))

    def test_what_the_gallery_said_before_goes_too(self) -> None:
        export(sample_report())
        assert command(str(PLACE), write(op("rename", 0, name="Grace"), op("split", 2))) == 0
        assert main(["forget", "Ada", "--results", "res", "--yes"]) == 0
        report = report_file.load(PLACE)
        assert people(report)[0].name == "Grace"
        assert report.uncorrected is not None
        assert people(report.uncorrected)[0].name is None

    def test_without_a_report_what_is_kept_is_mended(self) -> None:
        export(sample_report())
        assert command(str(PLACE), write(op("rename", 1, name="Grace"))) == 0
        for path in Path("res").iterdir():
            if path.name not in ("clip.csv", "clip.corrections.json"):
                path.unlink()
        assert main(["forget", "Grace", "--results", "res", "--yes"]) == 0
        assert b"Grace" not in Path("res/clip.corrections.json").read_bytes()

    def test_corrections_without_results_are_searched(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        export(sample_report())
        assert command(str(PLACE), write(op("rename", 1, name="Grace"))) == 0
        Path("res/clip.corrections.json").rename("res/lost.corrections.json")
        assert main(["forget", "Grace", "--results", "res", "--yes"]) == 1
        assert "left: res/lost.corrections.json" in capsys.readouterr().err
