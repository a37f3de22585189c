"""A girl of 5 and a woman of 40 through the pipeline: what each output says of their sex."""

import csv
import json
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from analyzer import registry
from analyzer.__main__ import main
from analyzer.attributes.labeller import PLAIN
from analyzer.audit import audit_file, drawing, rates
from analyzer.audit.drawing import DrawWish
from analyzer.errors import InputError
from analyzer.inference.runtime import Runtime
from analyzer.live import stream
from analyzer.observations.table import take
from analyzer.options import AnalysisOptions
from analyzer.options.analysis import MIN_SEX_AGE
from analyzer.pipeline import components, regroup, summarize
from analyzer.reports import report_file
from analyzer.reports.corrections_file import correction_from_json
from analyzer.review import apply
from analyzer.shares import tables
from analyzer.shares.measure import shares
from analyzer.shares.tables import OwnTables
from analyzer.shares.words import sentence
from analyzer.types import Frame, MediaInfo
from tests.support.corrected import op
from tests.support.observations import faces, observe
from tests.support.reports import DIGEST

CHILD, ADULT = 0, 1
OF_AGE = {
    CHILD: [0.02, 0.93, 0.05, 0, 0, 0, 0, 0, 0],
    ADULT: [0, 0, 0, 0.05, 0.45, 0.45, 0.05, 0, 0],
}
SECONDS = 8
"""The child is seen in the first quarter, the woman all the time."""


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    source = ["-f", "lavfi", "-i", f"testsrc2=s=640x360:r=5:d={SECONDS}"]
    command = ["ffmpeg", "-v", "error", "-y", *source, "-c:v", "libx264", "-pix_fmt", "yuv420p"]
    subprocess.run([*command, str(path)], check=True)
    return path


@pytest.fixture(scope="module")
def models():
    loaded = {}

    def load(**options):
        key = tuple(options.items())
        if key not in loaded:
            loaded[key] = components.load_components(AnalysisOptions(device="cpu", **options))
        return loaded[key]

    return load


def seen(film, models, *, heads=("sex", "age"), sex=-2.0):
    """Return a report of who was seen, from the raw values of the heads."""
    with registry.load("decode", "video", runtime=Runtime()).open(str(film)) as video:
        info: MediaInfo = video.info
    rows = [(n, who) for n in range(5 * SECONDS) for who in (CHILD, ADULT) if who or n < 10]
    frames, who = ([row[i] for row in rows] for i in (0, 1))
    raw = {
        "sex": np.full((len(rows), 1), sex, np.float32),
        "age": np.log(np.array([OF_AGE[w] for w in who]) + 1e-9).astype(np.float32),
    }
    table = observe(
        who,
        faces(*who),
        frames=frames,
        boxes=np.array([[300 * w + 10, 10, 300 * w + 130, 160] for w in who], np.float32),
        picture_px=np.full(len(rows), 640 * 360, np.float32),
        face_px=np.full(len(rows), 134, np.float32),
        heads={head: raw[head] for head in heads},
        span_s=np.array([0.0, SECONDS]),
    )
    report = summarize.summarize(info, table, components=models)
    return replace(report, provenance={**report.provenance, "models": {"branch": DIGEST}})


@pytest.fixture(scope="module")
def report(film, models):
    return seen(film, models())


def person(report, number):
    return next(p for p in report.persons if p.person_id == number)


def written(report, exporter, folder):
    """Write an export, and return its path."""
    writer = registry.load("export", exporter, runtime=Runtime())
    path = folder / f"film{writer.suffix}"
    writer.write(report, path, None)
    return path


