import dataclasses
import json
import multiprocessing
from pathlib import Path

import dlib
import numpy as np
import onnx
import platformdirs
import pytest

from analyzer import registry
from analyzer.attributes.calibration import Views
from analyzer.errors import UsageError, WeightsError
from analyzer.inference.runtime import Runtime
from analyzer.stages.describe import _dlib_attributes, _dlib_dat, _dlib_graph, dlib_resnet
from analyzer.weights import catalogue, locate

RUNTIME = Runtime(device="cpu", batch_size=2)
DAT = locate.locate("dlib_resnet")


@pytest.fixture(scope="module")
def network():
    return _dlib_dat.read(DAT)


@pytest.fixture(scope="module")
def describer():
    return registry.load("describe", "dlib_resnet", runtime=RUNTIME, attributes=("age", "sex"))


@pytest.fixture(scope="module")
def chips() -> np.ndarray:
    """Chips (3, 150, 150, 3) cut by the product's own stages: two portraits, one also mirrored."""
    astronaut = np.ascontiguousarray(pytest.importorskip("skimage.data").astronaut())
    cbook = pytest.importorskip("matplotlib.cbook")
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        hopper = np.asarray(pytest.importorskip("PIL.Image").open(file).convert("RGB"))
    detector = registry.load("detect", "centerface", runtime=RUNTIME)
    aligner = registry.load("align", dlib_resnet.DlibResnet.aligner, runtime=RUNTIME)
    cut = []
    for image in (astronaut, hopper):
        detections = detector.detect([image])[0]
        cut.append(aligner.align(image, detections.boxes[:1], detections.landmarks[:1]).images)
    return np.concatenate([*cut, cut[0][:, :, ::-1]])


@pytest.fixture
def cache_folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / name)
    return tmp_path


def dlib_embeddings(chips: np.ndarray) -> np.ndarray:
    model = dlib.face_recognition_model_v1(str(DAT))
    return np.array([model.compute_face_descriptor(np.ascontiguousarray(c)) for c in chips])


def test_embeddings_equal_those_of_dlib(describer, chips):
    ours = describer.describe(chips).embeddings
    np.testing.assert_allclose(ours, dlib_embeddings(chips), atol=1e-5, rtol=0)


def test_one_person_is_near_and_two_are_far(describer, chips):
    astronaut, hopper, mirrored = describer.describe(chips).embeddings
    assert np.linalg.norm(astronaut - mirrored) < describer.threshold
    assert np.linalg.norm(astronaut - hopper) > describer.threshold


def test_only_the_heads_asked_for(describer, chips):
    described = describer.describe(chips)
    assert {name: raw.shape for name, raw in described.heads.items()} == {
        "sex": (3, 1),
        "age": (3, 9),
    }
    assert (described.heads["sex"][[0, 2]] < 0).all()
    bare = registry.load("describe", "dlib_resnet", runtime=RUNTIME, attributes=())
    assert bare.describe(chips).heads == {}
    assert list(bare.provenance) == [DAT.name]
    np.testing.assert_allclose(
        bare.describe(chips).embeddings, described.embeddings, atol=1e-6, rtol=0
    )


def test_a_face_near_the_boundary_is_not_labelled(describer, chips):
    """The second portrait, of an old woman in uniform, gets a logit near 0."""
    views = Views(
        **{name: np.ones(3, np.float32) for name in ("sharpness", "frontality")},
        face_px=np.full(3, 200, np.float32),
    )
    raw = describer.describe(chips).heads["sex"]
    assert describer.calibration.sure("sex", raw, views, 0.97).tolist() == [True, False, True]


def test_no_chip_no_description(describer):
    described = describer.describe(np.empty((0, 150, 150, 3), np.uint8))
    assert described.embeddings.shape == (0, 128)
    assert described.heads["age"].shape == (0, 9)


def test_batches_do_not_change_results(describer, chips):
    many = np.concatenate([chips, chips[::-1]])
    whole = registry.load(
        "describe", "dlib_resnet", runtime=Runtime(device="cpu"), attributes=("sex",)
    ).describe(many)
    parts = describer.describe(many)
    np.testing.assert_allclose(whole.embeddings, parts.embeddings, atol=1e-6, rtol=0)
    np.testing.assert_allclose(whole.heads["sex"], parts.heads["sex"], atol=1e-4, rtol=0)


