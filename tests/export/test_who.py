"""What is written of names and posters, and the exchange form of film work."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from analyzer.errors import ResourceError
from analyzer.export import exchange, names, poster_image, posters
from analyzer.inference.runtime import Runtime
from analyzer.types.people import Candidate, Poster
from tests.support.reports import NAN, Face, make_report

FACES = (
    Face(0, 0.0, (10, 20, 110, 140)),
    Face(3, 0.1, (40, 20, 140, 140), detect_conf=NAN),
    Face(6, 0.2, (300, 20, 400, 140), track=3),
    Face(6, 0.2, (0, 0, 40, 50), track=7),
)


def with_poster(name="Grace"):
    report = make_report(FACES, persons={0: 0, 3: 1, 7: -1}, names={0: name})
    poster = Poster(
        path="poster.jpg",
        image=np.full((400, 300, 3), 200, np.uint8),
        boxes=np.array([[10, 50, 110, 150], [150.4, 50, 250, 150]], np.float32),
        scores=np.array([0.9, 0.8], np.float32),
        person_ids=np.array([0, -1]),
        distances=np.array([0.25, 0.75], np.float32),
        sex=("m", "f"),
        age=("40.0", ""),
    )
    return replace(report, poster=poster)


def write(exporter, report, folder, name="x.part.3.1"):
    path = folder / name
    exporter.create(runtime=Runtime()).write(report, path)
    return path


def test_posters_are_one_row_a_face(tmp_path):
    path = write(posters, with_poster("=Grace"), tmp_path)
    header = "face,bbox,detect_conf,person_id,name,distance,sex_label,age_label,area_ratio"
    assert path.read_text().splitlines()[0] == header
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    values = [[*row.values()] for row in rows.to_dict("records")]
    assert values == [
        ["0", "(10, 50, 110, 150)", "0.9000", "0", "'=Grace", "0.2500", "m", "40.0", "0.0833"],
        ["1", "(150, 50, 250, 150)", "0.8000", "", "", "0.7500", "f", "", "0.0830"],
    ]


def test_a_medium_without_a_poster_gives_the_header_and_a_picture_of_the_reason(tmp_path):
    report = replace(make_report(), notes=("poster skipped: p.jpg: No such file",))
    assert len(write(posters, report, tmp_path).read_text().splitlines()) == 1
    with Image.open(write(poster_image, report, tmp_path)) as picture:
        assert np.asarray(picture).std() > 5


@pytest.mark.parametrize(("name", "kind"), [("a.png.part.3.1", "PNG"), ("a.jpg", "JPEG")])
def test_the_poster_is_drawn_at_its_own_size_in_the_format_of_its_name(name, kind, tmp_path):
    report = with_poster()
    with Image.open(write(poster_image, report, tmp_path, name)) as picture:
        assert (picture.format, picture.size) == (kind, (300, 400))
        drawn = np.asarray(picture).astype(int)
    assert abs(drawn[100, 10] - drawn[100, 150]).max() > 30  # a colour, and grey
    assert (abs(drawn[30:46, 10:100] - 200).max(axis=2) > 60).any()  # the label above
    assert abs(drawn[200:] - 200).max() < 10


def test_names_are_json_with_the_candidates(tmp_path):
    report = make_report(FACES, names={0: "é"})
    sure = Candidate(name="é", probability=0.98765, distance=0.25)
    persons = (replace(report.persons[0], candidates=(sure,)), *report.persons[1:])
    path = write(names, replace(report, persons=persons), tmp_path)
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["medium"] == "clip.mp4"
    assert document["persons"][0] == {
        "person_id": 0,
        "name": "é",
        "name_distance": 0.25,
        "candidates": [{"name": "é", "probability": 0.9877, "distance": 0.25}],
    }
    assert document["persons"][1]["candidates"] == []


def exchanged(report, folder):
    with zipfile.ZipFile(write(exchange, report, folder)) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    return {name: [json.loads(line) for line in text.splitlines()] for name, text in texts.items()}


def test_the_exchange_form_has_a_box_for_every_frame_of_a_trajectory(tmp_path):
    report = make_report(FACES, persons={0: 0, 3: 1, 7: -1}, uri="films/123-film.mp4")
    report = replace(report, observations=replace(report.observations, cut_frames=np.array([6])))
    files = exchanged(report, tmp_path)
    first, *_ = files["trajectories.jsonl"]
    assert first == {
        "index": 0,
        "start": 0,
        "len": 4,
        "bbs": [[10, 20, 110, 140], [20, 20, 120, 140], [30, 20, 130, 140], [40, 20, 140, 140]],
        "detected": [True, False, False, False],
        "w": 640,
        "h": 360,
        "object_type": "face",
        "movie_id": 123,
    }
    assert files["scene_changes.json"] == [{"frame_indices": [6], "movie_id": 123}]
    assert files["clusters.json"] == [{"clusters": [0, 1, 2], "movie_id": 123}]
    assert files["predictions.json"][0]["predictions"] == {"0": {}, "1": {}, "2": {}}
    places = {
        (t["start"] + i, *box)
        for t in files["trajectories.jsonl"]
        for i, box in enumerate(t["bbs"])
    }
    assert {(f["frame"], *f["box"]) for f in files["features.jsonl"]} <= places
    assert files["features.jsonl"][0]["tag"] == "123:0:10_20_110_140"
    assert len(files["features.jsonl"][0]["embedding"]) == 4


def test_equal_reports_give_equal_bytes(tmp_path):
    first, second = (write(exchange, make_report(FACES), tmp_path, name) for name in "ab")
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("exporter", [posters, poster_image, names, exchange])
def test_an_empty_report_gives_a_file_and_an_unwritable_folder_an_error(exporter, tmp_path):
    assert write(exporter, make_report(), tmp_path).stat().st_size > 0
    with pytest.raises(ResourceError, match="cannot be written"):
        write(exporter, make_report(), tmp_path / "nowhere")
