import json

import numpy as np
import platformdirs
import pytest

pytest.importorskip("torch")

from analyzer.describe import _dlib_heads
from analyzer.runtime import Runtime
from analyzer.train import _features, attributes

RUNTIME = Runtime(device="cpu")


class Coloured:
    """A dataset whose classes show as the brightness of stripes: easy to learn."""

    digest = "coloured"

    def __init__(self, n: int = 240) -> None:
        rng = np.random.default_rng(0)
        sizes = {"sex": 2, "age": 9, "ethnicity": 7}
        self.labels = {name: rng.integers(0, size, n) for name, size in sizes.items()}

    def __len__(self) -> int:
        return len(self.labels["sex"])

    def chips(self, start: int, stop: int) -> np.ndarray:
        count = len(self.labels["sex"][start:stop])
        chips = np.zeros((count, 150, 150, 3), np.uint8)
        for third, (name, scale) in enumerate([("sex", 200), ("age", 30), ("ethnicity", 40)]):
            shade = (self.labels[name][start:stop] * scale).astype(np.uint8)
            chips[:, third * 50 : third * 50 + 50, :, third] = shade[:, None, None]
        return chips


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: folder / name)
    return folder


def train(path, **options):
    return attributes.train(Coloured(), runtime=RUNTIME, out=path, epochs=60, **options)


def test_heads_learn_and_equal_seeds_give_equal_heads(tmp_path):
    told = []
    first = train(tmp_path / "a", seed=3, progress=told.append)
    again = train(tmp_path / "b", seed=3)
    assert first.count == 24
    assert first.sex_accuracy > 0.9
    assert first == again
    stages = [step.stage for step in told]
    assert stages == ["features"] + ["train"] * 60
    heads = _dlib_heads.load(tmp_path / "a")
    for name, tensor in _dlib_heads.load(tmp_path / "b").tensors.items():
        np.testing.assert_allclose(heads.tensors[name], tensor, atol=1e-3)


def test_file_tells_how_it_was_made(tmp_path):
    scores = train(tmp_path / "a", seed=3)
    about = _dlib_heads.metadata(tmp_path / "a")
    assert about["command"].endswith("--seed 3 --epochs 60")
    assert about["data_sha256"] == "coloured"
    assert json.loads(about["tuning_scores"]) == scores.to_dict()


def test_folding_keeps_the_network_as_it_was():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    network = attributes._network().eval()
    rng = np.random.default_rng(0)
    mean, scale = rng.uniform(0.5, 2, (2, 704)).astype(np.float32)
    features = rng.uniform(0, 3, (5, 704)).astype(np.float32)
    with torch.no_grad():
        wanted = network(torch.from_numpy((features - mean) / scale)).numpy()
    raw = attributes._apply(attributes._fold(network, mean, scale), features)
    np.testing.assert_allclose(np.concatenate(list(raw.values()), axis=1), wanted, atol=0.02)


def test_features_are_computed_once(cache_folder):
    class Counting:
        def __init__(self):
            self.provenance, self.seen = {"model": "hash"}, 0

        def features(self, images):
            self.seen += len(images)
            return images[:, 0, 0].astype(np.float32)

    backbone = Counting()
    told = []
    first = _features.views(Coloured(30), backbone, progress=told.append)
    again = _features.views(Coloured(30), backbone, progress=told.append)
    assert first.shape == (2, 30, 3)
    assert backbone.seen == 60
    assert len(told) == 1
    np.testing.assert_array_equal(first, again)
    backbone.provenance = {"model": "another"}
    _features.views(Coloured(30), backbone, progress=told.append)
    assert backbone.seen == 120
