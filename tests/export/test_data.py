"""Formats for programs and spreadsheets: parquet, xlsx, json, webannotation."""

import io
import json
import sys
from dataclasses import replace

import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet
import pyld.jsonld
import pytest
from PIL import Image

from analyzer import registry
from analyzer.errors import MissingDependency, UsageError
from analyzer.export import _workbook
from analyzer.inference.runtime import Runtime
from analyzer.options import AnalysisOptions
from analyzer.pipeline import components
from analyzer.weights import catalogue
from tests.support import readers
from tests.support.analysis import analyze, in_shards
from tests.support.reports import NAN, Face, make_report

FACES = (
    Face(0, 0.844014, (10.4, 20.6, 110.5, 140)),
    Face(6, 1.044014, (300, 20, 400, 140), track=3, detect_conf=NAN, track_conf=0.7),
    Face(6, 1.044014, (-5, -3, 40, 50), track=7, sex=-0.5, age=1.25),
)
WHO = {0: 0, 3: 1, 7: -1}


def write(name, report, folder):
    exporter = registry.load("export", name, runtime=Runtime())
    path = folder / f"x{exporter.suffix}"
    exporter.write(report, path)
    return path


# Parquet.


def test_parquet_has_types_embeddings_and_persons(tmp_path):
    report = make_report(FACES, persons=WHO, names={0: "Grace"})
    rows = report.observations
    some = replace(
        rows, embeddings=np.eye(4, dtype=np.float32)[:2], embedding_rows=np.array([0, 2])
    )
    path = write("parquet", replace(report, observations=some), tmp_path)
    written = pd.read_parquet(path)
    assert written["frame"].dtype == written["face_id"].dtype == np.int64
    assert written["age_label"].tolist() == [35.0, 35.0, 12.5]
    assert [None if e is None else e.tolist() for e in written["embedding"]] == [
        [1, 0, 0, 0],
        None,
        [0, 1, 0, 0],
    ]
    assert written["name"].tolist()[:1] == ["Grace"]
    assert written["name"].isna().tolist() == [False, True, True]
    assert written["person_sex_label"].isna().tolist() == [False, False, True]
    assert written["person_screen_time_s"].round(6).tolist()[:2] == [0.2, 0.2]
    metadata = json.loads(pyarrow.parquet.read_schema(path).metadata[b"ina"])
    assert metadata == json.loads(
        write("json", replace(report, observations=some), tmp_path).read_text()
    )


def test_parquet_of_nobody_keeps_its_types(tmp_path):
    full, none = (pyarrow.parquet.read_schema(write("parquet", make_report(faces), tmp_path))
                 for faces in (FACES, ()))  # fmt: skip
    assert full.types == none.types
    assert full.names == none.names


def test_parquet_of_stills_has_paths(tmp_path):
    stills = make_report(FACES, kind="image", engine="image", uri="=a\udcff, b.jpg")
    rows = pd.read_parquet(write("parquet", stills, tmp_path))
    assert set(rows["frame"]) == {"=a\\udcff, b.jpg"}
    assert rows["time_s"].isna().all()


# Excel.


def test_sheets_can_be_filtered_and_keep_their_header(tmp_path):
    book = openpyxl.load_workbook(write("xlsx", make_report(FACES, persons=WHO), tmp_path))
    assert book.sheetnames == ["persons", "appearances", "shots", "faces", "about"]
    for sheet in book:
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref == sheet.dimensions
    assert book.properties.created.year == 1980


@pytest.mark.parametrize("name", ["=1+1", "+1", "@SUM(A1)", "http://a.b", "007", "{=1}"])
def test_text_stays_text(name, tmp_path):
    report = make_report(FACES, persons=WHO, names={0: name})
    book = openpyxl.load_workbook(write("xlsx", report, tmp_path))
    for sheet in ("persons", "appearances", "faces"):
        column = {cell.value: cell.column for cell in book[sheet][1]}["name"]
        cell = book[sheet].cell(2, column)
        assert (cell.value, cell.data_type, cell.hyperlink) == (name, "s", None)


def test_a_sheet_that_is_full_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(_workbook, "MAX_ROWS", 2)
    path = write("xlsx", make_report(FACES, persons=WHO), tmp_path)
    assert len(readers.sheet(path, "faces")) == 2
    about = {row["what"]: row["value"] for row in readers.sheet(path, "about")}
    assert about["faces"] == "cut: the first 2 of 3; the csv has all"


@pytest.fixture(scope="module")
def models():
    return components.load_components(AnalysisOptions(fps=2, device="cpu"))


@pytest.fixture(scope="module")
def real(sample, models):
    return analyze(str(sample / "sample.mp4"), components=models)