def test_provenance_names_both_files(describer):
    assert set(describer.provenance) == {DAT.name, _dlib_attributes.SHIPPED.name}
    assert describer.provenance[DAT.name] == catalogue.MODELS["dlib_resnet"].sha256


def test_parser_reads_all_of_the_network(network):
    assert len(network.convolutions) == 29
    assert network.projection.shape == (256, 128)
    np.testing.assert_allclose(network.mean, [122.782, 117.001, 104.298])
    assert network.convolutions[0].filters.shape == (32, 3, 7, 7)
    assert [c.stride for c in network.convolutions].count(2) == 5


@pytest.mark.parametrize("size", [0, 10, 100, 340, 5_000, 10_000_000, 22_466_065])
def test_truncated_weights_are_refused(tmp_path, size):
    path = tmp_path / "short.dat"
    path.write_bytes(DAT.read_bytes()[:size])
    with pytest.raises(WeightsError, match=r"short\.dat: .*truncated.*pip install"):
        _dlib_dat.read(path)


def test_another_network_is_refused():
    path = DAT.with_name("mmod_human_face_detector.dat")
    with pytest.raises(WeightsError, match="loss_mmod_' instead of 'loss_metric_2'"):
        _dlib_dat.read(path)


def test_weights_with_more_behind_them_are_refused(tmp_path):
    path = tmp_path / "long.dat"
    path.write_bytes(DAT.read_bytes() + b"more")
    with pytest.raises(WeightsError, match="4 bytes left over"):
        _dlib_dat.read(path)


def test_graph_that_differs_from_dlib_is_refused(network):
    altered = dataclasses.replace(network, projection=network.projection * 1.001)
    model = _dlib_graph.build(altered, _dlib_attributes.Attributes({}))
    with pytest.raises(WeightsError, match="differs from dlib"):
        dlib_resnet._verify(model, DAT, RUNTIME)


def test_graph_is_built_once_and_kept(cache_folder, chips, monkeypatch):
    first = registry.load("describe", "dlib_resnet", runtime=RUNTIME, attributes=("sex",))
    cached = [*(cache_folder / "ina" / "graphs").iterdir()]
    assert len(cached) == 2
    monkeypatch.setattr(_dlib_graph, "build", None)
    monkeypatch.setattr(_dlib_graph, "build_mirrored", None)
    again = registry.load("describe", "dlib_resnet", runtime=RUNTIME, attributes=("sex",))
    np.testing.assert_array_equal(
        first.describe(chips).embeddings, again.describe(chips).embeddings
    )
    assert {path.suffix for path in cached} == {".onnx"}


def test_broken_graph_in_the_cache_is_built_again(cache_folder, chips):
    registry.load("describe", "dlib_resnet", runtime=RUNTIME, attributes=())
    (cached,) = (cache_folder / "ina" / "graphs").iterdir()
    cached.write_bytes(cached.read_bytes()[:1000])
    describer = registry.load("describe", "dlib_resnet", runtime=RUNTIME, attributes=())
    assert len(describer.describe(chips)) == 3
    onnx.checker.check_model(onnx.load(cached))


def test_cache_that_cannot_be_written_does_not_matter(monkeypatch, tmp_path, chips):
    blocker = tmp_path / "file"
    blocker.touch()
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: blocker / name)
    describer = registry.load("describe", "dlib_resnet", runtime=RUNTIME, attributes=())
    assert len(describer.describe(chips)) == 3


def _load_in_process(folder: str) -> int:
    platformdirs.user_cache_path = lambda name: Path(folder) / name
    return len(registry.load("describe", "dlib_resnet", runtime=RUNTIME, attributes=()).provenance)


def test_workers_that_start_at_once_share_the_cache(tmp_path):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(_load_in_process, [str(tmp_path)] * 2, chunksize=1) == [1, 1]
    assert [p.suffix for p in (tmp_path / "ina" / "graphs").iterdir()] == [".onnx"]


