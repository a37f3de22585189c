"""What the forge and citation tools read: that it parses, and says what is so."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import analyzer
from tests.support.processes import ROOT

FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))
NEEDED = ("ffmpeg", "redis-server", "libgl1", "libglib2.0-0")
"""What CONTRIBUTING.md asks for."""


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_the_workflow_runs_what_developers_run() -> None:
    (job,) = read(ROOT / ".github" / "workflows" / "tests.yml")["jobs"].values()
    commands = [step.get("run", "") for step in job["steps"]]
    assert {"make check", "make test"} <= set(commands)
    (install,) = (command for command in commands if "apt-get install" in command)
    assert all(package in install.split() for package in NEEDED)
    targets = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(f"\n{name}: $(STAMP)" in targets for name in ("check", "test"))


def test_the_workflow_tries_every_supported_python() -> None:
    """By text: as a number, 3.10 would be 3.1."""
    (job,) = read(ROOT / ".github" / "workflows" / "tests.yml")["jobs"].values()
    versions = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text())
    assert job["strategy"]["matrix"]["python"] == versions


def test_another_tries_the_oldest_and_the_newest_versions() -> None:
    (job,) = read(ROOT / ".github" / "workflows" / "versions.yml")["jobs"].values()
    targets = [row["target"] for row in job["strategy"]["matrix"]["include"]]
    assert targets == ["test-lowest", "test-newest"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(f"\n{target}:" in makefile for target in targets)


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_asks_for_something(path: Path) -> None:
    form = read(path)
    assert form["name"]
    assert form["description"]
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    names = [field["id"] for field in fields]
    assert len(names) == len(set(names)) > 0
    assert all(field["attributes"]["label"] for field in fields)
    assert any(field.get("validations", {}).get("required") for field in fields)


def test_there_are_forms() -> None:
    assert [path.stem for path in FORMS] == ["bug", "feature"]


def test_the_citation_is_of_this_version() -> None:
    citation = read(ROOT / "CITATION.cff")
    assert citation["version"] == analyzer.__version__
    assert citation["cff-version"] == "1.2.0"
    assert citation["authors"]
    assert citation["title"]
    assert citation["message"]


def test_security_links_what_is_there() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    for page in ("docs/security.md", "docs/model_card.md", "docs/anonymise.md", "CHANGELOG.md"):
        assert f"]({page})" in text
        assert (ROOT / page).is_file()
