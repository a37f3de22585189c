"""What to install: libraries by their own names, never a package of this project's name."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ina_cli import libraries
from tests.support.architecture import PACKAGES
from tests.support.document_pages import pages
from tests.support.processes import ROOT

ADVICE = re.compile(r"pip3? install((?: +(?:--?[\w-]+|'[^']*'|\"[^\"]*\"|[^\s'\"`;,)]+))+)")
METADATA = """\
Metadata-Version: 2.4
Name: ina
Version: 9
Requires-Dist: lxml<7,>=5; extra == "review"
Requires-Dist: no_such_library>=1; extra == 'review'
Requires-Dist: dlib-bin>=19; python_version < "4"
"""


@pytest.fixture(autouse=True)
def unread():
    """What was read of the metadata is forgotten."""
    libraries._declared.cache_clear()
    yield
    libraries._declared.cache_clear()


def advice(text: str) -> list[str]:
    """The words after each `pip install` of a text."""
    lines = text.replace("\\\n", " ")
    return [word for found in ADVICE.findall(lines) for word in shlex.split(found)]


def texts() -> dict[str, str]:
    """Every file that may tell what to install."""
    files = [ROOT / page for page in pages()]
    files += [*(ROOT / "docs").rglob("*.ipynb"), *ROOT.glob("ina_*.py"), ROOT / "Makefile"]
    for folder in (*PACKAGES, "media", "deploy", "benchmarks"):
        files += [p for p in (ROOT / folder).rglob("*") if p.suffix in (".py", ".sh", ".j2", ".md")]
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in files}


def test_nothing_tells_to_install_a_package_of_this_name() -> None:
    ours = {name.replace("_", "-") for name in PACKAGES}
    wrong = {
        name: word
        for name, text in texts().items()
        for word in advice(text)
        if re.split(r"[\[<>=~!]", word.replace("_", "-"))[0].lower() in ours
    }
    assert wrong == {}


def test_the_search_finds_such_advice() -> None:
    text = "`pip install 'ina[review]'` or: pip install --upgrade joblist; pip install '.[cpu]'."
    assert advice(text) == ["ina[review]", "--upgrade", "joblist", ".[cpu]"]


def test_libraries_come_with_the_bounds_of_the_clone() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for module, name in (("lxml", "lxml"), ("cv2", "opencv-python"), ("yaml", "PyYAML")):
        (bound,) = {found for found in re.findall(rf'"({name}[^"]*)"', text) if ">" in found}
        assert bound in shlex.split(libraries.requirements(module))
    assert shlex.split(libraries.requirements("onnxruntime-gpu"))[0].startswith("onnxruntime-gpu>=")
    assert libraries.requirements("unknown_library") == "unknown_library"


def test_an_installation_has_them_in_its_metadata(tmp_path: Path) -> None:
    """And a package of the same name that is not ours is not asked."""
    # Not what Python writes there while other tests run.
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "ina_cli", tmp_path / "ina_cli", ignore=ignored)
    code = (
        "from ina_cli.libraries import requirements as r;"
        "print(r('lxml')); print(r('dlib')); print(r('av'))"
    )

    def told(folder: Path) -> list[str]:
        start = f"import sys; sys.path[:0] = [{str(folder)!r}, {str(tmp_path)!r}]; "
        command = [sys.executable, "-S", "-c", start + code]
        return subprocess.check_output(command, cwd=folder, text=True).splitlines()

    metadata = tmp_path / "ina-9.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(METADATA)
    assert told(tmp_path) == ["'lxml<7,>=5' 'no_such_library>=1'", "'dlib-bin>=19'", "av"]
    stranger = tmp_path / "stranger"
    shutil.move(metadata, stranger / "ina-9.dist-info")
    assert told(stranger) == ["lxml", "dlib-bin", "av"]


def test_a_package_of_ours_is_never_taken_for_a_library(tmp_path: Path) -> None:
    """Python itself names the file that hides it from a program that uses the API."""
    (tmp_path / "joblist.py").touch()
    code = "from analyzer import analyze; analyze('film.mp4')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert str(tmp_path / "joblist.py") in done.stderr or "'joblist' is not a pack" in done.stderr
    assert "pip install" not in done.stderr
