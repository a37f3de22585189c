"""What is drawn when: boxes between samples, labels of a shot, colours of persons."""

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from analyzer.export import ass
from analyzer.export._shown import PALETTE, colours, drawing, spans
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport
from tests.support.reports import Face, make_report
from tools import drawn_boxes

BOX, RIGHT = (100, 100, 150, 160), (200, 120, 260, 190)
DEUTERANOPIA = np.array(
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]
)
"""Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision
Deficiency", 2009; on linear light."""


def with_cut(report: MediaReport, time_s: float, frame: int) -> MediaReport:
    rows = replace(
        report.observations, cuts=np.array([time_s]), cut_frames=np.array([frame], np.int64)
    )
    return replace(report, observations=rows)


def drawn(report: MediaReport, folder: Path) -> drawn_boxes.Drawn:
    ass.create(runtime=Runtime()).write(report, folder / "x.ass")
    return drawn_boxes.read(folder / "x.ass")


def crowd(people: int = 12, seconds: int = 8) -> MediaReport:
    """People in two rows who walk past each other, at 5 pictures a second."""
    faces = []
    for step in range(5 * seconds):
        for person in range(people):
            way = 1 if person % 2 else -1
            x = 60 + 145 * (person % 12) + way * 5 * step
            y = 330 + 190 * (person % 3) + 10 * np.sin(step / 4 + person)
            faces.append(Face(5 * step, 0.2 * step, (x, y, x + 70, y + 90), track=person))
    names = {1: "Grace Brewster Hopper", 4: "Ada Lovelace"}
    return make_report(faces, size=(1920, 1080), names=names)


def test_a_box_moves_from_sample_to_sample(tmp_path):
    report = make_report([Face(0, 0.0, BOX), Face(5, 0.2, RIGHT)])
    found = drawn(report, tmp_path)
    (index,) = found.at(0.1)
    assert np.abs(found.boxes[index].at(0.1) - np.mean([BOX, RIGHT], axis=0)).max() < 1
    label = found.labels[index]
    assert label is not None
    offset = label.first[0] - BOX[0]
    assert abs(label.at(0.1)[0] - 150 - offset) < 1


@pytest.mark.parametrize("missed", [1, 2])
def test_a_box_moves_over_one_missed_sample_only(missed):
    later = 0.2 * (missed + 1)
    found = spans(make_report([Face(0, 0.0, BOX), Face(5, later, RIGHT)]))
    assert found.after.tolist() == ([1, 1] if missed == 1 else [0, 1])
    assert found.end_s.tolist() == pytest.approx([later if missed == 1 else 0.2, later + 0.2])


def test_no_box_is_drawn_beyond_a_cut(tmp_path):
    """The next sample of the track is in the next shot, which begins between both."""
    report = with_cut(make_report([Face(0, 0.0, BOX), Face(5, 0.2, RIGHT)]), 0.12, 3)
    found = spans(report)
    assert found.after.tolist() == [0, 1]
    assert found.end_s.tolist() == pytest.approx([0.12, 0.4])
    shown = drawn(report, tmp_path)
    assert len(shown.at(0.08)) == 1
    assert shown.at(0.12) == []
    assert drawn_boxes.beyond(shown, [0.12]) == 0


def test_a_box_is_hidden_with_the_next_of_its_track():
    report = make_report([Face(0, 0.0, BOX), Face(5, 0.2, RIGHT)])
    found = drawing(report, np.array([True, False]))
    assert found.after.tolist() == [0]


def test_labels_of_a_crowd_keep_off_others_and_never_jump(tmp_path):
    found = drawn(crowd(), tmp_path)
    figures = drawn_boxes.overlaps(found, np.arange(0.001, 8, 0.04).tolist())
    assert figures["area"] < 0.02
    assert figures["time"] < 0.02
    assert figures["shown"] == 1
    assert drawn_boxes.jumps(found) == 0


def test_labels_stay_in_the_picture_and_one_place_a_shot():
    report = with_cut(crowd(), 4.0, 100)
    found = drawing(report)
    assert found.labels.min() >= 0
    assert (found.labels[:, 2:] <= [1920, 1080]).all()
    for track, shot in {(t, s) for t in range(12) for s in (0, 1)}:
        mask = (found.tracks == track) & ((found.start_s >= 4) == bool(shot))
        assert len(set(found.shortened[mask].tolist())) == 1
        assert len(set(found.above[mask].tolist())) == 1


def test_a_label_that_stands_away_has_a_line_to_its_box():
    faces = [Face(0, 0, (100 + 30 * k, 100, 128 + 30 * k, 130), track=k) for k in range(10)]
    found = drawing(make_report(faces))
    size = found.leaders[:, 2:] - found.leaders[:, :2]
    lines = found.leaders[(size > 0).all(axis=1)]
    assert len(lines) > 0
    assert (np.minimum(*(size[(size > 0).all(axis=1)].T)) == found.layout.quiet_line).all()


def test_nobody_has_a_thin_grey_box_and_small_figures(tmp_path):
    report = make_report([Face(0, 0, BOX), Face(0, 0, RIGHT, track=1)], persons={0: 0, 1: -1})
    found = drawn(report, tmp_path)
    person, nobody = found.labels
    assert person is not None
    assert nobody is not None
    assert nobody.size < 0.8 * person.size
    assert (person.text, nobody.text) == ("person 0  m 40", "m 40")


def test_people_on_screen_together_differ_and_all_colours_are_used():
    faces = [Face(step, 0.2 * step, BOX, track=p) for step in range(60) for p in (step, step + 1)]
    chosen = colours(make_report(faces))
    assert all(chosen[p] != chosen[p + 1] for p in range(60))
    assert len(set(chosen.values())) == len(PALETTE)


def test_more_people_than_colours_share_them():
    faces = [Face(0, 0.0, BOX, track=p) for p in range(30)]
    counts = np.bincount(list(colours(make_report(faces)).values()))
    assert counts.max() == 2


def seen(palette: np.ndarray, *, deuteranopia: bool) -> np.ndarray:
    """CIELAB (n, 3) of colours (n, 3) from 0 to 1."""
    if deuteranopia:
        linear = np.where(palette > 0.04045, ((palette + 0.055) / 1.055) ** 2.4, palette / 12.92)
        linear = np.clip(linear @ DEUTERANOPIA.T, 0, 1)
        palette = np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, linear * 12.92)
    return np.asarray(rgb2lab(palette[None]))[0]


def least_distance(numbers: list[int], *, deuteranopia: bool) -> float:
    """Least CIEDE2000 distance of two of some colours."""
    rgb = np.array([list(bytes.fromhex(PALETTE[number])) for number in numbers]) / 255
    lab = seen(rgb, deuteranopia=deuteranopia)
    return min(float(deltaE_ciede2000(one, other)) for one, other in combinations(lab, 2))


@pytest.mark.parametrize("deuteranopia", [False, True])
def test_twenty_colours_are_told_apart(deuteranopia):
    assert len(PALETTE) == 20
    assert least_distance([*range(20)], deuteranopia=deuteranopia) > 9.4


@pytest.mark.parametrize("deuteranopia", [False, True])
def test_twelve_on_screen_at_once_are_told_apart(deuteranopia):
    chosen = list(colours(crowd()).values())
    assert len(set(chosen)) == 12
    assert least_distance(chosen, deuteranopia=deuteranopia) > 10.3
