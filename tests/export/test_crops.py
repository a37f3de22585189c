"""The crops exporter: who is in which folder, which faces, which bytes; what forgetting does."""

import io
import json
import zipfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analyzer import registry
from analyzer.__main__ import main
from analyzer.erasure import strip
from analyzer.errors import InputError
from analyzer.export import crops
from analyzer.files import zips
from analyzer.inference.runtime import Runtime
from analyzer.options import AnalysisOptions
from analyzer.pipeline import components
from analyzer.reports import portraits
from tests.support import readers
from tests.support.analysis import analyze
from tests.support.reports import Face, make_report


@pytest.fixture(scope="module")
def report(sample):
    models = components.load_components(AnalysisOptions(fps=2, device="cpu"))
    return analyze(str(sample / "sample.mp4"), components=models)


def named(report, *names):
    """The report with names for its first persons."""
    given = [*names, *[None] * (len(report.persons) - len(names))]
    persons = [replace(p, name=n) for p, n in zip(report.persons, given, strict=True)]
    return replace(report, persons=tuple(persons))


def write(report, path: Path, options: str = "") -> dict[str, bytes]:
    """The zip's files by name."""
    registry.load("export", f"crops{options}", runtime=Runtime()).write(report, path)
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def by_folder(files) -> dict[str, list[str]]:
    names = defaultdict(list)
    for name in files:
        folder, file = name.split("/")
        names[folder].append(file)
    return dict(names)


def test_every_person_has_a_folder_with_its_faces_of_the_csv(report, tmp_path):
    files = write(report, tmp_path / "a.zip")
    path = tmp_path / "a.csv"
    registry.load("export", "csv", runtime=Runtime()).write(report, path)
    rows = readers.table(path)
    owners = {f"{int(row.frame):07}_{row.face_id}.jpg": row.person_id for row in rows.itertuples()}
    folders = by_folder(files)
    assert sorted(folders) == sorted(str(person.person_id) for person in report.persons)
    for person, names in folders.items():
        assert {owners[name] for name in names} == {person}
        assert len(names) == min(100, sum(owner == person for owner in owners.values()))
    for jpeg in files.values():
        assert Image.open(io.BytesIO(jpeg)).size == (224, 224)


def test_names_are_folders_that_any_system_takes(report, tmp_path):
    files = write(named(report, "../é/Ada\n"), tmp_path / "a.zip", ":most=1,side=64")
    assert "__é_Ada_" in by_folder(files)
    assert all(len(faces) == 1 for faces in by_folder(files).values())
    assert Image.open(io.BytesIO(next(iter(files.values())))).size == (64, 64)


def test_persons_of_one_name_do_not_share_a_folder(report, tmp_path):
    assert len(report.persons) >= 2
    folders = by_folder(write(named(report, "Ada", "ADA"), tmp_path / "a.zip", ":most=2"))
    assert {"Ada", f"ADA_{report.persons[1].person_id}"} <= set(folders)


def test_equal_reports_give_equal_bytes(report, tmp_path):
    for name in ("a.zip", "b.zip"):
        write(report, tmp_path / name, ":most=3")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_who_was_forgotten_has_no_pictures(report, tmp_path):
    gone, *others = report.persons
    folders = by_folder(
        write(strip.erase_from_report(report, {gone.person_id}, None), tmp_path / "a.zip")
    )
    assert sorted(folders) == sorted(str(person.person_id) for person in others)


def test_every_track_comes_before_a_track_twice():
    rows = [Face(n, n / 5, (0, 0, 50, 50), track=t, detect_conf=c) for n, (t, c) in enumerate(
        [(0, 0.9), (0, 0.8), (0, 0.7), (1, 0.3), (1, 0.2), (2, 0.9)]
    )]  # fmt: skip
    report = make_report(rows, persons={0: 0, 1: 0, 2: 1})
    assert portraits.of_persons(report, most=3) == {0: [0, 3, 1], 1: [5]}
    assert portraits.of_persons(make_report(), most=3) == {}


def test_nobody_gives_an_empty_zip(tmp_path):
    assert write(make_report(), tmp_path / "a.zip") == {}


def test_a_medium_that_is_gone_is_said(report, tmp_path):
    gone = replace(report, info=replace(report.info, uri=str(tmp_path / "gone.mp4")))
    with pytest.raises(InputError, match=r"gone\.mp4: no crops: .*was it moved or replaced\?"):
        write(gone, tmp_path / "a.zip")


def test_the_faces_of_no_person_have_a_folder(report, tmp_path):
    owners = replace(
        report.identities, person_ids=np.full_like(report.identities.person_ids, -1)
    )  # as if all were too small
    nobody = replace(report, identities=owners, persons=())
    folders = by_folder(write(nobody, tmp_path / "a.zip", ":most=3"))
    assert {folder: len(names) for folder, names in folders.items()} == {"unidentified": 3}