def test_persons_and_appearances_show_faces(real, tmp_path):
    book = openpyxl.load_workbook(write("xlsx", real, tmp_path))
    for sheet, count in (("persons", 2), ("appearances", len(real.identities.track_ids))):
        pictures = book[sheet]._images
        assert [p.anchor._from.row for p in pictures] == [*range(1, count + 1)]
        assert {p.anchor._from.col for p in pictures} == {0}
        for picture in pictures:
            pixels = np.asarray(Image.open(io.BytesIO(picture._data())))
            assert pixels.shape == (144, 144, 3)
            assert pixels.std() > 20


def test_a_medium_that_is_gone_leaves_no_pictures_and_a_note(real, tmp_path):
    gone = replace(real, info=replace(real.info, uri=str(tmp_path / "gone.mp4")))
    path = write("xlsx", gone, tmp_path)
    assert not openpyxl.load_workbook(path)["persons"]._images
    about = {row["what"]: row["value"] for row in readers.sheet(path, "about")}
    assert "gone.mp4" in about["pictures"]
    assert readers.sheet(path, "persons")[0]["person_id"] == 0


def test_pictures_are_an_option(real, tmp_path):
    exporter = registry.load("export", "xlsx:pictures=0", runtime=Runtime())
    exporter.write(real, tmp_path / "x.xlsx")
    assert not openpyxl.load_workbook(tmp_path / "x.xlsx")["persons"]._images
    with pytest.raises(UsageError, match="pictures=-1 must be 0 or more"):
        registry.load("export", "xlsx:pictures=-1", runtime=Runtime())


# JSON.


def test_json_tells_what_the_results_were_made_of(real, models, sample, tmp_path):
    document = json.loads(write("json", real, tmp_path).read_text())
    assert document["schema"] == 1
    assert document["program"]["libraries"]["numpy"] == np.__version__
    assert document["options"]["fps"] == 2
    assert not {"device", "batch_size"} & document["options"].keys()
    assert document["options_digest"] == models.options.digest()
    used = {catalogue.MODELS[n].sha256 for n in ("centerface", "dlib_5_points", "dlib_resnet")}
    assert used < set(document["models"].values())
    medium = document["medium"]
    assert medium["size_bytes"] == (sample / "sample.mp4").stat().st_size
    assert (medium["frame_rate"], medium["width_px"]) == ("30000/1001", 1280)
    assert document["counts"]["faces_saved"] == len(real.observations)
    assert [p["person_id"] for p in document["persons"]] == [p.person_id for p in real.persons]
    assert sum(t["face_count"] for t in document["tracks"]) == len(real.observations)
    assert len(document["shots"]) == len(real.shots)
    assert document["shots"][0]["person_ids"]


def test_json_has_the_age_as_a_distribution_in_years(real, tmp_path):
    document = json.loads(write("json", real, tmp_path).read_text())
    for person in document["persons"]:
        age = person["attributes"]["age"]
        distribution = age["distribution"]
        assert distribution["edges_years"] == [0, 3, 10, 20, 30, 40, 50, 60, 70, 90]
        assert sum(distribution["probabilities"]) == pytest.approx(1, abs=1e-3)
        position = np.dot(distribution["probabilities"], np.arange(9))
        assert position == pytest.approx(age["value"], abs=3e-3)
        assert "distribution" not in person["attributes"]["sex"]


def test_files_do_not_depend_on_who_computed_them(real, sample, models, tmp_path):
    """Three shards, on another day, in other batches."""
    others = components.load_components(
        AnalysisOptions(fps=2, device="cpu", batch_size=3), threads=1
    )
    again = in_shards(sample / "sample.mp4", 3, others, tmp_path)
    names = ("csv", "cvat", "eaf", "json", "mot", "parquet", "rttm", "vtt", "webannotation", "xlsx")
    for name in names:
        first = write(name, real, tmp_path).read_bytes()
        assert write(name, again, tmp_path).read_bytes() == first, name


# Web Annotation.

