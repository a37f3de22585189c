"""What a server hands to its workers alone; a worker that cannot use it."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import psutil
import pytest

from analyzer.errors import MissingDependency
from analyzer.options import AnalysisOptions
from ina import shared_store
from ina.analysis import FilmAnalysis
from ina.media_task import MediaTask
from jobs.__main__ import main
from jobs.errors import JobFailed
from jobs.slurm import survey
from jobs.slurm.folder import SHARD
from jobs.system.process_identity import ProcessIdentity
from jobs.types import Lease
from jobs.worker.client import Client
from tests.support.processes import command, run, server, until
from tests.support.redis_server import RedisServer
from tests.support.servers import Server, serving, working
from tests.support.slurm_folders import TASKS, begin, fill, task

WITHOUT_REDIS = "raise ModuleNotFoundError('no redis', name='redis')\n"
SECRET = "dont-tell-anybody"
KEY = "5e" * 32
OPTIONS = AnalysisOptions().to_dict()
INFO = {"host": "h", "pid": 1, "boot_id": "b", "program": "1", "device": "cpu", "models": {}}


@pytest.fixture
def secretive(tmp_path: Path) -> Iterator[Server]:
    private = {"identities": {"url": SECRET, "machine": None, "key": SECRET}}
    with serving(tmp_path, {"a": "", "b": ""}, private=private, lease_s=2.0) as running:
        yield running


def leases(target: Server, name: str = "w") -> list[Lease]:
    client = Client(target.uri, name=name)
    client.hello(INFO)
    claimed = [*client.claim().leases, *client.claim().leases]
    client.bye()
    client.close()
    return claimed


def test_workers_get_what_is_private_and_no_file_does(secretive: Server) -> None:
    claimed = leases(secretive)
    assert [lease.private["identities"]["url"] for lease in claimed] == [SECRET] * 2
    assert SECRET not in repr(claimed)
    with working(secretive.uri) as worker:
        assert worker.wait(60) == 0
    assert secretive.counts() == {"done": 2}
    files = [path for path in secretive.folder.rglob("*") if path.is_file()]
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]


def test_keys_name_the_work_and_no_path(secretive: Server, tmp_path: Path) -> None:
    keys = [lease.key for lease in leases(secretive)]
    assert keys == [lease.key for lease in leases(secretive)], "done again, it is the same work"
    other = tmp_path / "other"
    other.mkdir()
    with serving(other, {"a": "", "b": ""}) as second:
        keys += [lease.key for lease in leases(second)]
    assert len(set(keys)) == 4
    assert not any(str(tmp_path) in key for key in keys)


def test_a_worker_that_can_do_no_job_hands_it_back_and_ends(tmp_path: Path) -> None:
    media = {"a": "if broken worker its library is missing: install it"}
    with serving(tmp_path, media) as target:
        with working(target.uri, local={"is": "broken"}) as broken:
            assert broken.wait(60) == 1, "the script of the tests has no exit codes of its own"
            assert broken.stderr is not None
            assert "its library is missing: install it" in broken.stderr.read()
        job = target.job(1)
        assert (job.state.value, job.fails, job.lost) == ("ready", 0, 0)
        with working(target.uri) as worker:
            assert worker.wait(60) == 0
        assert target.counts() == {"done": 1}


def test_a_store_in_a_file_is_for_the_workers_of_its_machine() -> None:
    own = ProcessIdentity.own()
    shared_store.require_machine(None)
    shared_store.require_machine({"host": own.host, "boot_id": own.boot_id})
    for other in ({"host": "archive", "boot_id": own.boot_id}, {"host": own.host, "boot_id": "x"}):
        with pytest.raises(JobFailed, match="--identities redis://HOST:6379") as refused:
            shared_store.require_machine(other)
        assert refused.value.kind == "worker"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "jobs.csv").write_text("source_path,dest_csv\nnone.mp4,out/none.csv\n")
    (tmp_path / "text").write_text("no store at all, but a text that is long enough for one" * 9)
    return tmp_path


@pytest.mark.parametrize(
    ("options", "cure"),
    [
        (["mysql://:secret@host"], "there are: a path, sqlite:///, redis://"),
        (["redis:/:secret@host"], "write redis://"),
        (["redis://:secret@host:port"], "write redis://:PASSWORD@HOST:PORT/DB?prefix=NAME"),
        (["redis://:secret@127.0.0.1:1"], "127.0.0.1:1, prefix 'ina' was away"),
        (["text"], "is not an identity store"),
        (["/proc/none/store"], "no identity store can be made"),
        (["x", "--identity_threshold", "3"], "threshold 3.0: give one above 0, up to 1.4"),
        (["@none"], "No such file"),
    ],
)
def test_a_store_that_cannot_be_used_stops_the_server_at_once(
    options: list[str], cure: str, folder: Path
) -> None:
    code, out, errors = run(server(folder, "--identities", *options))
    assert (code, out) == (2, "")
    assert cure in errors
    assert errors.count("\n") == 1
    assert "secret" not in errors


def test_a_store_made_with_other_settings_stops_the_server(folder: Path) -> None:
    assert run(server(folder, "--workers", "1", "--identities"))[0] == 1
    (ledger,) = (folder / "state").rglob("*.ledger")
    assert ledger.with_suffix(".identities").is_file()
    code, _, errors = run(server(folder, "--identity_threshold", "0.3", "--identities"))
    assert code == 2
    assert "set the same, or give another store" in errors


def test_redis_without_its_library_stops_the_server(folder: Path) -> None:
    (folder / "redis.py").write_text(WITHOUT_REDIS)
    code = (
        "import sys; sys.path.insert(0, '.'); import ina_server;"
        "sys.exit(ina_server.main(['localhost', 'jobs.csv', '--identities', 'redis://h']))"
    )
    exit_code, _, errors = run(command("-c", code, cwd=folder))
    assert exit_code == 2
    assert "pip install 'redis>=6'" in errors


@pytest.fixture
def redis(folder: Path) -> Iterator[RedisServer]:
    started = RedisServer(folder)
    started.start()
    (folder / "address").write_text(started.url())
    yield started
    started.kill()


def test_the_password_stands_in_no_process_list(folder: Path, redis: RedisServer) -> None:
    serving = server(folder, "--workers", "1", "--identities", "@address", "--keep-alive")
    try:
        root = psutil.Process(serving.pid)
        until(lambda: root.children(recursive=True))
        lines = [" ".join(p.cmdline()) for p in (root, *root.children(recursive=True))]
        assert not [line for line in lines if "geheim" in line]
    finally:
        serving.terminate()
        _, out, _ = run(serving)
    assert f"identities are kept in Redis 127.0.0.1:{redis.port}, prefix 'archive'" in out
    assert "geheim" not in out


@pytest.mark.usefixtures("redis")
def test_a_worker_without_the_library_ends_with_the_cure(folder: Path) -> None:
    (folder / "none.mp4").write_text("not looked at")
    (folder / "bare").mkdir()
    (folder / "bare" / "redis.py").write_text(WITHOUT_REDIS)
    serving = server(folder, "--identities", "@address")
    try:
        assert serving.stdout is not None
        uri = serving.stdout.readline().strip()
        script = f"import sys, ina_worker; sys.exit(ina_worker.main([{uri!r}]))"
        # The child that does the work gets the same search path.
        bare = ["-c", f"import sys; sys.path.insert(0, 'bare'); {script}"]
        code, _, errors = run(command(*bare, cwd=folder))
        assert code == 2
        assert "pip install 'redis>=6'" in errors
        states = run(command("-m", "jobs", "status", "jobs.csv", cwd=folder))[1]
        assert "ready" in states
    finally:
        serving.terminate()
        run(serving)


def test_the_key_of_a_store_is_in_no_file_but_its_own(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "people.key").write_text(KEY)
    (folder / "people.key").chmod(0o600)
    words = ("--identities", "people", "--identity_key", "people.key")
    assert run(server(folder, "--workers", "1", *words))[0] == 1, "there is no such medium"
    code, _, errors = run(server(folder, "--identities", "people"))
    assert (code, "is encrypted: give --identity_key" in errors) == (2, True)
    assert jobs(folder, monkeypatch, (*SUBMIT, *words)) == 0
    plan = (folder / "jobs.slurm" / "plan.json").read_text()
    assert f'"key_file": "{folder}/people.key"' in plan
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "people.key":
            content = path.read_bytes()
            assert KEY.encode() not in content
            assert bytes.fromhex(KEY) not in content


def test_tasks_get_the_key_of_a_store(tmp_path: Path) -> None:
    (tmp_path / "people.key").write_text(KEY)
    (tmp_path / "people.key").chmod(0o600)
    url, key_file = str(tmp_path / "people"), str(tmp_path / "people.key")
    shared = shared_store.SharedStore(url, "dlib_resnet", None, None, key_file=key_file)
    shared.store.close()
    assert shared.private["key"] == KEY
    place = {"url": url, "machine": shared.private["machine"], "key_file": key_file}
    assert FilmAnalysis().private(place) == {"identities": shared.private}
    assert FilmAnalysis().known(place).startswith("0 people known")
    store = MediaTask({"threads": 1})._identities(
        SimpleNamespace(private={"identities": shared.private})
    )
    assert store.counters().identities == 0
    store.close()


JOB = ("run-job", "--source_path", "text", "--dest_csv", "out/a.csv")
SUBMIT = ("slurm", "submit", "jobs.csv", "--shards", "1", "--dry_run")


def jobs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], *, network: str = "none"
) -> int:
    """Run a command where one folder is on a network disk."""
    monkeypatch.chdir(folder)
    table = folder / "mountinfo"
    table.write_text(
        f"1 1 0:1 / / rw - ext4 /dev/x rw\n2 1 0:2 / {folder}/{network} rw - nfs4 a:/x rw\n"
    )
    monkeypatch.setattr("jobs.system.mounts.MOUNT_TABLE", table)
    return main([*args])


@pytest.mark.parametrize("args", [JOB, SUBMIT], ids=["run-job", "slurm"])
@pytest.mark.parametrize(
    ("store", "network", "code", "cure"),
    [
        ("shared/people", "shared", 2, "or --identities redis://HOST:6379"),
        ("", "none", 2, "--identities: give the address of the store"),
        ("text", "none", 2, "is not an identity store"),
        ("@none", "none", 2, "No such file"),
        ("mysql://:secret@host", "none", 2, "there are: a path, sqlite:///, redis://"),
    ],
)
def test_engines_refuse_a_store_that_cannot_be_used(
    args, store, network, code, cure, folder, monkeypatch, capsys
):
    assert jobs(folder, monkeypatch, (*args, "--identities", store), network=network) == code
    errors = capsys.readouterr().err
    assert cure in errors
    assert "secret" not in errors
    assert not (folder / "jobs.slurm" / "plan.json").exists()
    assert not (folder / "out").exists()


@pytest.mark.parametrize(("args", "code"), [(JOB, 75), (SUBMIT, 2)], ids=["run-job", "slurm"])
def test_engines_are_told_when_the_store_is_away(args, code, folder, monkeypatch, capsys):
    (folder / "address").write_text("redis://:secret@127.0.0.1:1")
    assert jobs(folder, monkeypatch, (*args, "--identities", "@address")) == code
    errors = capsys.readouterr().err
    assert "127.0.0.1:1, prefix 'ina' was away" in errors
    assert "secret" not in errors


def test_a_job_with_results_for_several_machines_needs_a_store_for_them(
    folder, monkeypatch, capsys
):
    args = (*JOB, "--identities", "people.identities")
    assert jobs(folder, monkeypatch, args, network="out") == 2
    assert "give --identities redis://HOST:6379" in capsys.readouterr().err


def test_no_password_is_written_where_others_read(folder, redis, monkeypatch, capsys):
    assert jobs(folder, monkeypatch, (*SUBMIT, "--identities", redis.url())) == 2
    errors = capsys.readouterr().err
    assert "give @FILE" in errors
    assert "geheim" not in errors
    assert jobs(folder, monkeypatch, (*SUBMIT, "--identities", "@address")) == 0
    plan = (folder / "jobs.slurm" / "plan.json").read_text()
    assert f'"url": "@{folder}/address"' in plan
    assert "geheim" not in plan


def test_a_task_elsewhere_does_nothing_and_blames_no_job(tmp_path: Path) -> None:
    store = {"url": str(tmp_path / "people"), "machine": {"host": "elsewhere", "boot_id": "b"}}
    media = {"a": "", "b": ""}
    plan_folder = fill(
        tmp_path, media, factory="ina_worker:make_task", options=OPTIONS, identities=store
    )
    begin(plan_folder)
    slots = {work.slot(TASKS) for work, _ in plan_folder.jobs()}
    assert [task(plan_folder, SHARD, slot) for slot in sorted(slots)] == [2] * len(slots)
    counts, bad = survey.merge(plan_folder)
    assert counts == {"left": 2}
    assert "--identities redis://HOST:6379, or work on elsewhere only" in bad[0].reason


def test_a_dashboard_gets_the_page_of_the_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = str(tmp_path / "people.identities")
    shared = shared_store.SharedStore(url, "dlib_resnet", 0.4, None)
    with ExitStack() as stack:
        (path, site) = next(iter(shared.sites(stack).items()))
        assert path == "/people"
        assert json.loads(site.read("everybody", {}).body)["names"] == {}
    missing = MissingDependency("jinja2", needed_by="pages people", install="ina[review]")
    monkeypatch.setattr("analyzer.registry.module", Mock(side_effect=missing))
    with ExitStack() as stack:
        assert shared.sites(stack) == {}
    assert "no page of people: pages people needs jinja2" in capsys.readouterr().err
    shared.store.close()