def random_heads(*names: str) -> _dlib_attributes.Attributes:
    """The branch that ships, with random heads."""
    rng = np.random.default_rng(0)
    shipped = _dlib_attributes.load(_dlib_attributes.SHIPPED).only([]).tensors
    hidden = _dlib_attributes.HIDDEN
    sizes = {"sex": 1, "age": 9}
    heads = {}
    for name in (f"{on}{name}" for name in names for on in ("", "identity.")):
        size = sizes[name.removeprefix("identity.")]
        heads[f"{name}.weight"] = rng.normal(size=(size, hidden))
        heads[f"{name}.bias"] = rng.normal(size=size)
    return _dlib_attributes.Attributes.rounded({**shipped, **heads})


def test_heads_come_back_from_their_file(tmp_path):
    path = tmp_path / "heads.safetensors"
    heads = random_heads("sex", "age")
    _dlib_attributes.save(heads, path, {"seed": "7"})
    again = _dlib_attributes.load(path)
    assert again.names == ("sex", "age")
    assert again.only(["age"]).names == ("age",)
    for name, tensor in heads.tensors.items():
        np.testing.assert_array_equal(again.tensors[name], tensor)
    assert _dlib_attributes.metadata(path) == {"seed": "7"}
    assert _dlib_attributes.calibration(path) is None
    _dlib_attributes.save(heads, path, {"calibration": '{"octaves": [0], "tails": [0.1]}'})
    with pytest.raises(WeightsError, match="--calibrate"):
        _dlib_attributes.calibration(path)


def test_heads_of_a_user_are_computed_in_the_graph(tmp_path, describer, chips):
    path = tmp_path / "heads.safetensors"
    shipped = _dlib_attributes.load(_dlib_attributes.SHIPPED)
    turned = {**shipped.only(["sex"]).tensors}
    turned |= {name: -tensor for name, tensor in turned.items() if "sex." in name}
    _dlib_attributes.save(_dlib_attributes.Attributes(turned), path, {})
    spec = f"dlib_resnet:heads={path}"
    mine = registry.load("describe", spec, runtime=RUNTIME, attributes=("sex",))
    assert mine.calibration is None
    np.testing.assert_allclose(
        mine.describe(chips).heads["sex"], -describer.describe(chips).heads["sex"], atol=1e-3
    )
    with pytest.raises(UsageError, match="has no head for age"):
        registry.load("describe", spec, runtime=RUNTIME, attributes=("sex", "age"))


def test_the_branch_sees_unsure_faces_and_their_mirror_images(
    tmp_path, chips, describer, monkeypatch
):
    path = tmp_path / "branch.safetensors"
    tensors = _dlib_attributes.load(_dlib_attributes.SHIPPED).tensors
    alone = {k: v * (0 if k.startswith("identity.") else 1) for k, v in tensors.items()}
    _dlib_attributes.save(_dlib_attributes.Attributes(alone), path, {})
    both, once = (
        registry.load(
            "describe",
            f"dlib_resnet:heads={path},mirror={mirror}",
            runtime=RUNTIME,
            attributes=("sex", "age"),
        )
        for mirror in ("true", "false")
    )
    plain, mirrored = once.describe(chips), once.describe(chips[:, :, ::-1])
    sizes = np.sort(np.abs(plain.heads["sex"][:, 0]))
    monkeypatch.setattr(dlib_resnet, "UNSURE_LOGIT", float(sizes[0]))
    monkeypatch.setattr(dlib_resnet, "SURE_LOGIT", float(sizes[-1]))
    shares = dlib_resnet.mirrored_share(plain.heads["sex"])
    assert (shares.min(), shares.max()) == (0, 0.5)
    averaged = both.describe(chips)
    for name, raw in averaged.heads.items():
        expected = plain.heads[name] + shares * (mirrored.heads[name] - plain.heads[name])
        np.testing.assert_allclose(raw, expected, atol=1e-3)
        np.testing.assert_array_equal(raw[shares[:, 0] == 0], plain.heads[name][shares[:, 0] == 0])
        assert np.abs(raw - plain.heads[name]).max() > 0.01
    few = registry.load(
        "describe",
        f"dlib_resnet:heads={path}",
        runtime=Runtime(device="cpu", batch_size=1),
        attributes=("sex", "age"),
    )
    for name, raw in few.describe(chips).heads.items():
        np.testing.assert_allclose(raw, averaged.heads[name], atol=1e-4)
    for other in (plain, describer.describe(chips)):
        np.testing.assert_allclose(averaged.embeddings, other.embeddings, atol=1e-6, rtol=0)