class TestAll:
    """Every face, nobody's too."""

    def test_nobodys_faces_have_a_folder(self, report, tmp_path):
        nobodys = report.identities.person_ids.copy()
        nobodys[report.identities.person_ids == report.persons[1].person_id] = -1
        owners = replace(report.identities, person_ids=nobodys)
        less = replace(report, identities=owners, persons=report.persons[:1])
        folders = by_folder(write(less, tmp_path / "a.zip", ":all=true,most=1"))
        assert sorted(folders) == sorted([str(report.persons[0].person_id), "unidentified"])
        table = less.observations
        everybody = {
            f"{frame:07}_{track}.jpg"
            for frame, track in zip(table.frame.tolist(), table.track_id.tolist(), strict=True)
        }
        assert {name for names in folders.values() for name in names} == everybody
        assert len(everybody) == len(table) > 3

    def test_one_who_is_called_unidentified_is_apart(self, report, tmp_path):
        person_ids = report.identities.person_ids.copy()
        person_ids[report.identities.person_ids == report.persons[1].person_id] = -1
        owners = replace(report.identities, person_ids=person_ids)
        called = replace(named(report, "Unidentified"), identities=owners)
        called = replace(called, persons=called.persons[:1])
        folders = by_folder(write(called, tmp_path / "a.zip", ":all=true"))
        assert sorted(folders) == ["Unidentified", "unidentified_-1"]

    def test_who_was_forgotten_has_no_pictures(self, report, tmp_path):
        gone, *others = report.persons
        erased = strip.erase_from_report(report, {gone.person_id}, None)
        folders = by_folder(write(erased, tmp_path / "a.zip", ":all=true"))
        assert sorted(folders) == sorted(str(person.person_id) for person in others)

    def test_one_picture_after_the_other_is_held(self, report, tmp_path, monkeypatch):
        """A film has more faces than memory: each is written before the next is cut."""
        written = []
        add = zips.Archive.add
        cut = portraits.cut_each

        def counted(*args, **values):
            for number, face in enumerate(cut(*args, **values)):
                assert len(written) == number
                yield face

        def noted(self, name, pieces, *, packed=True):
            written.append(name)
            add(self, name, pieces, packed=packed)

        monkeypatch.setattr(portraits, "cut_each", counted)
        monkeypatch.setattr(zips.Archive, "add", noted)
        files = write(report, tmp_path / "a.zip", ":all=true")
        assert len(files) == len(written) == len(report.observations)

    def test_pictures_in_order_are_those_that_are_sought(self, report, tmp_path, monkeypatch):
        """Many in a second are decoded in order: seeking each would decode most again and again."""
        in_order = write(report, tmp_path / "a.zip", ":all=true")
        monkeypatch.setattr(portraits, "_DENSE_PER_S", 1000.0)
        assert write(report, tmp_path / "b.zip", ":all=true") == in_order

    def test_the_command_line_takes_it_and_a_correction_keeps_it(self, sample, tmp_path, capsys):
        command = ["analyze", str(sample / "sample.mp4"), "-o", str(tmp_path), "--fps", "2"]
        # Nobody is clear enough to be a person.
        exports = ["--export", "csv,crops:all=true,side=32,report", "--min_clarity", "0.99"]
        assert main([*command, *exports]) == 0, capsys.readouterr().err
        (rows,) = (readers.table(p) for p in tmp_path.glob("sample.csv"))

        def pictures():
            with zipfile.ZipFile(tmp_path / "sample.crops.zip") as file:
                (size,) = {Image.open(io.BytesIO(file.read(n))).size for n in file.namelist()}
                return len(file.namelist()), size

        assert pictures() == (len(rows), (32, 32))
        report_path = tmp_path / "sample.report.zip"
        assert main(["recluster", str(report_path), "--cluster_threshold", "0.3"]) == 0
        assert pictures() == (len(rows), (32, 32))
        correction = {"op": "not_a_face", "track": int(rows["face_id"].iloc[0])}
        document = {
            "format": "ina-corrections",
            "version": 1,
            "source": {"uri": "", "name": "sample.mp4", "options": ""},
            "corrections": [correction],
        }
        (tmp_path / "made.json").write_text(json.dumps(document))
        made = str(tmp_path / "made.json")
        assert main(["correct", str(report_path), made, "--force"]) == 0, capsys.readouterr().err
        left = (rows["face_id"].astype(int) != correction["track"]).sum()
        assert pictures() == (left, (32, 32))

    @pytest.mark.parametrize(
        "comment", [b"", b"\xff", b"crops:side=99999", b"evil.py:side=1", b"mp4:crf=1", b"x"]
    )
    def test_a_comment_of_others_is_of_no_effect(self, comment, tmp_path):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.comment = comment
        exporter = crops.create(runtime=Runtime())
        assert exporter.spec_of(tmp_path / "a.zip") == "crops"

    def test_other_exports_take_no_options_on_the_command_line(self, sample, tmp_path, capsys):
        command = ["analyze", str(sample / "sample.mp4"), "-o", str(tmp_path)]
        assert main([*command, "--export", "mp4:crf=30"]) == 2
        assert "write the name alone" in capsys.readouterr().err
        assert main([*command, "--export", "crops:most=-1"]) == 2
        assert "most=-1" in capsys.readouterr().err


def test_stills_by_the_command_line(sample, tmp_path, capsys):
    data = pytest.importorskip("skimage.data")
    Image.fromarray(data.astronaut()).save(tmp_path / "Eileen: 1.png")
    pattern, out = str(tmp_path / "*.png"), tmp_path / "out"
    status = main(
        ["analyze", pattern, "-o", str(out), "--engine", "image", "--export", "csv,crops"]
    )
    assert status == 0, capsys.readouterr().err
    (archive,) = out.glob("*.crops.zip")
    with zipfile.ZipFile(archive) as file:
        assert file.namelist() == ["0/0000000_0_Eileen_ 1.jpg"]
