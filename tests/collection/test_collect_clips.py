"""Collect over three clips of known people, one of them listed twice."""

import csv
import statistics
from pathlib import Path

import pytest

from analyzer import registry
from analyzer.__main__ import main
from analyzer.options import AnalysisOptions
from analyzer.pipeline import components
from analyzer.reports import report_file
from tests.support import media
from tests.support.analysis import analyze

CAST = {"first": ("astronaut",), "both": ("astronaut", "hopper"), "second": ("hopper",)}
ROWS = (("first", 10.0), ("both", 70.0), ("second", 25.0), ("first", 30.0))


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    """A second of each portrait, and of both beside each other."""
    image = pytest.importorskip("matplotlib.image")
    cbook = pytest.importorskip("matplotlib.cbook")
    data = pytest.importorskip("skimage.data")
    folder = tmp_path_factory.mktemp("clips")
    image.imsave(folder / "astronaut.png", data.astronaut()[:330, 60:420])
    hopper = image.imread(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))
    image.imsave(folder / "hopper.png", hopper[60:480, 60:480])
    for name, people in CAST.items():
        shown = [
            a
            for letter in people
            for a in ("-framerate", "10", "-loop", "1", "-t", "1", "-i", folder / f"{letter}.png")
        ]
        scaled = ";".join(f"[{n}]scale=360:360,setsar=1[v{n}]" for n in range(len(people)))
        panels = "".join(f"[v{n}]" for n in range(len(people)))
        stack = f"hstack=inputs={len(people)}" if len(people) > 1 else "null"
        graph = f"{scaled};{panels}{stack},format=yuv420p[out]"
        media.ffmpeg(*shown, "-filter_complex", graph, "-map", "[out]", folder / f"{name}.mp4")
    return folder


@pytest.fixture(scope="module")
def collected(clips) -> Path:
    """The folder of results."""
    models = components.load_components(AnalysisOptions(fps=2, device="cpu"))
    exporter = registry.load("export", "report", runtime=models.runtime)
    for name, people in CAST.items():
        report = analyze(str(clips / f"{name}.mp4"), components=models)
        assert len(report.persons) == len(people)
        exporter.write(report, clips / f"{name}.0.report.zip")
    with (clips / "jobs.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["source_path", "dest_csv", "dest_report", "item_id", "metric_views"])
        times: dict[str, int] = {}
        for name, views in ROWS:
            stem = clips / f"{name}.{times.setdefault(name, 0)}"
            times[name] += 1
            writer.writerow(
                [clips / f"{name}.mp4", f"{stem}.csv", f"{stem}.report.zip", stem.name, views]
            )
    assert main(["collect", str(clips / "jobs.csv"), "-o", str(clips / "out")]) == 0
    return clips / "out"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_averages_equal_those_computed_by_hand(collected):
    views = {name: [v for n, v in ROWS if n == name] for name in CAST}
    of_source = {name: statistics.mean(values) for name, values in views.items()}
    assert of_source == {"first": 20.0, "both": 70.0, "second": 25.0}
    people = rows(collected / "identities.csv")
    shown = rows(collected / "appearances.csv")
    assert len(people) == 2
    clips_of = {
        row["identity_id"]: {
            Path(appearance["source_path"]).stem
            for appearance in shown
            if appearance["identity_id"] == row["identity_id"]
        }
        for row in people
    }
    assert sorted(map(sorted, clips_of.values())) == [["both", "first"], ["both", "second"]]
    for row in people:
        values = [of_source[name] for name in clips_of[row["identity_id"]]]
        assert float(row["metric_views_mean"]) == statistics.mean(values)
        assert float(row["metric_views_spread"]) == pytest.approx(statistics.stdev(values))
        assert int(row["metric_views_count"]) == int(row["media_count"]) == 2
        assert float(row["screen_time_s"]) == pytest.approx(2, abs=0.15)
        assert int(row["appearance_count"]) == 2
    assert sum(int(row["face_count"]) for row in people) == sum(
        len(report_file.load(collected.parent / f"{name}.0.report.zip").observations)
        for name in CAST
    )


def test_everybody_has_a_portrait(collected):
    for row in rows(collected / "identities.csv"):
        assert (collected / row["portrait"]).read_bytes().startswith(b"\xff\xd8")
