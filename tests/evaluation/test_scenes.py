"""Scenes of portraits: what their script plans is what its truth says."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support import media
from tests.support.processes import ROOT

maker = media.scene_maker()
NUMBERS = (0, 1)
PERSONS = (10, 12)


@pytest.fixture(scope="module")
def shots(shared: Path) -> list[list[Any]]:
    """The shots of each scene."""
    folder = media.portraits(shared)
    return [
        list(maker.plan(scene, maker.people(folder, has_sample=scene.has_sample)))
        for scene in maker.SCENES
    ]


@pytest.mark.parametrize("number", NUMBERS)
def test_shares_of_cut_blurred_and_dark_faces_are_as_planned(number, shots):
    scene, truth = maker.SCENES[number], list(maker.faces(shots[number]))
    assert len({face["person"] for face in truth}) == PERSONS[number]
    cut = np.mean([face["visible"] < 1 for face in truth])
    assert cut == pytest.approx(scene.cut_share, abs=0.02)
    assert np.mean([face["is_dark"] for face in truth]) == pytest.approx(scene.dark_share, abs=0.02)
    assert np.mean([face["is_blurred"] for face in truth]) <= scene.blurred_share + 0.02
    assert min(face["visible"] for face in truth) > 0.55


@pytest.mark.parametrize("number", NUMBERS)
def test_nobody_is_twice_in_a_shot_and_everybody_in_several(number, shots):
    pairs = [[one.person for one in shot.appearances] for shot in shots[number]]
    assert all(len(set(pair)) == 2 for pair in pairs)
    counts = np.unique(pairs, return_counts=True)[1]
    assert counts.min() >= 3
    assert np.ptp(counts) <= 1


def test_labels_lie_in_the_visible_part_of_their_face(shots, tmp_path):
    truth = list(maker.faces(shots[1]))
    maker.write_labels(tmp_path / "labels.csv", truth)
    labelled = [face for face in truth if face["frame"] % maker.LABEL_EVERY == 0]
    lines = (tmp_path / "labels.csv").read_text().splitlines()[1:]
    assert len(lines) == len(labelled)
    for line, face in zip(lines, labelled, strict=True):
        x, y = (int(cell) for cell in line.split(",")[1:3])
        assert max(face["box"][0], 0) < x < min(face["box"][2], maker.WIDTH)
        assert face["box"][1] < y < face["box"][3]


def test_the_same_seed_gives_the_same_picture(shared, shots):
    folder, scene = media.portraits(shared), maker.SCENES[0]
    again = next(maker.plan(scene, maker.people(folder, has_sample=False)))
    pictures = [
        maker.draw(shot, 0.5, np.random.default_rng(scene.seed)) for shot in (shots[0][0], again)
    ]
    assert (pictures[0] == pictures[1]).all()


def test_without_portraits_nothing_is_made_and_it_is_said(tmp_path):
    script = [sys.executable, ROOT / "media" / "make_scenes.py", "--folder", tmp_path / "scenes"]
    command = [*script, "--portraits", tmp_path / "none"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "no scenes are made" in done.stdout
    assert not (tmp_path / "scenes").exists()
