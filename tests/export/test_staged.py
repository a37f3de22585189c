"""What a worker writes: through a link to an open file, from a medium under a root; same bytes."""

import os
from pathlib import Path

import numpy as np
import pytest

from analyzer import registry
from analyzer.files import source
from analyzer.inference.runtime import Runtime
from joblist.beneath import StagedPath
from tests.support import media
from tests.support.reports import Face, make_report

EVERY = registry.names("export")


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return media.video(tmp_path_factory.mktemp("in") / "film.mkv")


@pytest.mark.parametrize("name", EVERY)
def test_every_format_is_the_same_through_a_link_to_an_open_file(name, film, tmp_path):
    report = make_report((Face(3, 0.12, (10, 20, 60, 80)),), uri=str(film), size=(320, 240))
    exporter = registry.load("export", name, runtime=Runtime(threads=1))
    plain, part = (tmp_path / "out" / f"{kind}.png" for kind in ("plain", "part"))
    plain.parent.mkdir()
    exporter.write(report, plain)
    with part.open("w+b") as file, source.limited_to(str(film.parent)):
        file.write(b"something longer" * 100_000)
        file.flush()
        (tmp_path / "staged").mkdir()
        link = tmp_path / "staged" / part.name
        link.symlink_to(f"/proc/{os.getpid()}/fd/{file.fileno()}")
        exporter.write(report, StagedPath.of(link, part))
        assert link.is_symlink(), "it was written in place"
    written = [np.frombuffer(path.read_bytes(), np.uint8) for path in (plain, part)]
    assert np.array_equal(*written)
    assert Path(film).exists()
