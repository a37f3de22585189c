"""The versions that were tested: a file for each Python, within the bounds of the metadata."""

import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.support.processes import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PYTHONS = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
NOT_LOCKED = {"engines", "torch", "train", "yolo"}
"""Extras with environments of their own: gigabytes, or builds for each kind of graphics card."""
LINE = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[\w.]+)")


def requirements() -> list[Requirement]:
    """Every requirement that is locked."""
    extras = PROJECT["optional-dependencies"]
    texts = [line for name, lines in extras.items() if name not in NOT_LOCKED for line in lines]
    return [Requirement(text) for text in [*PROJECT["dependencies"], *texts]]


def locked(python: str) -> dict[str, Version]:
    """Package -> version of one Python's file."""
    lines = (ROOT / "constraints" / f"python{python}.txt").read_text().splitlines()
    matches = [LINE.fullmatch(line) for line in lines]
    assert all(matches), "a line is no name==version"
    return {match["name"]: Version(match["version"]) for match in matches if match}


def test_each_supported_python_has_a_file_and_no_other() -> None:
    names = {path.name for path in (ROOT / "constraints").iterdir()}
    assert names == {f"python{python}.txt" for python in PYTHONS}
    makefile = (ROOT / "Makefile").read_text()
    assert f"PYTHONS := {' '.join(PYTHONS)}\n" in makefile
    assert f'requires-python = ">={PYTHONS[0]}"' in (ROOT / "pyproject.toml").read_text()
    assert f"OLDEST ?= python{PYTHONS[0]}\n" in makefile


@pytest.mark.parametrize("python", PYTHONS)
def test_every_requirement_is_locked_within_its_bounds(python: str) -> None:
    versions = locked(python)
    marks = {"python_version": python, "python_full_version": f"{python}.0"}
    for requirement in requirements():
        if requirement.marker is None or requirement.marker.evaluate(marks):
            version = versions[canonicalize_name(requirement.name)]
            assert version in requirement.specifier, f"{requirement}: {version}: make lock"


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_a_requirement_has_a_lower_bound_and_no_upper(requirement: Requirement) -> None:
    """An upper bound would keep users from fixes; the locked set is for those who want none."""
    assert [clause.operator for clause in requirement.specifier] == [">="]


def test_the_dockerfile_takes_the_locked_versions() -> None:
    text = (ROOT / "Dockerfile").read_text()
    files = re.findall(r"--constraint /constraints/(\S+)", text)
    assert len(files) == text.count("pip install")
    assert all((ROOT / "constraints" / Path(name)).is_file() for name in files)
