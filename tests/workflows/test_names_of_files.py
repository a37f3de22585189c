"""Names of media that break programs: long ones, bytes that are not UTF-8, letters in two forms."""

import csv
import json
import os
import shutil
import unicodedata
import zipfile
from pathlib import Path

import pandas
import pytest
from lxml import etree
from PIL import Image

from analyzer import registry
from analyzer.__main__ import main
from analyzer.results import joblist
from joblist import names
from joblist.reader import MAX_NAME_BYTES
from jobs.inputs import intake
from jobs.system.reach import Reach, reach
from jobs.types import Lease
from tests.support import media

EXPORTS = registry.names("export")
FAST = ["--fps", "1", "--shots", "none"]
LATIN = os.fsdecode(b"caf\xe9 \xff.mp4")
LONG = ["é" * 120 + ".mp4", "x" * 251 + ".mp4"]
"""Names of 244 and of 255 bytes, the most that there can be."""
COMPOSED = "Café Ångström.mp4"
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return media.video(tmp_path_factory.mktemp("film") / "film.mp4", rate="10", seconds=1)


def folder_of(film: Path, folder: Path, *others: str) -> Path:
    folder.mkdir()
    for name in (*others, "zz.mp4"):
        shutil.copy(film, folder / name)
    return folder


def analyze(*arguments: object) -> int:
    return main(["analyze", *map(str, arguments), *FAST])


def test_a_folder_with_long_names_is_done_with_every_export(film: Path, tmp_path: Path) -> None:
    folder, out = folder_of(film, tmp_path / "in", *LONG), tmp_path / "out"
    arguments = [folder, "-o", out, "--export", ",".join(EXPORTS)]
    assert analyze(*arguments) == 0
    results = [name for name in os.listdir(out) if not name.startswith(".")]
    assert len(results) == 3 * len(EXPORTS)
    assert max(len(os.fsencode(name)) for name in results) <= 255
    assert not [name for name in results if ".part." in name]
    assert sum(name.startswith("zz.") for name in results) == len(EXPORTS)
    assert analyze(*arguments) == 0, "the same names again"
    assert len([name for name in os.listdir(out) if not name.startswith(".")]) == len(results)


def test_long_names_that_begin_alike_stay_apart() -> None:
    one, two = (names.shortened("a" * 250 + end, 223) for end in "xy")
    assert one != two
    assert len(one) == len(two) == 223
    assert names.shortened("short", 223) == "short"


def test_names_near_the_limit_in_a_joblist(film: Path, tmp_path: Path) -> None:
    """Of every export, a file with the longest name that joblists may have."""
    stems = {name: "n" * (MAX_NAME_BYTES - len(name) - 5) for name in EXPORTS}
    dests = {f"dest_{name}": f"{stem}.{name}.csv"[-MAX_NAME_BYTES:] for name, stem in stems.items()}
    assert {len(dest) for dest in dests.values()} == {MAX_NAME_BYTES}
    (tmp_path / "out").mkdir()
    with (tmp_path / "jobs.csv").open("w") as stream:
        writer = csv.writer(stream)
        writer.writerow(["source_path", *dests])
        writer.writerow([film, *(tmp_path / "out" / dest for dest in dests.values())])
    assert analyze(tmp_path / "jobs.csv") == 0
    assert sorted(p.name for p in (tmp_path / "out").glob("n*")) == sorted(dests.values())


