"""The script for a machine with a graphics card: its dry form, on the CPU."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from tests.support.processes import ROOT

SCRIPT = str(ROOT / "benchmarks" / "gpu.sh")


def run(*arguments: object) -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, "PYTHON": sys.executable}
    command = ["sh", SCRIPT, *map(str, arguments)]
    return subprocess.run(command, cwd="/", env=env, capture_output=True, text=True)


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("networks")
    done = run("networks", folder)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in folder.iterdir()} == {"detect.onnx", "describe.onnx"}
    # So many bytes may be carried to another machine.
    assert sum(path.stat().st_size for path in folder.iterdir()) < 64 << 20
    return folder


def test_without_arguments_it_says_how(tmp_path: Path) -> None:
    done = run()
    assert done.returncode == 2
    assert done.stderr.startswith("benchmarks/gpu.sh networks DIR ")


def test_the_dry_form_measures_everything_once(networks: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    figures = tmp_path / "figures.json"
    done = run(networks, figures, "--dry")
    assert done.returncode == 0, done.stderr
    content = json.loads(figures.read_text(encoding="utf-8"))
    assert content["machine"]["device"] == "cpu"
    assert all(rate > 0 for rate in content["rates"].values())
    rows = {(r["network"], r["precision"], r["batch"]): r for r in content["rows"]}
    assert len(rows) == len(content["rows"]) == 2 * 3 * 2
    limits = {"f32": 1e-6, "bf16": 0.2, "int8": 1.0}
    for (_, precision, _), row in rows.items():
        assert row["eager_ms"] > 0
        assert row["floor_ms"] > 0
        assert row["largest_relative_difference"] < limits[precision]
        assert (row["layers_in_8_bits"] > 0) == (precision == "int8")


def test_without_a_card_it_says_so(networks: Path, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a card")
    done = run(networks, tmp_path / "figures.json")
    assert (done.returncode, done.stderr) == (
        2,
        "gpu: PyTorch sees no card; see nvidia-smi, or try it with --dry\n",
    )


@pytest.mark.parametrize("name", ["detect", "describe"])
def test_graphs_answer_as_in_the_product(name: str, networks: Path) -> None:
    torch = pytest.importorskip("torch")
    from benchmarks import _gpu, _onnx_torch

    path = networks / f"{name}.onnx"
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (2, *_gpu.SHAPES[name]), np.uint8)
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    quiet = {i.name: pictures for i in session.get_inputs()}
    with torch.inference_mode():
        answers = _onnx_torch.Graph(path, "cpu").run(torch.from_numpy(pictures))
    for ours, theirs in zip(answers, session.run(None, quiet), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs, atol=2e-3, rtol=1e-3)
