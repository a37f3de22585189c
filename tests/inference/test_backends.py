"""What a network answers does not depend on threads, nor on what is asked along."""

import importlib.util
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from analyzer import registry
from analyzer.errors import (
    InputError,
    MissingDependency,
    ResourceError,
    UsageError,
    WeightsError,
)
from analyzer.inference.backends.onnxruntime import OnnxSession
from analyzer.inference.runtime import Runtime
from analyzer.options import AnalysisOptions
from analyzer.pipeline import components
from tests.support import networks
from tests.support.analysis import analyze
from tests.support.networks import need_onnx2torch


@pytest.fixture(scope="module")
def pictures():
    """Pictures of a shape with which threads on one picture would show."""
    random = np.random.default_rng(0)
    coarse = [random.integers(0, 256, (12, 20, 3), np.uint8) for _ in range(3)]
    return [picture.repeat(32, axis=0).repeat(32, axis=1) for picture in coarse]


def detect(pictures, *, threads: int, batch_size: int) -> list[bytes]:
    runtime = Runtime(device="cpu", threads=threads, batch_size=batch_size)
    detector = registry.load("detect", "centerface:confidence=0.01", runtime=runtime)
    detections = detector.detect(pictures)
    assert sum(map(len, detections)) > 10
    return [d.boxes.tobytes() + d.scores.tobytes() for d in detections]


def test_detections_are_the_same_to_the_bit(pictures):
    alone = detect(pictures, threads=1, batch_size=1)
    assert detect(pictures, threads=4, batch_size=32) == alone
    assert detect(pictures[:1], threads=4, batch_size=2) == alone[:1]


def describe(chips, *, threads: int, batch_size: int) -> bytes:
    runtime = Runtime(device="cpu", threads=threads, batch_size=batch_size)
    describer = registry.load("describe", "dlib_resnet", runtime=runtime, attributes=("sex", "age"))
    descriptions = describer.describe(chips)
    return descriptions.embeddings.tobytes() + b"".join(
        v.tobytes() for v in descriptions.heads.values()
    )


def test_descriptions_are_the_same_to_the_bit():
    chips = np.random.default_rng(0).integers(0, 256, (20, 150, 150, 3), np.uint8)
    assert describe(chips, threads=4, batch_size=32) == describe(chips, threads=1, batch_size=3)
    assert describe(chips[:0], threads=4, batch_size=32) == b""


class Scarce(ort.InferenceSession):
    """Has memory for so many pictures; notes the batches and what it was asked to give back."""

    most = 4

    def __init__(self, model: bytes) -> None:
        super().__init__(model, providers=["CPUExecutionProvider"])
        self.asked: list[int] = []
        self.shrunk: list[str] = []

    def run(self, outputs, inputs, options=None):
        if options is not None:
            self.shrunk.append(options.get_run_config_entry("memory.enable_memory_arena_shrinkage"))
            return super().run(outputs, inputs, options)
        return self.limited(inputs["input"], lambda: super(Scarce, self).run(outputs, inputs))

    def run_with_iobinding(self, binding, options=None):
        self.limited(self.bound, lambda: super(Scarce, self).run_with_iobinding(binding))

    def limited(self, array, run):
        self.asked.append(len(array))
        if len(array) > self.most:
            state = ort.capi.onnxruntime_pybind11_state
            raise state.RuntimeException("BFCArena: Failed to allocate memory\nfor 7 bytes")
        return run()


@pytest.fixture
def scarce(tmp_path, monkeypatch) -> tuple[Scarce, OnnxSession]:
    """Such a session as it is used on CUDA: whole batches."""
    session = Scarce(networks.embedding(tmp_path / "small.onnx").read_bytes())
    bind = OnnxSession._execute_bound

    def bound(self, inputs):
        session.bound = inputs["input"]
        return bind(self, inputs)

    monkeypatch.setattr(OnnxSession, "_execute_bound", bound)
    return session, OnnxSession(session, None, name="small", arena="cpu:0")


def colours(n: int) -> np.ndarray:
    rows = np.random.default_rng(0).random((n, 3, 1, 1), np.float32)
    return np.broadcast_to(rows, (n, 3, 112, 112)).copy()


