"""Boxes and labels as they are drawn on real films, beside the detector's boxes in every frame."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analyzer.__main__ import main
from tools import drawn_boxes

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(1200)]


@pytest.mark.parametrize("name", ["street_market", "short_hamilton_clip"])
def test_boxes_stay_on_faces_and_labels_off_others(name: str, shared: Path, tmp_path: Path) -> None:
    film = shared / "media" / "video" / f"{name}.mp4"
    every = ["--engine", "video", "--frame_step", "1", "--export", "csv"]
    assert main(["analyze", str(film), "-o", str(tmp_path / "every"), *every]) == 0
    shown = ["--fps", "5", "--export", "ass,shots"]
    assert main(["analyze", str(film), "-o", str(tmp_path), *shown]) == 0
    drawn = drawn_boxes.read(tmp_path / f"{name}.ass")
    truth = drawn_boxes.detector_boxes(tmp_path / "every" / f"{name}.csv")
    cuts = pd.read_csv(tmp_path / f"{name}.shots.csv").start_s.tolist()[1:]
    fit = drawn_boxes.fit(drawn, truth)
    assert fit["iou"] >= 0.8
    assert fit["missed"] < 0.05
    assert drawn_boxes.beyond(drawn, cuts) == 0
    last = max(box.end_s for box in drawn.boxes)
    overlaps = drawn_boxes.overlaps(drawn, np.arange(0.001, last, 0.04).tolist())
    assert overlaps["area"] < 0.02
    assert overlaps["time"] < 0.02
    assert drawn_boxes.jumps(drawn, cuts) == 0