def test_bytes_that_are_not_utf8_with_every_export(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = folder_of(film, tmp_path / "in", LATIN), tmp_path / os.fsdecode(b"\xe9out")
    exports = ["--export", ",".join(EXPORTS)]
    assert analyze(folder / LATIN, "-o", out, *exports) == 0, capsys.readouterr().err
    stem = LATIN.removesuffix(".mp4")
    assert len(list(out.glob(f"{stem}.*"))) == len(EXPORTS)
    results = tmp_path / "plain"
    shutil.copytree(out, results)
    for file in results.glob(f"{stem}.*"):
        file.rename(results / f"f{file.name.removeprefix(stem)}")
    readable(results)
    assert len(media.streams(results / "f.mp4")) == 2


def readable(folder: Path) -> None:
    """Every file is read by a reader of its format, and text is UTF-8."""
    for file in folder.glob("f.*"):
        if file.suffix in (".csv", ".ass", ".vtt", ".rttm", ".txt", ".html"):
            file.read_bytes().decode("utf-8")
        elif file.suffix in (".json", ".jsonld"):
            json.loads(file.read_bytes().decode("utf-8"))
        elif file.suffix in (".eaf", ".xml"):
            etree.parse(str(file))
        elif file.suffix == ".xlsx":
            pandas.read_excel(file, sheet_name=None)
        elif file.suffix == ".parquet":
            pandas.read_parquet(file)
        elif file.suffix == ".zip":
            assert zipfile.ZipFile(file).testzip() is None
        elif file.suffix == ".jpg":
            Image.open(file).load()


def test_a_folder_with_such_a_name_is_done_with_the_others(film: Path, tmp_path: Path) -> None:
    folder, out = folder_of(film, tmp_path / "in", LATIN), tmp_path / "out"
    assert analyze(folder, "-o", out, "--export", "csv,json,mp4") == 0
    assert len(list(out.glob("*.*"))) == 2 * 3 + 1, "and the folder of records"


PAIRS = [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)]


@pytest.mark.parametrize(("listed", "there"), PAIRS)
def test_the_other_form_of_letters_is_found(
    listed: str, there: str, film: Path, tmp_path: Path
) -> None:
    """In folders and files, of media, posters and galleries, by joblists and command lines."""
    folder = tmp_path / there.removesuffix(".mp4")
    folder.mkdir()
    shutil.copy(film, folder / there)
    Image.new("RGB", (64, 64)).save(folder / f"{there}.png")
    given = tmp_path / listed.removesuffix(".mp4") / listed
    assert not given.exists()
    assert names.spelled(str(given)) == str(folder / there)
    (tmp_path / "jobs.csv").write_text(
        f"source_path,dest_csv,poster_path\n{given},{tmp_path}/o/a.csv,{given}.png\n"
    )
    (spec,) = joblist.read(tmp_path / "jobs.csv")
    assert spec.source_path == str(folder / there)
    assert spec.poster_path == str(folder / f"{there}.png")
    assert analyze(tmp_path / "jobs.csv") == 0
    assert analyze(given, "-o", tmp_path / "out", "--export", "csv,mp4") == 0
    lease = Lease(job=1, token=1, spec=spec, options={})
    with intake.admitted(lease, lambda _: None) as admitted:
        assert admitted.source_path == str(folder / there)
    assert reach(str(given)) is Reach.THERE


def test_the_exact_form_wins(film: Path, tmp_path: Path) -> None:
    for name in (COMPOSED, DECOMPOSED):
        shutil.copy(film, tmp_path / name)
    for name in (COMPOSED, DECOMPOSED):
        assert names.spelled(str(tmp_path / name)) == str(tmp_path / name)
    mixed = COMPOSED.replace("Å", "A\u030a")
    assert names.spelled(str(tmp_path / mixed)) == str(tmp_path / mixed), "which of the two?"


@pytest.mark.parametrize(("listed", "there"), PAIRS)
def test_a_gallery_and_its_portraits_in_the_other_form(
    listed: str, there: str, film: Path, tmp_path: Path
) -> None:
    gallery = tmp_path / there
    (gallery / "actor_images").mkdir(parents=True)
    face = Image.fromarray(media.astronaut())
    face.save(gallery / "actor_images" / f"{there}.png")
    (gallery / "actors.csv").write_text("id,name\n1,Zoë\n,\n")
    (gallery / "actor_images.csv").write_text(f"actor_id,filename\n1,{listed}.png\n,\n")
    given = ["--gallery", tmp_path / listed, "--export", "names"]
    assert analyze(film, "-o", tmp_path / "out", *given) == 0
    assert (tmp_path / "out" / "film.names.json").is_file()
