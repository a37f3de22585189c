"""The persons of several media: which are one, what is counted, and what is written."""

import csv
import os
import random
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analyzer import registry
from analyzer.__main__ import main
from analyzer.collection import grouping, identities, media
from analyzer.inference.runtime import Runtime
from analyzer.reports import report_file
from analyzer.types import Attribute, MediaReport
from joblist.model import JobSpec
from tests.support.reports import Face, make_report

CLUSTERER = registry.load("cluster", "chinese_whispers", runtime=Runtime())
JPEG = b"\xff\xd8\xff %d %d"
FACES = {name: np.eye(4, dtype=np.float32)[n] for n, name in enumerate("abcd")}
"""Four faces, each 1.41 from the others."""


def report(people: Sequence[str], *, at: Sequence[float] = (), **options) -> MediaReport:
    """A medium with one person a letter of `FACES`, each on screen for a second."""
    times = at or [2.0 * n for n in range(len(people))]
    faces = [
        Face(frame, time, (10, 10, 50, 50), track=n, duration_s=1)
        for frame, (n, time) in enumerate(zip(range(len(people)), times, strict=True))
    ]
    bare = make_report(faces, **options)
    persons = tuple(replace(p, intervals=((p.first_s, p.last_s),)) for p in bare.persons)
    centroids = np.array([FACES[letter] for letter in people], np.float32).reshape(-1, 4)
    settings = {**bare.provenance["options"], "describer": "dlib_resnet"}
    return replace(
        bare,
        persons=persons,
        identities=replace(bare.identities, centroids=centroids),
        provenance={"options": settings, "cluster_threshold": 0.5},
    )


