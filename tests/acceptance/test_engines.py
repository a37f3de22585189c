"""The recipes of docs/cluster.md on local clusters: the bytes of the server."""

import csv
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support import media
from tests.support.cluster import cluster
from tests.support.processes import ROOT

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.timeout(600),
    # Theirs, not ours.
    pytest.mark.filterwarnings("ignore"),
]
OPTIONS = ("--fps", "2")
FILMS = 6


def recipe(name: str) -> dict[str, Any]:
    """The documented code of an engine."""
    text = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    (code,) = re.findall(rf"```python\n(# {name}:.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {"__name__": "recipe"}
    exec(compile(code, f"recipe of {name}", "exec"), names)
    return names


@pytest.fixture(scope="module")
def films(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("films")
    paths = {f"film{n}": folder / f"film{n}.mp4" for n in range(FILMS)}
    for number, path in enumerate(paths.values()):
        media.ffmpeg("-i", sample / "sample.mp4", "-t", 2 + number, "-c", "copy", path)
    return paths


@pytest.fixture(scope="module")
def expected(films: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    with cluster(tmp_path_factory.mktemp("server"), {}, options=OPTIONS) as target:
        target.joblist(films)
        target.serve()
        target.analyse("--threads", "1")
        assert target.finish(within_s=300) == 0, target.log()
        return outputs(target.out)


def outputs(folder: Path) -> dict[str, bytes]:
    files = [p for p in folder.iterdir() if p.suffix in (".csv", ".ass")]
    return {p.name: p.read_bytes() for p in files}


@pytest.fixture
def joblist(films: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The films, and one that is missing."""
    path = tmp_path / "jobs.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["source_path", "dest_csv", "dest_ass"])
        for name, source in {**films, "missing": tmp_path / "missing.mp4"}.items():
            writer.writerow([source, *(tmp_path / "out" / f"{name}.{k}" for k in ("csv", "ass"))])
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    return str(path)


CODES = {**dict.fromkeys(range(1, FILMS + 1), 0), FILMS + 1: 65}


def test_dask(joblist: str, expected: dict[str, bytes], tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="make test-engines")
    run_all = recipe("dask")["run_all"]
    settings = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**settings, local_directory=tmp_path / "dask") as local:
        assert run_all(local, joblist, FILMS + 1, *OPTIONS) == CODES
    assert outputs(tmp_path / "out") == expected


def test_dask_jobqueue(joblist: str, expected: dict[str, bytes], tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="make test-engines")
    jobqueue = pytest.importorskip("dask_jobqueue.local", reason="make test-engines")
    run_all = recipe("dask")["run_all"]
    settings = {"cores": 1, "processes": 1, "memory": "2GB", "interface": "lo"}
    with jobqueue.LocalCluster(**settings, local_directory=str(tmp_path / "dask")) as local:
        local.scale(jobs=2)
        assert run_all(local, joblist, FILMS + 1, *OPTIONS) == CODES
    assert outputs(tmp_path / "out") == expected


def test_ray(joblist: str, expected: dict[str, bytes], tmp_path: Path) -> None:
    ray = pytest.importorskip("ray", reason="make test-engines")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        assert recipe("ray")["run_all"](joblist, FILMS + 1, *OPTIONS) == CODES
    finally:
        ray.shutdown()
    assert outputs(tmp_path / "out") == expected
