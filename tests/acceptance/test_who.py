"""Who is who, on real media: names from galleries, and the faces of a poster."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import serve, table

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]
PORTRAITS = ("obama.jpg", "biden.jpg", "lin-manuel-miranda.png", "alex-lacamoire.png")
PERFORMER = "lin-manuel-miranda"
OTHERS = {"pianist": "alex-lacamoire", "president": "obama"}
"""Who else of the gallery is in the clip, by label; seen in profile."""
LABELS = Path(__file__).parent / "labels" / "short_hamilton_clip.csv"


@pytest.fixture(scope="module")
def clip(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of the clip with a gallery and a poster."""
    out = tmp_path_factory.mktemp("who")
    (out / "people").mkdir()
    for name in PORTRAITS:
        shutil.copy(shared / "media" / "images" / name, out / "people")
    row: dict[str, object] = {
        "source_path": shared / "media" / "video" / "short_hamilton_clip.mp4",
        "poster_path": shared / "media" / "images" / "two_people.jpg",
        "gallery": out / "people",
    }
    for name, end in (("csv", "csv"), ("posters", "posters.csv"), ("poster_image", "poster.jpg")):
        row[f"dest_{name}"] = out / f"clip.{end}"
    code, text = serve(out, [row], "--fps", "5")
    assert code == 0, text
    return out


def persons_of(label: str, rows: list[dict[str, Any]]) -> set[str]:
    """The persons of the clip's faces with a label."""
    found = set()
    for face in table(LABELS):
        for row in rows if face["person"] == label else ():
            x1, y1, x2, y2 = map(int, row["bbox"].strip("()").split(","))
            is_there = x1 <= float(face["x"]) < x2 and y1 <= float(face["y"]) < y2
            if is_there and abs(float(row["time_s"]) - float(face["time_s"])) < 0.05:
                found.add(row["person_id"])
    return found


def test_the_performer_is_named_on_all_his_tracks_and_nobody_wrongly(clip: Path) -> None:
    rows = table(clip / "clip.csv")
    tracks = {r["face_id"] for r in rows if r["name"] == PERFORMER}
    # He is on screen from the first picture to 7.9 s but for the pianist's 1.5 s.
    his = {r["face_id"] for r in rows if r["person_id"] == "0"}
    assert tracks == his
    assert len(his) == 2
    names = {r["person_id"]: r["name"] for r in rows if r["name"]}
    assert "biden" not in names.values()
    allowed = {p: name for label, name in OTHERS.items() for p in persons_of(label, rows)}
    assert all(allowed.get(p, PERFORMER) == name for p, name in names.items())


def test_of_the_posters_two_faces_one_is_a_character(clip: Path) -> None:
    left, right = sorted(table(clip / "clip.posters.csv"), key=lambda r: int(r["bbox"][1:4]))
    assert {left["person_id"]} == persons_of("president", table(clip / "clip.csv"))
    assert right["person_id"] == ""
    assert float(left["distance"]) < float(right["distance"])
    assert (clip / "clip.poster.jpg").stat().st_size > 10_000


def test_a_missing_medium_is_skipped_and_its_poster_done(shared: Path, tmp_path: Path) -> None:
    row: dict[str, object] = {
        "source_path": tmp_path / "missing.mp4",
        "poster_path": shared / "media" / "images" / "two_people.jpg",
        "dest_csv": tmp_path / "a.csv",
        "dest_mp4": tmp_path / "a.mp4",
        "dest_posters": tmp_path / "a.posters.csv",
    }
    code, text = serve(tmp_path, [row])
    assert code == 0, text
    assert "the medium cannot be read and was skipped" in text
    assert table(tmp_path / "a.csv") == []
    assert not (tmp_path / "a.mp4").exists()
    assert [r["person_id"] for r in table(tmp_path / "a.posters.csv")] == ["", ""]


def lfw(shared: Path, out: Path, portraits: int) -> dict[str, list[dict[str, Any]]]:
    """Characters of five pictures a person, by file.

    Args:
        shared: Folder of real media.
        out: Folder for pictures, portraits and results.
        portraits: Number of persons in the gallery.
    """
    people = sorted((shared / "media" / "images" / "lfw_subset").iterdir())
    rows: list[dict[str, object]] = []
    for number, person in enumerate(people):
        pictures = sorted(person.iterdir())
        if number < portraits:
            (out / "people" / person.name).mkdir(parents=True)
            for picture in pictures[:5]:
                shutil.copy(picture, out / "people" / person.name)
        rows += [
            {
                "source_path": picture,
                "gallery": out / "people",
                "dest_csv": out / f"{picture.stem}.csv",
                "dest_characters": out / f"{picture.stem}.characters.csv",
            }
            for picture in pictures[5:]
        ]
    assert len(rows) == 50
    code, text = serve(out, rows, "--engine", "image")
    assert code == 0, text
    return {
        Path(str(row["source_path"])).stem: table(Path(str(row["dest_characters"]))) for row in rows
    }


def name_of_largest(characters: list[dict[str, Any]]) -> str:
    largest = max(characters, key=lambda r: float(r["mean_area_ratio"]), default={"name": ""})
    return str(largest["name"])


def test_forty_nine_of_fifty_are_named_rightly(shared: Path, tmp_path: Path) -> None:
    rows_of_file = lfw(shared, tmp_path, portraits=10)
    right = [
        name_of_largest(rows) == file.rpartition("_")[0] for file, rows in rows_of_file.items()
    ]
    assert sum(right) >= 49


def test_at_most_one_stranger_is_named(shared: Path, tmp_path: Path) -> None:
    rows_of_file = lfw(shared, tmp_path, portraits=5)
    names = {folder.name for folder in (tmp_path / "people").iterdir()}
    assert len(names) == 5
    strangers = {f: r for f, r in rows_of_file.items() if f.rpartition("_")[0] not in names}
    assert len(strangers) == 25
    persons = [row for rows in strangers.values() for row in rows if row["person_id"]]
    assert sum(row["name"] != "" for row in persons) <= 1
