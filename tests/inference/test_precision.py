"""Networks that compute with 16 bits: what they answer, and who cannot compute so."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from analyzer import registry
from analyzer.errors import Incapable, UsageError
from analyzer.files import cache
from analyzer.inference import runtime
from analyzer.inference.backends import _half
from analyzer.inference.backends.onnxruntime import _with_fixed_weights
from analyzer.inference.runtime import Runtime
from analyzer.options import AnalysisOptions
from analyzer.stages.describe import Describer
from analyzer.types import U8, Detections
from ina import fingerprint
from tests.support import networks
from tests.support.media import astronaut


@pytest.fixture
def chips() -> U8:
    return np.random.default_rng(0).integers(0, 256, (11, 150, 150, 3), np.uint8)


def describer(**options: Any) -> Describer:
    made = Runtime(device="cpu", **options)
    loaded: Describer = registry.load(
        "describe", "dlib_resnet", runtime=made, attributes=("sex", "age")
    )
    return loaded


class TestOptions:
    def test_auto_is_exact_and_so_is_its_digest(self) -> None:
        assert AnalysisOptions().precision == "exact"
        digests = {p: AnalysisOptions(precision=p).digest() for p in ("auto", "exact", "fast")}
        assert digests["auto"] == digests["exact"] != digests["fast"]

    def test_others_are_refused(self) -> None:
        with pytest.raises(UsageError, match="precision 'half': choose from auto, exact, fast"):
            AnalysisOptions(precision="half")


class TestInability:
    @pytest.mark.parametrize("backend", ["onnxruntime", "torch"])
    def test_on_a_cpu_these_are_quick_with_32_bits_alone(self, backend: str) -> None:
        pytest.importorskip(backend)
        with pytest.raises(Incapable, match=r"--backend openvino .*or --precision exact"):
            Runtime(device="cpu", backend=backend, precision="fast").load(b"")

    def test_a_missing_library_comes_with_both_cures(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "openvino", None)
        monkeypatch.delitem(sys.modules, "analyzer.inference.backends.openvino", raising=False)
        with pytest.raises(Incapable, match=r"pip install 'openvino>=.*or use --precision exact"):
            Runtime(device="cpu", precision="fast").load(b"")

    def test_a_worker_knows_it_before_it_greets(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(runtime.importlib.util, "find_spec", lambda name: None)
        reason = fingerprint.inabilities("auto", "cpu")
        assert reason == {"precision fast": "backend openvino needs 'openvino>=2026.0'"}
        monkeypatch.setattr(runtime.importlib.util, "find_spec", lambda name: object())
        assert fingerprint.inabilities("auto", "cpu") == {}
        told = {"precision fast": "backend onnxruntime needs a GPU for it"}
        assert fingerprint.inabilities("onnxruntime", "cpu") == told

    @pytest.mark.parametrize(
        ("gpu", "device", "installed", "chosen"),
        [
            ("", "auto", ("onnxruntime-gpu", "torch"), "openvino"),
            ("card", "auto", ("onnxruntime-gpu", "torch"), "onnxruntime"),
            ("card", "auto", ("torch",), "torch"),
            ("card", "auto", (), "openvino"),
            ("card", "cpu", ("onnxruntime-gpu", "torch"), "openvino"),
            ("", "cuda:1", (), "torch"),
        ],
    )
    def test_auto_takes_what_can(
        self,
        gpu: str,
        device: str,
        installed: tuple[str, ...],
        chosen: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(runtime, "_gpu", lambda _: gpu)
        monkeypatch.setattr(runtime, "_version", lambda name: "1" if name in installed else None)
        monkeypatch.setattr(runtime, "_is_installed", lambda name: name in installed)
        assert Runtime(device=device, precision="fast")._spec() == chosen


def test_a_graph_with_half_weights_answers_nearly_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graphs: list[bytes] = []
    load = Runtime.load
    monkeypatch.setattr(Runtime, "load", lambda self, m: graphs.append(m) or load(self, m))
    registry.load("detect", "centerface", runtime=Runtime(device="cpu"))
    quiet = ort.SessionOptions()
    quiet.log_severity_level = 4
    exact, near = (
        ort.InferenceSession(source, quiet, providers=["CPUExecutionProvider"])
        for source in (graphs[0], _half.converted(_with_fixed_weights(graphs[0])))
    )
    pictures = np.random.default_rng(0).integers(0, 256, (1, 96, 160, 3), np.uint8)
    maps = zip(*(s.run(None, {"pictures": pictures}) for s in (exact, near)), strict=True)
    for ours, theirs in maps:
        assert theirs.dtype == np.float32
        assert 0 < np.abs(ours - theirs).max() < 0.01 * max(1, np.abs(ours).max())


class TestOpenVino:
    @pytest.fixture(autouse=True)
    def own_cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        pytest.importorskip("openvino")
        if not cache.path("graphs").is_dir():  # made by any test that describes
            describer()
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        return tmp_path / "cache"

    def test_descriptions_are_near_those_of_32_bits(self, chips: U8) -> None:
        exact, fast = (describer(precision=p).describe(chips) for p in ("exact", "fast"))
        assert 0 < np.abs(exact.embeddings - fast.embeddings).max() < 0.01
        for name, values in exact.heads.items():
            np.testing.assert_allclose(values, fast.heads[name], atol=0.2)

    def test_detections_are_near_those_of_32_bits(self) -> None:
        image = astronaut()
        exact, fast = (
            registry.load(
                "detect", "centerface", runtime=Runtime(device="cpu", precision=p)
            ).detect([image])
            for p in ("exact", "fast")
        )
        for ours, theirs in zip(exact, fast, strict=True):
            assert isinstance(ours, Detections)
            assert len(ours) == len(theirs) == 1
            np.testing.assert_allclose(ours.boxes, theirs.boxes, atol=1.5)

    @pytest.mark.parametrize("precision", ["exact", "fast"])
    def test_threads_batches_and_the_cache_change_no_bit(self, precision: str, chips: U8) -> None:
        options = {"backend": "openvino", "precision": precision}
        answers = [
            describer(threads=threads, batch_size=size, **options).describe(chips).embeddings
            for threads, size in ((1, 1), (1, 32), (3, 32), (3, 6), (3, 32))
        ]
        for answer in answers[1:]:
            np.testing.assert_array_equal(answer, answers[0])

    def test_two_networks_in_many_threads_end(self, tmp_path: Path) -> None:
        made = Runtime(device="cpu", threads=2, precision="fast")
        sessions = [
            made.load(networks.embedding(tmp_path / f"{batch}.onnx", batch=batch))
            for batch in ("n", 1)
        ]
        pictures = np.random.default_rng(0).random((9, 3, 112, 112), np.float32)

        def means(i: int) -> Any:
            return sessions[i % 2].run(input=pictures[: 1 + i % 9])[0]

        with ThreadPoolExecutor(6) as threads:
            for i, answer in enumerate(threads.map(means, range(120), timeout=60)):
                assert answer.shape == (1 + i % 9, 3)
                np.testing.assert_allclose(answer, pictures[: 1 + i % 9].mean((2, 3)), atol=5e-3)

    def test_compiled_graphs_are_kept_and_damaged_ones_made_anew(
        self, tmp_path: Path, own_cache: Path
    ) -> None:
        path = networks.embedding(tmp_path / "small.onnx")
        picture = np.random.default_rng(0).random((1, 3, 112, 112), np.float32)

        def answer() -> Any:
            return Runtime(device="cpu", threads=1, precision="fast").load(path).run(input=picture)

        first = answer()
        files = sorted(own_cache.rglob("openvino/*/*/*.bin"))
        assert [file.stem.rpartition("-")[2] for file in files] == ["1x3x112x112", "4x3x112x112"]
        for file in files:
            content = file.read_bytes()
            file.write_bytes(content[:-20] + bytes(20))
        np.testing.assert_array_equal(answer(), first)
        assert [file.read_bytes()[-20:] == bytes(20) for file in files] == [False, False]

    def test_a_cache_that_cannot_be_written_costs_time_alone(
        self, tmp_path: Path, own_cache: Path
    ) -> None:
        own_cache.write_text("no folder")
        path = networks.embedding(tmp_path / "small.onnx")
        picture = np.zeros((1, 3, 112, 112), np.float32)
        (means,) = Runtime(device="cpu", precision="fast").load(path).run(input=picture)
        assert means.tolist() == [[0, 0, 0]]

    def test_the_oldest_files_leave(
        self, tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from analyzer.inference.backends import openvino

        monkeypatch.setattr(openvino, "_MOST_FILES", 2)
        path = networks.embedding(tmp_path / "small.onnx")
        for threads in (1, 2):
            session = Runtime(device="cpu", threads=threads, precision="fast").load(path)
            for n in (4, 1):
                session.run(input=np.zeros((n, 3, 112, 112), np.float32))
        files = sorted(own_cache.rglob("openvino/*/*/*.bin"))
        assert [file.stem.split("-")[2] for file in files] == ["2", "2"]

    def test_a_network_of_free_sides_is_compiled_for_the_last_ones(self, own_cache: Path) -> None:
        made = Runtime(device="cpu", threads=1, precision="fast")
        registry.load("detect", "centerface", runtime=made).detect([np.zeros((90, 160, 3), "u1")])
        session = registry.load(
            "detect", "centerface", runtime=Runtime(device="cpu", threads=1, precision="fast")
        )._network._session
        assert list(session._compiled) == [(("pictures", (1, 384, 640, 3)),)]

    def test_a_processor_without_16_bits_says_so(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from analyzer.inference.backends import openvino

        monkeypatch.setattr(openvino, "_own_arithmetic", lambda core: "f32")
        monkeypatch.setattr(openvino, "_PROCESSOR", tmp_path / "missing")
        made = Runtime(device="cpu", precision="fast")
        assert made.notes == ()
        made.load(networks.embedding(tmp_path / "small.onnx"))
        assert made.arithmetic == "f32"
        assert made.notes == (
            "precision fast: no 16 or 8 bits on this machine: computed with 32, no quicker",
        )

    @pytest.mark.parametrize(
        ("flags", "arithmetic"),
        [
            ("avx2 avx512f", "bf16"),
            ("avx512f avx512_vnni", "bf16+i8"),
            ("avx2 avx_vnni", "bf16+i8"),
            ("amx_int8", "bf16+i8"),
        ],
    )
    def test_8_bits_are_used_where_the_processor_adds_them_up(
        self, flags: str, arithmetic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from analyzer.inference.backends import openvino

        processor = tmp_path / "cpuinfo"
        processor.write_text(f"processor : 0\nflags\t\t: fpu {flags} sse\n")
        monkeypatch.setattr(openvino, "_PROCESSOR", processor)
        monkeypatch.setattr(openvino, "_own_arithmetic", lambda core: "bf16")
        fast, exact = (
            Runtime(device="cpu", backend="openvino", precision=p) for p in ("fast", "exact")
        )
        assert fast.eight_bits is arithmetic.endswith("i8")
        assert fast.arithmetic == arithmetic
        assert not exact.eight_bits
        assert exact.arithmetic == "f32"
        for made in (fast, exact):
            made.load(networks.embedding(tmp_path / "small.onnx"))

    def test_pictures_that_cannot_be_written_are_read(self, tmp_path: Path) -> None:
        picture = np.zeros((1, 3, 112, 112), np.float32)
        picture.flags.writeable = False
        path = networks.embedding(tmp_path / "small.onnx")
        (means,) = Runtime(device="cpu", precision="fast").load(path).run(input=picture)
        assert means.tolist() == [[0, 0, 0]]
