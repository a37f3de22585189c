"""Still pictures through the public commands: neighbours, shots, corrections, and no times."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from analyzer import analyze, read
from analyzer.__main__ import main
from analyzer.options import AnalysisOptions
from tests.support import readers
from tests.support.media import ASTRONAUT_FACE, astronaut

EXPORTS = "csv,characters,shots,json,xlsx,parquet,report,webannotation"


def close_up(width: int) -> np.ndarray:
    """The portrait's face with some of its hair: (200, width, 3)."""
    x1, _, x2, _ = ASTRONAUT_FACE[0].astype(int)
    left = (x1 + x2 - width) // 2
    return astronaut()[30:230, left : left + width]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two neighbours, nobody, one face, in this order; a face is less than its size from the next.

    A film of the first picture shows the same two.
    """
    folder = tmp_path_factory.mktemp("pictures")
    pair = np.pad(np.hstack([close_up(94), close_up(94)[:, ::-1]]), ((60, 60), (90, 90), (0, 0)))
    Image.fromarray(pair).save(folder / "a pair.png")
    Image.fromarray(np.full((200, 300, 3), 128, np.uint8)).save(folder / "b nobody.png")
    Image.fromarray(astronaut()).save(folder / "c alone.png")
    return folder


@pytest.fixture(scope="module")
def results(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of results, of which a test may change a copy."""
    folder = tmp_path_factory.mktemp("results")
    command = ["analyze", str(pictures), "-o", str(folder), "--engine", "image"]
    assert main([*command, "--export", EXPORTS]) == 0
    return folder


@pytest.fixture
def copied(results: Path, tmp_path: Path) -> Path:
    for file in results.glob("*.*"):
        if file.is_dir():
            continue
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def one(folder: Path, suffix: str) -> Path:
    (path,) = folder.glob(f"*{suffix}")
    return path


def rows(folder: Path) -> pd.DataFrame:
    return pd.read_csv(next(p for p in folder.glob("*.csv") if p.name.count(".") == 1))


def correct(folder: Path, *ops: Mapping[str, Any]) -> int:
    """Apply corrections to the results in a folder."""
    report = one(folder, ".report.zip")
    source = {
        "uri": "pictures",
        "name": Path(read(report).info.uri).name,
        "options": AnalysisOptions(engine="image").digest(),
    }
    document = {"format": "ina-corrections", "version": 1, "source": source, "corrections": ops}
    file = folder / "made.json"
    file.write_text(json.dumps(document))
    return main(["correct", str(report), str(file)])


def test_two_neighbours_of_one_picture_are_two_people(results: Path) -> None:
    report = read(one(results, ".report.zip"))
    pair = report.observations.frame == 0
    assert pair.sum() == 2
    assert len(set(report.observations.track_id[pair].tolist())) == 2
    assert len(set(report.row_persons()[pair].tolist())) == 2
    boxes = report.observations.boxes[pair]
    centres, sizes = (boxes[:, 0] + boxes[:, 2]) / 2, report.observations.face_px[pair]
    assert np.ptp(centres) < sizes.min(), "near enough to be taken for one that has moved"


def test_every_picture_is_a_shot(results: Path) -> None:
    shots = pd.read_csv(one(results, ".shots.csv"))
    assert [Path(path).name for path in shots["frame"]] == [
        *("a pair.png", "b nobody.png", "c alone.png"),
    ]
    people = [set(str(ids).split()) if ids == ids else set() for ids in shots["person_ids"]]
    assert [len(ids) for ids in people] == [2, 0, 1]
    assert shots[["start_s", "end_s", "duration_s"]].isna().all(axis=None)
    assert one(results, ".report.json")
    document = json.loads(one(results, ".report.json").read_text())
    assert (document["counts"]["shots"], len(document["shots"])) == (3, 3)
    assert len(readers.sheet(one(results, ".xlsx"), "shots")) == 3


def test_a_single_picture_is_a_shot(pictures: Path, tmp_path: Path) -> None:
    command = ["analyze", str(pictures / "c alone.png"), "-o", str(tmp_path), "--engine", "image"]
    assert main([*command, "--export", "shots"]) == 0
    shots = pd.read_csv(one(tmp_path, ".shots.csv"), dtype=str)
    assert shots["person_ids"].tolist() == ["0"]
    assert shots["frame"].tolist() == [str(pictures / "c alone.png")]


def test_no_format_has_a_time(results: Path) -> None:
    """Numbers of pictures are no seconds."""
    times = ["first_s", "last_s", "screen_time_s", "screen_share"]
    assert pd.read_csv(one(results, ".characters.csv"))[times].isna().all(axis=None)
    parquet = pd.read_parquet(one(results, ".parquet"))
    columns = ["time_s", "duration_s", "person_screen_time_s"]
    assert parquet[columns].isna().all(axis=None)
    document = json.loads(one(results, ".report.json").read_text())
    for person in document["persons"]:
        assert [person[name] for name in times] == [None] * 4
        assert person["intervals_s"] == []
    assert all(track["intervals_s"] == [] for track in document["tracks"])
    assert document["medium"]["analysed_s"] is None
    assert {(shot["start_s"], shot["end_s"]) for shot in document["shots"]} == {(None, None)}
    for sheet, names in (("persons", times), ("appearances", ["start_s", "end_s"])):
        for row in readers.sheet(one(results, ".xlsx"), sheet):
            assert [row[name] for name in names] == [None] * len(names)
    annotations = json.loads(one(results, ".webannotation.jsonld").read_text())
    assert "t=" not in json.dumps(annotations["first"]["items"])


