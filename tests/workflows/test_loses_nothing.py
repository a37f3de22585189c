"""What `analyze` never does: replace results of another medium, or analyse a picture as a film."""

import json
import shutil
from pathlib import Path

import pytest

from analyzer.__main__ import main
from analyzer.results import ownership_record
from analyzer.workflows import fetching, inputs
from tests.support import hosts
from tests.support.media import video

FAST = ["--frame_step", "10", "--shots", "none"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, rate in (("aa", "10"), ("bb", "12")):
        Path(name).mkdir()
        video(Path(name, "film.mp4"), rate=rate, seconds=1)
    return tmp_path


def analyze(*arguments: str) -> int:
    return main(["analyze", *arguments, *FAST])


def table(path: str = "col/film.csv") -> str:
    return Path(path).read_text()


@pytest.mark.parametrize("exports", ["csv", "report", "json", "ass,mp4", "csv,html,eaf"])
def test_results_of_another_medium_of_the_same_name_stay(
    folder: Path, exports: str, capsys
) -> None:
    assert analyze("aa/film.mp4", "-o", "col", "--export", exports) == 0
    before = {path: path.read_bytes() for path in Path("col").rglob("*") if path.is_file()}
    assert analyze("bb/film.mp4", "-o", "col", "--export", exports) == 2
    error = capsys.readouterr().err
    assert f"is a result of {folder}/aa/film.mp4: give another folder (-o), or --overwrite" in error
    assert {path: path.read_bytes() for path in before} == before
    assert analyze("bb/film.mp4", "-o", "col", "--export", exports, "--overwrite") == 0
    assert analyze("bb/film.mp4", "-o", "col", "--export", exports) == 0
    assert analyze("aa/film.mp4", "-o", "col", "--export", exports) == 2


def test_the_same_medium_may_have_moved_or_be_a_copy(folder: Path) -> None:
    assert analyze("aa/film.mp4", "-o", "col", "--export", "csv") == 0
    Path("cc").mkdir()
    shutil.move("aa/film.mp4", "cc/film.mp4")
    Path("link.mp4").symlink_to("cc/film.mp4")
    assert analyze("cc/film.mp4", "-o", "col", "--export", "csv,ass") == 0
    assert analyze("link.mp4", "-o", "col", "--export", "csv,ass") == 0


def test_a_file_of_nobody_knows_which_medium_stays(folder: Path, capsys) -> None:
    Path("col").mkdir()
    Path("col/film.csv").write_text("mine\n")
    assert analyze("aa/film.mp4", "-o", "col", "--export", "csv") == 2
    assert "nothing says of which medium it is" in capsys.readouterr().err
    assert table() == "mine\n"
    assert analyze("aa/film.mp4", "-o", "col", "--export", "ass") == 0, "another file"


@pytest.mark.parametrize("export", ["report", "json"])
def test_results_without_a_record_are_known_by_their_report(folder: Path, export: str) -> None:
    assert analyze("aa/film.mp4", "-o", "col", "--export", f"csv,{export}") == 0
    shutil.rmtree(Path("col", ".ina"))
    assert analyze("bb/film.mp4", "-o", "col", "--export", "csv") == 2
    assert analyze("aa/film.mp4", "-o", "col", "--export", "csv") == 0


def test_a_report_with_a_path_from_elsewhere_is_known_by_name_and_size(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert analyze("aa/film.mp4", "-o", "col", "--export", "csv,report") == 0
    shutil.rmtree(Path("col", ".ina"))
    monkeypatch.chdir(folder / "aa")
    assert analyze("film.mp4", "-o", "../col", "--export", "csv") == 0


def test_a_record_that_cannot_be_read_is_none(folder: Path) -> None:
    assert analyze("aa/film.mp4", "-o", "col", "--export", "csv") == 0
    Path("col/.ina/film.json").write_text("{")
    assert analyze("aa/film.mp4", "-o", "col", "--export", "csv") == 2


def test_titles_and_their_posters(folder: Path, capsys) -> None:
    from PIL import Image

    for name in ("x", "y"):
        title = Path(name, "t1")
        title.mkdir(parents=True)
        shutil.copy("aa/film.mp4" if name == "x" else "bb/film.mp4", title / "t.mp4")
        for poster in ("front", "back"):
            Image.new("RGB", (64, 64)).save(title / f"{poster}.jpg")
    exports = ["--export", "posters,poster_image"]
    assert analyze("--item", "x/t1", "-o", "col", *exports) == 0
    assert len(list(Path("col").glob("t1.*.poster.jpg"))) == 2
    assert analyze("--item", "y/t1", "-o", "col", *exports) == 2
    assert analyze("--item", "x/t1", "-o", "col", *exports) == 0


def test_stills_may_become_more_and_not_others(folder: Path) -> None:
    from PIL import Image

    for name in ("a", "b", "c"):
        Image.new("RGB", (64, 64)).save(f"{name}.png")
    image = ["--engine", "image"]
    assert main(["analyze", "a.png", "b.png", "-o", "my.csv", *image]) == 0
    assert Path("my.csv").is_file()
    assert not Path("my.characters.csv").exists()
    assert main(["analyze", "b.png", "c.png", "-o", "my.csv", *image]) == 2
    assert main(["analyze", "a.png", "b.png", "c.png", "-o", "my.csv", *image]) == 0
    more = ["--export", "csv,characters"]
    assert main(["analyze", "a.png", "b.png", "c.png", "-o", "my.csv", *image, *more]) == 0
    assert Path("my.characters.csv").is_file()
    Path("old.csv").mkdir()
    assert main(["analyze", "a.png", "-o", "old.csv", *image]) == 0
    assert Path("old.csv/a.csv").is_file()


def test_an_output_of_videos_is_a_folder(folder: Path) -> None:
    assert analyze("aa/film.mp4", "-o", "col.csv", "--export", "csv") == 0
    assert Path("col.csv/film.csv").is_file()


def test_records_are_no_results_of_others(folder: Path) -> None:
    assert analyze("aa/film.mp4", "-o", "col", "--export", "csv") == 0
    (record,) = Path("col/.ina").iterdir()
    assert json.loads(record.read_text())["media"] == [str(folder / "aa/film.mp4")]
    assert ownership_record.owner("https://films.test/a.mp4").media == ("https://films.test/a.mp4",)


def test_a_picture_is_told_of_its_engine(folder: Path, capsys) -> None:
    from PIL import Image

    for name in ("a.jpg", "a.png", "a.bmp", "a.tif", "a.webp", "a.ppm"):
        Image.new("RGB", (64, 64)).save(name)
        assert analyze(name, "-o", "col") == 1
        assert f"{name}: a picture; analyse pictures with --engine image" in capsys.readouterr().err
    Path("pictures").mkdir()
    shutil.move("a.jpg", "pictures")
    assert analyze("pictures", "-o", "col") == 1
    assert "no video in this folder; pictures are analysed with --engine image" in (
        capsys.readouterr().err
    )


@pytest.fixture
def host(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A host that, for this test, is a public one."""
    with hosts.hosting(folder / "host", film=Path("aa/film.mp4").read_bytes()) as (address, certs):
        # The only thing that cannot be had: an address that anybody could reach.
        monkeypatch.setattr(
            fetching, "Fetcher", lambda max_bytes: hosts.fetcher(certs, max_bytes=max_bytes)
        )
        yield address


def test_an_address_is_fetched_and_not_kept(host: str, folder: Path, capsys) -> None:
    assert analyze("aa/film.mp4", "-o", "here", "--export", "csv,mp4") == 0
    plain = host.replace("https://", "http://")
    assert analyze(f"{plain}/film", "-o", "col", "--export", "csv,mp4") == 0
    shown = capsys.readouterr().err
    assert f"{plain}/film: asked by https" in shown
    assert f"fetched from {host}/film, and not kept" in shown
    assert table() == table("here/film.csv")
    assert Path("col/film.mp4").stat().st_size == Path("here/film.mp4").stat().st_size
    assert analyze(f"{host}/film", "-o", "col", "--export", "csv,json") == 0, "the same again"
    medium = json.loads(Path("col/film.report.json").read_text())["medium"]
    assert Path(medium["uri"]).name == "film"
    assert not Path(medium["uri"]).exists()
    assert analyze("bb/film.mp4", "-o", "col", "--export", "csv") == 2


def test_what_is_wrong_with_an_address_is_told_of_it(host: str, folder: Path, capsys) -> None:
    assert analyze(f"{host}/404", f"{host}/film", "-o", "col", "--export", "csv") == 1
    assert f"error: {host}/404: the host answers 404" in capsys.readouterr().err
    assert Path("col/film.csv").is_file()
    assert analyze(f"{host}/film", "-o", "x", "--max_download_gb", "0.00001") == 1
    assert "raise --max_download_gb" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("address", "code", "says"),
    [
        ("https://user:word@films.test/x", 2, "holds a user name"),
        ("ftp://films.test/x", 2, "only https"),
        ("https://10.0.0.1/x", 1, "no public address"),
        ("http://localhost/x", 1, "no public address"),
    ],
)
def test_addresses_are_refused_by_the_rules_of_the_server(
    folder: Path, capsys, address: str, code: int, says: str
) -> None:
    assert analyze(address, "-o", "col") == code
    assert says in capsys.readouterr().err


def test_addresses_of_a_joblist_must_be_allowed(host: str, folder: Path, capsys) -> None:
    Path("jobs.csv").write_text(f"source_path,dest_csv\n{host}/film,col/film.csv\n")
    assert analyze("jobs.csv") == 2
    assert "or add --allow_urls" in capsys.readouterr().err
    assert analyze("jobs.csv", "--allow_urls") == 0
    Path("jobs.csv").write_text("source_path,dest_csv\nhttp://films.test/film,col/f.csv\n")
    assert analyze("jobs.csv", "--allow_urls") == 2
    assert "jobs.csv:2: source_path 'http://films.test/film' is not fetched" in (
        capsys.readouterr().err
    )


def test_results_of_addresses_are_named_by_their_paths() -> None:
    assert inputs.result_stems(
        ["https://films.test/a/My%20Film.mp4?x=1", "https://films.test/", "https://b.test/..%2f"]
    ) == ["My Film", "films", "_"]
    one, two = inputs.result_stems(["https://films.test/a/f.mp4", "https://films.test/b/f.mp4"])
    assert (one, two) == ("a_f", "b_f")
