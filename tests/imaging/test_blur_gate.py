"""Blurred frames are not given to the detector, and faces not clear enough are not described."""

from dataclasses import replace

import numpy as np
import pytest

from analyzer.__main__ import main
from analyzer.errors import UsageError
from analyzer.imaging import quality
from analyzer.imaging.blur_gate import BlurGate
from analyzer.options import AnalysisOptions
from analyzer.pipeline import components, summarize
from tests.support import media
from tests.support.analysis import analyze

BLUR = (5.0, 5.3)
"""Seconds of the sample's second shot that are blurred."""


def noise(height: int = 96, width: int = 128) -> np.ndarray:
    """A picture that is sharp everywhere."""
    return np.random.default_rng(0).integers(60, 255, (height, width, 3), dtype=np.uint8)


def half_flat() -> np.ndarray:
    picture = noise()
    picture[:, 64:] = 128
    return picture


def letterboxed(picture: np.ndarray) -> np.ndarray:
    return np.pad(picture, ((40, 40), (0, 0), (0, 0)))


@pytest.mark.parametrize(
    ("picture", "grid", "share"),
    [
        (noise(), 1, 1),
        (noise(), 4, 1),
        (half_flat(), 1, 1),
        (half_flat(), 0, 1),
        (half_flat(), 4, 0.5),
        (np.full_like(noise(), 128), 4, 0),
        (np.zeros_like(noise()), 4, 0),
        (letterboxed(noise()), 8, 1),
        (letterboxed(np.full_like(noise(), 128)), 8, 0),
        (noise(1, 1), 4, 0),
        (noise(3, 3), 1, 0),
    ],
)
def test_share_of_sharp_cells(picture, grid, share):
    assert quality.sharp_share(picture, BlurGate(var=100, grid=grid)) == pytest.approx(share)


def test_the_variance_is_that_of_the_laplacian():
    """Stripes of one column: each pixel differs by 2 x 20 from what its neighbours are."""
    stripes = np.tile(np.array([100, 120], np.uint8)[None, :, None], (50, 25, 3))
    assert quality.sharp_share(stripes, BlurGate(var=1590)) == 1
    assert quality.sharp_share(stripes, BlurGate(var=1610)) == 0


@pytest.mark.parametrize(
    ("text", "gate"),
    [
        (None, None),
        ("", None),
        ("var=120,grid=4,keep=0.25", BlurGate(var=120, grid=4, keep=0.25)),
        ("var=120", BlurGate(var=120, grid=1, keep=0.5)),
        ("grid=2", BlurGate(var=100, grid=2, keep=0.5)),
    ],
)
def test_a_gate_is_read(text, gate):
    assert AnalysisOptions(blur_gate=text).gate == gate


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("120", "key=value"),
        ("variance=120", "it has: var, grid, keep"),
        ("var=sharp", "cannot be read as float"),
        ("grid=2.5", "cannot be read as int"),
        ("var=0", "above 0"),
        ("var=nan", "var='nan' cannot be read"),
        ("var=inf", "var='inf' cannot be read"),
        ("grid=-1", "to 64"),
        ("grid=1000", "to 64"),
        ("keep=0", "above 0 and at most 1"),
        ("keep=50", "above 0 and at most 1"),
    ],
)
def test_a_wrong_gate_is_refused_with_the_cure(text, cure):
    with pytest.raises(UsageError, match=f"blur_gate.*{cure}"):
        AnalysisOptions(blur_gate=text)


@pytest.fixture(scope="module")
def blurred(sample, tmp_path_factory):
    """The sample with a stretch of its second shot out of focus."""
    path = tmp_path_factory.mktemp("gates") / "blurred.mp4"
    start, stop = BLUR
    blur = f"boxblur=12:2:enable='gte(t,{start})*lt(t,{stop})'"
    media.ffmpeg("-i", sample / "sample.mp4", "-t", "10", "-vf", blur, "-an", path)
    return str(path)


def models(**options):
    """For the second shot, in which one person is seen all the time."""
    # To the shot detector, a picture that is suddenly out of focus is another shot.
    shot = {"fps": 10, "start": 4.1, "stop": 7, "shots": "none"}
    return components.load_components(AnalysisOptions(device="cpu", **shot, **options))


def report_of(path, **options):
    return analyze(path, components=models(**options))


@pytest.fixture(scope="module")
def every(blurred):
    """The report without any gate."""
    return report_of(blurred)


@pytest.fixture(scope="module")
def gated(blurred):
    """The report with a gate."""
    return report_of(blurred, blur_gate="var=8")


def in_blur(report):
    """(N,) which rows are of blurred frames."""
    return (report.observations.time_s >= BLUR[0]) & (report.observations.time_s < BLUR[1])