def rows(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_the_table_of_faces_has_the_value_and_no_label(report, tmp_path):
    of_faces = rows(written(report, "csv", tmp_path))
    for row in of_faces:
        expected = "" if row["face_id"] == str(CHILD) else "f"
        assert (row["sex_label"], row["sex_label_avg"]) == (expected, expected)
        assert (row["sex_decfunc"], row["sex_decfunc_avg"]) == ("-2.0000", "-2.0000")
        assert row["age_label"]


def test_who_is_unsure_has_no_label_and_counts_in_face_time(film, models):
    unsure = seen(film, models(), sex=-0.1)
    assert {p.attributes["sex"].label for p in unsure.persons} == {""}
    assert set(unsure.row_attributes["sex"].label) == {""}
    assert not unsure.notes
    women = next(s for s in shares(unsure) if (s.measure, s.group) == ("face_time", "f"))
    assert women.amount == pytest.approx(8)
    everybody = seen(film, models(min_sex_age=0, min_sex_confidence=0), sex=-0.1)
    assert {p.attributes["sex"].label for p in everybody.persons} == {"f"}


def test_without_a_calibration_the_notes_say_that_all_have_a_label(film, models, monkeypatch):
    monkeypatch.setattr(components.Components, "labeller", PLAIN)
    unsure = seen(film, models(), sex=-0.1)
    assert {p.attributes["sex"].label for p in unsure.persons} == {"f"}
    assert any("was not calibrated" in note for note in unsure.notes)


def test_characters_tracks_and_persons_agree(report, tmp_path):
    woman, child = rows(written(report, "characters", tmp_path))
    assert (child["sex_label"], woman["sex_label"]) == ("", "f")
    assert float(child["age_high"]) < MIN_SEX_AGE < float(woman["age_low"])
    assert report.track_attributes["sex"].label == ("", "f")
    assert person(report, CHILD).attributes["sex"].value == pytest.approx(-2)
    document = json.loads(written(report, "json", tmp_path).read_text())
    labels = {p["person_id"]: p["attributes"]["sex"]["label"] for p in document["persons"]}
    assert labels == {CHILD: None, ADULT: "f"}
    assert [track["labels"]["sex"] for track in document["tracks"]] == [None, "f"]


def test_shares_count_it_as_not_given(report):
    """The child is seen for 2 s, the woman for 8."""
    found = {(s.measure, s.group): s for s in shares(report) if s.head == "sex"}
    for measure, given, part in (("face_time", 8, 0.2), ("persons", 1, 0.5)):
        women, unknown = found[measure, "f"], found[measure, "not given"]
        assert (women.observed, women.amount) == (1, pytest.approx(given))
        assert (unknown.observed, unknown.amount) == pytest.approx((part, given / (1 - part)))
        assert unknown.corrected is None
    assert found["people_per_minute", "f"].per_minute == pytest.approx(1)
    assert found["people_per_minute", "not given"].per_minute == pytest.approx(1)
    assert sentence(found["face_time", "f"]).startswith("Women: ")
    assert "of face time of those who look old enough (" in sentence(found["face_time", "f"])
    assert "of the characters with sex given (" in sentence(found["persons", "f"])
    lost = sentence(found["face_time", "not given"])
    assert lost.startswith("Sex not given (looks too young): 20 % of face time (")
    ages = [share for share in shares(report) if share.head == "age"]
    assert {share.group for share in ages}.isdisjoint({"not given"})
    assert ages[0].amount == pytest.approx(10)


def test_a_film_of_children_alone_has_a_row_of_its_own(film, models):
    table = seen(film, models()).observations
    alone = replace(table, too_young=np.ones(len(table), np.float32))
    of_all = replace(seen(film, models()), observations=alone)
    only = [s for s in shares(of_all) if (s.head, s.measure) == ("sex", "face_time")]
    labels = of_all.row_attributes["sex"]
    assert set(labels.label) == {"", "f"}
    empty = replace(labels, label=("",) * len(labels.label))
    of_all = replace(of_all, row_attributes={**of_all.row_attributes, "sex": empty})
    only = [s for s in shares(of_all) if (s.head, s.measure) == ("sex", "face_time")]
    assert [(s.group, s.observed, s.amount) for s in only] == [("not given", 1, pytest.approx(10))]


def test_pages_and_labels_say_nothing_or_why(report, tmp_path):
    page = written(report, "html", tmp_path).read_text()
    assert f"not given: looks younger than {MIN_SEX_AGE:g}" in page
    texts = written(report, "ass", tmp_path).read_text()
    assert "person 1  f 41" in texts
    assert "person 0  f" not in texts
    assert "person 0  7" in texts


@pytest.mark.parametrize("exporter", ["eaf", "vtt", "rttm", "webannotation", "cvat"])
def test_other_exports_have_an_age_only(exporter, report, tmp_path):
    path = written(report, exporter, tmp_path)
    text = path.read_bytes().decode("utf-8", "ignore")
    assert "person 0, f" not in text
    if exporter in ("eaf", "vtt"):
        assert "person 1, f, 41" in text
        assert "person 0, 7" in text


def test_tables_for_other_programs_are_empty(report, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(written(report, "parquet", tmp_path)).to_pylist()
    of_child = [row for row in table if row["face_id"] == CHILD]
    assert {(row["sex_label"], row["person_sex_label"]) for row in of_child} == {(None, None)}
    assert {row["sex_label"] for row in table if row["face_id"] == ADULT} == {"f"}
    book = pytest.importorskip("openpyxl").load_workbook(written(report, "xlsx", tmp_path))
    for sheet, found in (("persons", {None, "f"}), ("appearances", {None, "f"})):
        header, *lines = book[sheet].iter_rows(values_only=True)
        assert {row[header.index("sex_label")] for row in lines} == found


def test_a_camera_says_the_age_alone(report, models):
    frame = Frame(index=0, time_s=0, duration_s=0.2, image=np.zeros((360, 640, 3), np.uint8))
    table = report.observations
    seen_now = stream.labelled(frame, take(table, table.frame == 0), models())
    assert seen_now.labels["sex"] == ("", "f")
    child, woman = (caption.split() for caption in seen_now.captions())
    assert (child[0], woman[:2]) == ("0", ["1", "f"])
    assert 3 < float(child[1]) < 10


def test_questions_find_it_without_a_sex(report, tmp_path, capsys):
    written(report, "parquet", tmp_path)
    question = "SELECT person_id, sex_label FROM persons ORDER BY ALL"
    assert main(["ask", str(tmp_path), question, "--format", "csv"]) == 0
    assert capsys.readouterr().out.split() == ["person_id,sex_label", "0,", "1,f"]


def test_what_a_reviewer_says_of_a_child_stays(report, models):
    steps = [correction_from_json(op("sex", CHILD, label="f"))]
    corrected, _ = apply.apply(report, steps, labeller=lambda: models().labeller)
    assert person(corrected, CHILD).attributes["sex"].label == "f"
    assert set(corrected.row_attributes["sex"].label) == {"f"}
    women = next(s for s in shares(corrected) if s.measure == "face_time")
    assert (women.observed, women.amount) == (1, pytest.approx(10))
    assert {s.group for s in shares(corrected) if s.head == "sex"} == {"f", "m"}
    # Another correction of the same person does not bring the abstention back.
    more = [*steps, correction_from_json(op("not_same", CHILD, ADULT))]
    again, _ = apply.apply(report, more, labeller=lambda: models().labeller)
    assert person(again, CHILD).attributes["sex"].label == "f"


def test_what_a_reviewer_says_counts_for_all_faces_of_a_person(report, models):
    """Of the woman none looks too young, of a child that grows up some do."""
    table = report.observations
    older = replace(table, too_young=np.where(table.frame < 5, table.too_young, np.float32(0)))
    steps = [correction_from_json(op("sex", number, label="m")) for number in (CHILD, ADULT)]
    for grown in (report, replace(report, observations=older)):
        corrected, _ = apply.apply(grown, steps, labeller=lambda: models().labeller)
        of_time = {s.group: s.observed for s in shares(corrected) if s.measure == "face_time"}
        assert (of_time["f"], of_time["m"]) == (0, 1)
    unknown = [correction_from_json(op("sex", CHILD, label=""))]
    corrected, _ = apply.apply(report, unknown, labeller=lambda: models().labeller)
    assert list(shares(corrected))[2].group == "not given"


def test_a_report_says_it_again(report, tmp_path):
    path = tmp_path / "film.report.zip"
    report_file.save(report, path, portraits={})
    again = report_file.load(path)
    np.testing.assert_array_equal(again.observations.too_young, report.observations.too_young)
    assert list(shares(again)) == list(shares(report))
    grouped = regroup.regroup(again)
    assert person(grouped, CHILD).attributes["sex"].label == ""
    assert grouped.provenance["options"]["min_sex_age"] == MIN_SEX_AGE


def test_reports_of_older_versions_gave_everybody_a_sex(report, models, film, tmp_path):
    everybody = seen(film, models(min_sex_age=0, min_sex_confidence=0))
    options = dict(everybody.provenance["options"])
    del options["min_sex_age"], options["min_sex_confidence"]
    older = replace(everybody, provenance={**everybody.provenance, "options": options})
    path = tmp_path / "film.report.zip"
    report_file.save(older, path, portraits={})
    again = regroup.regroup(report_file.load(path))
    assert again.provenance["options"]["min_sex_age"] == 0
    assert again.provenance["options"]["min_sex_confidence"] == 0
    assert {p.attributes["sex"].label for p in again.persons} == {"f"}


def test_people_of_a_collection(report, tmp_path):
    path = tmp_path / "film.report.zip"
    report_file.save(report, path, portraits={})
    assert main(["collect", str(path), "-o", str(tmp_path / "out")]) == 0
    found = rows(tmp_path / "out" / "identities.csv")
    assert sorted(row["sex_label"] for row in found) == ["", "f"]
    of_sex = [row for row in rows(tmp_path / "out" / "shares.csv") if row["attribute"] == "sex"]
    unknown = [row for row in of_sex if row["group"] == "not given"]
    assert [row["measure"] for row in unknown] == ["face_time", "persons", "people_per_minute"]
    assert unknown[0]["observed"] == "0.2000"


def test_children_have_a_label_on_demand_and_without_ages(film, models):
    everybody = seen(film, models(min_sex_age=0))
    assert {p.attributes["sex"].label for p in everybody.persons} == {"f"}
    assert not everybody.notes
    without = seen(film, models(), heads=("sex",))
    assert {p.attributes["sex"].label for p in without.persons} == {"f"}
    assert any("without ages, children have a label of sex" in note for note in without.notes)
    assert {s.group for s in shares(without)} == {"f", "m"}


def test_a_reviewers_word_counts_in_a_collection(report, tmp_path):
    steps = [correction_from_json(op("sex", CHILD, label="m"))]
    corrected, _ = apply.apply(report, steps, labeller=lambda: PLAIN)
    path = tmp_path / "film.report.zip"
    report_file.save(corrected, path, portraits={})
    assert main(["collect", str(path), "-o", str(tmp_path / "out")]) == 0
    found = rows(tmp_path / "out" / "identities.csv")
    assert sorted(row["sex_label"] for row in found) == ["f", "m"]


def test_an_audit_leaves_out_whom_the_results_leave_out(report, tmp_path):
    report_file.save(report, tmp_path / "film.report.zip", portraits={})
    drawn = drawing.draw([str(tmp_path)], DrawWish(10, ("sex", "age")))
    of_child, of_woman = (face.predicted["sex"] for face in drawn.faces)
    assert {of_child, of_woman} == {-1, 0}
    assert {face.groups["sex"] for face in drawn.faces} == {"not given", "f"}
    assert drawn.shares["sex"][0].share == 1
    assert drawn.sex_given_from == MIN_SEX_AGE
    labels = {face.face: "f" for face in drawn.faces}
    judged = rates.labelled(drawn, labels, "sex")
    assert [face.predicted["sex"] for face in judged.faces] == [0]
    audit_file.write(drawn, tmp_path / "audit.json")
    assert audit_file.read(tmp_path / "audit.json").sex_given_from == MIN_SEX_AGE


def test_an_audit_is_of_the_network_not_of_a_reviewer(report, tmp_path):
    steps = [correction_from_json(op("sex", number, label="m")) for number in (CHILD, ADULT)]
    corrected, _ = apply.apply(report, steps, labeller=lambda: PLAIN)
    report_file.save(corrected, tmp_path / "film.report.zip", portraits={})
    drawn = drawing.draw([str(tmp_path)], DrawWish(10, ("sex",)))
    assert {face.groups["sex"] for face in drawn.faces} == {"not given", "f"}


def test_own_tables_are_of_the_same_faces(report, tmp_path):
    """A table of all faces does not correct results without children."""
    shipped = tables.tables_of({"branch": DIGEST})["sex"]
    own = OwnTables(tmp_path / "own.json", {"branch": DIGEST}, {"sex": shipped})
    with pytest.raises(InputError, match="counted with --min_sex_age 0, and these results have 20"):
        tables.tables_of(report.provenance["models"], own, sex_given_from=20)
    again = replace(own, sex_given_from=20.0)
    assert tables.tables_of(report.provenance["models"], again, sex_given_from=20)["sex"] is shipped
    assert "sex" not in tables.tables_of({"branch": DIGEST}, sex_given_from=17.5)
    assert "age" in tables.tables_of({"branch": DIGEST}, sex_given_from=17.5)
