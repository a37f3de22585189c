"""The same film is the same people: at any rate, darker, brighter, and compressed.

Prints a line a condition; `tools/stability.py` prints them of another commit.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analyzer.evaluation import truth
from analyzer.options import AnalysisOptions
from analyzer.pipeline.components import load_components
from tests.support import media
from tools import stability

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(3600)]
LABELS = Path(__file__).parent / "labels" / "short_hamilton_clip.csv"
WIDTH, FIRST_S, FROM_0 = 640, 0.844, "setpts=PTS-STARTPTS"
"""Of the clip: its width, and when its pictures begin on the clock of its sound."""
NAMES = [str(condition) for condition in stability.CONDITIONS]


def cells(asked: str) -> list[Any]:
    """Each condition; those that are known to be off for a reason may fail."""
    return [
        pytest.param(
            str(condition),
            marks=[pytest.mark.xfail(reason=reason)] if (reason := known(condition, asked)) else [],
        )
        for condition in stability.CONDITIONS
    ]


def known(condition: Any, asked: str) -> str:
    """Return why a condition may be off in what is asked, or nothing."""
    rate = condition.fps or math.inf
    if condition.gamma < 1 or condition.crf == 32:
        return "the detector finds 80 of 108 faces; no brightening brings the others back"
    if asked == "persons" and condition != stability.CONDITIONS[0]:
        return "faces in the dark that were not labelled are seen for half a second, or for less"
    if asked == "named" and rate <= (2 if condition.crf else 1):
        return "two appearances of the performer, one of a single picture, are not joined"
    if asked == "women" and (condition.gamma > 1 or rate <= 2):
        return "the sex of a guest in the dark is as sure as it must be to be given, or nearly so"
    if asked == "row" and condition.crf and rate in (2, 3):
        return "the detector misses three of a few faces"
    return ""


@pytest.fixture(scope="module")
def lines(shared: Path) -> dict[str, stability.Figures]:
    """The figures of each condition, the reference first."""
    video = shared / "media" / "video" / "short_hamilton_clip.mp4"
    done: dict[str, stability.Figures] = {}
    print(f"\n{stability.HEADER}")
    for figures in stability.measure(video, truth.of_video(LABELS)):
        done[figures.condition] = figures
        print(stability.line(figures, done[NAMES[0]]), flush=True)
    return done


@pytest.mark.parametrize("name", cells("persons"))
def test_the_persons_are_those_of_the_reference(
    name: str, lines: dict[str, stability.Figures]
) -> None:
    figures, reference = lines[name], lines[NAMES[0]]
    assert not figures.faults(reference)["persons"], (figures.persons, reference.persons)


@pytest.mark.parametrize("name", cells("named"))
def test_the_labelled_persons_are_those_of_the_reference(
    name: str, lines: dict[str, stability.Figures]
) -> None:
    named = [{p for p in lines[key].persons if p[0] != "?"} for key in (name, NAMES[0])]
    assert named[0] == named[1]


@pytest.mark.parametrize("name", cells("women"))
def test_women_have_the_share_that_they_have_in_the_reference(
    name: str, lines: dict[str, stability.Figures]
) -> None:
    women = lines[NAMES[0]].women
    assert women > 0
    assert lines[name].women == pytest.approx(women, abs=stability.SHARE_POINTS)


@pytest.mark.parametrize("name", cells("row"))
def test_labelled_faces_are_in_a_row_of_the_characters(
    name: str, lines: dict[str, stability.Figures]
) -> None:
    assert lines[name].without_row <= stability.WITHOUT


@pytest.fixture(scope="module")
def figures_of(
    shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., stability.Figures]:
    """Encode the clip anew by some steps of ffmpeg, and say who is in it at 5 pictures a second."""
    video = shared / "media" / "video" / "short_hamilton_clip.mp4"
    models = load_components(AnalysisOptions(fps=5))
    folder = tmp_path_factory.mktemp("again")

    def run(name: str, labels: truth.Labels, *steps: list[object]) -> stability.Figures:
        target, encoder = folder / f"{name}.mp4", ["-an", "-c:v", "libx264", "-crf", "10"]
        for step in steps:
            known = {"SOURCE": video, "TARGET": target, "FOLDER": folder}
            done = [str(word).format(**known) for word in step]
            media.ffmpeg(*[part for w in done for part in (encoder if w == "ENCODE" else [w])])
        return stability.figures_of(*stability.analyse(target, models), labels)

    return run


@pytest.fixture(scope="module")
def again(figures_of: Callable[..., stability.Figures]) -> stability.Figures:
    return figures_of("again", silent(), ["-i", "{SOURCE}", "-vf", FROM_0, "ENCODE", "{TARGET}"])


def silent() -> truth.Labels:
    """The labels of the clip without sound: its clock begins with the first picture."""
    labels = truth.of_video(LABELS)
    return replace(labels, time_s=labels.time_s - FIRST_S)


def assert_same(figures: stability.Figures, reference: stability.Figures) -> None:
    """The same persons, each on screen as long within a tenth of a second or a tenth."""
    named = [{n: t for n, t in one.persons.items() if n[0] != "?"} for one in (figures, reference)]
    print(named)
    assert named[0] == pytest.approx(named[1], abs=0.25, rel=0.1)


def test_a_mirrored_film_is_the_same_people(
    figures_of: Callable[..., stability.Figures], again: stability.Figures
) -> None:
    labels = silent()
    points = labels.points * [-1, 1] + [WIDTH, 0]
    step = ["-i", "{SOURCE}", "-vf", f"hflip,{FROM_0}", "ENCODE", "{TARGET}"]
    assert_same(figures_of("mirrored", replace(labels, points=points), step), again)


def test_a_film_that_was_cut_in_two_and_joined_is_the_same_people(
    figures_of: Callable[..., stability.Figures], again: stability.Figures
) -> None:
    steps = []
    for side in ("end", "start"):
        trimmed = f"trim={side}_frame=137,{FROM_0}"
        half = "{FOLDER}/" + side + ".mp4"
        steps.append(["-i", "{SOURCE}", "-vf", trimmed, "ENCODE", half])
    parts = ["-i", "{FOLDER}/end.mp4", "-i", "{FOLDER}/start.mp4"]
    joined = [*parts, "-filter_complex", "concat=n=2:v=1:a=0", "ENCODE", "{TARGET}"]
    assert_same(figures_of("joined", silent(), *steps, joined), again)
