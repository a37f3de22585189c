"""Components that are loaded side by side are those that are loaded one after the other."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from analyzer import registry
from analyzer.__main__ import main
from analyzer.errors import MissingDependency, ResourceError, UsageError, WeightsError
from analyzer.inference.runtime import Runtime
from analyzer.options import AnalysisOptions
from analyzer.pipeline import components
from analyzer.stages.describe import dlib_resnet
from analyzer.stages.detect import centerface
from analyzer.weights import locate

OPTIONS = AnalysisOptions(device="cpu")
SIDE_BY_SIDE = 50
PROGRAM = """
import sys
from concurrent.futures import ThreadPoolExecutor
from analyzer.options import AnalysisOptions
from analyzer.pipeline.components import load_components
sys.setswitchinterval(1e-5)
with ThreadPoolExecutor(4) as pool:
    loaded = list(pool.map(load_components, [AnalysisOptions(device="cpu", fps=1)] * 4))
assert len({str(c.describer.provenance) for c in loaded}) == 1
assert all(c.tracker() and c.watcher() for c in loaded)
"""


def answers(loaded: components.Components) -> list[bytes]:
    """What the networks of some components say of a picture."""
    picture = np.random.default_rng(0).integers(0, 256, (192, 320, 3), np.uint8)
    boxes = np.array([[100, 40, 180, 120]], np.float32)
    chips = loaded.aligner.align(picture, boxes, None)
    described = loaded.describer.describe(chips.images)
    found = loaded.detector.detect([picture])[0]
    return [described.embeddings.tobytes(), chips.images.tobytes(), found.scores.tobytes()]


def test_fifty_loads_at_once_give_the_same_components():
    expected = answers(components.load_components(OPTIONS))
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(components.load_components, OPTIONS) for _ in range(SIDE_BY_SIDE)]
        assert all(answers(future.result()) == expected for future in futures)


def test_libraries_can_be_imported_by_several_loads_at_once():
    for _ in range(2):
        subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=120)


def test_the_backend_is_loaded_once(monkeypatch):
    loads, load, ready = [], registry.load, threading.Barrier(8)

    def counted(kind, *args, **options):
        loads.append(kind)
        return load(kind, *args, **options)

    monkeypatch.setattr("analyzer.inference.runtime.registry.load", counted)
    runtime = Runtime(device="cpu")

    def use(_):
        ready.wait()
        return runtime._backend()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(use, range(8)))) == 1
    assert loads == ["backend"]


def fail(error):
    def create(*_, **__):
        raise error

    return create


def test_the_first_fault_is_told_as_if_they_were_loaded_one_by_one(monkeypatch):
    monkeypatch.setattr(dlib_resnet, "create", fail(WeightsError("the describer's")))
    monkeypatch.setattr(centerface, "create", fail(WeightsError("the detector's")))
    with pytest.raises(WeightsError, match="the describer's"):
        components.load_components(OPTIONS)
    monkeypatch.undo()
    monkeypatch.setattr(centerface, "create", fail(WeightsError("the detector's")))
    with pytest.raises(WeightsError, match="the detector's"):
        components.load_components(OPTIONS)


def test_a_library_that_is_missing_is_told_at_the_load(monkeypatch):
    module = registry.module

    def missing(kind, name):
        if kind == "shots":
            raise MissingDependency("scenedetect", needed_by="shots adaptive", install="it")
        return module(kind, name)

    monkeypatch.setattr(registry, "module", missing)
    with pytest.raises(MissingDependency, match="scenedetect"):
        components.load_components(OPTIONS)
    without = components.load_components(AnalysisOptions(device="cpu", shots="none"))
    assert without.watcher() is None


def test_an_option_that_is_wrong_is_told_at_the_load():
    with pytest.raises(UsageError, match="size=1 must be at least 32"):
        components.load_components(AnalysisOptions(device="cpu", detector="centerface:size=1"))


@pytest.mark.parametrize(
    ("error", "code"), [(WeightsError("altered"), 2), (ResourceError("full"), 1)]
)
@pytest.mark.parametrize("film", ["sample.mp4", "none.mp4"])
def test_a_fault_ends_the_command_though_films_are_opened_before(
    film, error, code, sample, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(dlib_resnet, "create", fail(error))
    films = [str(sample / "sample.mp4"), str(sample / film)][: 2 if film == "none.mp4" else 1]
    assert main(["analyze", *films[::-1], "-o", str(tmp_path), "--fps", "1"]) == code
    assert capsys.readouterr().err.splitlines() == [f"error: {error}"]
    assert not list(tmp_path.glob("*.csv"))


def test_a_fault_is_told_before_a_film_is_fetched(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(dlib_resnet, "create", fail(WeightsError("altered")))
    monkeypatch.setattr("analyzer.workflows.fetching.Fetcher", fail(AssertionError("fetched")))
    assert main(["analyze", "https://films.example/film.mp4", "-o", str(tmp_path)]) == 2
    assert capsys.readouterr().err.splitlines() == ["error: altered"]


def test_the_detectors_graph_is_made_once_and_again_where_it_is_broken(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    runtime = Runtime(device="cpu")
    picture = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)

    def scores():
        detector = registry.load("detect", "centerface:confidence=0.01", runtime=runtime)
        return detector.detect([picture])[0].scores.tobytes()

    made, make = [], centerface._for_pictures
    monkeypatch.setattr(centerface, "_for_pictures", lambda path: made.append(path) or make(path))
    first = scores()
    (kept,) = (tmp_path / "ina" / "graphs").iterdir()
    assert scores() == first
    assert made == [locate.locate("centerface")]
    kept.write_bytes(kept.read_bytes()[:1000])
    assert scores() == first
    assert len(made) == 2
