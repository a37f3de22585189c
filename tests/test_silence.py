"""What the programs leave in an empty home, and that they need no network."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.processes import ROOT

OURS = (".cache/ina", ".local/state/ina")
DEMO = [str(ROOT / "ina_server.py"), "localhost", "media/jobs.csv", "--fps", "5", "--workers", "2"]
ALONE = ["unshare", "-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
"""A network of its own, with loopback only."""


def run(folder: Path, command: Sequence[str], *, before: Sequence[str] = (), **own: str) -> str:
    """Run Python in a folder, with no other variables than these, and an empty home in it."""
    for name in ("home", "tmp"):
        (folder / name).mkdir(exist_ok=True)
    variables = {
        "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin",
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        **own,
    }
    words = [*before, sys.executable, *command]
    done = subprocess.run(words, cwd=folder, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def foreign(folder: Path) -> list[str]:
    """Files in the home and the temporary folder that are not this project's."""
    left = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir()}
    ours = tuple(f"home/{place}/" for place in OURS)
    return sorted(p for p in left if p.startswith(("home/", "tmp/")) and not p.startswith(ours))


def results(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "results").iterdir()}


def test_the_list_of_models_leaves_nothing(tmp_path: Path) -> None:
    run(tmp_path, ["-m", "analyzer", "models", "list"])
    assert foreign(tmp_path) == []


def test_onnxruntime_is_told_to_be_silent_before_it_is_imported(tmp_path: Path) -> None:
    load = "from analyzer.inference.backends import onnxruntime"
    run(tmp_path, ["-c", load])
    assert foreign(tmp_path) == []


@pytest.mark.parametrize("name", ["ORT_DISABLE_TELEMETRY", "YOLO_OFFLINE"])
def test_a_setting_of_the_user_stays(name: str, tmp_path: Path) -> None:
    show = f"import analyzer, os; print(os.environ[{name!r}])"
    assert run(tmp_path, ["-c", show], **{name: "user's"}) == "user's\n"


def test_only_one_module_imports_onnxruntime() -> None:
    """A module of `analyzer`: then the package has set the environment before."""
    packages = [
        ROOT / name
        for name in ("analyzer", "ina", "ina_input", "ina_web", "jobs", "joblist", "tools")
    ]
    files = [*ROOT.glob("*.py"), *(path for folder in packages for path in folder.rglob("*.py"))]
    loading = [p.relative_to(ROOT) for p in files if "import onnxruntime" in p.read_text("utf-8")]
    assert loading == [Path("analyzer/inference/backends/onnxruntime.py")]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample, made with an empty home, and the demo's results."""
    folder = tmp_path_factory.mktemp("demo")
    run(folder, ["-m", "analyzer", "sample", "media"])
    run(folder, DEMO)
    return folder


@pytest.mark.acceptance
def test_the_demo_leaves_only_this_projects_folders(demo: Path) -> None:
    assert len(results(demo)) == 4
    assert foreign(demo) == []


@pytest.mark.acceptance
def test_a_job_of_an_engine_leaves_only_this_projects_folders(demo: Path, tmp_path: Path) -> None:
    shutil.copytree(demo / "media", tmp_path / "media")
    job = ["-m", "jobs", "run-job", "--joblist", "media/jobs.csv", "--row", "1", "--fps", "5"]
    run(tmp_path, job)
    assert foreign(tmp_path) == []


@pytest.mark.acceptance
def test_the_demo_is_the_same_without_a_network(demo: Path, tmp_path: Path) -> None:
    try:
        subprocess.run([*ALONE, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no network of its own (unshare -rn, ip): {error}")
    shutil.copytree(demo / "media", tmp_path / "media")
    run(tmp_path, DEMO, before=ALONE)
    assert results(tmp_path) == results(demo)
    assert foreign(tmp_path) == []
