"""Every kind of bad input, on the real server and its worker, each with its message.

docs/security.md shows the same table. What only a decoder or a fetcher can be asked in detail
stands in tests/stages/test_decode_safety.py and tests/jobs/inputs/test_fetch.py.
"""

import csv
import io
import os
import random
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas
import pytest

from tests.support import hosts, media
from tests.support.processes import ROOT

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]


@dataclass(frozen=True)
class Run:
    """What came of a joblist."""

    code: int
    text: str
    folder: Path

    def line(self, name: str) -> str:
        """The line that says what became of a medium."""
        matching = [
            row for row in self.text.splitlines()
            if f"{name} -> " in row and row.startswith(("failed: ", "warning: "))
        ]  # fmt: skip
        return matching[-1] if matching else ""


def serve(folder: Path, joblist: str | bytes, *options: str, workers: int = 1) -> Run:
    """Run the real command on a joblist."""
    path = folder / "jobs.csv"
    path.write_bytes(joblist.encode() if isinstance(joblist, str) else joblist)
    command = [sys.executable, str(ROOT / "ina_server.py"), "localhost", "jobs.csv", "--port", "0"]
    command += ["--ledger", "jobs.ledger", "--workers", str(workers), "--fps", "5", *options]
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=280,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return Run(done.returncode, done.stdout + done.stderr, folder)


def rows(*names: str, **more: str) -> str:
    """A joblist of media in the current folder."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(["source_path", "dest_csv", *more])
    for number, name in enumerate(names):
        writer.writerow([name, f"out/{number}.csv", *(f"out/{number}.{x}" for x in more.values())])
    return stream.getvalue()


def noisy(path: Path) -> None:
    """Half a percent of the bytes are others."""
    data, chance = bytearray(path.read_bytes()), random.Random(1)
    for _ in range(len(data) // 200):
        data[chance.randrange(len(data))] = chance.randrange(256)
    path.write_bytes(data)


def cut(path: Path, share: float = 0.5) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


def film(path: Path) -> Path:
    return media.video(path, seconds=4)


def damaged(path: Path, damage: Callable[[Path], None]) -> None:
    damage(film(path))


def fast_start(path: Path) -> None:
    """An MP4 with its index first, cut in half."""
    whole = film(path.with_name("whole.mp4"))
    media.ffmpeg("-i", whole, "-c", "copy", "-movflags", "+faststart", path)
    whole.unlink()
    cut(path)


def playlist(text: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        other = path.with_name("other.ts")
        if not other.exists():
            film(other)
        path.write_text(text.format(other=other))

    return make


def reference(path: Path) -> None:
    """A QuickTime file with its samples elsewhere."""
    data = film(path).read_bytes()
    own = struct.pack(">I4sI", 12, b"url ", 1)
    assert own in data
    path.write_bytes(data.replace(own, struct.pack(">I4sI", 12, b"url ", 0)))


def two_sizes(path: Path) -> None:
    parts = [media.video(path.with_suffix(f".{s}.ts"), size=s) for s in ("320x240", "640x360")]
    path.write_bytes(b"".join(p.read_bytes() for p in parts))
    for part in parts:
        part.unlink()


REFUSED: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "missing": ("missing.mp4", lambda p: None, "no such file: correct the joblist"),
    "empty": ("empty.mp4", lambda p: p.touch(), "the file is empty; copy it again"),
    "text": ("text.mp4", lambda p: p.write_text("not a video\n" * 99), "not a video that can be"),
    "folder": ("folder.mp4", lambda p: p.mkdir(), "not a regular file; give the path"),
    "FIFO": ("fifo.mp4", os.mkfifo, "not a regular file; give the path"),
    "device": ("device.mp4", lambda p: p.symlink_to("/dev/zero"), "not a regular file; give"),
    "no index": ("half.mp4", lambda p: damaged(p, cut), "not a video that can be read (Invalid"),
    "HLS": ("hls.mp4", playlist("#EXTM3U\n#EXTINF:9,\n{other}\n#EXT-X-ENDLIST\n"), "not a video"),
    "concat": ("concat.mp4", playlist("ffconcat version 1.0\nfile '{other}'\n"), "not a video"),
    "DASH": ("dash.mp4", playlist("<MPD><BaseURL>{other}</BaseURL></MPD>"), "not a video"),
    "concat:": ("concat:other.ts|other.ts", lambda p: None, "no such file: correct the joblist"),
    "subfile:": ("subfile,,start,0,end,9,,:other.ts", lambda p: None, "no such file"),
    "pipe:": ("pipe:0", lambda p: None, "no such file: correct the joblist"),
    "dash": ("-i", lambda p: None, "no such file: correct the joblist"),
    "PNG bomb": ("bomb.png", lambda p: p.write_bytes(media.black_png(20000, 20000)), "a picture"),
    "sound": ("sound.mp4",
              lambda p: media.ffmpeg("-f", "lavfi", "-i", "sine=duration=1", p),
              "no picture in it, only sound or data"),
    "wide pixels": ("wide.mkv",
                    lambda p: media.ffmpeg("-f", "lavfi", "-i",
                                           "testsrc=duration=0.2:size=320x240,setsar=500/1", p),
                    "are larger than 8192 x 8192; scale it down"),
    "a day": ("day.mp4", lambda p: media.long_video(p, video_track_timescale="1000"),
              "are more than 24 h; cut it, or take a part of it with --stop"),
}  # fmt: skip
PARTIAL: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "half a TS": ("half.ts", lambda p: damaged(p, cut), "damaged packets or pictures"),
    "a noisy TS": ("noise.ts", lambda p: damaged(p, noisy), "damaged packets or pictures"),
    "half an MP4": ("half2.mp4", fast_start, "s missing"),
    "two sizes": ("sizes.ts", two_sizes, "(partial: 1 damaged packets or pictures)"),
    "half an MKV": ("half.mkv", lambda p: damaged(p, cut), "s missing"),
}
HARMLESS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "whole": ("whole.mp4", film),
    "a reference to another file": ("reference.mov", reference),
    "a name for a shell": ("$(touch hacked);'\"&|.mp4", film),
    "a name like an option": ("-y.mp4", film),
    "a name like a formula": ("=1+1.mp4", film),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One server, one worker, every bad medium and some that are not."""
    folder = tmp_path_factory.mktemp("bad")
    names = []
    for name, make, *_ in (*REFUSED.values(), *PARTIAL.values(), *HARMLESS.values()):
        make(folder / name)
        names.append(name)
    return serve(folder, rows(*names, dest_ass="ass", dest_mp4="mp4", dest_characters="char.csv"))


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_read_fails_once_and_alone(kind: str, run: Run) -> None:
    name, _, says = REFUSED[kind]
    line = run.line(f"/{name}")
    assert line.startswith("failed: "), run.text
    assert "(input: " in line
    assert says in line


