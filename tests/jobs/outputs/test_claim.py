"""Claims on destinations: of two servers one waits, and a dead one's claim is taken over."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from joblist.errors import UsageError
from jobs.outputs import claim as claims
from jobs.outputs.claim import DestinationClaim
from jobs.outputs.claim_file import FOLDER, ClaimOwner
from tests.support.processes import ROOT, until

NO_HEADS = (b"", b"[1]\n", b"{}\n", b'{"count": 9}\n', b"[" * 100_000)
OTHER_MACHINE = {"host": "elsewhere", "boot_id": "b", "pid_namespace": "pid:[1]"}


def owner(name: str = "one", *, stale_s: float = 60.0, **changes: Any) -> ClaimOwner:
    own = ClaimOwner.own(Path(f"/ledgers/{name}"), f"id of {name}", stale_s=stale_s)
    return replace(own, **changes)


def claim(*paths: Path, by: ClaimOwner | None = None, **settings: Any) -> DestinationClaim:
    names = [str(path) for path in paths]
    return DestinationClaim(
        by or owner(), lambda: names, every_s=settings.pop("every_s", 60.0), **settings
    )


def files(folder: Path) -> list[Path]:
    return sorted((folder / FOLDER).iterdir())


def test_the_second_is_told_who_has_what(tmp_path: Path) -> None:
    with closing(claim(tmp_path / "a.csv", tmp_path / "b.csv")):
        for paths in ([tmp_path / "b.csv"], [tmp_path / "c.csv", tmp_path / "a.csv"]):
            with pytest.raises(UsageError) as refused:
                claim(*paths, by=owner("two"))
            says = str(refused.value)
            assert f"{paths[-1]} is a destination of the server on" in says
            assert f"process {os.getpid()}, ledger /ledgers/one" in says
            assert "since" in says
            assert len(files(tmp_path)) == 1, "the second has withdrawn its own"
    assert os.listdir(tmp_path) == []
    claim(tmp_path / "a.csv").close()


def test_other_destinations_in_the_same_folder_are_free(tmp_path: Path) -> None:
    with closing(claim(tmp_path / "a.csv")), closing(claim(tmp_path / "b.csv", by=owner("two"))):
        assert len(files(tmp_path)) == 2
    assert os.listdir(tmp_path) == []


def test_many_folders_have_their_claims_above(tmp_path: Path) -> None:
    many = [tmp_path / "films" / str(n) / "a.csv" for n in range(claims.MAX_PLACES + 1)]
    with closing(claim(*many)):
        assert len(files(tmp_path / "films")) == 1
        with pytest.raises(UsageError, match=r"films/7/a\.csv is a destination of"):
            claim(many[7], by=owner("two"))
        # A claim below does not hide from one above either.
    with closing(claim(many[7])), pytest.raises(UsageError, match=r"films/7/a\.csv"):
        claim(*many, by=owner("two"))


def test_links_do_not_hide_a_claim(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with closing(claim(tmp_path / "real" / "a.csv")), pytest.raises(UsageError):
        claim(tmp_path / "link" / "a.csv", by=owner("two"))


CLAIM = """
import sys, time
from pathlib import Path
from jobs.outputs.claim import DestinationClaim
from jobs.outputs.claim_file import ClaimOwner
owner = ClaimOwner.own(Path("/ledgers/dead"), "id of dead", stale_s=600.0)
claim = DestinationClaim(owner, lambda: sys.argv[1:], every_s=60.0)
print("claimed", flush=True)
time.sleep(60)
"""


def kill_a_claimant(path: Path) -> None:
    command = [sys.executable, "-c", CLAIM, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "claimed\n"
        process.kill()


def test_the_claim_of_a_killed_process_is_taken_over(tmp_path: Path) -> None:
    kill_a_claimant(tmp_path / "a.csv")
    with closing(claim(tmp_path / "a.csv")) as taken:
        (note,) = taken.taken_over
        assert "took over from the server on" in note
        assert "ledger /ledgers/dead" in note
        assert len(files(tmp_path)) == 1
    assert os.listdir(tmp_path) == []


def leave(path: Path, by: ClaimOwner, *, age_s: float = 0.0) -> Path:
    """Leave a claim behind, as a killed server does."""
    kept = claim(path, by=by)
    (file,) = files(path.parent)
    data = file.read_bytes()
    kept.close()
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(data)
    os.utime(file, (time.time() - age_s,) * 2)
    return file


def test_a_process_id_that_was_given_again_is_another_process(tmp_path: Path) -> None:
    own = owner("dead")
    leave(tmp_path / "a.csv", replace(own, started=own.started - 1))
    with closing(claim(tmp_path / "a.csv")) as taken:
        assert len(taken.taken_over) == 1


@pytest.mark.parametrize(("age_s", "free"), [(0.0, False), (50.0, False), (70.0, True)])
def test_on_another_machine_the_age_tells(tmp_path: Path, age_s: float, free: bool) -> None:
    leave(tmp_path / "a.csv", owner("far", **OTHER_MACHINE), age_s=age_s)
    if free:
        claim(tmp_path / "a.csv").close()
    else:
        with pytest.raises(UsageError, match=rf"on elsewhere .*renewed {age_s:.0f} s ago"):
            claim(tmp_path / "a.csv")


def test_a_claim_of_the_same_ledger_is_one_s_own_from_before_a_restart(tmp_path: Path) -> None:
    leave(tmp_path / "a.csv", owner(**OTHER_MACHINE))
    with closing(claim(tmp_path / "a.csv")) as taken:
        assert taken.taken_over == []
    for changes in ({"ledger_inode": 7}, {"ledger_id": "x"}, {"ledger": "/copied/one"}):
        leave(tmp_path / "a.csv", owner(**OTHER_MACHINE, **changes))
        with pytest.raises(UsageError):
            claim(tmp_path / "a.csv")
        shutil.rmtree(tmp_path / FOLDER)


def test_of_many_at_once_exactly_one_wins(tmp_path: Path) -> None:
    for turn in range(12):
        path = tmp_path / str(turn) / "a.csv"
        leave(path, owner("far", **OTHER_MACHINE), age_s=100.0)
        barrier = threading.Barrier(4)

        def try_it(name: str, path: Path, barrier: threading.Barrier) -> DestinationClaim | None:
            barrier.wait()
            time.sleep(0.002 * (hash(name) % 5))
            try:
                return claim(path, by=owner(name))
            except UsageError:
                return None

        with ThreadPoolExecutor(4) as pool:
            tries = [pool.submit(try_it, f"{turn}-{n}", path, barrier) for n in range(4)]
            won = [each.result() for each in tries if each.result()]
        assert len(won) == 1
        won[0].close()


def test_a_claim_is_renewed(tmp_path: Path) -> None:
    with closing(claim(tmp_path / "a.csv", every_s=0.05)):
        (file,) = files(tmp_path)
        os.utime(file, (1, 1))
        until(lambda: file.stat().st_mtime > 2)


def test_a_claim_that_was_moved_away_with_its_folder_is_made_again(tmp_path: Path) -> None:
    out, lost = tmp_path / "out", []
    with closing(claim(out / "a.csv", every_s=0.05, on_lost=lost.append)):
        shutil.move(out, tmp_path / "archive")
        time.sleep(0.3)
        assert not out.exists()
        out.mkdir()
        until(lambda: (out / FOLDER).exists() and files(out))
        assert lost == []


def test_a_server_learns_that_it_was_taken_over(tmp_path: Path) -> None:
    lost: list[str] = []
    with ExitStack() as stack:
        slow = stack.enter_context(
            closing(claim(tmp_path / "a.csv", by=owner("slow"), every_s=0.3, on_lost=lost.append))
        )
        (file,) = files(tmp_path)
        file.unlink()
        stack.enter_context(closing(claim(tmp_path / "a.csv", by=owner("quick"))))
        until(lambda: lost)
        assert "were taken over by the server on" in lost[0]
        assert "ledger /ledgers/quick" in lost[0]
        assert len(files(tmp_path)) == 1
        slow.close()
        assert len(files(tmp_path)) == 1


@pytest.mark.parametrize("text", [b"", b"\xff", *(b"held  \n" + t for t in NO_HEADS)])
def test_what_is_no_claim_stops_nobody_for_ever(
    tmp_path: Path, text: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "WAIT_S", 0.3)
    (tmp_path / FOLDER).mkdir()
    file = tmp_path / FOLDER / "x.claim"
    file.write_bytes(text)
    with pytest.raises(UsageError, match=r"x\.claim"):
        claim(tmp_path / "a.csv")
    os.utime(file, (1, 1))
    claim(tmp_path / "a.csv").close()


def test_links_in_place_of_claims_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / FOLDER).symlink_to(tmp_path / "outside")
    with pytest.raises(UsageError, match="in the place of servers' claims, and no folder"):
        claim(tmp_path / "out" / "a.csv", root=str(tmp_path / "out"))
    assert os.listdir(tmp_path / "outside") == []


def test_a_folder_that_becomes_a_link_out_of_the_root_is_not_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    outside.mkdir()
    with closing(claim(root / "out" / "a.csv", root=str(root), every_s=0.05)):
        shutil.rmtree(root / "out")
        (root / "out").symlink_to(outside)
        time.sleep(0.3)
        assert os.listdir(outside) == []


def test_a_million_destinations_are_claimed_in_little_time(tmp_path: Path) -> None:
    def paths() -> Iterable[str]:
        return (f"{tmp_path}/films/{n // 10}/{n}.csv" for n in range(100_000))

    began = time.process_time()
    with closing(DestinationClaim(owner(), paths, every_s=60.0)):
        assert time.process_time() - began < 10
        (file,) = files(tmp_path / "films")
        assert file.stat().st_size < 802_000
        head = json.loads(file.read_bytes().split(b"\n")[1])
        assert (head["count"], head["ledger"]) == (100_000, "/ledgers/one")


def test_a_destination_below_anothers_file_is_refused_and_no_folder_made(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with (
        closing(claim(tmp_path / "out" / "a.csv")),
        pytest.raises(UsageError, match=r"out/a\.csv is a destination of the server on"),
    ):
        claim(tmp_path / "out" / "a.csv" / "deep" / "b.csv")
    assert os.listdir(tmp_path / "out") == []


@pytest.mark.parametrize(
    "change", [{"count": -1}, {"count": 1.0}, {"stale_s": 1e300}, {"pid": "7"}]
)
def test_odd_values_in_a_claim_make_it_none(
    tmp_path: Path, change: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "WAIT_S", 0.3)
    with closing(claim(tmp_path / "b.csv")):
        (file,) = (tmp_path / FOLDER).iterdir()
        state, head, digests = file.read_bytes().split(b"\n", 2)
    (tmp_path / FOLDER).mkdir(exist_ok=True)
    other = tmp_path / FOLDER / "x.claim"
    head = json.dumps({**json.loads(head), **change}).encode()
    other.write_bytes(b"\n".join([state, head, digests]))
    with pytest.raises(UsageError, match=r"x\.claim"):
        claim(tmp_path / "a.csv")
    os.utime(other, (1, 1))
    claim(tmp_path / "a.csv").close()
