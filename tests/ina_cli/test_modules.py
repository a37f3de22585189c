"""Packages that are missing, or hidden by files of a user: each launcher names the place."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.architecture import PACKAGES
from tests.support.processes import ROOT

LAUNCHERS = ["ina_server.py", "ina_worker.py", "-m ina", "-m analyzer", "-m jobs"]
SCRIPTS = ["ina", "ina_server", "ina_worker", "ina_analyzer", "ina_jobs"]
NEEDED = {"-m analyzer": {"analyzer", "joblist"}}
"""Other launchers need all packages."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages, as an installation has it."""
    folder = tmp_path_factory.mktemp("installed")
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", "*.safetensors")
        shutil.copytree(ROOT / package, folder / package, ignore=ignored)
    for name in ("ina_server.py", "ina_worker.py"):
        shutil.copy(ROOT / name, folder)
    return folder


def start(command: list[str], folder: Path, *path: Path) -> tuple[int, str]:
    """Run a program in a folder, with folders of packages; return exit code and errors."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}
    environment.pop("PYTHONSAFEPATH", None)
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True
    )
    return done.returncode, done.stderr


def words(launcher: str, installed: Path) -> list[str]:
    """The command line of a launcher in the copy."""
    if launcher.endswith(".py"):
        return [str(installed / launcher), "--help"]
    return [*launcher.split(), "--help"]


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_nothing_is_wrong_with_a_whole_copy(launcher, installed, tmp_path):
    (tmp_path / "analyzer").mkdir()
    assert start(words(launcher, installed), installed.parent, installed) == (0, "")


@pytest.mark.parametrize("launcher", ["-m ina", "-m analyzer", "-m jobs"])
def test_a_file_in_the_working_folder_is_named(launcher, installed, tmp_path):
    (tmp_path / "joblist.py").write_text("print('mine')\n")
    code, error = start(words(launcher, installed), tmp_path, installed)
    assert code == 1
    assert error == (
        f"error: {tmp_path}/joblist.py hides {installed}/joblist, a part of this program: rename "
        "it, or start the program in another folder\n"
    )


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("hidden", ["joblist", "analyzer"])
def test_a_folder_on_the_path_is_named(script, hidden, installed, tmp_path):
    """The programs of an installation do not look into the working folder."""
    (tmp_path / hidden).mkdir()
    (tmp_path / hidden / "__init__.py").touch()
    code = f"import sys; from ina_cli import launch; sys.exit(launch.{script}())"
    status, error = start(["-c", code, "--help"], installed.parent, tmp_path, installed)
    assert status == 1
    assert error == (
        f"error: {tmp_path}/{hidden} hides {installed}/{hidden}, a part of this program: rename "
        f"it, or take {tmp_path} out of PYTHONPATH\n"
    )


@pytest.mark.parametrize("launcher", LAUNCHERS)
@pytest.mark.parametrize("package", PACKAGES)
def test_a_missing_package_is_named(launcher, package, installed, tmp_path):
    if package in NEEDED.get(launcher, PACKAGES) and launcher != f"-m {package}":
        part = tmp_path / "part"
        shutil.copytree(installed, part)
        shutil.rmtree(part / package)
        # Without the site's packages: there, this clone has all its packages.
        alone = ["-S"] if package == "ina_cli" else []
        code, error = start([*alone, *words(launcher, part)], tmp_path, part)
        assert code == 1
        assert "Traceback" not in error
        assert package in error
        assert "install it again" in error
