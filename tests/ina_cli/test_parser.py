"""Mistakes on a command line: two lines that name the nearest word."""

import subprocess
import sys

import pytest

import ina_server
import ina_worker
from analyzer import __main__ as analyzer_program
from analyzer import __version__
from ina import __main__ as front_door
from jobs import __main__ as jobs_program
from tests.support.processes import ROOT

PROGRAMS = {
    "ina": front_door.main,
    "ina_server": ina_server.main,
    "ina_worker": ina_worker.main,
    "python -m analyzer": analyzer_program.main,
    "python -m jobs": jobs_program.main,
}


def refused(capsys, line: str) -> list[str]:
    """Run a command that is wrong; return the lines that it prints."""
    name = next(name for name in PROGRAMS if line.startswith(f"{name} "))
    with pytest.raises(SystemExit) as stopped:
        PROGRAMS[name](line.removeprefix(name).split())
    assert stopped.value.code == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    return shown.err.splitlines()


@pytest.mark.parametrize(
    ("line", "usage", "error"),
    [
        (
            "ina analyze film.mp4 --fsp 5",
            "ina analyze [OPTIONS] [MEDIA ...]",
            "there is no option --fsp: did you mean --fps?",
        ),
        (
            "python -m analyzer analyze film.mp4 --detect-perod=5",
            "python -m analyzer analyze [OPTIONS] [MEDIA ...]",
            "there is no option --detect-perod: did you mean --detect-period?",
        ),
        (
            "ina collect jobs.csv --outptu people",
            "ina collect -o DIR [OPTIONS] JOBLIST.csv [JOBLIST.csv ...]",
            "there is no option --outptu: did you mean --output?",
        ),
        (
            "ina_server localhost jobs.csv -fps 5 --wrokers 2",
            "ina_server [OPTIONS] HOST JOBLIST.csv",
            "there is no option -fps: did you mean --fps?; "
            "there is no option --wrokers: did you mean --workers?",
        ),
        (
            "ina_worker URI --zzz",
            "ina_worker [OPTIONS] URI",
            "there is no option --zzz: ina_worker --help lists them",
        ),
        (
            "ina analise film.mp4",
            "ina [-h] [--version] COMMAND ...",
            "there is no command 'analise': did you mean analyze?",
        ),
        (
            "python -m jobs stauts jobs.csv",
            "python -m jobs [OPTIONS] COMMAND ...",
            "there is no command 'stauts': did you mean status?",
        ),
        (
            "ina jobs run_job",
            "ina jobs [OPTIONS] COMMAND ...",
            "there is no command 'run_job': did you mean run-job?",
        ),
        (
            "ina models lits",
            "ina models [OPTIONS] WHAT ...",
            "there is no command 'lits': did you mean list?",
        ),
        (
            "ina --fps 5 analyze film.mp4",
            "ina [-h] [--version] COMMAND ...",
            "there is no option --fps: options of a command follow it",
        ),
        (
            "ina serve localhost jobs.csv --engine vido",
            "ina serve [OPTIONS] HOST JOBLIST.csv",
            "argument --engine: 'vido': did you mean video?",
        ),
        (
            "ina work",
            "ina work [OPTIONS] URI",
            "the following arguments are required: URI",
        ),
        (
            "ina work one two",
            "ina work [OPTIONS] URI",
            "unexpected: two",
        ),
    ],
)
def test_a_mistake_takes_two_lines(line, usage, error, capsys):
    first, second = refused(capsys, line)
    assert first == f"usage: {usage}"
    prog = usage.split(" [")[0].removesuffix(" -o DIR")
    assert second == f"{prog}: error: {error}"


def test_what_worked_before_works(capsys):
    """Beginnings of options, values after `=`, negative numbers, words that begin with a dash."""
    options = ["--detect-pe=3", "--clustere", "online", "-oout", "--min_face_px", "-5", "--"]
    args = front_door_parser().parse_args(["analyze", *options, "-film.mp4"])
    assert (args.detect_period, args.clusterer, args.output) == (3, "online", "out")
    assert (args.min_face_px, args.media) == (-5.0, ["-film.mp4"])
    assert "could match" in refused(capsys, "ina analyze --detect film.mp4")[-1]


def front_door_parser():
    from ina.front_door import program_parser

    return program_parser(["analyze"])


@pytest.mark.parametrize("name", [*PROGRAMS, "ina serve", "ina work", "ina jobs"])
def test_every_program_prints_the_same_version(name, capsys):
    program = next(program for program in PROGRAMS if f"{name} ".startswith(f"{program} "))
    with pytest.raises(SystemExit) as stopped:
        PROGRAMS[program]([*name.removeprefix(program).split(), "--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"ina {__version__}\n"


def test_examples_are_those_of_the_program_that_is_asked():
    def shown(*command: str) -> str:
        return subprocess.check_output(
            [sys.executable, "-m", *command, "--help"], cwd=ROOT, text=True
        )

    assert "  python -m analyzer analyze film.mp4" in shown("analyzer", "analyze")
    assert "python -m" not in shown("ina", "analyze")
    assert "  ina analyze film.mp4" in shown("ina", "analyze")
    assert "  ina serve localhost" in shown("ina", "serve")
    assert "  ina slurm submit" in shown("ina", "slurm", "submit")
