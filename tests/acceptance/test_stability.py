"""The same film is the same people: at any rate, darker, brighter, and compressed.

Prints a line a condition; `tools/stability.py` prints them of another commit.
"""

from pathlib import Path

import pytest

from analyzer.evaluation import truth
from tools import stability

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(3600)]
LABELS = Path(__file__).parent / "labels" / "short_hamilton_clip.csv"
NAMES = [str(condition) for condition in stability.CONDITIONS]


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


@pytest.mark.parametrize("name", NAMES)
def test_the_persons_are_those_of_the_reference(
    name: str, lines: dict[str, stability.Figures]
) -> None:
    figures, reference = lines[name], lines[NAMES[0]]
    assert not figures.faults(reference)["persons"], (figures.persons, reference.persons)


@pytest.mark.parametrize("name", NAMES)
def test_women_have_the_share_that_they_have_in_the_reference(
    name: str, lines: dict[str, stability.Figures]
) -> None:
    women = lines[NAMES[0]].women
    assert women > 0
    assert lines[name].women == pytest.approx(women, abs=stability.SHARE_POINTS)


@pytest.mark.parametrize("name", NAMES)
def test_labelled_faces_are_in_a_row_of_the_characters(
    name: str, lines: dict[str, stability.Figures]
) -> None:
    assert lines[name].without_row <= stability.WITHOUT
