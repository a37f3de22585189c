"""The commands of facepipe, facerec and the performance per face, as they stand there.

But for the program's name: `main.py ...` is `older facepipe ...`, `extract.py ...` is
`older facerec extract ...`.
"""

import csv
import dataclasses
import json
import shutil
import subprocess
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer.__main__ import main
from analyzer.errors import UsageError
from analyzer.workflows import fetching
from analyzer.workflows.older import facepipe, facerec, performance
from tests.support import hosts, networks
from tests.support.media import ffmpeg, video
from tests.support.processes import free_port

FILM = "12345-CoolMovieFilm.mp4"


@pytest.fixture(scope="module")
def film(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 6 seconds of the sample: two people."""
    path = tmp_path_factory.mktemp("film") / FILM
    ffmpeg("-i", sample / "sample.mp4", "-t", "6", "-c:v", "libx264", "-preset", "ultrafast", path)
    return path


@pytest.fixture
def folder(film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copy(film, FILM)
    return tmp_path


@pytest.fixture
def redis_port(tmp_path: Path) -> Iterator[int]:
    """A server without a password, as facepipe's."""
    program = shutil.which("redis-server")
    redis = pytest.importorskip("redis")
    if program is None:
        pytest.skip("redis-server is not installed: apt-get install redis-server")
    port = free_port()
    words = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen([program, *words], stdout=subprocess.DEVNULL)
    client = redis.Redis(port=port)
    try:
        for _ in range(200):
            try:
                client.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.05)
        yield port
    finally:
        client.close()
        process.kill()
        process.wait()


def older(text: str) -> int:
    return main(["older", *text.split()])


class TestFacepipe:
    def test_its_command(self, folder: Path, redis_port: int, capsys) -> None:
        networks.scrfd(folder / "M.onnx")
        networks.embedding(folder / "R.onnx")
        spots = "drawgrid=w=16:h=16:t=2:c=gray,drawbox=96:96:32:32:white:fill"
        source = ("-f", "lavfi", "-i", f"color=black:s=640x352:d=3:r=10,{spots}")
        ffmpeg(*source, "-c:v", "libx264", "-crf", "1", "-pix_fmt", "yuv444p", "V.mp4")
        text = (
            "--video V.mp4 --det-model M.onnx --rec-model R.onnx --det-input 640x640 "
            "--det-thresh 0.7 --min-face 60 --frame-step 15 --num-det 2 --num-emb 6 "
            f"--redis-host 127.0.0.1 --redis-port {redis_port} --sim-thresh 0.27 "
            "--refine-limit 30 --blur-enable --blur-var-thresh 120 --blur-grid 0 "
            "--save-images --save-dir DIR --debug"
        )
        assert older(f"facepipe {text}") == 0
        shown = capsys.readouterr()
        for word in ("elapsed: ", "faces detected: ", "faces embedded: ", "faces saved: "):
            assert word in shown.out
        assert "note: --num-det has no effect here" in shown.err
        counts = {int(i): int(n) for i, n in _pairs(shown.out)}
        saved = sum(counts.values())
        assert saved > 0
        assert f"{saved} pictures -> DIR" in shown.out
        for identity, number in counts.items():
            assert len(list(Path("DIR", str(identity)).glob("*.jpg"))) == number

    def test_real_faces_are_counted_over_videos(
        self, folder: Path, redis_port: int, capsys
    ) -> None:
        shutil.copy(FILM, "again.mp4")
        for name in (FILM, "again.mp4", "again.mp4"):
            words = f"--frame-step 15 --det-thresh 0.5 --redis-port {redis_port} --sim-thresh 0.27"
            assert older(f"facepipe --video {name} --redis-host 127.0.0.1 {words}") == 0
        shown = capsys.readouterr()
        assert "--sim-thresh is of the network that --rec-model names" in shown.err
        first, second, third = shown.out.split("elapsed: ")[1:]
        once = [int(n) for _, n in _pairs(first)]
        assert [int(n) for _, n in _pairs(second)] == [2 * n for n in once]
        assert _pairs(third) == _pairs(second), "the same video counts once"
        assert len(once) == 2

    def test_without_a_server_a_file_remembers(self, folder: Path, capsys) -> None:
        assert older(f"facepipe --video {FILM} --frame-step 30 --save-images") == 0
        assert Path("people.identities").is_file()
        assert len(list(Path("faces", "0").glob("*.jpg"))) > 1

    @pytest.mark.parametrize(
        ("words", "own"),
        [
            ({"det_model": "retinaface_r34.onnx"}, "retinaface:size=640,weights="),
            ({"det_model": "det_10g.onnx", "nms_thresh": 0.4, "det_input": "320x480"},
             "scrfd:size=480,overlap=0.4,weights=det_10g.onnx"),
            ({"det_model": "yunet_n.onnx"}, "yunet:size=640"),
            ({"det_thresh": 0.6}, "centerface:size=640,confidence=0.6"),
        ],
    )  # fmt: skip
    def test_its_detector(self, words, own) -> None:
        assert facepipe._detector(facepipe.FacepipeArguments(video="a", **words)).startswith(own)

    def test_its_other_words(self) -> None:
        said = facepipe.FacepipeArguments(
            video="a",
            redis_host="h",
            redis_port=6381,
            redis_prefix="a b",
            blur_enable=True,
            blur_grid=4,
            blur_grid_min_keep=8,
            sim_thresh=0.27,
        )
        assert facepipe._store(said) == "redis://h:6381?prefix=a%20b"
        assert facepipe._options(said)["blur_gate"] == "var=100,grid=4,keep=0.5"
        distance, notes = facepipe._distance(dataclasses.replace(said, rec_model="r.onnx"))
        assert (round(distance or 0, 4), notes) == (1.2083, [])
        with pytest.raises(UsageError, match="a cosine similarity"):
            facepipe._distance(facepipe.FacepipeArguments(video="a", sim_thresh=1.0))
        with pytest.raises(UsageError, match="write it as 640x640"):
            facepipe._detector(facepipe.FacepipeArguments(video="a", det_input="640"))


