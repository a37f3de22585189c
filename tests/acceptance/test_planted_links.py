"""Links planted while a list is served: server and worker touch nothing outside the roots."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from ina.lengths import length_s
from jobs.outputs.part_names import part_name
from tests.support import media
from tests.support.cluster import Cluster
from tests.support.injectors import Sentinel
from tests.support.processes import until
from tests.support.servers import table

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]
OUTSIDE = ("face.png", "c.json", "film.mp4", "people/Mallory.png", "sub/d.csv", "sub/d.json")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    for name in OUTSIDE:
        path = tmp_path / "outside" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".png":
            Image.fromarray(media.astronaut()).save(path)
        else:
            path.write_text("sentinel")
    return tmp_path / "outside"


@pytest.fixture
def cluster(tmp_path: Path, outside: Path) -> Iterator[Cluster]:
    """A list of pictures, with a gallery, corrections and a poster, all in order."""
    inside = tmp_path / "in"
    for folder in ("stills", "people", "people/Deep"):
        (inside / folder).mkdir(parents=True)
    for name in ("stills/a.png", "people/Eileen.png", "b.png", "poster.png", "c.png", "d.png"):
        shutil.copy(outside / "face.png", inside / name)
    (inside / "c.json").write_text("{}")
    rows = [
        f"{inside}/stills,{tmp_path}/out/a.csv,{tmp_path}/out/a.json,{inside}/people,,",
        f"{inside}/b.png,{tmp_path}/out/b.csv,,,,",
        f"{inside}/c.png,{tmp_path}/out/c.csv,,,{inside}/poster.png,{inside}/c.json",
        f"{inside}/d.png,{tmp_path}/out/sub/d.csv,{tmp_path}/out/sub/d.json,,,",
    ]
    (tmp_path / "out").mkdir()
    options: tuple[str, ...] = ("--engine", "image", "--lease", "6")
    options += ("--input_root", str(inside), "--output_root", str(tmp_path / "out"))
    running = Cluster(tmp_path, {}, options=options)
    header = "source_path,dest_csv,dest_json,gallery,poster_path,corrections"
    (tmp_path / "jobs.csv").write_text("\n".join([header, *rows, ""]))
    yield running
    running.stop()


def plant(cluster: Cluster, outside: Path) -> None:
    """Put links to the outside where something is read or written."""
    inside, out = cluster.folder / "in", cluster.out
    for name, target in {
        "stills/b.png": "face.png",
        "people/Eve.png": "face.png",
        "people/Mallory": "people",
        "people/Deep/x.png": "face.png",
        "b.png": "face.png",
        "poster.png": "face.png",
        "c.json": "c.json",
    }.items():
        (inside / name).unlink(missing_ok=True)
        (inside / name).symlink_to(outside / target)
    uid = cluster.query("SELECT value FROM meta WHERE name = 'uid'")[0][0]
    for job, name in enumerate(("a.csv", "b.csv", "c.csv"), start=1):
        for token in range(1, 4):
            Path(part_name(str(out / name), job, token, uid)).symlink_to(outside / "c.json")
    (out / "a.json").symlink_to(outside / "c.json")
    (out / "sub").symlink_to(outside / "sub")
    (probe,) = out.glob(".ina-*.probe")
    scratch = Path(f"{probe}.check")
    scratch.unlink(missing_ok=True)
    scratch.symlink_to(outside / "c.json")
    probe.unlink()
    probe.symlink_to(outside / "c.json")


def test_nothing_outside_the_roots_is_touched(cluster: Cluster, outside: Path) -> None:
    cluster.serve()
    until(lambda: "PYRO:" in cluster.log(), within_s=60)
    plant(cluster, outside)
    with closing(Sentinel(outside)) as watched:
        probes = cluster.out.glob
        until(lambda: any(not p.is_symlink() for p in probes(".ina-*.probe")), within_s=20)
        cluster.analyse("--threads", "1")
        assert cluster.finish(within_s=200) == 1, cluster.log()
        assert watched.accesses() == []
    states = dict(cluster.query("SELECT id, state FROM job WHERE parent IS NULL"))
    assert states == {1: "done", 2: "failed", 3: "failed", 4: "failed"}, cluster.log()
    assert cluster.log().count("lies outside") >= 3
    rows = table(cluster.out / "a.csv")
    assert {Path(row["frame"]).name for row in rows} == {"a.png"}
    assert {row["name"] for row in rows} == {"Eileen"}
    assert not (cluster.out / "a.json").is_symlink()
    for name in OUTSIDE:
        if not name.endswith(".png"):
            assert (outside / name).read_text() == "sentinel"


def test_the_server_measures_no_length_outside(tmp_path: Path, outside: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "film.mp4").symlink_to(outside / "film.mp4")
    with closing(Sentinel(outside)) as watched:
        path = str(tmp_path / "in" / "film.mp4")
        assert length_s(path, root=str(tmp_path / "in"), start=None, stop=None) is None
        assert watched.accesses() == []