class TestMemory:
    def test_a_batch_that_does_not_fit_is_halved(self, scarce):
        session, mine = scarce
        pictures = colours(7)
        (means,) = mine.run(input=pictures)
        np.testing.assert_allclose(means, pictures[:, :, 0, 0], atol=1e-4)
        assert session.asked == [7, 4, 3]
        assert session.shrunk == ["cpu:0"]

    @pytest.mark.parametrize(("n", "asked"), [(9, [9, 5]), (1, [1])])
    def test_one_that_never_fits_is_a_want_of_resources(self, scarce, n, asked):
        session, mine = scarce
        session.most = 4 if n > 1 else 0
        with pytest.raises(ResourceError, match=rf"out of memory with {asked[-1]} .*--batch_size"):
            mine.run(input=colours(n))
        assert session.asked == asked

    def test_on_the_cpu_too(self, scarce):
        session, _ = scarce
        session.most = 0
        with ThreadPoolExecutor(2) as pool, pytest.raises(ResourceError, match="out of memory"):
            OnnxSession(session, pool).run(input=colours(2))

    def test_is_given_back_after_a_medium(self, scarce):
        session, mine = scarce
        mine.release()
        assert session.shrunk == []
        mine.run(input=colours(2))
        mine.release()
        mine.release()
        assert session.shrunk == ["cpu:0"]

    def test_runtime_releases_what_it_loaded(self, tmp_path):
        runtime = Runtime(device="cpu")
        runtime.release()
        session = runtime.load(networks.embedding(tmp_path / "small.onnx"))
        before = session.run(input=colours(3))
        runtime.release()
        np.testing.assert_array_equal(session.run(input=colours(3)), before)

    def test_every_medium_ends_with_it(self, sample, monkeypatch):
        models = components.load_components(AnalysisOptions(stop=0.5, fps=5, device="cpu"))
        released = []
        monkeypatch.setattr(Runtime, "release", lambda self: released.append(self))
        analyze(str(sample / "sample.mp4"), components=models)
        with pytest.raises(InputError):
            analyze(str(sample / "none.mp4"), components=models)
        assert released == [models.runtime] * 2


BACKENDS = ["onnxruntime", "torch", "openvino"]


def need(backend: str) -> None:
    if backend == "torch":
        pytest.importorskip("torch")
        need_onnx2torch()
    pytest.importorskip(backend)


def load(backend: str, model, device: str = "cpu", **runtime):
    need(backend)
    return Runtime(device=device, backend=backend, **runtime).load(model)


@pytest.mark.parametrize("backend", BACKENDS)
class TestBackends:
    def test_what_goes_in_and_out(self, backend, tmp_path):
        session = load(backend, networks.embedding(tmp_path / "small.onnx"))
        assert dict(session.inputs) == {"input": (None, 3, 112, 112)}
        assert list(session.outputs) == ["embedding"]

    @pytest.mark.parametrize("batch", ["n", 1])
    def test_batches_of_any_size(self, backend, batch, tmp_path):
        session = load(backend, networks.embedding(tmp_path / "small.onnx", batch=batch))
        for n in (0, 1, 5):
            (means,) = session.run(input=colours(n))
            np.testing.assert_allclose(means, colours(n)[:, :, 0, 0], atol=1e-4)

    def test_truncated_graph(self, backend, tmp_path):
        path = networks.embedding(tmp_path / "small.onnx")
        path.write_bytes(path.read_bytes()[:-50])
        with pytest.raises(WeightsError, match=r"small\.onnx: .*get the file anew") as refused:
            load(backend, path)
        assert "\n" not in str(refused.value)

    def test_no_graph(self, backend):
        with pytest.raises(WeightsError, match=r"the network: .*get the file anew"):
            load(backend, b"<html>404</html>")

    def test_cuda_that_is_not_there(self, backend, tmp_path):
        need(backend)
        if backend == "torch":
            there = pytest.importorskip("torch").cuda.is_available()
        else:
            there = (
                backend == "onnxruntime"
                and "CUDAExecutionProvider" in ort.get_available_providers()
            )
        if there:
            pytest.skip("there is CUDA")
        with pytest.raises(UsageError, match="--device cpu") as refused:
            load(backend, networks.embedding(tmp_path / "small.onnx"), "cuda:0")
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_inputs_of_another_shape_are_refused(backend, tmp_path):
    session = load(backend, networks.embedding(tmp_path / "small.onnx"))
    with pytest.raises(WeightsError, match=r"small\.onnx: it was made for other inputs"):
        session.run(input=np.zeros((1, 3, 96, 96), np.float32))