def _pairs(text: str) -> list[list[str]]:
    lines = (line for line in text.splitlines() if line.startswith("identity "))
    return [line.removeprefix("identity ").split(": ") for line in lines]


def lines(path: str) -> list[dict]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def test_facerecs_four_scripts(folder: Path, capsys) -> None:
    for shard in range(2):
        text = f"--shard {shard} --n 2 --out data ./{FILM}"
        assert older(f"facerec extract {text} --fps 5") == 0
    assert "data/12345-data" in capsys.readouterr().out
    path = "--path data/12345-data"
    assert older(f"facerec merge_shards {path}") == 0
    trajectories = lines("data/12345-data/trajectories.jsonl")
    assert {t["movie_id"] for t in trajectories} == {12345}
    assert lines("data/12345-data/features.jsonl")
    assert lines("data/12345-data/scene_changes.json")[0]["movie_id"] == 12345
    assert older(f"facerec cluster {path}") == 0
    (clusters,) = lines("data/12345-data/clusters.json")
    assert len(clusters["clusters"]) == len(trajectories)
    assert len(set(clusters["clusters"])) == 2
    other = "--cluster_threshold 1.4 --clusterer agglomerative"
    assert older(f"facerec cluster {path} {other}") == 0
    same = "--cluster_threshold 0.6 --clusterer chinese_whispers"
    assert older(f"facerec cluster {path} {same}") == 0
    assert lines("data/12345-data/clusters.json") == [clusters]

    assert older(f"facerec classify_knn {path}") == 2
    assert "start this where the tables lie" in capsys.readouterr().err
    _write_actors(folder)
    assert older(f"facerec classify_knn {path}") == 0
    (predictions,) = lines("data/12345-data/predictions.json")
    probabilities = [p.get("Astronaut", 0) for p in predictions["predictions"].values()]
    assert min(probabilities) < 0.1 < 0.9 < max(probabilities)


