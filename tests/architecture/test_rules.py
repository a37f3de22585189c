"""Each rule of the floor plan fails in a small tree that breaks it, and says what to do."""

from pathlib import Path

import pytest

from tests.support import architecture_rules as rules
from tests.support.architecture import Tree
from tests.support.processes import ROOT

FOR_TYPES = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    "
OBSERVATIONS = "class Observations:\n    pass\n"


def tree_of(folder: Path, files: dict[str, str]) -> Tree:
    """Write files below a folder; return their tree."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Tree(folder)


@pytest.mark.parametrize(
    ("rule", "files", "cure"),
    [
        (
            rules.loose_files,
            {"analyzer/helpers.py": ""},
            "analyzer/helpers.py: a loose file: move it into a folder of analyzer/",
        ),
        (rules.loose_files, {"jobs/tools.py": ""}, "move it into a folder of jobs/"),
        (rules.loose_files, {"ina_work.py": ""}, "move it into a folder of a package"),
        (rules.unknown_packages, {"faces/__init__.py": ""}, "move it into one of analyzer, ina"),
        (
            rules.unknown_rooms,
            {"analyzer/attic/box.py": ""},
            "analyzer/attic: an unknown room: give it a floor in FLOORS and a row in MAY_IMPORT",
        ),
        (
            rules.forbidden_imports,
            {"analyzer/imaging/a.py": "def read():\n    from analyzer.export import csv\n"},
            "analyzer.imaging.a:2 imports analyzer.export: analyzer/imaging may not import export",
        ),
        (
            rules.upward_imports,
            {"analyzer/types/a.py": f"{FOR_TYPES}from analyzer.pipeline.components import C\n"},
            "pipeline lies above types: move the code down",
        ),
        (rules.halves, {"jobs/ledger/a.py": "from analyzer import types\n"}, "only ina"),
        (rules.halves, {"ina_watch.py": "from jobs import types\n"}, "only ina"),
        (
            rules.twice_named_classes,
            {"analyzer/types/a.py": OBSERVATIONS, "jobs/ledger/b.py": OBSERVATIONS},
            "class Observations stands in analyzer.types.a and jobs.ledger.b: rename one",
        ),
        (
            rules.plugins_beside_the_registry,
            {
                "analyzer/pipeline/a.py": "from analyzer.stages.detect import centerface\n",
                "analyzer/stages/detect/centerface.py": "",
            },
            "load it by analyzer.registry",
        ),
        (
            rules.stages_that_know_each_other,
            {"analyzer/stages/track/a.py": "from analyzer.stages.detect import Detector\n"},
            "stages never import each other: move what both need down",
        ),
        (rules.misplaced_libraries, {"analyzer/review/a.py": "import cv2\n"}, "a slow library"),
        (
            rules.misplaced_libraries,
            {"analyzer/stages/detect/a.py": "def f():\n    import cv2\n"},
            "at the top of a plug-in only",
        ),
        (rules.misplaced_libraries, {"jobs/ledger/a.py": "import numpy\n"}, "no arrays"),
        (rules.misplaced_libraries, {"jobs/ledger/a.py": "import rich\n"}, "print there"),
        (rules.misplaced_libraries, {"jobs/ledger/a.py": "import Pyro5\n"}, "jobs.wire"),
        (rules.misplaced_libraries, {"joblist/a.py": "import yaml\n"}, "standard library only"),
        (rules.full_inits, {"jobs/ledger/__init__.py": "x = 1 + 1\n"}, "move it into a file"),
        (
            rules.misplaced_calls,
            {"analyzer/results/a.py": "import hashlib\nprint(hashlib.sha256())\n"},
            "analyzer.results.a:2: hashlib.sha256: use analyzer.files.hashing",
        ),
        (rules.misplaced_calls, {"jobs/ledger/a.py": "from os import replace\n"}, "publish"),
        (rules.misplaced_calls, {"ina/a.py": "a.replace(b)\n"}, "Path.replace: use jobs.slurm"),
        (
            rules.long_commands,
            {"jobs/commands/a.py": "def run():\n    import json\n    import csv\n"},
            "2 imports, one at most: import one function",
        ),
        (rules.long_commands, {"analyzer/commands/a.py": "\n" * 300}, "move the logic"),
        (rules.too_long, {"jobs/ledger/a.py": "x = 1\n" * 401}, "400 at most: split it"),
        (rules.too_long, {"ina/a.py": "def f():\n" + "    x = 1\n" * 60}, "60 at most: split it"),
        (rules.private_words, {"jobs/ledger/a.py": '"""Whose job."""\n'}, "say it plainly"),
    ],
)
def test_what_breaks_a_rule_is_named(rule, files, cure, tmp_path):
    wrong = rule(tree_of(tmp_path, files))
    assert [line for line in wrong if cure in line], wrong


def test_a_circle_of_files_is_named(tmp_path):
    files = {
        "analyzer/imaging/hen.py": "from analyzer.imaging import egg\n",
        "analyzer/imaging/egg.py": f"{FOR_TYPES}from analyzer.imaging import hen\n",
    }
    assert rules.file_circles(tree_of(tmp_path, files)) == [
        "a circle of files: analyzer.imaging.egg:3 imports analyzer.imaging.hen; "
        "analyzer.imaging.hen:1 imports analyzer.imaging.egg: move what both need into a third one"
    ]


def test_an_unused_permission_is_named(monkeypatch):
    plan = {**rules.MAY_IMPORT["jobs"], "system": "errors wire"}
    monkeypatch.setitem(rules.MAY_IMPORT, "jobs", plan)
    monkeypatch.setitem(rules.MAY_IMPORT_PACKAGES, "joblist", "jobs")
    assert rules.unused_permissions(Tree(ROOT)) == [
        "MAY_IMPORT['jobs']['system']: wire is not imported: remove it",
        "MAY_IMPORT_PACKAGES['joblist']: jobs is not imported: remove it",
    ]


def test_a_row_of_no_room_is_named(monkeypatch):
    plan = {**rules.MAY_IMPORT["jobs"], "attic": ""}
    monkeypatch.setitem(rules.MAY_IMPORT, "jobs", plan)
    assert rules.vanished_rooms(Tree(ROOT)) == [
        "MAY_IMPORT['jobs']['attic']: there is no such room: remove the row"
    ]


def test_what_the_rules_ask_for_passes(tmp_path):
    files = {
        "analyzer/export/csv.py": "import cv2\nfrom analyzer import errors\n",
        "analyzer/errors.py": '"""Errors."""\n',
        "jobs/ledger/a.py": "text = 'a'.replace('a', 'b')\nfrom joblist import shard\n",
        "ina/a.py": "from analyzer import errors\nfrom jobs.ledger import a\n",
    }
    small = tree_of(tmp_path, files)
    for rule in (
        rules.loose_files,
        rules.forbidden_imports,
        rules.upward_imports,
        rules.halves,
        rules.misplaced_libraries,
        rules.misplaced_calls,
    ):
        assert rule(small) == []
