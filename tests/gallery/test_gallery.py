"""Galleries as folders of pictures and in the exchange form, and posters, with real models."""

import csv
import json
from pathlib import Path

import matplotlib.cbook
import numpy as np
import pytest
import skimage.data
from PIL import Image

from analyzer.errors import InputError
from analyzer.files import cache
from analyzer.gallery.folder import Galleries
from analyzer.gallery.poster import identify
from analyzer.options import AnalysisOptions
from analyzer.pipeline import components, stills
from tests.support.analysis import analyze


@pytest.fixture(scope="module")
def models():
    return components.load_components(AnalysisOptions(engine="image", device="cpu"))


@pytest.fixture(autouse=True)
def private_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "path", tmp_path.joinpath("cache").joinpath)


def astronaut() -> Image.Image:
    return Image.fromarray(skimage.data.astronaut())


def hopper() -> Image.Image:
    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as file:
        return Image.open(file).convert("RGB")


def save(picture: Image.Image, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
    return path


@pytest.fixture
def people(tmp_path):
    """A folder of a picture, a folder of pictures, and one that shows no person."""
    folder = tmp_path / "people"
    save(astronaut(), folder / "an-astronaut.png")
    save(hopper(), folder / "Grace é" / "1.jpg")
    save(Image.new("RGB", (64, 64)), folder / "Grace é" / "2.png")
    (folder / ".hidden.png").touch()
    (folder / "notes.txt").touch()
    return folder


def test_file_and_folder_names_are_names_and_a_picture_of_nobody_is_named(people, models):
    gallery = Galleries(models).get(str(people))
    assert gallery.names == ("Grace é", "an-astronaut")
    assert gallery.embeddings.shape == (2, 128)
    assert len(gallery.notes) == 1
    assert str(people / "Grace é" / "2.png") in gallery.notes[0]
    assert "no face" in gallery.notes[0]


def test_of_several_faces_the_largest_is_taken_and_said_so(tmp_path, models):
    wide = Image.new("RGB", (1024, 512))
    wide.paste(astronaut().resize((256, 256)), (0, 0))
    wide.paste(astronaut().transpose(Image.Transpose.FLIP_LEFT_RIGHT), (512, 0))
    picture = save(wide, tmp_path / "people" / "twins.png")
    gallery = Galleries(models).get(str(picture.parent))
    still = stills.describe_still(str(picture), models)
    largest = int(np.argmax(still.detections.boxes[:, 2] - still.detections.boxes[:, 0]))
    assert still.detections.boxes[largest, 0] > 512
    np.testing.assert_array_equal(gallery.embeddings[0], still.descriptions.embeddings[largest])
    assert f"{picture}: 2 faces" in gallery.notes[0]


def test_of_a_crop_the_face_in_the_middle_is_meant(tmp_path, models):
    """A neighbour at the edge is larger; in a picture that is not square, the largest counts."""
    crop = Image.new("RGB", (700, 700))
    crop.paste(astronaut().transpose(Image.Transpose.FLIP_LEFT_RIGHT), (-250, -60))
    crop.paste(astronaut().resize((256, 256)).crop((60, 0, 200, 140)), (300, 285))
    people = tmp_path / "people"
    square = save(crop, people / "square.png")
    wide = save(crop.crop((0, 0, 700, 690)), people / "wide.png")
    gallery = Galleries(models).get(str(people))
    for number, picture in enumerate((square, wide)):
        still = stills.describe_still(str(picture), models)
        sides = still.detections.boxes[:, 2] - still.detections.boxes[:, 0]
        assert len(sides) == 2
        meant = int(np.argmin(sides) if picture == square else np.argmax(sides))
        expected = still.descriptions.embeddings[meant]
        np.testing.assert_array_equal(gallery.embeddings[number], expected)
    assert "the one in the middle is taken for square" in gallery.notes[0]
    assert "the largest is taken for wide" in gallery.notes[1]


def test_a_gallery_is_described_once_and_again_when_a_picture_changes(people, models, monkeypatch):
    looks = []
    look = stills.describe_still
    counted = "analyzer.gallery.folder.describe_still"
    monkeypatch.setattr(counted, lambda path, m: looks.append(path) or look(path, m))
    first = Galleries(models).get(str(people))
    assert len(looks) == 3
    again = Galleries(models).get(str(people))
    assert len(looks) == 3
    assert (again.names, again.notes) == (first.names, first.notes)
    np.testing.assert_array_equal(again.embeddings, first.embeddings)
    galleries = Galleries(models)
    assert galleries.get(str(people)) is galleries.get(str(people))
    save(hopper(), people / "Grace é" / "2.png")
    assert len(galleries.get(str(people)).names) == 3


@pytest.mark.parametrize("exists", [False, True])
def test_a_gallery_without_portraits_is_an_input_error(exists, tmp_path, models):
    folder = tmp_path / "people"
    if exists:
        folder.mkdir()
    with pytest.raises(InputError, match="no portrait" if exists else "No such file"):
        Galleries(models).get(str(folder))


def test_a_gallery_without_faces_is_an_input_error(tmp_path, models):
    save(Image.new("RGB", (64, 64)), tmp_path / "people" / "a.png")
    with pytest.raises(InputError, match="no face in any portrait"):
        Galleries(models).get(str(tmp_path / "people"))


def exchange(folder, vectors):
    folder.mkdir()

    def table(name, header, *rows):
        with (folder / name).open("w", newline="") as stream:
            csv.writer(stream).writerows([header, *rows])

    table(
        "actors.csv",
        ("movie_id", "movie_name", "id", "name"),
        (7, "M", 1, "Ada"),
        (7, "M", 2, "Bob"),
    )
    table(
        "actor_images.csv",
        ("index", "actor_id", "movie_id", "filename"),
        (0, 1, 7, "a.png"), (1, 2, 7, "b.png"), (2, 1, 7, "both.png"), (3, 2, 7, "both.png"),
        (4, 2, 7, "crowd.png"),
    )  # fmt: skip
    with (folder / "actor_embeddings.jsonl").open("w") as stream:
        for image, vector in vectors.items():
            count = 2 if image == "crowd.png" else 1
            faces = [{"vector": vector}] * count
            stream.write(json.dumps({"image": image, "n": count, "faces": faces}) + "\n")
    return folder


def test_the_exchange_form_gives_vectors_of_pictures_of_one_person(tmp_path, models):
    ones = [1.0] * 128
    vectors = {"a.png": ones, "b.png": [0.5] * 128, "both.png": ones, "crowd.png": ones}
    gallery = Galleries(models).get(str(exchange(tmp_path / "old", vectors)))
    assert gallery.names == ("Ada", "Bob")
    assert gallery.embeddings[:, 0].tolist() == [1.0, 0.5]


def test_pictures_in_the_exchange_form_are_described_anew(tmp_path, models):
    folder = exchange(tmp_path / "old", {"a.png": [1.0] * 512, "b.png": [1.0] * 512})
    save(astronaut(), folder / "actor_images" / "a.png")
    gallery = Galleries(models).get(str(folder))
    assert gallery.names == ("Ada",)
    assert gallery.embeddings.shape == (1, 128)
    assert "b.png: a vector of 512 numbers, not 128" in gallery.notes[0]


@pytest.mark.parametrize("text", ["nothing\n1\n", "id,name\n1\n"])
def test_tables_of_another_form_are_an_input_error(text, tmp_path, models):
    folder = exchange(tmp_path / "old", {})
    (folder / "actor_images.csv").write_text(text)
    with pytest.raises(InputError, match="not of the exchange form"):
        Galleries(models).get(str(folder))


@pytest.fixture
def report(tmp_path, models):
    """Of a picture of the astronaut, a little darker than the portrait."""
    darker = astronaut().point(lambda value: value * 0.8)
    return analyze(str(save(darker, tmp_path / "medium.png")), components=models)


def test_the_astronaut_is_named_and_found_on_the_poster(report, people, models, tmp_path):
    poster = Image.new("RGB", (1100, 600))
    poster.paste(astronaut().resize((480, 480)), (20, 60))
    poster.paste(hopper().resize((480, 560)), (560, 20))
    path = save(poster, tmp_path / "poster.png")
    gallery = Galleries(models).get(str(people))
    identified = identify(report, components=models, gallery=gallery, poster=str(path))
    assert [p.name for p in identified.persons] == ["an-astronaut"]
    assert identified.poster is not None
    order = identified.poster.boxes[:, 0].argsort()
    assert identified.poster.person_ids[order].tolist() == [0, -1]
    assert identified.poster.sex[order[0]] == identified.persons[0].attributes["sex"].label
    assert float(identified.poster.age[order[1]]) > 50
    assert identified.notes == ()


def test_a_poster_that_cannot_be_read_is_skipped_with_its_reason(report, models, tmp_path):
    identified = identify(report, components=models, poster=str(tmp_path / "none.jpg"))
    assert identified.poster is None
    assert identified.persons == report.persons
    assert identified.notes[0].startswith("poster skipped: ")
    assert "none.jpg" in identified.notes[0]


def test_of_a_medium_that_is_missing_the_poster_is_looked_at(people, models, tmp_path):
    missing, poster = str(tmp_path / "none.png"), str(people / "an-astronaut.png")
    report_of_poster = analyze(missing, components=models, poster=poster)
    assert (
        report_of_poster.info.kind,
        report_of_poster.persons,
        len(report_of_poster.observations),
    ) == ("none", (), 0)
    assert report_of_poster.notes[0].startswith("medium skipped: ")
    assert report_of_poster.poster is not None
    assert report_of_poster.poster.person_ids.tolist() == [-1]
    assert report_of_poster.poster.sex[0]
    assert np.isnan(report_of_poster.poster.distances).all()
    with pytest.raises(InputError, match="No such file"):
        analyze(missing, components=models, poster=missing)
