"""The floor plan: every module in a room, every import downwards, one place for one thing."""

import ast
import re
from collections.abc import Callable
from statistics import median

import pytest

from tests.support import architecture_rules as rules
from tests.support.architecture import Tree, prose
from tests.support.floor_plan import FILE_LINES, PRIVATE_WORDS
from tests.support.processes import ROOT
from tools import vague_names

TREE = Tree(ROOT)
HELPERS = 32
"""Files in tests/support."""
RULES = [
    rules.loose_files,
    rules.unknown_packages,
    rules.unknown_rooms,
    rules.vanished_rooms,
    rules.forbidden_imports,
    rules.unused_permissions,
    rules.upward_imports,
    rules.file_circles,
    rules.halves,
    rules.twice_named_classes,
    rules.plugins_beside_the_registry,
    rules.stages_that_know_each_other,
    rules.misplaced_libraries,
    rules.full_inits,
    rules.misplaced_calls,
    rules.long_commands,
    rules.too_long,
    rules.private_words,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tree_keeps_the_rule(rule: Callable[[Tree], list[str]]) -> None:
    wrong = rule(TREE)
    assert not wrong, "\n" + "\n".join(wrong)


def test_a_root_holds_at_most_six_files() -> None:
    for package in ("analyzer", "jobs"):
        assert len(list((ROOT / package).glob("*.py"))) <= 6


def test_functions_are_mostly_under_ten_lines() -> None:
    lengths = [(n.end_lineno or 0) - n.lineno + 1 for _, n in TREE.functions()]
    assert median(lengths) < 10


def test_tests_and_tools_keep_the_caps() -> None:
    folders = ("tests", "tools", "benchmarks", "media")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    lengths = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in files}
    assert {name: n for name, n in lengths.items() if n > FILE_LINES} == {}


@pytest.mark.parametrize("folders", [vague_names.PACKAGES, ("tests", "tools")], ids=" ".join)
def test_local_names_say_what_they_hold(folders: tuple[str, ...]) -> None:
    figure, vague, _ = vague_names.share([ROOT / name for name in folders])
    cure = f"python tools/vague_names.py --list {' '.join(folders)} shows where: {vague}"
    assert figure < vague_names.LIMIT, cure


def test_tests_and_tools_say_it_plainly() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {word[0]!r}: say it plainly"
        for folder in ("tests", "tools")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for number, line in prose(path.read_text())
        if (word := PRIVATE_WORDS.search(line))
    ]
    assert not wrong, "\n" + "\n".join(wrong)


def test_tests_import_helpers_only() -> None:
    """Not out of another test nor a conftest; also in the text of a program that a test runs."""
    beside = re.compile(r"\b(?:from|import) tests(?:\.(?!support\b)\w+| import (?!support\b))")
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}: move what both need to tests/support"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if beside.search(line)
    ]
    assert not wrong, "\n" + "\n".join(wrong)


def test_helpers_are_one_flat_room() -> None:
    room = ROOT / "tests" / "support"
    files = sorted(path.relative_to(room).as_posix() for path in room.rglob("*.py"))
    assert [name for name in files if "/" in name] == []
    assert len(files) <= HELPERS, files
    assert [n for n in files if not ast.get_docstring(ast.parse((room / n).read_text()))] == []
