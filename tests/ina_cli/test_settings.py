"""Options from a TOML file: they are parsed as those of the command line, which wins."""

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ina.front_door import program_parser
from ina_cli.parser import Parser
from ina_cli.settings import COMMANDS
from tests.support.processes import ROOT, command, run

SAMPLES = {
    "engine": "video",
    "aggregate": "median",
    "min_sex_confidence": "0.8",
    "layout": "utkface",
    "labels_as": "cleaned",
    "device": "cpu",
    "precision": "fast",
    "workers": "2",
    "rows": "2:3",
    "over": "persons",
    "sort": "faces",
    "dashboard": "8080",
    "until": "2",
    "log_level": "info",
    "synthetic": "3x4",
    "thresholds": "0.4,0.5",
    "attributes": "sex,ethnicity",
    "export": "csv,eaf",
    "format": "json",
    "sure": "0.75",
    "within": "1",
}
"""Values of options that do not take just any text or number."""
NEEDED = {"evaluate.clustering": "synthetic", "identities.rekey": "new_key"}
"""Command -> the option that stands for a group of which one is needed."""


def parsers(parser: argparse.ArgumentParser) -> Iterator[Parser]:
    """Yield the parsers of the commands that have no commands below them."""
    below = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not below and isinstance(parser, Parser) and parser.has_settings:
        yield parser
    for action in below:
        for inner in action.choices.values():
            yield from parsers(inner)


LEAVES = {leaf.table: leaf for leaf in parsers(program_parser())}


def options(parser: Parser) -> Iterator[argparse.Action]:
    """Yield the options of a command, but for those that a file cannot have."""
    for action in parser._actions:
        hidden = action.dest in ("help", "config") or action.help == argparse.SUPPRESS
        if action.option_strings and action.dest != "==SUPPRESS==" and not hidden:
            yield action


def value_of(action: argparse.Action) -> tuple[Any, list[str]]:
    """A value for an option: as TOML has it, and as a command line has it."""
    option = max(action.option_strings, key=len)
    if action.nargs == 0:
        return True, [option]
    text = SAMPLES.get(action.dest, "3")
    value: Any = text
    if action.type not in (None, str, Path) and text.replace(".", "", 1).isdecimal():
        value = int(text) if text.isdecimal() else float(text)
    if action.metavar == "LIST":
        value = [float(t) if t[0] == "0" else t for t in text.split(",")]
    if action.nargs == "+":
        return [value, "b"], [option, text, "b"]
    if isinstance(action, argparse._AppendAction):
        return [value, "b"], [option, text, option, "b"]
    return value, [option, text]


def parse(table: str, words: list[str]) -> dict[str, Any]:
    """Parse the words of a command; return its arguments without the file."""
    command = ["slurm", *table.split(".")[1:]] if table.startswith("slurm") else table.split(".")
    args = vars(program_parser(command[:1]).parse_args([*command, *words]))
    return {name: value for name, value in args.items() if name not in ("config", "run_program")}


def positionals(parser: Parser, *, without_group: bool) -> list[str]:
    """Words for what must be given besides options."""
    grouped = {a for g in parser._mutually_exclusive_groups for a in g._group_actions}
    words = []
    for action in parser._actions:
        if not action.option_strings and action.nargs not in ("*", "?"):
            words.append(str(next(iter(action.choices))) if action.choices else "1")
        elif not action.option_strings and action in grouped and without_group:
            words.append("jobs.csv")
    return words


def test_every_command_has_a_table() -> None:
    """A new command takes a line in `COMMANDS`."""
    tables = {
        f"{name}.{below}" if below else name
        for name, commands in COMMANDS.items()
        for below in commands or [""]
    }
    assert tables == LEAVES.keys()


CASES = [(table, action.dest) for table, parser in LEAVES.items() for action in options(parser)]


