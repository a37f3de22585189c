"""The parameters of the tool for trailers and posters, as Python's keywords, and what it gave."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analyzer import analyze, dataframe, read, recluster, write
from analyzer.__main__ import main
from analyzer.types import MediaReport
from tests.support.media import ffmpeg

PARAMETERS = {
    "min_area": 0.001,
    "max_area": 0.9,
    "min_conf": 0.5,
    "bbox_expand_factor": 0.3,
    "min_conf_cla": 0.9,
    "min_sharpness_cla": 10,
    "max_z_cla": 1.5,
    "cluster_model": "hierarchical",
    "cluster_threshold": 0.55,
    "agr_method": "majority",
    "batch_size": 16,
    "device": "cpu",
    "num_cpu": 2,
    "store_visuals": True,
}


@pytest.fixture(scope="module")
def titles(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two titles, each with a trailer of 6 seconds and a poster that shows one of its people."""
    folder = tmp_path_factory.mktemp("titles")
    for name in ("tt1", "tt2"):
        (folder / name).mkdir()
        part = ("-t", "6", "-c:v", "libx264", "-preset", "ultrafast")
        ffmpeg("-i", sample / "sample.mp4", *part, folder / name / "trailer.mp4")
        still = ("-ss", "1", "-frames:v", "1")
        ffmpeg("-i", sample / "sample.mp4", *still, folder / name / "poster.jpg")
    return folder


@pytest.fixture(scope="module")
def report(titles: Path) -> MediaReport:
    title = titles / "tt1"
    with pytest.warns(UserWarning, match=r"docs/coming-from\.md") as told:
        report = analyze(
            title / "trailer.mp4",
            poster=title / "poster.jpg",
            fps=5,
            attributes="sex,age,ethnicity",
            **PARAMETERS,
        )
    assert {str(note.message).split()[0] for note in told} == set(PARAMETERS) - {
        *("min_area", "max_area", "min_conf", "cluster_threshold", "batch_size", "device"),
    }
    return report


def test_the_parameters_are_options(report: MediaReport) -> None:
    options = report.provenance["options"]
    assert options["bbox_expand"] == 1.3
    assert options["clusterer"] == "agglomerative"
    assert options["aggregate"] == "vote"
    assert options["cluster_threshold"] == 0.55


def test_what_it_gave_of_each_character(report: MediaReport) -> None:
    """Its words: persons_ids, gender, age, ethnicity, screen_time, occupied_area."""
    people = dataframe(report, "characters")
    columns = ["person_id", "age_label", "ethnicity_label"]
    assert people[columns].notna().all(axis=None)
    # Of the second one the network is not sure.
    assert people["sex_label"].fillna("").tolist() == ["f", ""]
    assert (people[["screen_time_s", "mean_area_ratio"]] > 0).all(axis=None)
    assert all(person.track_ids for person in report.persons)


def test_what_it_gave_of_each_face_of_a_poster(report: MediaReport, tmp_path: Path) -> None:
    """Its words: bbox, gender, age, ethnicity, occupied_area, cropped_face."""
    poster = report.poster
    assert poster is not None
    assert len(poster.boxes) == 1
    assert (poster.person_ids[0], poster.sex[0]) == (report.persons[0].person_id, "f")
    assert 0 < float(poster.age[0]) < 100
    x1, y1, x2, y2 = np.rint(poster.boxes[0]).astype(int)
    assert poster.image[y1:y2, x1:x2].shape[2] == 3
    write(report, tmp_path / "tt1.posters.csv")
    header, row = (tmp_path / "tt1.posters.csv").read_text().splitlines()
    assert header.endswith("sex_label,age_label,area_ratio,ethnicity_label")
    assert float(row.split(",")[-2]) > 0
    assert poster.ethnicity == (row.split(",")[-1],) != ("",)
    write(report, tmp_path / "tt1.report.zip")
    again = read(tmp_path / "tt1.report.zip")
    assert again.poster is not None
    assert again.poster.ethnicity == poster.ethnicity
    assert recluster(again).poster.ethnicity == poster.ethnicity
    write(report, tmp_path / "tt1.poster.jpg")
    write(report, tmp_path / "tt1.poster_crops.zip")
    with zipfile.ZipFile(tmp_path / "tt1.poster_crops.zip") as crops:
        assert crops.namelist() == ["0.jpg"], "the number of the face in posters"
        crop = np.asarray(Image.open(io.BytesIO(crops.read("0.jpg"))))
    assert crop.shape == (160, 160, 3)
    assert not np.array_equal(crop[:8], crop[-8:])
    write(report, tmp_path / "tt1.mp4")


def test_a_part_of_the_titles(titles: Path, tmp_path: Path) -> None:
    """Its istart and istop are the rows of a joblist; each item has its files when it is done."""
    rows = ["source_path,poster_path,item_id,dest_csv,dest_characters,dest_posters"]
    for name in ("tt1", "tt2"):
        given = f"{titles / name}/trailer.mp4,{titles / name}/poster.jpg,{name}"
        stem = tmp_path / name
        rows.append(f"{given},{stem}.csv,{stem}.characters.csv,{stem}.posters.csv")
    (tmp_path / "titles.csv").write_text("\n".join(rows) + "\n")
    arguments = ["analyze", str(tmp_path / "titles.csv"), "--rows", "2:2", "--frame_step", "15"]
    assert main(arguments) == 0
    written = {p.name for p in tmp_path.glob("tt*")}
    assert written == {"tt2.csv", "tt2.characters.csv", "tt2.posters.csv"}