@pytest.mark.parametrize("kind", PARTIAL)
def test_what_is_damaged_is_done_as_far_as_it_goes(kind: str, run: Run) -> None:
    name, _, says = PARTIAL[kind]
    line = run.line(f"/{name}")
    assert line.startswith("warning: "), run.text
    assert "(partial: " in line
    assert says in line


@pytest.mark.parametrize("kind", HARMLESS)
def test_what_only_looks_bad_is_done(kind: str, run: Run) -> None:
    assert run.line(f"/{HARMLESS[kind][0]}") == "", run.text


def test_the_run_as_a_whole(run: Run) -> None:
    assert run.code == 1
    done = len(PARTIAL) + len(HARMLESS)
    assert f"jobs     {done} done, {len(REFUSED)} failed" in run.text
    assert (
        f"partial  {len(PARTIAL)} media are damaged, cut off, or lack a file: see the warnings"
        in run.text
    )
    outputs = sorted(p.name for p in (run.folder / "out").iterdir())
    assert len(outputs) == 4 * done, "whole outputs of what was done, and nothing else"
    assert not (run.folder / "hacked").exists()


def test_local_analysis_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "half.mp4"
    fast_start(path)
    command = [sys.executable, "-m", "analyzer", "analyze", str(path), "-o", str(tmp_path)]
    done = subprocess.run(
        [*command, "--export", "csv", "--fps", "5"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert f"warning: {path}: done in part: " in done.stderr
    assert "s of 4.0 s could be decoded" in done.stderr


JOBLISTS = {
    "missing column": ("source_path\na\n", "jobs.csv:1: no column dest_csv: add it"),
    "a cell too many": ("source_path,dest_csv\na,b,c\n", "jobs.csv:2: 3 cells under 2 columns"),
    "latin-1": (b"source_path,dest_csv\n\xe9,c\n", "jobs.csv:2: not UTF-8: save the joblist"),
    "one destination twice": ("source_path,dest_csv\na,x\nb,x\n",
                              "jobs.csv:3: dest_csv is the same file as a destination of line 2"),
    "semicolons": ("source_path;dest_csv\na;b\n", "jobs.csv:1: columns are separated by ';'"),
    "NUL": (b"source_path,dest_csv\na\0,c\n", "jobs.csv:2: source_path 'a\\x00' contains a line"),
    "line break": ('source_path,dest_csv\n"a\nb",c\n', "jobs.csv:2: source_path 'a\\nb' contains"),
    "onto the medium": ("source_path,dest_csv\na,a\n", "dest_csv would overwrite the medium of"),
    "folder": ("source_path,dest_csv\na,b/\n", "jobs.csv:2: dest_csv 'b/' is a folder"),
    "long path": (f"source_path,dest_csv\n{'x/' * 3000},c\n", "is longer than 4096 bytes: shorten"),
    "address": ("source_path,dest_csv\nhttps://films.test/a.mp4,b\n",
                "is an address: download it and give the file, or serve with --allow_urls"),
    "tcp:": ("source_path,dest_csv\ntcp://127.0.0.1:9,b\n", "is an address: download it and give"),
}  # fmt: skip


@pytest.mark.parametrize("kind", JOBLISTS)
def test_joblists_are_refused_as_a_whole(kind: str, tmp_path: Path) -> None:
    text, says = JOBLISTS[kind]
    result = serve(tmp_path, text)
    assert result.code == 2
    assert says in result.text
    assert sorted(p.name for p in tmp_path.iterdir() if "ledger" not in p.name) == ["jobs.csv"]


def test_texts_stay_what_they_are(tmp_path: Path) -> None:
    """`007` and `NA` are names of files; a byte order mark is none of the first column's."""
    for name in ("007", "NA"):
        film(tmp_path / f"{name}.mp4").rename(tmp_path / name)
    result = serve(tmp_path, "\ufeffsource_path,dest_csv\n007,out/007.csv\nNA,out/null\n")
    assert result.code == 0, result.text
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["007.csv", "null"]


def test_a_destination_that_is_a_folder(tmp_path: Path) -> None:
    film(tmp_path / "a.mp4")
    (tmp_path / "out").mkdir()
    result = serve(tmp_path, "source_path,dest_csv\na.mp4,out\n")
    assert result.code == 1
    assert "out is a folder, not a file: change the joblist" in result.text


def test_roots_at_import_and_when_the_job_runs(tmp_path: Path) -> None:
    for name in ("in", "out", "secret"):
        (tmp_path / name).mkdir()
    film(tmp_path / "secret" / "a.mp4")
    roots = ["--input_root", "in", "--output_root", "out"]
    (tmp_path / "in" / "a.mp4").symlink_to(tmp_path / "secret" / "a.mp4")
    result = serve(tmp_path, "source_path,dest_csv\nin/a.mp4,out/../a.py\n", *roots)
    assert result.code == 2
    for word in ("move the file there, or give another --input_root", "another --output_root"):
        assert word in result.text
    (tmp_path / "in" / "a.mp4").unlink()
    film(tmp_path / "in" / "a.mp4")
    result = serve(tmp_path, "source_path,dest_csv\nin/a.mp4,out/a.csv\n", *roots)
    assert result.code == 0, result.text


def test_a_link_that_is_put_there_after_the_import(tmp_path: Path) -> None:
    """The server has accepted the row; the worker comes later."""
    for name in ("in", "secret"):
        (tmp_path / name).mkdir()
        film(tmp_path / name / "a.mp4")
    (tmp_path / "jobs.csv").write_text("source_path,dest_csv\nin/a.mp4,out/a.csv\n")
    with serving(tmp_path, "--input_root", "in") as (process, uri):
        (tmp_path / "in" / "a.mp4").unlink()
        (tmp_path / "in" / "a.mp4").symlink_to(tmp_path / "secret" / "a.mp4")
        subprocess.run([sys.executable, ROOT / "ina_worker.py", uri], cwd=tmp_path, timeout=120)
        out, errors = process.communicate(timeout=60)
    assert process.returncode == 1, out
    assert "in/a.mp4' lies outside" in errors
    assert not list(tmp_path.glob("out/*"))


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    command = [sys.executable, str(ROOT / "ina_server.py"), "localhost", "jobs.csv", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--ledger", "jobs.ledger", *options],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


def test_addresses_of_this_network_are_never_fetched(tmp_path: Path) -> None:
    """A real host on loopback, with and without a name that hides it."""
    with hosts.hosting(tmp_path / "host") as (url, _):
        port = url.rpartition(":")[2]
        names = ("127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]")
        media_ = [f"https://{name}:{port}/film" for name in names]
        result = serve(tmp_path, rows(*media_), "--allow_urls")
    assert result.code == 1
    for name in media_:
        assert "no public address: it is not fetched" in result.line(name), result.text


def test_other_schemes_are_refused_even_then(tmp_path: Path) -> None:
    result = serve(tmp_path, rows("http://films.test/a.mp4"), "--allow_urls")
    assert (result.code, "only https addresses are" in result.text) == (2, True)


def test_a_socket_is_no_medium(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s.mp4"))
        result = serve(tmp_path, rows("s.mp4"))
    assert "not a regular file; give the path" in result.line("/s.mp4"), result.text


def test_no_table_runs_a_formula(run: Run) -> None:
    """As a spreadsheet would read it: text columns only; every number begins like one."""
    for path in (run.folder / "out").glob("*.csv"):
        table = pandas.read_csv(path, dtype=str, keep_default_na=False)
        for column in set(table) & {"name", "sex_label", "frame"}:
            assert not table[column].str.startswith(("=", "+", "-", "@", "\t", "\r")).any()