def test_nothing_is_printed_as_seconds(pictures: Path, tmp_path: Path, capsys: Any) -> None:
    command = ["analyze", str(pictures), "-o", str(tmp_path), "--engine", "image"]
    assert main([*command, "--export", "csv"]) == 0
    told = capsys.readouterr().out
    assert "screen time" not in told
    assert "real time" not in told
    assert len(re.findall(r"\d s\b", told)) == 1, "but for how long it took"
    report = analyze(pictures, engine="image")
    assert repr(report).endswith("3 faces, 3 pictures>")
    shown = report._repr_html_()
    assert shown is not None
    assert "3 pictures" in shown
    assert " s</td>" not in shown


def test_an_archive_of_pictures_has_no_times(results: Path, tmp_path: Path) -> None:
    assert main(["collect", str(one(results, ".report.zip")), "-o", str(tmp_path)]) == 0
    appearances = pd.read_csv(tmp_path / "appearances.csv")
    assert appearances[["first_s", "last_s", "screen_time_s"]].isna().all(axis=None)
    assert pd.read_csv(tmp_path / "identities.csv")["screen_time_s"].isna().all()
    assert pd.read_csv(tmp_path / "media.csv")["duration_s"].isna().all()
    page = (tmp_path / "index.html").read_text()
    assert "in 1 picture" in page
    assert "on screen</li>" not in page


class TestCorrections:
    def test_by_numbers_alone(self, copied: Path, capsys: Any) -> None:
        before = rows(copied)
        right = before[before["frame"].str.endswith("pair.png")].iloc[1]
        ops = (
            {"op": "rename", "person": int(right.person_id), "name": "Grace"},
            {"op": "not_a_face", "track": 0},
        )
        assert correct(copied, *ops) == 0, capsys.readouterr().err
        after = rows(copied)
        assert len(after) == len(before) - 1
        grace = after[after["name"] == "Grace"]
        assert right.bbox in set(grace["bbox"])

    def test_the_kept_file_names_pictures_and_no_times(self, copied: Path) -> None:
        assert correct(copied, {"op": "rename", "person": 0, "name": "Grace"}) == 0
        kept = one(copied, ".corrections.json").read_text()
        (made,) = json.loads(kept)["corrections"]
        assert {anchor["picture"] for anchor in made["anchor"]} <= {"a pair.png", "c alone.png"}
        assert "time_s" not in kept

    @pytest.mark.parametrize("where", ["c alone.png", 2, "elsewhere/c alone.png"])
    def test_by_a_file_name_or_number(self, copied: Path, where: str | int) -> None:
        anchor = [{"picture": where, "bbox": ASTRONAUT_FACE[0].tolist()}]
        assert correct(copied, {"op": "rename", "person": 7, "name": "Ada", "anchor": anchor}) == 0
        named = rows(copied).dropna(subset="name")
        assert "c alone.png" in {Path(path).name for path in named["frame"]}
        assert set(named["name"]) == {"Ada"}

    def test_a_name_finds_its_picture_after_others_were_added(
        self, pictures: Path, copied: Path, tmp_path: Path
    ) -> None:
        alone = [{"picture": "c alone.png", "bbox": ASTRONAUT_FACE[0].tolist()}]
        split = {"op": "not_a_face", "track": 0, "anchor": alone}
        assert correct(copied, split) == 0
        more = tmp_path / "more"
        more.mkdir()
        for name in ("a pair.png", "b nobody.png", "c alone.png"):
            (more / name).write_bytes((pictures / name).read_bytes())
        (more / "0 first.png").write_bytes((pictures / "c alone.png").read_bytes())
        (made,) = copied.glob("*.corrections.json")
        out = tmp_path / "out"
        command = ["analyze", str(more), "-o", str(out), "--engine", "image", "--export"]
        assert main([*command, "csv,report"]) == 0
        assert main(["correct", str(one(out, ".report.zip")), str(made), "--force"]) == 0
        left = [Path(path).name for path in rows(out)["frame"]]
        assert sorted(left) == ["0 first.png", "a pair.png", "a pair.png"]

    def test_they_outlast_a_new_grouping_and_can_be_taken_back(self, copied: Path) -> None:
        before = rows(copied)
        assert correct(copied, {"op": "rename", "person": 0, "name": "Grace"}) == 0
        report = str(one(copied, ".report.zip"))
        assert main(["recluster", report, "--cluster_threshold", "0.4"]) == 0
        assert "Grace" in set(rows(copied)["name"])
        assert main(["correct", report, "--revert"]) == 0
        assert rows(copied)["name"].isna().all()
        assert len(rows(copied)) == len(before)

    def test_a_picture_that_is_gone_is_named(self, copied: Path, capsys: Any) -> None:
        anchor = [{"picture": "d.png", "bbox": [0, 0, 9, 9]}]
        assert correct(copied, {"op": "split", "track": 0, "anchor": anchor}) == 2
        assert "no face is where track 0 was in picture d.png" in capsys.readouterr().err

    def test_two_of_one_picture_who_are_merged_are_told(self, copied: Path, capsys: Any) -> None:
        pair = rows(copied).iloc[:2]
        people = [int(person) for person in pair["person_id"]]
        assert correct(copied, {"op": "merge", "persons": people}) == 0
        assert "seen at once, first in a pair.png, in 1 pictures" in capsys.readouterr().err