def test_the_mirror_image_counts_less_and_less():
    """A step would show as a flicker within a track."""
    logits = np.linspace(-3, 3, 601, dtype=np.float32)[:, None]
    shares = dlib_resnet.mirrored_share(logits)[:, 0]
    assert set(shares[np.abs(logits[:, 0]) <= 1]) == {0.5}
    assert set(shares[np.abs(logits[:, 0]) >= 2]) == {0}
    assert 0 < np.abs(np.diff(shares)).max() < 0.01


def test_an_age_does_not_depend_on_who_asks_for_it(chips, tmp_path, monkeypatch):
    monkeypatch.setattr(dlib_resnet, "UNSURE_LOGIT", 8.0)
    monkeypatch.setattr(dlib_resnet, "SURE_LOGIT", 9.0)
    with_sex, alone, once = (
        registry.load("describe", spec, runtime=RUNTIME, attributes=attributes).describe(chips)
        for spec, attributes in (
            ("dlib_resnet", ("sex", "age")),
            ("dlib_resnet", ("age",)),
            ("dlib_resnet:mirror=false", ("age",)),
        )
    )
    assert list(alone.heads) == ["age"]
    np.testing.assert_array_equal(alone.heads["age"], with_sex.heads["age"])
    assert np.abs(alone.heads["age"] - once.heads["age"]).max() > 0.01
    # A branch that knows no sex looks at each face once.
    path = tmp_path / "ages.safetensors"
    ages = _dlib_attributes.load(_dlib_attributes.SHIPPED).only(["age"])
    _dlib_attributes.save(ages, path, {})
    spec = f"dlib_resnet:heads={path}"
    mine = registry.load("describe", spec, runtime=RUNTIME, attributes=("age",)).describe(chips)
    np.testing.assert_array_equal(mine.heads["age"], once.heads["age"])


def test_wrong_heads_are_refused(tmp_path):
    path = tmp_path / "heads.safetensors"
    spec = f"dlib_resnet:heads={path}"
    with pytest.raises(WeightsError, match="No such file"):
        registry.load("describe", spec, runtime=RUNTIME, attributes=("sex",))
    path.write_bytes(b"no heads")
    with pytest.raises(WeightsError, match="make one with"):
        registry.load("describe", spec, runtime=RUNTIME, attributes=("sex",))
    heads = random_heads("sex")
    _dlib_attributes.save(
        _dlib_attributes.Attributes({**heads.tensors, "beauty.bias": heads.tensors["sex.bias"]}),
        path,
        {},
    )
    with pytest.raises(WeightsError, match="no attributes for dlib"):
        registry.load("describe", spec, runtime=RUNTIME, attributes=("sex",))


def test_heads_that_ship_say_where_they_come_from():
    about = _dlib_attributes.metadata(_dlib_attributes.SHIPPED)
    assert "python -m analyzer train attributes" in about["command"]
    assert "CC BY 4.0" in about["data"]
    assert about["backbone_sha256"] == catalogue.MODELS["dlib_resnet"].sha256
    assert "MIT" in about["licence"]
    assert json.loads(about["tuning_figures"])["150"]["sex_accuracy"]["value"] > 0.9
    assert _dlib_attributes.SHIPPED.stat().st_size <= 15e6


def test_what_the_pipeline_decides_is_no_option_of_the_spec():
    with pytest.raises(UsageError, match="no option 'attributes'; it has: heads, mirror"):
        registry.load("describe", "dlib_resnet:attributes=sex", runtime=RUNTIME, attributes=())