@pytest.mark.parametrize("table", sorted({table for table, _ in CASES}))
def test_every_option_may_stand_in_the_file(table: str, tmp_path: Path) -> None:
    """One by one, and parsed like the same words on the command line."""
    parser = LEAVES[table]
    required = [a for a in options(parser) if a.required]
    groups = {a.dest: g for g in parser._mutually_exclusive_groups for a in g._group_actions}
    for action in options(parser):
        in_group = action.dest in groups and groups[action.dest].required
        words = positionals(parser, without_group=not in_group)
        for other in required:
            words += value_of(other)[1] if other is not action else []
        if table in NEEDED and not in_group:
            words += [f"--{NEEDED[table]}", SAMPLES.get(NEEDED[table], "3")]
        value, given = value_of(action)
        file = tmp_path / "ina.toml"
        key = max(action.option_strings, key=len).removeprefix("--")
        file.write_text(f"[{table}]\n{key} = {json.dumps(value)}\n")
        expected = parse(table, [*words, *given])
        assert parse(table, ["--config", str(file), *words]) == expected, key


def test_the_command_line_wins_and_the_own_table_comes_before_the_common(tmp_path: Path) -> None:
    file = tmp_path / "ina.toml"
    file.write_text(
        "[analysis]\nfps = 5\ndetector = 'yunet'\nmin_faces = 3\nattributes = ['sex']\n"
        "[analyze]\nmin_faces = 4\noutput = 'out'\nitem = ['a', 'b']\n"
        "[jobs.retry]\njob = ['1', '2']\nledger = 'a.ledger'\n"
    )
    both = ["--config", str(file), "--detector", "hog", "film.mp4"]
    args = parse("analyze", both)
    assert (args["fps"], args["detector"], args["min_faces"]) == (5.0, "hog", 4)
    assert (args["attributes"], args["output"], args["item"]) == (("sex",), "out", ["a", "b"])
    # An option is the whole of it, also one that may be repeated, and also a beginning of one.
    args = parse("analyze", [*both, "--item", "c", "--outp=there", "--min-faces", "1"])
    assert (args["item"], args["output"], args["min_faces"]) == (["c"], "there", 1)
    # What excludes an option of the file takes its place.
    args = parse("analyze", [*both[:4], "--frame-step", "2", "--", "-x.mp4"])
    assert (args["fps"], args["frame_step"], args["media"]) == (None, 2, ["-x.mp4"])
    args = parse("jobs.retry", ["--config", str(file), "--job", "7", "jobs.csv"])
    assert (args["job"], args["ledger"], args["joblist"]) == (["7"], None, Path("jobs.csv"))
    assert parse("jobs.retry", ["--config", str(file)])["job"] == ["1", "2"]
    assert parse("serve", ["localhost", "jobs.csv", "--config", str(file)])["fps"] == 5.0
    assert "fps" not in parse("collect", ["jobs.csv", "-o", "out", "--config", str(file)])


