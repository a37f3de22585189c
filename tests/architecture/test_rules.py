"""Each rule of the floor plan fails where a small tree breaks it, and names the cure."""

import ast
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import architecture_rules as rules
from tests.support.architecture import PACKAGES, Tree
from tests.support.processes import ROOT

Write = Callable[[str, str], None]


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages, which tests add files to."""
    folder = tmp_path_factory.mktemp("tree")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("*.pyc"))
    for launcher in ROOT.glob("ina_*.py"):
        shutil.copy(launcher, folder)
    return folder


@pytest.fixture
def broken(copied: Path) -> "Callable[[str, str], Tree]":
    """Add a file to the copy; it is removed after the test."""
    added: list[Path] = []

    def add(name: str, text: str) -> Tree:
        path = copied / name
        assert not path.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        added.append(path)
        return Tree(copied)

    yield add
    for path in added:
        path.unlink()


@pytest.mark.parametrize(
    ("rule", "name", "text", "cure"),
    [
        (rules.loose_files, "analyzer/helpers.py", "", "move it into a folder of analyzer/"),
        (rules.loose_files, "jobs/tools.py", "", "move it into a folder of jobs/"),
        (rules.loose_files, "ina_work.py", "", "move it into a folder of a package"),
        (rules.unknown_packages, "faces/__init__.py", "", "move it into one of analyzer, ina"),
        (rules.unknown_rooms, "analyzer/attic/box.py", "", "give it a floor"),
        (
            rules.forbidden_imports,
            "analyzer/imaging/reader.py",
            "def read():\n    from analyzer.export import csv\n",
            "imaging may not import export",
        ),
        (
            rules.upward_imports,
            "analyzer/types/loader.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
            "    from analyzer.pipeline.components import Components\n",
            "pipeline lies above types",
        ),
        (rules.halves, "jobs/ledger/faces.py", "from analyzer import types\n", "only ina"),
        (rules.halves, "ina_watch.py", "from jobs import types\n", "only ina"),
        (
            rules.twice_named_classes,
            "jobs/ledger/observations.py",
            "class Observations:\n    pass\n",
            "class Observations stands in analyzer.types.observations and jobs.ledger.observations",
        ),
        (
            rules.plugins_beside_the_registry,
            "analyzer/pipeline/shortcut.py",
            "from analyzer.stages.detect import centerface\n",
            "load it by analyzer.registry",
        ),
        (
            rules.stages_that_know_each_other,
            "analyzer/stages/track/shortcut.py",
            "from analyzer.stages.detect import Detector\n",
            "stages never import each other",
        ),
        (rules.misplaced_libraries, "analyzer/review/fast.py", "import cv2\n", "a slow library"),
        (rules.misplaced_libraries, "jobs/ledger/sums.py", "import numpy\n", "no arrays"),
        (rules.full_inits, "jobs/ledger/old/__init__.py", "x = 1 + 1\n", "move it into a file"),
        (
            rules.misplaced_calls,
            "analyzer/results/hashes.py",
            "import hashlib\nprint(hashlib.sha256())\n",
            "use analyzer.files.hashing",
        ),
        (rules.misplaced_calls, "jobs/ledger/a.py", "from os import replace\n", "publish"),
        (rules.misplaced_calls, "ina/a.py", "def f(a, b):\n    a.replace(b)\n", "storage_probe"),
        (
            rules.long_commands,
            "jobs/commands/late.py",
            "def run():\n    import json\n    import csv\n",
            "2 imports, one at most",
        ),
        (rules.long_commands, "analyzer/commands/talk.py", "\n" * 300, "move the logic"),
        (rules.too_long, "jobs/ledger/long.py", "x = 1\n" * 401, "400 at most"),
        (rules.too_long, "ina/f.py", "def f():\n" + "    x = 1\n" * 60, "60 at most: split it"),
        (rules.private_words, "jobs/ledger/poem.py", '"""Whose job."""\n', "say it plainly"),
    ],
)
def test_what_breaks_a_rule_is_named(broken, rule, name, text, cure):
    wrong = rule(broken(name, text))
    assert [line for line in wrong if cure in line], wrong


def test_a_circle_of_files_is_named(broken):
    broken("analyzer/imaging/hen.py", "from analyzer.imaging import egg\n")
    tree = broken(
        "analyzer/imaging/egg.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
        "    from analyzer.imaging import hen\n",
    )
    assert rules.file_circles(tree) == [
        "a circle of files: analyzer.imaging.egg:3 imports analyzer.imaging.hen; "
        "analyzer.imaging.hen:1 imports analyzer.imaging.egg: move what both need into a third one"
    ]


def test_an_unused_permission_is_named(copied, monkeypatch):
    plan = {**rules.MAY_IMPORT["jobs"], "system": "errors wire"}
    monkeypatch.setitem(rules.MAY_IMPORT, "jobs", plan)
    monkeypatch.setitem(rules.MAY_IMPORT_PACKAGES, "joblist", "jobs")
    assert rules.unused_permissions(Tree(copied)) == [
        "MAY_IMPORT['jobs']['system']: wire is not imported: remove it",
        "MAY_IMPORT_PACKAGES['joblist']: jobs is not imported: remove it",
    ]


def test_a_row_of_no_room_is_named(copied, monkeypatch):
    plan = {**rules.MAY_IMPORT["jobs"], "attic": ""}
    monkeypatch.setitem(rules.MAY_IMPORT, "jobs", plan)
    assert rules.vanished_rooms(Tree(copied)) == [
        "MAY_IMPORT['jobs']['attic']: there is no such room: remove the row"
    ]


def test_the_copy_itself_breaks_no_rule(copied):
    assert not rules.forbidden_imports(Tree(copied))
    assert all(ast.parse(file.text) for file in Tree(copied).files)
