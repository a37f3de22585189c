"""Labels find their faces, and each clusterer is measured by them."""

import json
import shutil

import numpy as np
import pytest

from analyzer import registry
from analyzer.__main__ import main
from analyzer.errors import InputError
from analyzer.evaluation import truth
from analyzer.evaluation.clustering import Variants, measure, synthetic
from analyzer.inference.runtime import Runtime
from tests.support.reports import Face, make_report

CLUSTERERS = list(registry.names("cluster"))


def labels(text: str, folder) -> truth.Labels:
    path = folder / "labels.csv"
    path.write_text("time_s,x,y,person\n" + text)
    return truth.of_video(path)


def two_faces(*times: float) -> list[Face]:
    """A small face, and a large one that overlaps it, at each time."""
    return [
        Face(round(25 * t), t, box, track)
        for t in times
        for track, box in enumerate([(0, 0, 40, 40), (30, 0, 130, 100)])
    ]


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ("0,5,5,a", 0),
        ("0,100,50,a", 1),
        ("0,36,20,a", 0),
        ("0,200,50,a", -1),
        ("0.09,5,5,a", 0),
        ("0.11,5,5,a", 2),
        ("0.31,5,5,a", -1),
        ("0.2,,,a", 3),
    ],
    ids=["in one", "in the other", "in both: nearest", "in none", "before", "after", "long after",
         "largest"],
)  # fmt: skip
def test_a_label_is_of_the_face_that_it_lies_in(line, row, tmp_path):
    table = make_report(two_faces(0, 0.2)).observations
    assert labels(line, tmp_path).rows(table).tolist() == [row]


def test_a_label_is_never_of_a_face_behind_a_cut(tmp_path):
    report = make_report(two_faces(0, 0.1))
    table = type(report.observations)(**{**vars(report.observations), "cuts": np.array([0.1])})
    rows = labels("0.08,5,5,a\n0.099,5,5,b\n", tmp_path).rows(table)
    assert rows.tolist() == [0, 2]  # the second is only rounded down


def test_no_face_no_row(tmp_path):
    assert labels("0,,,a", tmp_path).rows(make_report().observations).tolist() == [-1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("time_s,person\n1,a\n", "columns must be time_s, x, y, person"),
        ("time_s,x,y,person\n", "no label"),
        ("time_s,x,y,person\n1,2,3,a\nnow,2,3,a\n", "line 3: time_s, x and y must be numbers"),
        ("time_s,x,y,person\n1,2,,a\n", "x with y"),
        ("time_s,x,y,person\n1,2,3,\n", "a person"),
        ("time_s,x,y,person\n1\n", "give a time"),
        ("time_s,x,y,person\n1,2,3,a,b\n", "line 2: more cells"),
    ],
)
def test_bad_labels_are_refused_with_their_line(text, reason, tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=reason):
        truth.of_video(path)


