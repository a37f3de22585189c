"""The scenes of `media/make_scenes.py`, and all labelled sets in one folder."""

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.processes import ROOT


def maker() -> ModuleType:
    """The script that makes scenes, as a module."""
    spec = importlib.util.spec_from_file_location("make_scenes", ROOT / "media" / "make_scenes.py")
    assert spec
    assert spec.loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def portraits(shared: Path) -> Path:
    """The folder of portraits; a test without it is skipped."""
    folder = shared / "media" / "images" / "lfw_subset"
    if not folder.is_dir():
        pytest.skip(f"no portraits: {folder} is missing")
    return folder


def workplace(folder: Path, *, shared: Path, sample: Path) -> Path:
    """Make a folder like a checkout in which every labelled set is there; return its list.

    `media/sets.csv` names paths relative to itself; what is made is made anew.
    """
    checkout = folder / "checkout"
    (checkout / "media").mkdir(parents=True)
    (checkout / "tests").symlink_to(ROOT / "tests")
    (folder / "shared").symlink_to(shared)
    listed = shutil.copy(ROOT / "media" / "sets.csv", checkout / "media")
    for name in ("sample.mp4", "sample.labels.csv"):
        shutil.copy(sample / name, checkout / "media")
    script = maker()
    for scene in script.SCENES:
        script.write(scene, portraits(shared), checkout / "media" / "scenes")
    return Path(listed)