CONTEXT = {
    "@context": {
        "oa": "http://www.w3.org/ns/oa#",
        "as": "http://www.w3.org/ns/activitystreams#",
        "id": "@id",
        "type": "@type",
        "Annotation": "oa:Annotation",
        "AnnotationCollection": "as:OrderedCollection",
        "AnnotationPage": "as:OrderedCollectionPage",
        "TextualBody": "oa:TextualBody",
        "FragmentSelector": "oa:FragmentSelector",
        "identifying": "oa:identifying",
        "tagging": "oa:tagging",
        "body": {"@id": "oa:hasBody", "@type": "@id"},
        "target": {"@id": "oa:hasTarget", "@type": "@id"},
        "source": {"@id": "oa:hasSource", "@type": "@id"},
        "selector": {"@id": "oa:hasSelector", "@type": "@id"},
        "conformsTo": {"@id": "http://purl.org/dc/terms/conformsTo", "@type": "@id"},
        "motivation": {"@id": "oa:motivatedBy", "@type": "@vocab"},
        "purpose": {"@id": "oa:hasPurpose", "@type": "@vocab"},
        "value": "http://www.w3.org/1999/02/22-rdf-syntax-ns#value",
        "label": "http://www.w3.org/2000/01/rdf-schema#label",
        "total": "as:totalItems",
        "first": {"@id": "as:first", "@type": "@id"},
        "partOf": {"@id": "as:partOf", "@type": "@id"},
        "startIndex": "as:startIndex",
        "items": {"@id": "as:items", "@type": "@id", "@container": "@list"},
    }
}
"""What the W3C's context says of the words that are used here."""


def expanded(path):
    """As a JSON-LD processor reads it, without going to the network."""

    def loader(url, _options):
        assert url == "http://www.w3.org/ns/anno.jsonld"
        return {"contextUrl": None, "documentUrl": url, "document": CONTEXT}

    (graph,) = pyld.jsonld.expand(
        json.loads(path.read_text(encoding="utf-8")), {"documentLoader": loader}
    )
    return graph


def test_annotations_are_linked_data(tmp_path):
    report = make_report(FACES, persons=WHO, names={0: "Grace"}, uri="a film é.mp4")
    path = write("webannotation", report, tmp_path)
    oa, ordered = "http://www.w3.org/ns/oa#", "http://www.w3.org/ns/activitystreams#"
    graph = expanded(path)
    assert graph["@type"] == [f"{ordered}OrderedCollection"]
    (page,) = graph[f"{ordered}first"]
    items = page[f"{ordered}items"][0]["@list"]
    assert graph[f"{ordered}totalItems"] == [{"@value": len(items)}]
    assert len({item["@id"] for item in items}) == len(items) == 3
    for item in items:
        assert item["@id"].startswith("urn:uuid:")
        assert item["@type"] == [f"{oa}Annotation"]
        (target,) = item[f"{oa}hasTarget"]
        assert target[f"{oa}hasSource"][0]["@id"].endswith("/a%20film%20%C3%A9.mp4")
        (selector,) = target[f"{oa}hasSelector"]
        assert selector["@type"] == [f"{oa}FragmentSelector"]
    purposes = [body[f"{oa}hasPurpose"][0]["@id"] for body in items[0][f"{oa}hasBody"]]
    assert purposes == [f"{oa}identifying", f"{oa}tagging", f"{oa}tagging"]


def test_annotations_have_the_keys_of_the_model(tmp_path):
    path = write("webannotation", make_report(FACES, persons=WHO), tmp_path)
    document = json.loads(path.read_text())
    assert document["@context"] == "http://www.w3.org/ns/anno.jsonld"
    for item in document["first"]["items"]:
        assert item.keys() == {"id", "type", "motivation", "body", "target"}
        assert item["target"].keys() == {"source", "selector"}
    assert readers.fragments(path) == [
        (0.844014, 1.044014, (10, 21, 110, 140)),
        (1.044014, 1.244014, (300, 20, 400, 140)),
        (1.044014, 1.244014, (0, 0, 40, 50)),
    ]


def test_annotations_of_stills_name_each_picture(tmp_path):
    stills = make_report(FACES, kind="image", engine="image", uri="a b.jpg")
    path = write("webannotation", stills, tmp_path)
    targets = [item["target"] for item in json.loads(path.read_text())["first"]["items"]]
    assert all(t["source"].endswith("/a%20b.jpg") for t in targets)
    assert targets[0]["selector"]["value"] == "xywh=pixel:10,21,100,119"


@pytest.mark.parametrize(
    ("exporter", "library"),
    [
        ("cvat", "lxml"),
        ("eaf", "lxml"),
        ("fcpxml", "lxml"),
        ("otio", "opentimelineio"),
        ("parquet", "pyarrow"),
        ("xlsx", "xlsxwriter"),
    ],
)
def test_a_missing_library_names_the_cure(exporter, library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    for name in (exporter, "_workbook"):
        monkeypatch.delitem(sys.modules, f"analyzer.export.{name}", raising=False)
        monkeypatch.delattr(f"analyzer.export.{name}", raising=False)
    with pytest.raises(
        MissingDependency, match=rf"{library}; install it with: pip install .*'{library}>="
    ):
        registry.load("export", exporter, runtime=Runtime())
