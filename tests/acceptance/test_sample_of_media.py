"""A sample of real films, run by a server and two workers: the whole's share lies in the interval.

Segments of all films are analysed once; samples of other seeds are estimated from them.
"""

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from analyzer.__main__ import main
from analyzer.sampling import estimate
from tests.support import media
from tests.support.servers import serve_file, table

REAL = {
    "short_hamilton_clip.mp4": "many",
    "street_market.mp4": "many",
    "single_face.mp4": "one",
    "WolfgangLanger_Pexels.mp4": "one",
    "chaplin.mp4": "one",
}
OPTIONS = ("--fps", "2")
WORKERS = ("--workers", "2")
SEGMENT_S, SEGMENTS, SEEDS = "1.5", "20", 20
AGES = (10.0, 20.0, 40.0, 60.0)
pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(1800)]


def seconds(path: Path) -> Counter[str]:
    """Seconds of faces in a report by sex: of each face's own label, and of tracks as `t f`."""
    document = json.loads(path.read_text())
    sums: Counter[str] = Counter()
    for row in document["shares"]:
        if (row["measure"], row["attribute"]) == ("face_time", "sex"):
            sums[row["group"]] += row["amount"] * row["observed"]
    for track in document["tracks"]:
        length_s = sum(end - start for start, end in track["intervals_s"])
        sums[f"t {track['labels']['sex']}"] += length_s
    return sums


def films(folder: Path, video: Path) -> dict[Path, str]:
    """Real films, and some made of them; each with its kind."""
    clip, street = (video / name for name in ("short_hamilton_clip.mp4", "street_market.mp4"))
    media.ffmpeg("-i", clip, "-vf", "hflip", "-an", folder / "mirrored.mp4")
    media.ffmpeg("-ss", "1", "-i", street, "-vf", "scale=960:-2", "-an", folder / "small.mp4")
    empty = media.video(folder / "empty.mp4", seconds=6)
    made = {folder / "mirrored.mp4": "many", folder / "small.mp4": "many", empty: "one"}
    return {**{video / name: kind for name, kind in REAL.items()}, **made}


@pytest.fixture(scope="module")
def archive(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue; the reports of its whole films; those of all its segments."""
    folder = tmp_path_factory.mktemp("archive")
    listed = films(folder, shared / "media" / "video")
    with (folder / "archive.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["source_path", "duration_s", "kind"])
        for film, kind in listed.items():
            rows.writerow([str(film.resolve()), media.length(film), kind])
    whole = ["-o", str(folder / "whole"), "--export", "csv,json", *OPTIONS]
    assert main(["analyze", *map(str, listed), *whole]) == 0
    code, text = serve_file(plan(folder, "all", "100000"), *OPTIONS, *WORKERS, limit_s=900)
    assert code == 0, text
    return folder


def plan(folder: Path, name: str, segments: str, *options: str) -> Path:
    joblist = folder / f"{name}.csv"
    words = [str(folder / "archive.csv"), "-o", str(joblist), "--results", str(folder / name)]
    words += ["--segment_s", SEGMENT_S, "--segments", segments, "--strata", "kind"]
    assert main(["plan", *words, *options]) == 0
    return joblist


def truth(folder: Path) -> float:
    whole: Counter[str] = Counter()
    for path in (folder / "whole").glob("*.report.json"):
        whole += seconds(path)
    return whole["f"] / (whole["f"] + whole["m"])


def interval(joblist: Path) -> tuple[float, float]:
    found = estimate.of_joblist(
        joblist,
        head="sex",
        over="faces",
        ages=AGES,
        by=None,
        reach=None,
        most_faces=10.0,
        skip_missing=False,
        merge_strata=False,
    )
    (women,) = [share for share in found.shares if share.group == "f"]
    return women.low, women.high


def test_segments_of_all_films_add_up_to_these(archive: Path) -> None:
    parts: Counter[str] = Counter()
    for row in table(archive / "all.csv"):
        parts += seconds(Path(row["dest_json"]))
    whole: Counter[str] = Counter()
    for path in (archive / "whole").glob("*.report.json"):
        whole += seconds(path)
    assert dict(parts) == pytest.approx(dict(whole), abs=0.01)


def test_a_sample_holds_the_share_of_the_whole(archive: Path) -> None:
    joblist = plan(archive, "sample", SEGMENTS, "--seed", "1")
    code, text = serve_file(joblist, *OPTIONS, *WORKERS, "--until", "20", limit_s=900)
    assert code == 0, text
    low, high = interval(joblist)
    assert low <= truth(archive) <= high


def test_most_seeds_hold_it(archive: Path) -> None:
    """Of 20 seeds: the one above was not chosen for what it says."""
    known = {(r["source_path"], r["start_s"]): r["dest_json"] for r in table(archive / "all.csv")}
    share, held = truth(archive), 0
    for seed in range(1, SEEDS + 1):
        joblist = plan(archive, "seed", SEGMENTS, "--seed", str(seed))
        rows = table(joblist)
        for row in rows:
            row["dest_json"] = known[row["source_path"], row["start_s"]]
        with joblist.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        low, high = interval(joblist)
        held += low <= share <= high
    print(f"{held} of {SEEDS} seeds hold {100 * share:.1f} %")
    assert held >= 0.8 * SEEDS
