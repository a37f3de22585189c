"""One film by many workers: the results are those of one worker and no shards, to the byte."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import shard_media
from tests.support.cluster import Cluster, cluster
from tests.support.processes import ROOT, kill, until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]
OPTIONS = {
    "detect": ("--engine", "video", "--fps", "4"),
    "track": ("--engine", "videotracking", "--detect_period", "3", "--fps", "12"),
    "range": ("--fps", "5", "--start", "1.5", "--stop", "8.7"),
    "every frame": ("--engine", "videotracking", "--detect_period", "3"),
}
CLUSTERS = [(1, 3), (2, 1), (2, 3), (5, 1), (5, 3)]
NAMES = ("variable rate.mp4", "no cut.mp4", "one picture.mp4", "black bars.mp4",
        "sound goes on.mp4", "noisy.mp4", "noisy.ts")  # fmt: skip


def outputs(folder: Path) -> dict[str, bytes]:
    files = [p for p in folder.iterdir() if not p.name.startswith(".")]
    assert not [p for p in files if ".part." in p.name]
    return {p.name: p.read_bytes() for p in files}


@contextmanager
def serving(
    folder: Path, media: dict[str, Path], shards: int, options: tuple[str, ...]
) -> Iterator[Cluster]:
    folder.mkdir()
    in_shards = () if shards == 1 else ("--shards", str(shards))
    with cluster(folder, {}, options=(*options, "--lease", "6", *in_shards)) as target:
        target.joblist(media, kinds=("ass", "characters", "csv", "shots"))
        target.serve()
        yield target


def run(
    folder: Path, media: dict[str, Path], shards: int, workers: int, options: tuple[str, ...]
) -> dict[str, bytes]:
    with serving(folder, media, shards, options) as target:
        for _ in range(workers):
            target.analyse("--threads", "2" if workers == 1 else "1")
        assert target.finish(within_s=400) == 0, target.log()
        target.assert_nothing_lost(done=len(media))
        return outputs(target.out)


@pytest.fixture(scope="module")
def clip(shared: Path) -> dict[str, Path]:
    return {"clip": shared / "media" / "video" / "short_hamilton_clip.mp4"}


@pytest.mark.parametrize("name", OPTIONS)
def test_the_clip_is_the_same_with_all_shards_and_workers(name, clip, tmp_path):
    whole = run(tmp_path / "whole", clip, 1, 1, OPTIONS[name])
    assert len(whole["clip.csv"].splitlines()) > 20
    some = CLUSTERS if name == "track" else CLUSTERS[-1:]
    for shards, workers in some:
        got = run(tmp_path / f"{shards}-{workers}", clip, shards, workers, OPTIONS[name])
        assert got == whole, (shards, workers)


def test_media_of_all_kinds_are_the_same(tmp_path):
    media = {
        name.replace(" ", "_").replace(".", "_"): shard_media.MAKERS[name](tmp_path / name)
        for name in NAMES
    }
    whole = run(tmp_path / "whole", media, 1, 1, ("--fps", "3"))
    assert run(tmp_path / "shards", media, 5, 3, ("--fps", "3")) == whole


def test_a_worker_that_is_killed_changes_nothing(clip, tmp_path):
    whole = run(tmp_path / "whole", clip, 1, 1, OPTIONS["detect"])
    with serving(tmp_path / "killed", clip, 5, OPTIONS["detect"]) as target:
        workers = [target.analyse("--threads", "1") for _ in range(3)]
        busy = "SELECT COUNT(*) FROM job WHERE parent IS NOT NULL AND state IN ('leased', 'done')"
        until(lambda: target.counts() and target.query(busy)[0][0] >= 3, within_s=60)
        kill(workers[0])
        assert target.finish(within_s=300) == 0, target.log()
        target.assert_nothing_lost(done=1)
        assert outputs(target.out) == whole


def test_the_local_command_is_the_same(clip, tmp_path):
    for shards in (0, 3):
        command = [sys.executable, "-m", "analyzer", "analyze", clip["clip"], "--fps", "4"]
        command += ["-o", tmp_path / str(shards), "--export", "csv,characters,ass,shots"]
        command += ["--shards", str(shards)] if shards else []
        subprocess.run([*map(str, command)], cwd=ROOT, check=True, capture_output=True)
    assert outputs(tmp_path / "0") == outputs(tmp_path / "3")
