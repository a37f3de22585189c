"""The front door: it has every command of the other programs."""

from analyzer import registry
from ina import front_door
from jobs.commands import _program as jobs_program
from tests.support.processes import ROOT, command, run


def test_every_command_has_its_place() -> None:
    """A new command takes a line in `GROUPS`."""
    commands = {name for group in front_door.GROUPS.values() for name in group}
    assert set(registry.names("commands")) <= commands
    assert {"serve", "work", "jobs", "slurm", "completion"} <= commands


def test_the_overview_is_one_look() -> None:
    code, out, errors = run(command("-m", "ina", "--help", cwd=ROOT))
    assert (code, errors) == (0, "")
    lines = out.splitlines()
    assert len(lines) <= 45
    assert max(map(len, lines)) <= 80 or max(lines, key=len).startswith("exit code")
    for group in front_door.GROUPS.values():
        for name, text in group.items():
            assert f"  {name:<12}{text}" in lines


def test_it_runs_the_other_programs(tmp_path) -> None:
    """With their exit codes and messages."""
    for words, code, says in (
        (["analyze", "none.mp4", "-o", "out"], 1, "error: "),
        (["jobs", "status", "none.csv"], 2, "was this joblist served on this machine?"),
        (["slurm", "status", "none.csv"], 2, "nothing was submitted here"),
        (["serve", "localhost", "none.csv"], 2, "ina_server: "),
        (["work", "nonsense"], 2, "is not the address of a server"),
        (["collect", "none.csv", "-o", "out"], 2, "error: "),
    ):
        exit_code, out, errors = run(command("-m", "ina", *words, cwd=tmp_path))
        assert (exit_code, out) == (code, ""), words
        assert says in errors
        assert "Traceback" not in errors


def test_jobs_has_its_commands_below_it() -> None:
    shown = run(command("-m", "ina", "jobs", "--help", cwd=ROOT))[1]
    names = jobs_program.program_parser()._actions[-1].choices
    assert names
    assert [name for name in names if f"    {name}" not in shown] == []
