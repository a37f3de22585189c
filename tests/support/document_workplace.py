"""Where documents are run: a clone of this repository with some media, and a shell."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path

from tests.support.document_commands import lines
from tests.support.document_pages import ROOT, RUN, Block
from tests.support.processes import free_port

PORTS = ("9471", "8080")
"""In the documents; others may have them here."""
PROGRAMS = {
    "ina": "-m ina",
    "ina_server": f'"{ROOT}/ina_server.py" --port "$PORT_9471"',
    "ina_worker": f'"{ROOT}/ina_worker.py"',
    "python": "",
}
"""What an installation puts on the PATH, and what runs it here."""
COLUMNS = {
    "source_path": "film.mp4",
    "dest_csv": "results/film.csv",
    "dest_ass": "results/film.ass",
    "dest_characters": "results/film.characters.csv",
    "dest_html": "results/film.html",
    "dest_report": "results/film.report.zip",
    "gallery": "people",
}
"""The joblist of documents that show none."""


def media(folder: Path, *, sample: Path, archive: Path) -> None:
    """Put what documents take for granted into a clone's folder.

    film.mp4, trailer.mp4 and media/sample.mp4 are the demo's sample, people/ holds portraits,
    films/ and titles/ what recipes use; jobs.csv is a joblist of film.mp4.
    """
    for name in ("film.mp4", "trailer.mp4"):
        shutil.copy(sample / "sample.mp4", folder / name)
    shutil.copy(sample / "sample.labels.csv", folder / "film.labels.csv")
    shutil.copytree(archive / "people", folder / "people")
    shutil.copytree(archive / "films", folder / "films")
    shutil.copytree(archive / "titles", folder / "titles")
    shutil.copy(archive / "titles" / "tt0000001" / "poster.jpg", folder / "poster.jpg")
    shutil.copytree(sample, folder / "media")
    shutil.copytree(archive, folder / "media" / "archive")
    joblist = [",".join(COLUMNS), ",".join(COLUMNS.values())]
    (folder / "jobs.csv").write_text("\n".join(joblist) + "\n", encoding="utf-8")


def clone(folder: Path) -> None:
    """Link to all that a clone has, but for media/, which holds copies."""
    for path in ROOT.iterdir():
        if path.name[0] != "." and path.name not in ("media", "results"):
            (folder / path.name).symlink_to(path)
    for path in (ROOT / "media").glob("*.py"):
        shutil.copy(path, folder / "media")


class Shell:
    """A shell for one document.

    Args:
        folder: To run in.
        private: For what is not the reader's: programs, settings, outputs.
    """

    def __init__(self, folder: Path, private: Path) -> None:
        self._folder = folder
        self._private = private
        self._printed: list[tuple[Block, str, str, Path]] = []
        self._ports = {port: str(free_port()) for port in PORTS}
        self._environment = self._prepare()

    def _prepare(self) -> dict[str, str]:
        programs = self._private / "bin"
        programs.mkdir()
        for name, arguments in PROGRAMS.items():
            path = programs / name
            path.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
            path.chmod(0o755)
        homes = ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith("PYTEST")},
            **{name: str(self._private / "home") for name in (*homes, "HOME")},
            **{f"PORT_{port}": free for port, free in self._ports.items()},
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "100",
        }

    def run(self, blocks: Sequence[Block], *, limit_s: float) -> list[str]:
        """Run blocks one after the other; return what went wrong."""
        script = self._private / "document.sh"
        script.write_text(self._script(blocks), encoding="utf-8")
        log = self._private / "log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                ["bash", "-eu", "-o", "pipefail", script],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                code = process.wait(limit_s)
            except subprocess.TimeoutExpired:
                code = -1
            finally:
                _end(process)
        if code:
            output = log.read_text(encoding="utf-8", errors="replace")
            printed = "".join(
                p.read_text(errors="replace") for *_, p in self._printed if p.exists()
            )
            return [
                f"{'ran too long' if code < 0 else 'failed'}:\n{output[-3000:]}\n{printed[-3000:]}"
            ]
        return self._compare()

    def _script(self, blocks: Sequence[Block]) -> str:
        text = ["trap 'echo \"failed in the block of line $BLOCK\" >&2' ERR"]
        for block in blocks:
            text.append(f"BLOCK={block.line}")
            if block.title:
                text.append(self._written(block))
            elif block.language == "python":
                file = self._private / f"block{block.line}.py"
                file.write_text(block.text, encoding="utf-8")
                text.append(f'python "{file}"')
            elif block.language == "console":
                text.extend(self._console(block))
            elif block.language in RUN:
                text.append(self._here(block.text))
        return "\n".join(text) + "\n"

    def _here(self, text: str) -> str:
        for port, free in self._ports.items():
            text = text.replace(port, free)
        return text

    def _written(self, block: Block) -> str:
        end = "END_OF_THE_FILE"
        return f"cat > '{block.title}' <<'{end}'\n{block.text}{end}"

    def _console(self, block: Block) -> list[str]:
        script = []
        for command, expected in lines(block):
            file = self._private / f"printed{len(self._printed)}"
            self._printed.append((block, command, expected, file))
            script.append(f'{{ {self._here(command)}\n}} > "{file}" 2>&1')
        return script

    def _compare(self) -> list[str]:
        """What was not printed as the document says; `...` there stands for anything."""
        faults, how = [], ELLIPSIS | NORMALIZE_WHITESPACE
        for block, command, expected, file in self._printed:
            got = file.read_text(encoding="utf-8", errors="replace")
            for port, free in self._ports.items():
                got = got.replace(free, port)
            if expected.strip() and not OutputChecker().check_output(expected, got, how):
                faults.append(f"{block}: {command}\nshould print\n{expected}\nand prints\n{got}")
        return faults


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the shell and what it left in the background."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
