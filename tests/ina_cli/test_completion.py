"""What shells complete: commands, options, values and files, asked of real shells."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT

pytest.importorskip("shtab", reason="pip install shtab")
BASH = """
source {script}
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
COMP_LINE="${{COMP_WORDS[*]}}"; COMP_POINT=${{#COMP_LINE}}
$(complete -p ina | sed 's/.* -F \\([^ ]*\\) .*/\\1/')
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def name_of(case: str | set[str]) -> str:
    """Return a part of a test's name, which is the same in every process."""
    return case if isinstance(case, str) else " ".join(sorted(case))


CASES = [
    ("ina ana", {"analyze"}),
    ("ina jobs st", {"status"}),
    ("ina slurm su", {"submit"}),
    ("ina analyze --detec", {"--detector", "--detect_period", "--detect_padding"}),
    ("ina analyze --engine im", {"image"}),
    ("ina analyze --detector yu", {"yunet"}),
    ("ina analyze film", {"film.mp4"}),
    ("ina serve localhost jo", {"jobs.csv"}),
    ("ina jobs status jo", {"jobs.csv"}),
    ("ina models li", {"list"}),
    ("ina completion z", {"zsh"}),
]


def script(shell: str, folder: Path) -> Path:
    """Write the script of a shell."""
    command = [sys.executable, "-m", "ina", "completion", shell]
    path = folder / f"completion.{shell}"
    path.write_text(subprocess.check_output(command, cwd=ROOT, text=True))
    return path


def shell(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"no {name}; Debian: apt-get install {name}")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with some files to be completed, and the scripts."""
    folder = tmp_path_factory.mktemp("completion")
    for name in ("film.mp4", "jobs.csv"):
        (folder / name).touch()
    return folder


def asked(command: list[str], folder: Path, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_a_script_is_right_for_its_shell(name, folder):
    asked([shell(name), "-n", str(script(name, folder))], folder)


@pytest.mark.parametrize(("words", "expected"), CASES, ids=name_of)
def test_bash_completes(words, expected, folder):
    path = folder / "completion.bash"
    if not path.exists():
        script("bash", folder)
    text = BASH.format(script=path, words=words)
    assert expected <= set(asked([shell("bash"), "-c", text], folder).split())


@pytest.mark.parametrize(("words", "expected"), CASES, ids=name_of)
def test_fish_completes(words, expected, folder):
    path = folder / "completion.fish"
    fish = shell("fish")
    if not path.exists():
        script("fish", folder)
    text = f"source {path}; complete -C '{words}'"
    lines = asked([fish, "--no-config", "-c", text], folder).splitlines()
    assert expected <= {line.split("\t")[0] for line in lines}


def test_without_the_library_its_name_is_told():
    """A program without it has all other commands."""
    code = (
        "import sys; sys.modules['shtab'] = None; from ina.__main__ import main;"
        "sys.exit(main(['completion', 'bash']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("error: completion needs shtab; install it with: pip install ")
    assert done.stderr.count("\n") == 1