@pytest.mark.parametrize(
    ("spec", "cure"),
    [("onnxruntime:tensorrt=true", "leave tensorrt out"), ("torch:half=true", "no option 'half'")],
)
def test_what_needs_cuda_is_refused_without(spec, cure):
    if spec.startswith("torch"):
        need("torch")
    with pytest.raises(UsageError, match=cure):
        Runtime(device="cpu", backend=spec).load(b"")


@pytest.mark.parametrize("library", BACKENDS)
def test_missing_library_comes_with_its_cure(library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, f"analyzer.inference.backends.{library}", raising=False)
    with pytest.raises(MissingDependency, match=rf"pip install .*'{library}>="):
        Runtime(device="cpu", backend=library).load(b"")


@pytest.mark.parametrize(
    ("missing", "chosen"),
    [
        ((), "onnxruntime"),
        (("onnxruntime",), "torch"),
        (("onnxruntime", "torch"), "openvino"),
        (("onnxruntime", "torch", "openvino"), "onnxruntime"),
    ],
)
def test_auto_takes_what_is_installed(missing, chosen, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name not in missing)
    asked = []
    monkeypatch.setattr(registry, "load", lambda stage, spec, **_: asked.append(spec))
    Runtime()._backend()
    assert asked == [chosen]


def test_backend_is_no_part_of_what_makes_results():
    digests = {AnalysisOptions(backend=b).digest() for b in ("auto", "torch", "onnxruntime")}
    assert len(digests) == 1
    with pytest.raises(UsageError, match="no backend component 'tensorflow'"):
        AnalysisOptions(backend="tensorflow")


def inputs_of(session, side: int) -> dict[str, np.ndarray]:
    """Two random pictures for a network: one where it takes one at a time."""
    random = np.random.default_rng(0)
    inputs = {}
    for name, shape in session.inputs.items():
        sides = [2, *(fixed or side for fixed in shape[1:])]
        if shape[-1] == 3:
            inputs[name] = random.integers(0, 256, sides, np.uint8)
        else:
            inputs[name] = random.random(sides, np.float32) * 2 - 1
    return inputs


def graph_of(name: str, tmp_path, monkeypatch, shared):
    """The network as the product executes it."""
    if name.endswith(".onnx"):
        path = shared / "models" / name
        if not path.is_file():
            pytest.skip(f"{path} is missing")
        return path
    models = []
    load = Runtime.load
    monkeypatch.setattr(
        Runtime, "load", lambda self, model: models.append(model) or load(self, model)
    )
    kind, attributes = "describe", {"attributes": ("sex", "age", "ethnicity")}
    if name == "centerface":
        kind, attributes = "detect", {}
    spec = name.removesuffix(", mirrored")
    registry.load(kind, spec, runtime=Runtime(device="cpu"), **attributes)
    return models[0 if name == "dlib_resnet" else -1]


@pytest.mark.parametrize(
    "name",
    [
        *("centerface", "dlib_resnet", "dlib_resnet, mirrored"),
        *("yunet_2026may.onnx", "edgeface_xxs_512.onnx"),
    ],
)
@pytest.mark.parametrize("backend", BACKENDS[1:])
def test_backends_agree_on_every_graph(backend, name, tmp_path, monkeypatch, request):
    shared = request.getfixturevalue("shared") if name.endswith(".onnx") else None
    model = graph_of(name, tmp_path, monkeypatch, shared)
    first, second = (load(backend, model) for backend in ("onnxruntime", backend))
    assert list(first.outputs) == list(second.outputs)
    assert dict(first.inputs) == dict(second.inputs)
    inputs = inputs_of(first, 320)
    for ours, theirs in zip(first.run(**inputs), second.run(**inputs), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-3, rtol=1e-3)


def test_weights_among_the_inputs_are_fixed(tmp_path):
    model = onnx.load(str(networks.embedding(tmp_path / "small.onnx")))
    weights = model.graph.initializer[0]
    shape = onnx.helper.make_tensor_value_info(weights.name, weights.data_type, weights.dims)
    model.graph.input.append(shape)
    path = tmp_path / "listed.onnx"
    onnx.save(model, str(path))
    picture = np.full((1, 3, 112, 112), 7, np.float32)
    for source in (path, path.read_bytes()):
        session = Runtime(device="cpu").load(source)
        assert list(session.inputs) == ["input"]
        assert session._session.get_overridable_initializers() == []
        assert np.allclose(session.run(input=picture)[0], 7)