def test_missing_labels_are_refused(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        truth.of_video(tmp_path / "none.csv")


def test_pictures_are_labelled_by_their_folders():
    labelled = truth.of_stills(["/x/Ann/1.jpg", "/x/Ann/2.jpg", "/x/Bob/1.jpg"])
    assert labelled.persons == ("Ann", "Ann", "Bob")
    assert labelled.groups.tolist() == [0, 0, 1]
    assert labelled.time_s.tolist() == [0, 1, 2]


def test_faces_of_nobody_count_among_all_faces_only(tmp_path):
    report = make_report(two_faces(0, 0.2), persons={0: 0, 1: -1})
    times = np.array([0, 0.2, 0.4])
    truth_of_five = labels("0,5,5,a\n.2,5,5,a\n0,100,50,b\n.4,1,1,b\n9,,,b", tmp_path)
    figures = measure(truth_of_five, report, times)
    # No picture is near the fifth; in that of the fourth no face was found.
    assert [figures[name] for name in ("labelled", "found", "grouped")] == [4, 3, 2]
    assert (figures["persons"], figures["clusters"], figures["pairs"]["f1"]) == (1, 1, 1)
    of_all = figures["all"]
    assert (of_all["persons"], of_all["clusters"]) == (2, 1)
    assert of_all["pairs"] == {"precision": 1, "recall": 0.5, "f1": pytest.approx(2 / 3)}
    assert of_all["bcubed"]["recall"] == 0.5
    assert figures["of_found"]["pairs"]["f1"] == 1  # b has one face that was found: no pair


def test_where_nobody_has_a_person_all_faces_are_wrong(tmp_path):
    report = make_report(two_faces(0, 0.2), persons={0: -1, 1: -1})
    figures = measure(labels("0,5,5,a\n.2,5,5,a", tmp_path), report, np.array([0, 0.2]))
    assert (figures["grouped"], figures["pairs"]["f1"], figures["all"]["pairs"]["f1"]) == (0, 0, 0)
    assert figures["all"]["bcubed"]["f1"] == 0


def test_labels_without_any_face_are_refused(tmp_path):
    report = make_report(two_faces(0, 0.2), persons={0: 0, 1: 1})
    with pytest.raises(InputError, match="no labelled face is found"):
        measure(labels("9,100,50,b", tmp_path), report, np.array([0, 0.2]))


def test_every_clusterer_is_measured_at_every_threshold():
    variants = Variants(clusterers=CLUSTERERS, thresholds=[0.2, 0.6])
    report = synthetic(*truth.crowd(5, 8, 0.2), variants, runtime=Runtime(device="cpu"))
    assert report["labelled"] == 40
    assert [(r["clusterer"], r["threshold"]) for r in report["runs"]] == list(variants)
    for run in report["runs"]:
        assert run["pairs"]["f1"] == pytest.approx(1 if run["threshold"] == 0.6 else 0)
        assert run["clusters"] == (5 if run["threshold"] == 0.6 else 40)


def test_command_on_a_video(sample, tmp_path, capsys):
    pytest.importorskip("jinja2")
    files = {name: tmp_path / f"figures.{name}" for name in ("json", "html")}
    arguments = ["evaluate", "clustering", "--video", str(sample / "sample.mp4"), "--fps", "2"]
    arguments += ["--labels", str(sample / "sample.labels.csv"), "--thresholds", "0.4,0.5"]
    assert main([*arguments, "--device", "cpu", *(f"--{n}={p}" for n, p in files.items())]) == 0
    shown = capsys.readouterr().out
    figures = json.loads(files["json"].read_text(encoding="utf-8"))
    assert [r["clusterer"] for r in figures["runs"][::2]] == CLUSTERERS
    for run in figures["runs"]:
        assert run["clusterer"] in shown
        assert (run["persons"], run["clusters"], run["pairs"]["f1"]) == (2, 2, 1)
        assert run["found"] == run["grouped"] > 60
    text = files["html"].read_text(encoding="utf-8")
    assert text.count("<polyline") == 2 * len(CLUSTERERS)


def test_command_on_pictures(shared, tmp_path, capsys):
    lfw = shared / "media" / "images" / "lfw_subset"
    for person in ("Gerhard_Schroeder", "Jacques_Chirac"):
        (tmp_path / person).mkdir()
        for path in sorted((lfw / person).iterdir())[:3]:
            shutil.copy(path, tmp_path / person)
    arguments = ["evaluate", "clustering", "--pictures", str(tmp_path), "--device", "cpu"]
    assert main([*arguments, "--clusterer", "online", "--cluster_threshold", "0.55"]) == 0
    (line,) = [row for row in capsys.readouterr().out.splitlines() if "online" in row]
    assert "0.55" in line
    assert "6 of 6" in line


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["--pictures", "none"], 1, "not a folder"),
        (["--pictures", "."], 1, "no folders named after persons"),
        (["--video", "a.mp4"], 2, "give both or none"),
        (["--synthetic", "2x2", "--clusterer", "nonesuch"], 2, "chinese_whispers"),
    ],
)
def test_command_says_what_is_wrong(arguments, code, reason, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", "clustering", *arguments]) == code
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["--synthetic", "0x5"], ["--synthetic", "many"]])
def test_command_refuses_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["evaluate", "clustering", *arguments])
    assert stopped.value.code == 2