class Archive:
    """Some media with their reports and a joblist."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[dict[str, str]] = []

    def add(self, name: str, report: MediaReport | None, **cells: str) -> None:
        """Write a medium, its report, and its row."""
        source, target = self.folder / name, self.folder / f"{name}.report.zip"
        source.write_bytes(name.encode())
        if report is not None:
            pictures = {n: JPEG % (len(self.rows), n) for n in report.identities.track_ids.tolist()}
            report_file.save(report, target, portraits=pictures)
        self.row(source, target, **cells)

    def row(self, source: Path, target: Path | str, **cells: str) -> None:
        """Add a row."""
        row = {"source_path": str(source), "dest_csv": f"{self.folder}/{len(self.rows)}.csv"}
        self.rows.append({**row, "dest_report": str(target), **cells})

    def collect(self, *options: str) -> int:
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        with (self.folder / "jobs.csv").open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, columns, restval="")
            writer.writeheader()
            writer.writerows(self.rows)
        out = str(self.folder / "out")
        return main(["collect", str(self.folder / "jobs.csv"), "-o", out, *options])

    def table(self, name: str) -> list[Mapping[str, str]]:
        with (self.folder / "out" / f"{name}.csv").open(newline="", encoding="utf-8") as stream:
            return list(csv.DictReader(stream))


@pytest.fixture
def archive(tmp_path) -> Archive:
    return Archive(tmp_path)


def test_metrics_are_averaged_over_media_each_source_once(archive):
    archive.add("one.mp4", report("ab"), item_id="1", metric_views="10", metric_clicks="1")
    archive.row(
        archive.folder / "." / "one.mp4",
        archive.folder / "again.report.zip",  # not analysed; the first row's will do
        item_id="1 again",
        metric_views="30",
        metric_clicks="",
    )
    archive.add("two.mp4", report("ba"), item_id="2", metric_views="50", metric_clicks="")
    archive.add("three.mp4", report("b"), item_id="3", metric_views="-4.5", metric_clicks="2")
    assert archive.collect() == 0
    b, a = archive.table("identities")
    assert (a["media_count"], b["media_count"]) == ("2", "3")
    # one.mp4 counts as the mean of its two rows, 20.
    assert float(a["metric_views_mean"]) == (20 + 50) / 2
    assert float(a["metric_views_spread"]) == pytest.approx(21.213203)
    assert a["metric_views_count"] == "2"
    assert float(b["metric_views_mean"]) == pytest.approx((20 + 50 - 4.5) / 3)
    assert float(b["metric_views_spread"]) == pytest.approx(np.std([20, 50, -4.5], ddof=1))
    assert (a["metric_clicks_mean"], a["metric_clicks_count"]) == ("1.000000", "1")
    assert a["metric_clicks_spread"] == ""
    assert (a["first_item"], b["last_item"]) == ("1; 1 again", "3")
    assert [row["rows"] for row in archive.table("media")] == ["2", "1", "1"]


def test_counts_add_up(archive):
    archive.add("one.mp4", report("abc"))
    archive.add("two.mp4", report("ad"))
    assert archive.collect() == 0
    people, shown = archive.table("identities"), archive.table("appearances")
    listed = archive.table("media")
    assert len(people) == 4
    assert len(shown) == sum(int(row["media_count"]) for row in people) == 5
    for name in ("face_count", "appearance_count"):
        assert sum(int(r[name]) for r in people) == sum(int(r[name]) for r in shown)
    assert sum(int(row["face_count"]) for row in listed) == sum(
        int(row["face_count"]) for row in people
    )
    times = [float(row["screen_time_s"]) for row in people]
    assert times == sorted(times, reverse=True)
    assert times[0] == 2.0


def test_files_with_equal_bytes_count_once(archive, capsys):
    archive.add("one.mp4", report("a"), metric_x="1")
    archive.add("copy.mp4", report("a"), metric_x="3")
    (archive.folder / "copy.mp4").write_bytes((archive.folder / "one.mp4").read_bytes())
    os.symlink(archive.folder / "one.mp4", archive.folder / "link.mp4")
    archive.row(archive.folder / "link.mp4", archive.folder / "l.report.zip", metric_x="5")
    assert archive.collect() == 0
    (row,) = archive.table("identities")
    assert (row["media_count"], row["metric_x_mean"], row["metric_x_count"]) == (
        "1",
        "3.000000",
        "1",
    )
    assert "counted once with its copies" in capsys.readouterr().err


def test_what_was_not_analysed_is_skipped_with_a_reason(archive, capsys):
    archive.add("one.mp4", report("a"))
    archive.add("two.mp4", None, item_id="later")
    archive.row(archive.folder / "three.mp4", "")
    archive.add("four.mp4", report("b"))
    (archive.folder / "four.mp4.report.zip").write_bytes(b"half")
    assert archive.collect() == 0
    output = capsys.readouterr()
    assert "4 rows, 4 media: 1 read, 3 skipped" in output.out
    assert "line 3: later: not analysed yet" in output.err
    assert "line 4: three.mp4: dest_report is empty: name a file" in output.err
    assert "line 5: four.mp4: " in output.err
    assert "analyse the medium again" in output.err


def test_nothing_to_read_is_a_failure(archive, capsys):
    archive.add("one.mp4", None)
    assert archive.collect() == 1
    assert not (archive.folder / "out").exists()
    assert "not analysed yet" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"metric_x": "many"}, "jobs.csv:3: metric_x 'many' is not a number"),
        ({"dest_nonesuch": "x.csv"}, "no exporter"),
    ],
)
def test_a_wrong_joblist_is_refused_with_its_lines(archive, capsys, cells, message):
    archive.add("one.mp4", report("a"))
    archive.add("two.mp4", report("a"), **cells)
    assert archive.collect() == 2
    assert message in capsys.readouterr().err


def test_without_the_column_the_cure_is_named(archive, capsys):
    archive.add("one.mp4", report("a"))
    del archive.rows[0]["dest_report"]
    assert archive.collect() == 2
    assert "add the column" in capsys.readouterr().err


def test_reports_of_different_describers_are_refused(archive, capsys):
    archive.add("one.mp4", report("a"))
    other = report("a")
    settings = {**other.provenance["options"], "describer": "arcface"}
    archive.add("two.mp4", replace(other, provenance={**other.provenance, "options": settings}))
    assert archive.collect() == 2
    assert "different describers" in capsys.readouterr().err


def test_reports_themselves(tmp_path, capsys):
    for name, people in (("x", "ab"), ("y", "b")):
        report_file.save(report(people), tmp_path / f"{name}.report.zip", portraits={})
    paths = [str(tmp_path / f"{name}.report.zip") for name in "xy"]
    assert main(["collect", *paths, "-o", str(tmp_path / "out")]) == 0
    assert "3 persons with 3 faces are 2 identities" in capsys.readouterr().out


def seen_of(reports: Mapping[str, MediaReport]) -> list[media.AnalysedMedium]:
    return [
        media.AnalysedMedium(
            media.ListedMedium(source_path=name, copies=(), rows=(JobSpec(name, {}, line=n),)),
            Path(name),
            report_file.Summary(
                info=report.info,
                persons=report.persons,
                identities=report.identities,
                provenance=report.provenance,
            ),
        )
        for n, (name, report) in enumerate(reports.items())
    ]


def who(reports: Mapping[str, MediaReport], **options) -> set[frozenset[tuple[str, int]]]:
    """The identities, as sets of media and persons."""
    collected = identities.collect(
        seen_of(reports), [], [], clusterer=CLUSTERER, **options
    ).identities
    return {
        frozenset(
            (appearance.seen.medium.source_path, person.person_id)
            for appearance in identity.appearances
            for person in appearance.persons
        )
        for identity in collected
    }


def test_faces_alike_are_one_identity_and_the_order_of_media_changes_nothing():
    reports = {f"m{n}": report("".join(random.Random(n).sample("abcd", 3))) for n in range(9)}
    expected = who(reports)
    assert len(expected) == 4
    for seed in range(3):
        names = random.Random(seed).sample(sorted(reports), len(reports))
        assert who({name: reports[name] for name in names}) == expected


def test_one_name_is_one_identity_and_two_names_are_two():
    reports = {
        "x": report("aa", names={0: "Ada"}),
        "y": report("ba", names={0: "Ada", 1: "Grace"}),
    }
    # Ada looks different in y; Grace looks like Ada in x; x's other person joins a name.
    groups = who(reports)
    assert {("x", 0), ("y", 0)} <= next(g for g in groups if ("x", 0) in g)
    assert next(g for g in groups if ("y", 1) in g).isdisjoint({("x", 0), ("y", 0)})
    assert len(groups) == 2


def test_who_is_on_screen_at_the_same_time_is_never_one():
    reports = {"x": report("aa", at=(0, 0.5)), "y": report("a")}
    groups = who(reports)
    assert not any({("x", 0), ("x", 1)} <= group for group in groups)
    assert who({"x": report("aa", at=(0, 1)), "y": report("a")}) == {
        frozenset({("x", 0), ("x", 1), ("y", 0)})
    }
    named = {"x": report("aa", at=(0, 0.5), names={0: "Ada"}), "y": report("a")}
    assert len(who(named)) == 2


def test_persons_of_one_still_are_never_one():
    stills = report("aa", at=(3, 3), kind="image")
    people = tuple(replace(p, intervals=((3.0, 3.0),)) for p in stills.persons)
    assert list(grouping.together(people)) == [(0, 1)]


def test_the_threshold_of_the_analysis_holds_unless_another_is_given():
    near = report("a")
    off = FACES["a"] + np.array([0, 0.4, 0, 0], np.float32)
    other = replace(near, identities=replace(near.identities, centroids=off[None]))
    assert len(who({"x": near, "y": other})) == 1
    assert len(who({"x": near, "y": other}, threshold=0.3)) == 2


def test_labels_are_pooled_by_faces():
    many, few = report("a"), report("a")
    shown = {"sex": Attribute(label="f", value=-1.0), "age": Attribute(label="25.0", value=3.0)}
    unsure = {"sex": Attribute(label="", value=9.0), "age": Attribute(label="90.0", value=9.0)}
    first = replace(many.persons[0], attributes=shown, face_count=3)
    other = replace(few.persons[0], attributes=unsure, face_count=1)
    reports = {"x": replace(many, persons=(first,)), "y": replace(few, persons=(other,))}
    (identity,) = identities.collect(seen_of(reports), [], [], clusterer=CLUSTERER).identities
    assert identity.sex == "f"
    # (3 * 3 + 9) / 4 on the scale of the bins is a quarter of the way from 25 to 90.
    assert float(identity.age) == pytest.approx(41.2, abs=0.1)


def test_names_cannot_harm_files_or_tables(archive):
    names = ["=1+1", "../up", "A/B", "A\\B", "a_b", "<script>alert(1)</script>", "007"]
    for n, name in enumerate(names):
        report_of_name = report("a", names={0: name})
        archive.add(f"{n}.mp4", report_of_name, item_id=f"={name}")
    assert archive.collect() == 0
    out = archive.folder / "out"
    assert {row["name"] for row in archive.table("identities")} >= {"'=1+1", "007", "../up"}
    with zipfile.ZipFile(out / "crops.zip") as file:
        folders = {name.split("/")[0].casefold() for name in file.namelist()}
        assert all(name.count("/") == 1 and not name.startswith(".") for name in file.namelist())
    assert len(folders) == len(names)
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert sorted(p.name for p in out.parent.iterdir() if p.is_dir()) == ["out"]


def test_portraits_and_crops(archive):
    few, many = report("a"), report("ba")
    few = replace(few, persons=tuple(replace(p, face_count=9) for p in few.persons))
    archive.add("one.mp4", many)
    archive.add("two.mp4", few)
    assert archive.collect() == 0
    out = archive.folder / "out"
    a, b = archive.table("identities")
    # The portrait comes from the medium with most of the person's faces.
    assert (out / a["portrait"]).read_bytes() == JPEG % (1, 0)
    assert (out / b["portrait"]).read_bytes() == JPEG % (0, 0)
    with zipfile.ZipFile(out / "crops.zip") as file:
        assert len(file.namelist()) == 3
        for row in archive.table("appearances"):
            assert file.read(row["portrait"]).startswith(b"\xff\xd8")
    first = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    assert archive.collect() == 0
    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == first


def test_other_readers_read_the_parquet(archive):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    archive.add("one.mp4", report("ab"), metric_x="1.5")
    archive.add("two.mp4", report("a"), metric_x="")
    assert archive.collect() == 0
    for name in ("identities", "appearances"):
        table = pandas.read_parquet(archive.folder / "out" / f"{name}.parquet")
        rows = archive.table(name)
        assert list(table.columns) == list(rows[0])
        assert len(table) == len(rows)
        assert table["identity_id"].dtype == "int64"
    assert table["metric_x"].dtype == "float64"
    assert table["metric_x"].isna().sum() == 1


def test_the_page_links_to_each_mediums_page(archive):
    target = archive.folder / "a b" / "x#1.html"
    archive.add("one.mp4", report("a"), item_id="<film>", dest_html=str(target))
    archive.add("two.mp4", report("a"), item_id="bare", dest_html="")
    assert archive.collect() == 0
    page = (archive.folder / "out" / "index.html").read_text(encoding="utf-8")
    assert '<a href="../a%20b/x%231.html">&lt;film&gt;</a> from 0:00' in page
    assert "<li>bare from 0:00" in page


def test_wrong_options(tmp_path):
    assert main(["collect", "a.csv", "b.zip", "-o", "x"]) == 2
    assert main(["collect", "a.zip", "-o", "x", "--cluster_threshold", "0"]) == 2
    assert main(["collect", "a.zip", "-o", "x", "--clusterer", "nonesuch"]) == 2
    assert main(["collect", str(tmp_path / "none.csv"), "-o", "x"]) == 2
