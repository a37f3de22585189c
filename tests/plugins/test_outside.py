"""Plug-ins that are not in the package: installed, in a module, in a file, and as objects."""

import csv
import gc
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from analyzer import analyze, load_models, registry
from analyzer.errors import MissingPlugin, UsageError
from analyzer.inference.runtime import Runtime
from analyzer.options import AnalysisOptions
from analyzer.plugins.spec import Spec
from analyzer.types import Detections
from tests.support.processes import ROOT

EXAMPLE = Path(__file__).parent / "example"
RUNTIME = Runtime(device="cpu")
FAST = ("--fps", "2", "--stop", "2")
EMPTY = """
from analyzer.types import Detections

class Blind:
    provenance = {}

    def __init__(self, limit=0):
        self.limit = limit

    def detect(self, images):
        return [Detections.empty() for _ in images]

def create(*, limit: int = 3):
    return Blind(limit)

def other(*, runtime):
    return Blind(-1)
"""
"""A file with a detector that sees nothing."""


class Blind:
    """A detector that sees nothing."""

    provenance = MappingProxyType({})

    def detect(self, images):
        return [Detections.empty() for _ in images]


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> dict[str, str]:
    """The environment of programs that have the example package installed."""
    folder = tmp_path_factory.mktemp("site")
    source = shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("source") / "example")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run(
        [*command, "--no-build-isolation", "--target", folder, source], check=True, timeout=100
    )
    return {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}"}


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    """A file with a detector, in the working folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "blind_file.py"
    path.write_text(EMPTY)
    return path


def run(*arguments: object, env: dict[str, str], **keywords) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=keywords.pop("cwd", ROOT),
        env=env,
        capture_output=True,
        text=True,
        timeout=100,
        **keywords,
    )


class TestSpec:
    @pytest.mark.parametrize(
        ("text", "spec"),
        [
            ("centerface", Spec("centerface")),
            ("chinese-whispers:rounds=3", Spec("chinese_whispers", (("rounds", "3"),))),
            ("half_size@1.0:size=3", Spec("half_size", (("size", "3"),), "1.0")),
            ("faces.squares:create", Spec("faces.squares", (), "", "create")),
            ("faces:create:a=1,b=c:d", Spec("faces", (("a", "1"), ("b", "c:d")), "", "create")),
            ("./a b.py", Spec("./a b.py", (), "", "create")),
            ("/x/a.py@0f:other:size=3", Spec("/x/a.py", (("size", "3"),), "0f", "other")),
            ("a.py:size=3", Spec("a.py", (("size", "3"),), "", "create")),
            ("precomputed:path=/a/b.csv", Spec("precomputed", (("path", "/a/b.csv"),))),
        ],
    )
    def test_is_read(self, text, spec):
        assert Spec.parse(text) == spec
        assert Spec.parse(str(spec)) == spec

    @pytest.mark.parametrize("text", ["centerface:640", "a.py:640", "a@b@c", "centerface:=3"])
    def test_with_a_fault_is_refused(self, text):
        with pytest.raises(UsageError, match="name:key=value"):
            Spec.parse(text)

    def test_an_option_without_value_is_no_function(self):
        with pytest.raises(UsageError, match="name:key=value"):
            registry.check("detect", "centerface:size")


class TestFiles:
    @pytest.mark.parametrize(
        ("spec", "limit"),
        [
            ("blind_file.py", 3),
            ("./blind_file.py:limit=5", 5),
            ("blind_file.py:other", -1),
            ("blind_file:create:limit=7", 7),
            ("blind_file:Blind", 0),
        ],
    )
    def test_are_loaded(self, file, spec, limit):
        assert registry.load("detect", spec, runtime=RUNTIME).limit == limit

    def test_are_pinned_in_the_options(self, file):
        options = AnalysisOptions(detector="blind_file.py:limit=2")
        assert re.fullmatch(rf"{file}@[0-9a-f]{{16}}:create:limit=2", options.detector)
        assert AnalysisOptions(detector=options.detector) == options
        file.write_text(EMPTY + "\n# changed\n")
        changed = AnalysisOptions(detector="blind_file.py:limit=2")
        assert changed.digest() != options.digest()
        with pytest.raises(MissingPlugin, match="another version here"):
            registry.load("detect", options.detector, runtime=RUNTIME)

    def test_a_report_of_a_file_that_is_gone_opens(self, file):
        options = AnalysisOptions(detector="blind_file.py")
        file.unlink()
        assert AnalysisOptions.from_dict(options.to_dict()) == options
        with pytest.raises(MissingPlugin, match="no such file"):
            registry.load("detect", options.detector, runtime=RUNTIME)

    @pytest.mark.parametrize(
        ("spec", "cure"),
        [
            ("nonesuch.py", "no such file"),
            ("nonesuch:create", "no module 'nonesuch' here: install it, or give the path"),
            ("blind_file.py:nonesuch", "has no function 'nonesuch'"),
            ("blind_file.py:size=1", "has no option 'size'; it has: limit"),
            ("blind_file.py:limit=x", "cannot be read as int"),
            ("blind_file.py:Detections", "missing a required .*argument: .boxes.: give"),
        ],
    )
    def test_with_a_fault_are_named(self, file, spec, cure):
        with pytest.raises(UsageError, match=cure):
            registry.load("detect", spec, runtime=RUNTIME)

    @pytest.mark.parametrize(
        ("text", "cure"),
        [
            ("raise ValueError('no luck')", "cannot be loaded: ValueError: no luck"),
            ("import nonesuch", "cannot be loaded: ModuleNotFoundError: No module named"),
            ("def create(): return 3", "a Detector needs detect, provenance: see Detector in"),
            ("create = 3", "has no function 'create'"),
        ],
    )
    def test_that_are_no_plugin_are_explained(self, file, text, cure):
        file.write_text(text)
        with pytest.raises(UsageError, match=cure):
            registry.load("detect", "blind_file.py", runtime=RUNTIME)


class TestObjects:
    def test_a_component_a_class_and_a_function_serve(self, sample):
        film = str(sample / "sample.mp4")
        for detector in (Blind(), Blind, lambda: Blind()):
            report = analyze(film, fps=1, detector=detector)
            assert len(report.observations) == 0
            assert report.provenance["options"]["detector"].startswith("<")

    def test_one_is_kept_with_the_models_and_no_longer(self):
        detector = Blind()
        models = load_models(fps=1, detector=detector)
        text = models.options.detector
        assert models.detector is detector
        assert registry.offer("detect", detector) == text
        del detector, models
        load_models.__globals__["_loaded"].cache_clear()
        gc.collect()
        with pytest.raises(MissingPlugin, match="object of another program"):
            registry.load("detect", text)

    def test_a_tracker_is_a_class(self):
        tracker = registry.load("track", "iou", runtime=RUNTIME)
        with pytest.raises(UsageError, match="one is made for each medium: give its class"):
            load_models(tracker=tracker)
        models = load_models(tracker=lambda: type(tracker)(min_iou=0.3, max_gap=2))
        assert models.tracker() is not models.tracker()

    def test_what_is_no_component_is_refused(self):
        with pytest.raises(UsageError, match="a Detector needs detect, provenance"):
            load_models(detector=3)


class TestInstalled:
    def test_are_listed_by_help(self, installed):
        done = run("-m", "analyzer", "analyze", "--help", env=installed)
        words = " ".join(done.stdout.split())
        assert "yunet, half_size (default: centerface)" in words
        assert "xlsx, credits (default:" in words

    def test_serve_a_command(self, installed, sample, tmp_path):
        film = sample / "sample.mp4"
        arguments = ["--detector", "half-size:size=320", "--export", "csv,credits", *FAST]
        done = run("-m", "analyzer", "analyze", film, "-o", tmp_path, *arguments, env=installed)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "sample.credits.txt").read_text().startswith("Cast\nperson ")
        with (tmp_path / "sample.csv").open() as rows:
            assert len(list(csv.DictReader(rows))) > 0

    def test_serve_a_server_and_its_worker(self, installed, sample, tmp_path):
        joblist = tmp_path / "jobs.csv"
        joblist.write_text(
            "source_path,dest_csv,dest_credits\n"
            f"{sample / 'sample.mp4'},{tmp_path / 'a.csv'},{tmp_path / 'a.txt'}\n"
        )
        arguments = ["--workers", 1, "--port", 0, "--detector", "half_size", *FAST]
        state = {**installed, "XDG_STATE_HOME": str(tmp_path / "state")}
        done = run("ina_server.py", "localhost", joblist, *arguments, env=state)
        assert done.returncode == 0, done.stdout + done.stderr
        assert (tmp_path / "a.txt").read_text().startswith("Cast\nperson ")

    def test_serve_the_python_api(self, installed, sample):
        program = (
            "import sys; from analyzer import analyze, write; "
            "r = analyze(sys.argv[1], detector='half_size', fps=1); "
            "print(r.provenance['options']['detector'], len(r.persons) > 0)"
        )
        done = run("-c", program, sample / "sample.mp4", env=installed)
        assert done.stdout.split() == ["half_size@1.0", "True"], done.stderr

    def test_of_another_version_are_refused(self, installed):
        program = (
            "from analyzer import registry; registry.load('detect', 'half_size@2.0', runtime=None)"
        )
        done = run("-c", program, env=installed)
        assert "half_size@2.0: ina-example-plugins 1.0 is installed here" in done.stderr

    def test_that_are_missing_are_named(self):
        with pytest.raises(UsageError, match="no detect component 'half_size'; there are: center"):
            registry.load("detect", "half_size", runtime=RUNTIME)
        with pytest.raises(MissingPlugin, match=r"half_size@1.0: not installed here: install"):
            registry.load("detect", "half_size@1.0", runtime=RUNTIME)

    def test_pass_the_contract_suite(self, installed):
        done = run(
            *("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_contracts.py"),
            *("-k", "half_size or credits"),
            env=installed,
        )
        assert done.returncode == 0, done.stdout
        assert re.search(r"[1-9]\d* passed", done.stdout)


def test_a_worker_runs_no_file_that_a_server_names_unless_told(file, sample, tmp_path):
    joblist = tmp_path / "jobs.csv"
    joblist.write_text(f"source_path,dest_csv\n{sample / 'sample.mp4'},{tmp_path / 'a.csv'}\n")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path / "state")}
    command = [sys.executable, ROOT / "ina_server.py", "localhost", joblist, "--port", "0"]
    server = subprocess.Popen(
        [*command, "--detector", "blind_file.py", *FAST],
        cwd=tmp_path,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        uri = next(m[0] for line in server.stdout if (m := re.search(r"PYRO:\S+", line)))
        worker = run(ROOT / "ina_worker.py", uri, env=env, cwd=tmp_path)
        assert worker.returncode == 2
        assert "runs no module or file that a server names: start it with --allow" in worker.stderr
        worker = run(ROOT / "ina_worker.py", uri, "--allow_plugins", env=env, cwd=tmp_path)
        assert worker.returncode == 0, worker.stderr
        assert server.wait(timeout=60) == 0
        assert (tmp_path / "a.csv").read_text().count("\n") == 1
    finally:
        server.kill()
        server.stdout.close()
        server.wait()


def test_an_exporter_of_a_file_serves_a_command(sample, tmp_path, monkeypatch):
    shutil.copy(EXAMPLE / "example_exporter.py", tmp_path / "credits.py")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    film = str(sample / "sample.mp4")
    done = run(
        *("-m", "analyzer", "analyze", film, "-o", "out", "--export", "csv,credits.py", *FAST),
        env=env,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "sample.credits.txt").read_text().startswith("Cast\n")


def test_a_clusterer_of_a_file_serves(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "alone.py").write_text(
        "import numpy as np\n"
        "class Alone:\n"
        "    def cluster(self, embeddings, weights, apart, threshold):\n"
        "        return np.arange(len(embeddings))\n"
        "def create(*, runtime): return Alone()\n"
    )
    models = load_models(clusterer="alone.py")
    labels = models.clusterer.cluster(np.zeros((3, 128), np.float32), None, None, 0.5)
    assert labels.tolist() == [0, 1, 2]
