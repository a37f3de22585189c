"""What is missing or wrong of a model, said by the command line: one line with its cure, and 2."""

import re
import shlex
import sys
from pathlib import Path

import onnxruntime as ort
import pytest

from analyzer import registry
from analyzer.__main__ import main
from analyzer.weights import locate
from ina_cli import libraries
from tests.support import networks
from tests.support.architecture import PACKAGES, Tree
from tests.support.networks import need_onnx2torch
from tests.support.processes import ROOT

WHERE = "{files}"
"""In options: the folder of wrong files."""


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """Files of every kind of wrong."""
    folder = tmp_path_factory.mktemp("wrong")
    networks.scrfd(folder / "scrfd.onnx")
    networks.ssd(folder / "ssd.onnx", [(0, 1, 0.9, 0.1, 0.2, 0.5, 0.6)])
    networks.embedding(folder / "who.onnx")
    networks.embedding(folder / "who96.onnx", size=96)
    whole = (folder / "who.onnx").read_bytes()
    (folder / "short.onnx").write_bytes(whole[: len(whole) // 2])
    for name in ("scrfd_10g_kps", "yunet_2026may", "edgeface_xxs", "fairface"):
        (folder / f"{name}.onnx").write_bytes(whole)
    mmod = locate.locate("dlib_mmod").read_bytes()
    (folder / "short.dat").write_bytes(mmod[: len(mmod) // 2])
    return folder


@pytest.fixture
def refused(sample, tmp_path, capfd):
    """Run a command, and see that it says one line: with what libraries print themselves, too."""

    def run(cure: str, *options: str) -> None:
        medium, out = str(sample / "sample.mp4"), str(tmp_path / "out")
        given = ["analyze", medium, "-o", out, "--stop", "0.2", "--export", "csv", *options]
        status = main(given)
        shown = capfd.readouterr()
        assert status == 2, shown.err
        assert shown.out == ""
        assert re.fullmatch(rf"error: [^\n]*{cure}[^\n]*\n", shown.err), shown.err

    return run


DETECTORS = {
    "yunet": "--detector yunet:weights=FILE",
    "scrfd": "--detector scrfd:weights=FILE",
    "ssd": "--detector ssd:weights=FILE",
    "retinaface": "--detector retinaface:weights=FILE",
}


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize(
    "file",
    ["", "none.onnx", "short.onnx", "who.onnx", "scrfd.onnx", "ssd.onnx"],
    ids=["no weights", "missing", "truncated", "an embedding", "an SCRFD", "an SSD"],
)
def test_weights_of_detectors(name, file, files, refused):
    if file == f"{name}.onnx":
        return
    spec = f"{name}:weights={files / file}" if file else name
    refused(re.escape(DETECTORS[name]), "--detector", spec)


@pytest.mark.parametrize(
    ("options", "cure"),
    [
        ("--detector scrfd:weights={files}/scrfd_10g_kps.onnx", "get it anew, or call yours"),
        ("--detector yunet:weights={files}/yunet_2026may.onnx", "get it anew, or call yours"),
        ("--describer onnx:embed={files}/edgeface_xxs.onnx", "get it anew, or call yours"),
        (
            "--describer onnx:embed={files}/who.onnx,spec=edgeface,"
            "attributes={files}/fairface.onnx",
            "fairface.onnx: not the published file of this name: get it anew",
        ),
        ("--detector mmod:weights={files}/none.dat", "give a file for dlib's"),
        ("--detector mmod:weights={files}/short.dat", "give a file for dlib's"),
        ("--detector mmod:weights={files}/who.onnx", "give a file for dlib's"),
        ("--detector precomputed", "--detector precomputed:file=FILE.csv"),
        ("--detector precomputed:file={files}/none.csv", "--detector precomputed:file=FILE.csv"),
        ("--describer onnx", "onnx:embed=FILE.onnx"),
        ("--describer onnx:embed={files}/none.onnx", "python -m analyzer models list"),
        ("--describer onnx:embed={files}/short.onnx,spec=edgeface", "get the file anew"),
        ("--describer onnx:embed={files}/who96.onnx,spec=edgeface", "change size or layout"),
        ("--describer onnx:embed={files}/scrfd.onnx,spec=edgeface", "name it in the specif"),
        (
            "--describer onnx:embed={files}/who.onnx,spec=edgeface,attributes={files}/none.onnx",
            "python -m analyzer models list",
        ),
        (
            "--describer onnx:embed={files}/who.onnx,spec=edgeface,"
            "attributes={files}/short.onnx,attributes_spec=fairface",
            "get the file anew",
        ),
        (
            "--describer onnx:embed={files}/who.onnx,spec=edgeface,"
            "attributes={files}/who96.onnx,attributes_spec=fairface",
            "change size or layout",
        ),
        ("--device gpu", "must be auto, cpu, cuda, or cuda:N"),
        ("--backend onnxruntime:tensorrt=true", "or leave tensorrt out"),
    ],
)
def test_one_line_with_the_cure(options, cure, files, refused):
    given = options.replace(WHERE, str(files)).split()
    refused(cure, *given)


@pytest.mark.parametrize("detector", ["centerface", "hog", "yunet"])
@pytest.mark.parametrize("backend", ["onnxruntime", "torch"])
def test_cuda_that_is_not_there(detector, backend, refused, request):
    if "CUDAExecutionProvider" in ort.get_available_providers():
        pytest.skip("there is CUDA")
    if backend == "torch":
        if pytest.importorskip("torch").cuda.is_available():
            pytest.skip("there is CUDA")
        need_onnx2torch()
    if detector == "yunet":
        shared = request.getfixturevalue("shared")
        detector = f"yunet:weights={next((shared / 'models').glob('yunet_*.onnx'))}"
    options = ("--device", "cuda:0", "--backend", backend, "--detector", detector)
    refused("or use --device cpu", *options)


def third_party() -> list[tuple[str, str]]:
    """Each component, and each library that is imported with it."""
    pairs = set()
    ours = {*sys.stdlib_module_names, *PACKAGES, "numpy"}
    kinds = {f"analyzer.{package}": kind for kind, package in registry.PLUGINS.items()}
    for i in Tree(ROOT).imports:
        package, _, name = i.importer.rpartition(".")
        kind, library = kinds.get(package, "commands"), i.imported.partition(".")[0]
        is_component = kind not in ("commands", "identities", "datasets", "train")
        if is_component and i.at_top and library not in ours:
            pairs.add((f"{kind}/{name}", library))
    return sorted(pairs)


def packages() -> set[str]:
    """What `pyproject.toml` asks for."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return set(re.findall(r'"([\w-]+>=[\w.]+)(?:;[^"]*)?"', text))


@pytest.mark.parametrize(("component", "library"), third_party())
def test_missing_libraries_are_named_as_pip_knows_them(component, library):
    assert set(shlex.split(libraries.requirements(library))) <= packages()
