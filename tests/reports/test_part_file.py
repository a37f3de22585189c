"""Parts of a medium: kept in files, put together, and what comes out in the end."""

from pathlib import Path

import numpy as np
import pytest

from analyzer import registry
from analyzer.errors import InputError
from analyzer.options import AnalysisOptions
from analyzer.pipeline import components, conclude, observe
from analyzer.reports import part_file
from analyzer.types import MediaReport
from joblist.shard import Shard
from tests.support import media
from tests.support.analysis import analyze, in_shards

EXPORTS = ("ass", "characters", "csv", "shots")


@pytest.fixture(scope="module")
def models():
    return components.load_components(AnalysisOptions(fps=2, device="cpu"))


def outputs(report: MediaReport, models: components.Components, folder: Path) -> dict[str, bytes]:
    contents = {"tally": repr(report.tally).encode(), "info": repr(report.info).encode()}
    for name in EXPORTS:
        registry.load("export", name, runtime=models.runtime).write(report, folder / name)
        contents[name] = (folder / name).read_bytes()
    return contents


@pytest.mark.parametrize(
    "options", [{"fps": 2}, {"fps": 6, "detect_period": 3, "start": 3, "stop": 9.5}], ids=str
)
def test_outputs_are_the_same_to_the_byte(options, sample, tmp_path):
    path = sample / "sample.mp4"
    models = components.load_components(AnalysisOptions(device="cpu", **options))
    whole = outputs(analyze(str(path), components=models), models, tmp_path)
    assert len(whole["csv"].splitlines()) > 10
    again = in_shards(path, 4, models, tmp_path)
    assert outputs(again, models, tmp_path) == whole


@pytest.fixture(scope="module")
def halves(sample, models):
    shards = [Shard(number=n, count=2) for n in range(2)]
    path = str(sample / "sample.mp4")
    return [observe.observe_part(path, components=models, shard=s) for s in shards]


def test_a_part_is_read_as_it_was_written(halves, tmp_path):
    path = tmp_path / "a part"
    part_file.save(halves[0], path, key="k")
    again = part_file.load(path, key="k")
    assert again.info == halves[0].info
    assert again.observations.tally == halves[0].observations.tally
    for name in ("frame", "boxes", "embeddings", "detect_conf", "cuts", "canvas"):
        read, written = getattr(again.observations, name), getattr(halves[0].observations, name)
        np.testing.assert_array_equal(read, written)
        assert read.dtype == written.dtype
    assert again.observations.heads.keys() == halves[0].observations.heads.keys()


def test_a_part_of_something_else_is_refused(halves, tmp_path):
    part_file.save(halves[0], tmp_path / "part", key="k")
    with pytest.raises(InputError, match="other options"):
        part_file.load(tmp_path / "part", key="other")


@pytest.mark.parametrize("content", [b"", b"not a part", None])
def test_what_is_no_part_is_refused(content, halves, tmp_path):
    path = tmp_path / "part"
    part_file.save(halves[0], path, key="k")
    path.write_bytes(path.read_bytes()[:-100] if content is None else content)
    with pytest.raises(InputError, match="not the part of a medium"):
        part_file.load(path, key="k")


@pytest.mark.parametrize("numbers", [[0], [0, 1, 1]])
def test_parts_that_do_not_fit_together_are_refused(numbers, halves):
    with pytest.raises(InputError, match="changed while"):
        conclude.join([halves[n] for n in numbers])


def test_a_range_without_a_frame_is_an_error_of_the_whole_alone(tmp_path):
    path = media.video(tmp_path / "a.mp4", seconds=0.5)
    models = components.load_components(AnalysisOptions(device="cpu", start=60))
    with pytest.raises(InputError, match="--start"):
        in_shards(path, 3, models, tmp_path)


def test_progress_tells_that_it_is_alive_before_the_first_frame(sample, models):
    steps = []
    shard = Shard(number=1, count=2)
    path = str(sample / "sample.mp4")
    observe.observe_part(path, components=models, shard=shard, progress=steps.append)
    stages = [step.stage for step in steps]
    assert stages[0] == "seek"
    observed = [step for step in steps if step.stage == "observe"]
    assert observed
    assert all(step.done >= 0 for step in observed)
