"""Every command of the documents, run in their order, in one shell a document."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import document_pages, document_workplace

pytestmark = [pytest.mark.docs, pytest.mark.timeout(900)]
LIMIT_S = 840.0
ELSEWHERE = {"docs/python.md": "tests/test_python_docs.py"}
"""Pages that a test of their own runs and looks into."""


def runnable(page: str) -> list[document_pages.Block]:
    """What is run of a page."""
    return [
        b
        for b in document_pages.blocks(page)
        if not b.why_not and (b.title or b.language in document_pages.RUN)
    ]


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    command = [
        sys.executable,
        document_pages.ROOT / "media" / "make_archive.py",
        "--folder",
        folder,
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder


@pytest.fixture
def shell(sample: Path, archive: Path) -> Iterator[document_workplace.Shell]:
    # Not tmp_path: the operator's socket lies beside the ledger, and its path must be short.
    base = Path(tempfile.mkdtemp(prefix="docs"))
    folder, private = base / "ina", base / "private"
    for new in (folder, private, private / "home"):
        new.mkdir()
    document_workplace.media(folder, sample=sample, archive=archive)
    document_workplace.clone(folder)
    yield document_workplace.Shell(folder, private)
    shutil.rmtree(base)


@pytest.mark.parametrize(
    "page", [p for p in document_pages.pages() if runnable(p) and p not in ELSEWHERE]
)
def test_commands_do_what_the_page_says(page: str, shell: document_workplace.Shell) -> None:
    if not shutil.which("bash"):
        pytest.skip("no bash")
    faults = shell.run(runnable(page), limit_s=LIMIT_S)
    assert not faults, "\n\n".join(faults)