def _write_actors(folder: Path) -> None:
    data = pytest.importorskip("skimage.data")
    from PIL import Image

    (folder / "actor_images").mkdir()
    Image.fromarray(data.astronaut()).save(folder / "actor_images" / "a.jpg")
    (folder / "actors.csv").write_text("movie_id,id,name\n12345,7,Astronaut\n")
    (folder / "actor_images.csv").write_text("actor_id,filename\n7,a.jpg\n")
    vector = {"image": "a.jpg", "n": 1, "faces": [{"vector": [0.0] * 512}]}
    (folder / "actor_embeddings.jsonl").write_text(json.dumps(vector) + "\n")


def test_facerec_tells_what_is_missing(folder: Path, capsys) -> None:
    assert older("facerec merge_shards --path none") == 2
    Path("data").mkdir()
    assert older("facerec merge_shards --path data --iou-threshold 0.5") == 2
    assert "shards are missing: extract them first" in capsys.readouterr().err
    assert older("facerec cluster --path data") == 2
    shutil.copy(FILM, "film.mp4")
    assert older("facerec extract --shard 0 --n 2 --out d film.mp4") == 2
    assert older(f"facerec extract --shard 2 --n 2 --out d {FILM}") == 2
    assert "number shards from 0" in capsys.readouterr().err
    assert older(f"facerec extract --shard 0 --n 3 --out d {FILM} --fps 1") == 0
    assert older(f"facerec extract --shard 1 --n 3 --out d {FILM} --fps 2") == 2
    video(folder / "12345-other.mp4", seconds=0.5)
    assert older("facerec extract --shard 1 --n 3 --out d 12345-other.mp4 --fps 1") == 2
    assert "is a result of" in capsys.readouterr().err
    assert older("facerec merge_shards --path d/*") == 2
    assert "shards 1, 2 of 3 are missing" in capsys.readouterr().err
    assert facerec.MERGED[0] == "trajectories.jsonl"


def test_the_performance_of_each_face(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    empty = video(folder / "empty.mp4", seconds=0.5)
    with hosts.hosting(folder / "host", film=Path(FILM).read_bytes()) as (address, certs):
        monkeypatch.setattr(
            fetching, "Fetcher", lambda max_bytes: hosts.fetcher(certs, max_bytes=max_bytes)
        )
        rows = [
            "Video URL,Caption,Performance",
            f'{address}/film,"a, b",10',
            f"{address}/film,again,1000",
            f"{empty},nobody,5",
            f"{address}/404,gone,7",
            f"{FILM},the same film,30",
        ]
        Path("posts.csv").write_text("\ufeff" + "\n".join(rows) + "\n", encoding="utf-8")
        assert older("performance posts.csv -o people --frame_step 30") == 1
    shown = capsys.readouterr()
    assert "posts.csv:5:" in shown.err
    assert "404" in shown.err
    with open("people/influencer_performance.csv", newline="") as stream:
        faces = list(csv.DictReader(stream))
    assert [face["videos"] for face in faces] == ["2", "2"]
    assert [float(face["average_performance"]) for face in faces] == [20.0, 20.0]
    for face in faces:
        assert Path("people", face["face"]).read_bytes().startswith(b"\xff\xd8")
    Path("posts.csv").write_text(f"Video URL,Performance\n{folder}/host/film,1\n")
    assert older("performance posts.csv -o people") == 2, "another film has its results there"
    assert "is a result of" in capsys.readouterr().err
    with zipfile.ZipFile("people/crops.zip") as crops:
        names = crops.namelist()
    assert {name.partition("/")[0] for name in names} == {f["identity_id"] for f in faces}
    assert len(names) == sum(int(face["faces"]) for face in faces)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", "no column Performance and Video URL"),
        ("Video URL,Performance\na.mp4,many\n", "t.csv:2: a.mp4, 'many': give"),
        ("Video URL,Performance\n,3\n", "t.csv:2: no address"),
        ("Video URL,Performance\n", "no videos"),
    ],
)
def test_no_table_of_performances(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(UsageError, match=says):
        performance.read(tmp_path / "t.csv")
    with pytest.raises(UsageError, match="cannot be read"):
        performance.read(tmp_path / "none.csv")


def test_the_first_row_of_an_address_counts(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("Video URL,Performance\na,1\nb,\na,9\n")
    assert [v.performance for v in performance.read(tmp_path / "t.csv")] == [1.0, None]
