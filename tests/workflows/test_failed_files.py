"""One exporter's failure costs that file alone, and is told."""

from pathlib import Path

import pytest

from analyzer.__main__ import main
from analyzer.errors import MissingDependency, ResourceError, UsageError
from analyzer.results import write
from ina_worker import make_task
from joblist.model import JobSpec
from jobs.errors import JobFailed
from jobs.types import Lease, PartPaths
from tests.support.media import ffmpeg, video

FAST = ["--fps", "2", "--shots", "none"]
BROKEN = '''
"""An exporter with a fault."""
from pathlib import Path


def create(*, runtime):
    """Nothing but an error."""
    return Broken()


class Broken:
    suffix = ".broken.txt"

    def write(self, report, path, progress=None):
        Path(path).write_text("half of it")
        raise {error}
'''


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """A film that must not be anonymised: some of it cannot be decoded."""
    whole, path = video(tmp_path / "whole.ts", seconds=2), tmp_path / "half.ts"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2 + 7])
    return path


def broken(folder: Path, error: str) -> str:
    path = folder / "broken.py"
    path.write_text(BROKEN.format(error=error))
    return str(path)


def test_a_refused_video_costs_no_table(damaged: Path, tmp_path: Path, capsys) -> None:
    out, other = tmp_path / "out", video(tmp_path / "other.mp4", seconds=1)
    exports = ["--export", "mp4,csv,ass,shots", "--anonymise", "all"]
    assert main(["analyze", str(damaged), str(other), "-o", str(out), *exports, *FAST]) == 1
    said = capsys.readouterr().err
    assert f"error: {out}/half.mp4: not written: {damaged}: damaged, so that some faces" in said
    assert sorted(p.name for p in out.glob("half*")) == ["half.ass", "half.csv", "half.shots.csv"]
    assert len(list(out.glob("other*"))) == 4


@pytest.mark.parametrize("error", ["KeyError('x')", "UnicodeEncodeError('utf-8', 'x', 0, 1, 'y')"])
def test_an_exporter_with_a_fault_costs_its_file(error: str, tmp_path: Path, capsys) -> None:
    film, out = video(tmp_path / "a.mp4", seconds=1), tmp_path / "out"
    exports = f"{broken(tmp_path, error)},csv"
    assert main(["analyze", str(film), "-o", str(out), "--export", exports, *FAST]) == 1
    said = capsys.readouterr().err
    name = error.partition("(")[0]
    assert f"error: {out}/a.broken.txt: not written: {name}: " in said
    assert "(broken.py:16); please report it" in said
    assert [p.name for p in out.glob("a*")] == ["a.csv"]


def test_a_file_of_an_earlier_run_is_told(tmp_path: Path, capsys) -> None:
    film, out = video(tmp_path / "a.mp4", seconds=1), tmp_path / "out"
    plugin = broken(tmp_path, "KeyError('x')")
    argv = ["analyze", str(film), "-o", str(out), *FAST, "--overwrite", "--export"]
    assert main([*argv, f"{plugin},csv"]) == 1
    assert "older one" not in capsys.readouterr().err
    (out / "a.broken.txt").write_text("of an earlier run")
    assert main([*argv, f"{plugin},csv"]) == 1
    assert "please report it; the file there is an older one" in capsys.readouterr().err
    assert (out / "a.broken.txt").read_text() == "of an earlier run"


def test_further_files_fail_alone(tmp_path: Path, capsys) -> None:
    film, out = video(tmp_path / "a.mp4", seconds=1), tmp_path / "out"
    assert main(["analyze", str(film), "-o", str(out), "--export", "report", *FAST]) == 0
    film.unlink()
    argv = ["export", str(out / "a.report.zip"), "-o", str(out), "--export", "mp4,csv,ass"]
    assert main([*argv, "--overwrite"]) == 1
    said = capsys.readouterr().err
    assert f"{out}/a.mp4: not written: " in said
    assert sorted(p.name for p in out.glob("a.*")) == ["a.ass", "a.csv", "a.report.zip"]


def lease(film: Path, out: Path, *exports: str) -> Lease:
    out.mkdir()
    dests = {name: str(out / f"a.{name}") for name in exports}
    options = {"fps": 2, "shots": "none", "anonymise": "all"}
    spec = JobSpec(source_path=str(film), dests=dests)
    return Lease(job=1, token=1, spec=spec, options=options, key="k")


def test_a_worker_gives_up_one_file_and_says_why(damaged: Path, tmp_path: Path) -> None:
    job = lease(damaged, tmp_path / "out", "csv", "mp4", "ass")
    parts = PartPaths({name: Path(path) for name, path in job.dests.items()})
    statistics = make_task({"threads": 0})(job, parts, lambda _: None)
    assert list(parts) == ["csv", "ass"]
    assert "damaged, so that some faces may be missed and stay bare" in parts.faults["mp4"]
    assert (statistics["partial"], statistics["files_failed"]) == (1, 1)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.ass", "a.csv"]


def test_without_its_csv_a_job_fails(tmp_path: Path, monkeypatch) -> None:
    from analyzer.export import csv

    def fail(*_: object) -> None:
        raise KeyError("x")

    # The only thing that cannot be had: a csv that cannot be written for no fault of the machine.
    monkeypatch.setattr(csv.CsvExporter, "write", fail)
    job = lease(video(tmp_path / "a.mp4", seconds=1), tmp_path / "out", "csv", "ass")
    parts = PartPaths({name: Path(path) for name, path in job.dests.items()})
    with pytest.raises(JobFailed, match="csv: not written: KeyError: 'x'") as caught:
        make_task({"threads": 0})(job, parts, lambda _: None)
    assert caught.value.kind == "bug"


MACHINE = [
    ResourceError("full"),
    MemoryError(),
    OSError(28, "No space left on device"),
    MissingDependency("ffmpeg", needed_by="mp4", install="imageio-ffmpeg"),
    UsageError("mp4 is of videos"),
]


@pytest.mark.parametrize("error", MACHINE, ids=lambda error: type(error).__name__)
def test_what_the_machine_or_the_user_is_at_fault_with_is_raised(error: Exception) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)):
        write.fault_of(fail)


def test_videos_come_last() -> None:
    assert write.in_order(["mp4", "ass", "csv", "html"]) == ["ass", "csv", "html", "mp4"]


def test_a_film_with_a_sound_that_no_mp4_takes_has_its_tables(tmp_path: Path) -> None:
    film, out = tmp_path / "a.mkv", tmp_path / "out"
    pattern = ["-f", "lavfi", "-i", "testsrc=d=1:r=10", "-f", "lavfi", "-i", "sine=d=1"]
    ffmpeg(*pattern, "-ar", "8000", "-c:a", "libmp3lame", "-b:a", "8k", film)
    main(["analyze", str(film), "-o", str(out), "--export", "mp4,csv,ass", *FAST])
    assert {"a.csv", "a.ass"} <= {p.name for p in out.iterdir()}


def test_one_file_of_two_exports_is_refused(tmp_path: Path, capsys) -> None:
    film = video(tmp_path / "a.mp4", seconds=1)
    exports = ["--export", "edl,edl:person=0"]
    assert main(["analyze", str(film), "-o", str(tmp_path / "out"), *exports]) == 2
    assert "both are one file, *.persons.edl" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    (tmp_path / "a.report.zip").write_bytes(b"")
    assert main(["export", str(tmp_path / "a.report.zip"), "-o", str(tmp_path), *exports]) == 2
    assert "leave one out" in capsys.readouterr().err