def bridges(report):
    inside = in_blur(report)
    assert report.tally.frames_gated == inside.sum() == 3
    np.testing.assert_array_equal(np.isnan(report.observations.detect_conf), inside)
    assert report.tally.faces_detected == report.tally.frames_analysed - 3
    assert len(report.identities.track_ids) == len(report.persons) == 1
    assert report.persons[0].screen_time_s == pytest.approx(2.9, abs=0.02)


def test_the_tracker_bridges_frames_that_were_gated(gated):
    bridges(gated)


def test_so_does_one_that_follows_pixels(blurred):
    bridges(report_of(blurred, blur_gate="var=8", tracker="correlation"))


def test_a_face_in_a_gated_frame_is_not_described_but_has_its_tracks_labels(gated):
    assert gated.tally.faces_described == len(gated.observations) - 3
    assert np.array_equal(np.isnan(gated.row_attributes["sex"].value), in_blur(gated))
    assert not np.isnan(gated.track_attributes["sex"].value[gated.row_tracks()]).any()


def test_a_face_that_is_lost_in_a_gated_frame_is_found_again(blurred):
    """Optical flow does not follow points out of focus."""
    report = report_of(blurred, blur_gate="var=8", tracker="flow")
    assert report.tally.frames_gated == 3
    assert len(report.identities.track_ids) == len(report.persons) == 1


def test_an_engine_without_tracks_shows_nobody_in_gated_frames(blurred):
    report = report_of(blurred, blur_gate="var=8", engine="video")
    assert report.tally.frames_gated == 3
    assert not in_blur(report).any()
    assert len(report.persons) == 1


def test_without_a_gate_the_detector_is_asked_about_every_frame(every):
    assert every.tally.frames_gated == 0
    assert every.tally.faces_detected > every.tally.frames_analysed - 3


def test_where_every_frame_is_gated_nobody_is_seen(blurred):
    report = report_of(blurred, blur_gate="var=1e6")
    assert report.tally.frames_gated == report.tally.frames_analysed == 29
    assert report.persons == ()
    assert report.tally.faces_detected == 0


def test_the_next_clear_frame_is_asked_in_the_place_of_a_gated_one(blurred):
    """Of frames 0, 5, 10, ... the third is blurred, and so is the one after it."""
    report = report_of(blurred, blur_gate="var=8", detect_period=5)
    assert report.tally.frames_gated == 2
    asked = report.observations.time_s[~np.isnan(report.observations.detect_conf)]
    np.testing.assert_allclose(asked, [4.1, 4.6, 5.3, 5.6, 6.1, 6.6, 6.9], atol=0.04)


@pytest.mark.parametrize("name", ["min_sharpness", "min_frontality"])
def test_faces_not_clear_enough_are_left_out_and_counted_and_tracks_go_on(blurred, every, name):
    values = getattr(every.observations, name.removeprefix("min_"))
    least = float(np.median(values))
    report = report_of(blurred, **{name: least})
    passing = values >= least
    assert 0 < len(report.observations) == passing.sum() < len(values)
    assert report.tally.faces_filtered == (~passing).sum()
    assert report.tally.faces_described == passing.sum() == report.tally.faces_kept
    for column in ("frame", "track_id", "boxes", "embeddings"):
        left = getattr(every.observations, column)[passing]
        np.testing.assert_allclose(getattr(report.observations, column), left, atol=1e-4)


def test_a_track_keeps_its_tracked_faces_where_its_detected_ones_are_left_out(gated):
    tracked = np.arange(len(gated.observations)) % 5 > 0
    table = replace(
        gated.observations,
        detect_conf=np.where(tracked, np.nan, 0.9).astype(np.float32),
        sharpness=np.where(tracked, 0.9, 0.1).astype(np.float32),
    )
    report = summarize.summarize(gated.info, table, components=models(min_sharpness=0.5))
    assert report.observations.frame.tolist() == table.frame[tracked].tolist()
    assert report.persons[0].face_count == tracked.sum()


@pytest.mark.parametrize("name", ["min_sharpness", "min_frontality"])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_bound_of_quality_outside_0_to_1_is_refused(name, value):
    with pytest.raises(UsageError, match=f"{name}: must be 0"):
        AnalysisOptions(**{name: value})


def test_the_summary_counts_what_was_gated(tmp_path, capsys):
    path = media.video(tmp_path / "a.mp4", seconds=0.5)
    arguments = ["analyze", str(path), "-o", str(tmp_path), "--export", "csv", "--fps", "10"]
    assert main([*arguments, "--device", "cpu", "--blur-gate", "var=1e6,grid=4"]) == 0
    assert "5 of 15 frames (5 too blurred), 0 faces detected" in capsys.readouterr().out
