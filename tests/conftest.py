"""Fixtures that more than one folder of tests uses."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import analyzer  # noqa: F401  Before all tests: it sets the environment of libraries.
from tests.support import browser
from tests.support.processes import ROOT

# What an example takes depends on what runs beside it; a test that hangs meets the limit of pytest.
settings.register_profile(
    "suite", settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
)
settings.load_profile("suite")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Spell what a test printed in UTF-8: pytest-xdist sends no lone surrogates of file names."""
    report = yield
    report.sections = [(name, _utf8(text)) for name, text in report.sections]
    if report.failed and _utf8(report.longreprtext) != report.longreprtext:
        report.longrepr = _utf8(report.longreprtext)
    return report


def _utf8(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo's sample.mp4, sample.truth.json and jobs.csv, made once.

    The paths in jobs.csv are relative to the folder's parent.
    """
    root = tmp_path_factory.getbasetemp()
    # Tests that run side by side have a folder each in a common one.
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    folder = root / "sample" / "media"
    with (root / "sample.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / "sample.made").exists():
            command = [sys.executable, "-m", "analyzer", "sample", folder]
            subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
            (root / "sample.made").touch()
    return folder


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real media beside the checkout."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"no real media: {folder} is missing")
    return folder


@pytest.fixture
def weird_folder(tmp_path: Path) -> Path:
    """A folder with everything in its name that breaks scripts."""
    folder = tmp_path / 'a b\'s "c" [d],e:f;g%h=é王\n{i}\\$(j)'
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A browser without a window."""
    api = pytest.importorskip("playwright.sync_api")
    path = browser.binary()
    with api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def review(chromium: Any) -> Iterator[Callable[..., browser.Review]]:
    """Opens pages; at the end, none may have told an error or asked for more than files."""
    opened: list[browser.Review] = []
    context = chromium.new_context(viewport={"width": 1200, "height": 900}, accept_downloads=True)

    def start(path: Path) -> browser.Review:
        opened.append(browser.Review(context.new_page(), path))
        return opened[-1]

    yield start
    context.close()
    assert [error for page in opened for error in page.errors] == []
    addresses = [address for page in opened for address in page.requests]
    assert [a for a in addresses if not a.startswith(("file:", "blob:", "data:"))] == []
