"""What counts as the same code, and a worker with other code against a real server."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.options import AnalysisOptions
from analyzer.weights import locate
from ina import fingerprint
from tests.support.processes import ROOT, run, server

EXAMPLE = ROOT / "tests" / "plugins" / "example"
CODE = "from ina.fingerprint import code_digests; print(code_digests())"


def test_places_line_ends_and_compiled_files_do_not_count(tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "package", tmp_path / "b"
    for folder in (first, second):
        (folder / "inner").mkdir(parents=True)
    (first / "__init__.py").write_bytes(b"x = 1\ny = 2\n")
    (second / "__init__.py").write_bytes(b"x = 1\r\ny = 2\r\n")
    for folder in (first, second):
        (folder / "inner" / "page.html.j2").write_text("page")
    digest = fingerprint.package_digest(first)
    (first / "__pycache__").mkdir()
    (first / "__pycache__" / "x.cpython-311.pyc").write_bytes(b"compiled")
    (first / "notes.txt~").write_text("by an editor")
    assert fingerprint.package_digest(first) == fingerprint.package_digest(second) == digest
    (second / "inner" / "page.html.j2").write_text("pages")
    assert fingerprint.package_digest(second) != digest


@pytest.mark.parametrize("change", ["content", "name", "new", "gone"])
def test_every_change_of_code_counts(tmp_path: Path, change: str) -> None:
    for name in ("one.py", "two.py"):
        (tmp_path / name).write_text("x = 1\n")
    before = fingerprint.package_digest(tmp_path)
    if change == "content":
        (tmp_path / "one.py").write_text("x = 2\n")
    elif change == "name":
        (tmp_path / "one.py").rename(tmp_path / "three.py")
    elif change == "new":
        (tmp_path / "three.py").write_text("")
    else:
        (tmp_path / "one.py").unlink()
    assert fingerprint.package_digest(tmp_path) != before


def test_an_analysis_requires_what_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = AnalysisOptions()
    assert list(fingerprint.required_code(options)) == list(fingerprint.PACKAGES)
    assert fingerprint.required_models(options) == locate.hashes()
    assert fingerprint.required_settings(options) == {}
    named = AnalysisOptions(backend="onnxruntime")
    assert fingerprint.required_settings(named) == {"backend": "onnxruntime"}
    fast = AnalysisOptions(precision="fast")
    assert fingerprint.required_settings(fast) == {"precision": "fast"}
    monkeypatch.setenv("INA_MODELS", str(tmp_path))
    locate.add_records(tmp_path, {"mine": {"file": "mine.onnx", "sha256": "ab" * 32}})
    own = AnalysisOptions(describer="onnx:embed=mine")
    assert fingerprint.required_models(own) == {**locate.hashes(), "mine": "ab" * 32}
    assert fingerprint.model_hashes()["mine"] == "ab" * 32


def copied(folder: Path) -> Path:
    """A copy of the packages, with line ends of another system."""
    for name in (*fingerprint.PACKAGES, "ina_cli", "ina_web"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "ina_worker.py", folder)
    for path in folder.rglob("*.py"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    return folder


def test_a_worker_with_other_code_is_refused_and_one_with_the_same_is_not(tmp_path: Path) -> None:
    copy = copied(tmp_path / "copy")
    (tmp_path / "jobs.csv").write_text("source_path,dest_csv\nnone.mp4,out/none.csv\n")
    process = server(tmp_path)
    assert process.stdout is not None
    uri = process.stdout.readline().strip()
    changed = copy / "analyzer" / "observations" / "persons.py"
    before = changed.read_bytes()
    changed.write_bytes(before + b"# changed\r\n")
    code, text = worker(copy, tmp_path, uri)
    assert code == 2
    assert "code of analyzer: '" in text
    assert "serve with --allow_mixed" in text
    assert "code of ina" not in text
    changed.write_bytes(before)
    code, text = worker(copy, tmp_path, uri)
    assert code == 0
    assert "none.mp4: no such file" in text
    assert run(process)[0] == 1


def test_who_allows_it_has_mixed_workers(tmp_path: Path) -> None:
    copy = copied(tmp_path / "copy")
    with (copy / "jobs" / "retry.py").open("a") as file:
        file.write("# changed\n")
    (tmp_path / "jobs.csv").write_text("source_path,dest_csv\nnone.mp4,out/none.csv\n")
    process = server(tmp_path, "--allow_mixed")
    assert process.stdout is not None
    assert worker(copy, tmp_path, process.stdout.readline().strip())[0] == 0
    code, _, errors = run(process)
    assert (code, "differs: code of jobs: " in errors) == (1, True)


def worker(code: Path, folder: Path, uri: str, *options: str) -> tuple[int, str]:
    """Let a worker of some code work; return its exit code and all that it writes."""
    env = {**os.environ, "PYTHONPATH": str(code), "XDG_STATE_HOME": str(folder / "state")}
    done = subprocess.run(
        [sys.executable, str(code / "ina_worker.py"), uri, "--server_timeout", "1", *options],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
    )
    errors = [line for line in done.stderr.splitlines() if "failed (input)" not in line]
    return done.returncode, "\n".join(errors)


def test_plug_ins_of_other_packages_count(tmp_path: Path) -> None:
    site = tmp_path / "site"
    info = site / "example_plugins-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: example-plugins\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[ina.detect]\nsquares = example_squares.inner\n")
    (site / "example_squares").mkdir()
    (site / "example_squares" / "__init__.py").write_text("raise RuntimeError('imported')\n")
    helper = site / "example_squares" / "helper.py"
    helper.write_text("SIZE = 1\n")
    code = (
        "from analyzer.options import AnalysisOptions as O; from ina import fingerprint as f;"
        "print(f.required_code(O(detector='squares'))['example_squares'],"
        "'example_squares' in f.required_code(O()), 'example_squares' in f.code_digests())"
    )
    first, *others = printed(code, site)
    assert others == ["False", "True"]
    helper.write_text("SIZE = 2\n")
    second, *_ = printed(code, site)
    assert first != second


def printed(code: str, site: Path) -> list[str]:
    env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{site}"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_a_worker_that_cannot_compute_so_says_it_and_takes_no_job(tmp_path: Path) -> None:
    (tmp_path / "jobs.csv").write_text("source_path,dest_csv\nnone.mp4,out/none.csv\n")
    process = server(tmp_path, "--precision", "fast", "--allow_mixed")
    assert process.stdout is not None
    uri = process.stdout.readline().strip()
    code, text = worker(ROOT, tmp_path, uri, "--backend", "onnxruntime", "--device", "cpu")
    assert code == 2
    assert (
        "this worker cannot do what the server asks for: precision fast: backend onnxruntime needs "
        "a GPU for it" in text
    )
    process.terminate()
    _, out, _ = run(process)
    assert "1 cancelled" in out or "not finished" in out