def test_switches_and_values_that_may_be_left_out(tmp_path: Path) -> None:
    file = tmp_path / "ina.toml"
    for text, identities, kept in (
        ("identities = true", "", True),
        ("identities = false", None, True),
        ("identities = '-x'", "-x", False),
    ):
        file.write_text(f"[analyze]\n{text}\nno_corrections = {json.dumps(kept)}\n")
        args = parse("analyze", ["--config", str(file), "film.mp4"])
        assert (args["identities"], args["no_corrections"]) == (identities, kept)
        assert args["media"] == ["film.mp4"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[analyze]\nfsp = 5", "[analyze] fsp: there is no such option: did you mean fps?"),
        ("[analyze]\nzzz = 5", "[analyze] zzz: there is no such option: ina analyze --help"),
        ("[analyse]\nfps = 5", "analyse: there is no such table; did you mean analyze?"),
        ("[jobs.stat]", "jobs.stat: there is no such table; did you mean status?"),
        ("[jobs]\nledger = 'a'", "jobs.ledger: there is no such option outside of a table"),
        ("fps = 5", "fps: there is no such option outside of a table; there are analysis, "),
        ("analyze = 5", "analyze: write it as a table, [analyze]"),
        ("[analysis]\nfps = '5'", "[analysis] fps: give a number, without quotes"),
        ("[analysis]\nfps = true", "[analysis] fps: give a number"),
        ("[analysis]\nfps = 2026-11-28", "[analysis] fps: give a number"),
        ("[analysis]\nmin_faces = 1.5", "[analysis] min_faces: '1.5' cannot be read: give a whole"),
        ("[analysis]\nfps = [5]", "[analysis] fps: give one value, without brackets"),
        ("[analysis]\ndevice = 0", '[analysis] device: give text, in quotes: "0"'),
        ("[analysis]\nengine = 'vido'", "[analysis] engine: 'vido': did you mean video?"),
        ("[analysis]\nengine = 'x'", "[analysis] engine: 'x': choose from videotracking, "),
        ("[analysis]\nthreads = 2", "[analysis] threads: put it into the table [analyze]"),
        ("[analyze]\nno_corrections = 1", "[analyze] no_corrections: give true or false"),
        ("[analyze]\nmedia = 'film.mp4'", "[analyze] media: this belongs on the command line"),
        ("[analyze]\nitem = ['-x']", "[analyze] item: '-x' would be an option: write ./-x"),
        ("[analyze]\nhelp = true", "[analyze] help: there is no such option"),
        ("[analyze]\nconfig = 'a'", "[analyze] config: there is no such option"),
        ("[analyze\n", "this is no TOML: Expected"),
        ("[analyze]\noutput = '\udcff'", "this is no TOML: 'utf-8' codec"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(text, error, tmp_path, capsys) -> None:
    file = tmp_path / "ina.toml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(SystemExit) as stopped:
        parse("analyze", ["--config", str(file), "film.mp4"])
    assert stopped.value.code == 2
    usage, shown = capsys.readouterr().err.splitlines()
    assert usage == "usage: ina analyze [OPTIONS] [MEDIA ...]"
    assert shown.startswith(f"ina analyze: error: {file}: {error}")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--config", "none.toml"], "none.toml: No such file or directory: name a TOML file"),
        (["--config", "."], ".: Is a directory: name a TOML file"),
        (["--config"], "argument --config: expected one argument"),
    ],
)
def test_a_file_that_cannot_be_read(words, error, capsys) -> None:
    with pytest.raises(SystemExit):
        parse("analyze", ["film.mp4", *words])
    assert capsys.readouterr().err.splitlines()[-1] == f"ina analyze: error: {error}"


def test_a_value_out_of_range_is_told_as_on_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "ina.toml"
    file.write_text("[serve]\nport = -1\n")
    code, _, errors = run(
        command("-m", "ina", "serve", "localhost", "jobs.csv", "--config", str(file), cwd=ROOT)
    )
    assert code == 2
    limits = "'-1': give a whole number from 0 to 65535"
    assert errors.splitlines()[-1] == f"ina serve: error: {file}: [serve] port: {limits}"


def test_the_example_is_right() -> None:
    file = str(ROOT / "docs" / "ina.toml")
    args = parse("analyze", ["film.mp4", "--config", file])
    assert (args["fps"], args["export"]) == (5.0, "csv,ass,characters,html,report")
    assert parse("serve", ["localhost", "jobs.csv", "--config", file])["max_attempts"] == 2
    assert parse("collect", ["jobs.csv", "--config", file])["output"] == "people"
    assert parse("jobs.run-job", ["--config", file])["threads"] == 4


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e999"])
def test_numbers_that_are_not_finite_are_refused(number, tmp_path, monkeypatch, capsys):
    """On the command line, and in a file: there, with table and key."""
    (tmp_path / "ina.toml").write_text(f"[collect]\ncluster_threshold = {number}\n")
    for words in ([f"--cluster_threshold={number}"], ["--config", str(tmp_path / "ina.toml")]):
        with pytest.raises(SystemExit) as ended:
            program_parser(["collect"]).parse_args(["collect", "a.zip", "-o", "out", *words])
        assert ended.value.code == 2
        assert re.search("give a (finite )?number", capsys.readouterr().err)


def test_a_file_that_is_deep_or_large_is_named(tmp_path, capsys):
    for text, says in (
        ("a = " + "[" * 100_000, "nested"),
        ("#" * 2_000_000, "larger than 1048576"),
    ):
        (tmp_path / "ina.toml").write_text(text)
        with pytest.raises(SystemExit) as ended:
            program_parser(["collect"]).parse_args(
                ["collect", "a.zip", "--config", str(tmp_path / "ina.toml")]
            )
        assert ended.value.code == 2
        assert says in capsys.readouterr().err
