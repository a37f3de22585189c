"""People known again where no server hands out the jobs: counted once, whatever is killed."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import analyzer
from analyzer.options import AnalysisOptions
from joblist.model import JobSpec
from joblist.shard import Shard
from jobs.slurm.folder import JOIN, SHARD, Folder, Plan
from jobs.standalone.work import Work
from jobs.system.process_identity import ProcessIdentity
from tests.support.identities import archived, faces
from tests.support.media import ffmpeg
from tests.support.processes import ROOT
from tests.support.redis_server import RedisServer
from tests.support.slurm_folders import begin, task

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]
FACTORY = "tests.support.identity_worker:make_task"
PEOPLE = 2
"""Of the sample; the shorter film has one of them."""


@pytest.fixture
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Of a store in a file, or of a server of its own."""
    if request.param == "file":
        yield str(tmp_path / "people.identities")
        return
    server = RedisServer(tmp_path)
    server.start()
    yield server.url()
    server.kill()


both = pytest.mark.parametrize("address", ["file", "redis"], indirect=True)


@pytest.fixture
def films(sample: Path, tmp_path: Path) -> list[Path]:
    """Three films of the same people; in the last, only one of them."""
    paths = [tmp_path / f"m{n}.mp4" for n in range(3)]
    for path in paths[:2]:
        shutil.copy(sample / "sample.mp4", path)
    ffmpeg("-i", sample / "sample.mp4", "-t", "3.5", "-c", "copy", paths[2])
    return paths


def dests(film: Path) -> dict[str, str]:
    return {k: str(film.parent / "out" / f"{film.stem}.{k}") for k in ("characters", "csv")}


def run_job(film: Path, *options: str, die: Path | None = None) -> int:
    """One job in processes of its own, which may die between match and publish."""
    code = (
        f"import sys; from ina.analysis import FilmAnalysis; FilmAnalysis.FACTORY = {FACTORY!r}; "
        "from jobs.__main__ import main;"
        "sys.exit(main())"
    )
    paths = [f"--dest_{kind}={path}" for kind, path in dests(film).items()]
    command = [sys.executable, "-c", code, "run-job", "--source_path", str(film), *paths]
    env = {**os.environ, "PYTHONPATH": str(ROOT), **({"INA_DIE": str(die)} if die else {})}
    command += ["--fps", "2", "--threads", "1", *options]
    return subprocess.run(command, cwd=film.parent, env=env, timeout=110).returncode


@both
def test_a_job_that_is_killed_and_run_again_counts_once(
    address: str, films: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "address").write_text(address)
    store = ("--identities", "@address")
    first, again, short = films
    assert run_job(first, *store, die=tmp_path / "died") == -signal.SIGKILL
    assert not (tmp_path / "out" / "m0.csv").exists()
    for film in (first, again, short, first):
        assert run_job(film, *store) == 0
    people, saved = archived(tmp_path / "out", address)
    assert people == PEOPLE
    (tmp_path / "out" / "m0.csv").unlink()
    assert run_job(first, *store) == 0
    assert archived(tmp_path / "out", address) == (people, saved)
    # Without it the results are as they were, and stay so.
    before = faces(tmp_path / "out")
    assert run_job(again) == 0
    assert faces(tmp_path / "out") == before


def fill(folder: Folder, films: list[Path], address: str) -> None:
    """List the films as a submission does; the first is cut in two."""
    own = ProcessIdentity.own()
    is_file = "://" not in address
    machine = {"host": own.host, "boot_id": own.boot_id} if is_file else None
    options = AnalysisOptions.from_mapping({"fps": 2})
    plan = Plan(
        joblist="jobs.csv",
        factory=FACTORY,
        program=analyzer.__version__,
        options=options.to_dict(),
        digest=options.digest(),
        tasks=1,
        threads=1,
        identities={"url": f"@{folder.path.parent / 'address'}", "machine": machine},
    )
    works = [
        Work(
            spec=JobSpec(source_path=str(film), dests=dests(film)),
            options=plan.options,
            digest=plan.digest,
        )
        for film in films
    ]
    cut = [Shard(number, 2) for number in range(2)]
    folder.write_plan(plan, ((work, [] if n else cut) for n, work in enumerate(works)))


@both
def test_tasks_that_are_killed_and_requeued_count_once(
    address: str, films: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from analyzer.identities.address import open_store, settings_for

    (tmp_path / "address").write_text(address)
    open_store(address, settings=settings_for("dlib_resnet", None)).close()
    folder = Folder(tmp_path / "jobs.slurm")
    fill(folder, films, address)
    begin(folder)
    for kind in (SHARD, JOIN):
        monkeypatch.setenv("INA_DIE", str(tmp_path / f"{kind}.died"))
        assert task(folder, kind, 0) == -signal.SIGKILL
        # As the task's script has Slurm do it.
        assert task(folder, kind, 0) == 0
    assert archived(tmp_path / "out", address)[0] == PEOPLE
    text = "".join(path.read_text() for path in folder.journals())
    parts_and_films = 2 + 3
    assert text.count('"done"') == parts_and_films
    assert text.count('"began"') == parts_and_films + 2
    assert begin(folder) == []
    files = [path for path in folder.path.rglob("*") if path.is_file()]
    assert not [path for path in files if address in path.read_text()]
