"""The whole analysis on a video with known truth."""

import dataclasses
import json

import numpy as np
import pytest

from analyzer.errors import InputError
from analyzer.imaging import boxes
from analyzer.options import AnalysisOptions
from analyzer.pipeline import components, stills
from tests.support import media
from tests.support.analysis import analyze, in_shards
from tools import film_clocks


@pytest.fixture(scope="module")
def models():
    return components.load_components(AnalysisOptions(fps=5, device="cpu"))


@pytest.fixture(scope="module")
def truth(sample):
    return json.loads((sample / "sample.truth.json").read_text())


@pytest.fixture(scope="module")
def report(sample, models):
    return analyze(str(sample / "sample.mp4"), components=models)


def test_two_persons_with_their_screen_times(report, truth):
    true_times = sorted((p["screen_time_s"] for p in truth["people"].values()), reverse=True)
    assert [p.screen_time_s for p in report.persons] == pytest.approx(true_times, abs=0.3)


def test_a_sure_label_is_right_and_an_unsure_one_can_be_left_empty(sample, report):
    """Both are women; one, old and in uniform, is near the network's boundary."""
    assert report.persons[0].attributes["sex"].label == "f"
    options = AnalysisOptions(fps=5, device="cpu", min_label_accuracy=0.97)
    strict = analyze(str(sample / "sample.mp4"), components=components.load_components(options))
    assert [p.attributes["sex"].label for p in strict.persons] in (["f", "f"], ["f", ""])


def owner(report, truth, row):
    """Which person of the truth the row's box is on."""
    table, at = report.observations, str(report.observations.frame[row])
    places = {n: p["boxes"][at] for n, p in truth["people"].items() if at in p["boxes"]}
    overlaps = {
        name: boxes.iou(table.boxes[row : row + 1], np.array([box], np.float32))[0, 0]
        for name, box in places.items()
    }
    return max(overlaps.items(), key=lambda pair: pair[1])


def test_every_box_is_on_a_face_and_every_person_is_one_face(report, truth):
    owners = [owner(report, truth, row) for row in range(len(report.observations))]
    assert min(overlap for _, overlap in owners) > 0.45
    pairs = set(zip((name for name, _ in owners), report.row_persons().tolist(), strict=True))
    assert len(pairs) == 2


def test_every_face_of_the_truth_is_found(report, truth):
    sampled = {str(f) for f in report.observations.frame.tolist()}
    shown = sum(len(sampled & p["boxes"].keys()) for p in truth["people"].values())
    assert len(report.observations) == shown


@pytest.mark.parametrize("factor", [0.8, 1.6, 2.0])
def test_an_expanded_box_is_the_networks_alone(sample, report, factor):
    """The faces, their areas and sizes, and what is left out by them, are as without."""
    most = max(p.mean_area_ratio for p in report.persons) * 1.5
    options = AnalysisOptions(fps=5, device="cpu", bbox_expand=factor, max_area=most)
    expanded = analyze(str(sample / "sample.mp4"), components=components.load_components(options))
    now, before = expanded.observations, report.observations
    for name in ("frame", "boxes", "detect_conf", "track_conf", "face_px"):
        np.testing.assert_array_equal(getattr(now, name), getattr(before, name), err_msg=name)
    assert not np.array_equal(now.embeddings, before.embeddings)
    sizes, expected = (
        [(p.face_count, p.face_count * p.mean_area_ratio) for p in each.persons]
        for each in (expanded, report)
    )
    assert np.sum(sizes, 0) == pytest.approx(np.sum(expected, 0))
    if factor < 2:  # in boxes of twice the size, landmarks are guesses: a person may be two
        assert sizes == expected


def test_a_picture_is_described_as_a_film_is(sample, tmp_path, report):
    """Of portraits and posters the same part is seen as of the film's faces."""
    still = tmp_path / "still.png"
    media.ffmpeg("-i", sample / "sample.mp4", "-frames:v", "1", still)
    plain, wide = (
        stills.describe_still(
            str(still),
            components.load_components(
                AnalysisOptions(device="cpu", engine="image", bbox_expand=factor)
            ),
        )
        for factor in (1, 1.6)
    )
    np.testing.assert_array_equal(wide.detections.boxes, plain.detections.boxes)
    np.testing.assert_array_equal(wide.chips.face_px, plain.chips.face_px)
    assert not np.array_equal(wide.chips.images, plain.chips.images)


def assert_faces_add_up(report):
    tally = report.tally
    assert tally.faces_saved == len(report.observations)
    faces = tally.faces_detected + tally.faces_tracked
    assert faces == tally.faces_filtered + tally.faces_saved


def test_counts_add_up(report, truth):
    tally = report.tally
    assert tally.frames_decoded == truth["frames"]
    assert tally.faces_detected == tally.faces_described == tally.faces_kept
    assert tally.faces_kept == sum(p.face_count for p in report.persons)
    assert_faces_add_up(report)
    assert set(report.identities.track_ids) == set(report.observations.track_id)


def test_batch_size_changes_nothing(sample, report):
    small = AnalysisOptions(fps=5, device="cpu", batch_size=1)
    again = analyze(
        str(sample / "sample.mp4"), components=components.load_components(small, threads=1)
    )
    np.testing.assert_array_equal(again.observations.frame, report.observations.frame)
    np.testing.assert_array_equal(again.observations.track_id, report.observations.track_id)
    np.testing.assert_allclose(again.observations.boxes, report.observations.boxes, atol=0.01)
    embeddings = report.observations.embeddings
    np.testing.assert_allclose(again.observations.embeddings, embeddings, atol=1e-4)


def test_tracking_between_detections_finds_the_same_persons(sample, truth):
    options = AnalysisOptions(fps=10, detect_period=3, device="cpu")
    report = analyze(str(sample / "sample.mp4"), components=components.load_components(options))
    assert np.isnan(report.observations.detect_conf).any()
    assert report.tally.faces_tracked == np.isnan(report.observations.detect_conf).sum()
    assert_faces_add_up(report)
    true_times = sorted((p["screen_time_s"] for p in truth["people"].values()), reverse=True)
    got = [p.screen_time_s for p in report.persons]
    assert got[:2] == pytest.approx(true_times, abs=0.5)
    assert sum(got[2:]) < 0.5


def test_faint_detections_carry_on_tracks_and_are_not_described(sample, report):
    limit = float(np.median(report.observations.detect_conf))

    def at(engine):
        detector = f"centerface:confidence={limit},faint=0.3"
        options = AnalysisOptions(fps=5, device="cpu", engine=engine, detector=detector)
        return analyze(str(sample / "sample.mp4"), components=components.load_components(options))

    tracked, alone = at("videotracking"), at("video")
    for one in (tracked, alone):
        assert_faces_add_up(one)
    assert (alone.observations.detect_conf > limit).all()
    faint = np.nonzero(tracked.observations.detect_conf <= limit)[0]
    assert len(tracked.observations) - len(faint) == len(alone.observations)
    assert len(faint) > 3
    assert not np.isin(faint, tracked.observations.embedding_rows).any()
    assert (tracked.row_persons()[faint] >= 0).all()


@pytest.mark.parametrize("name", ["min_face_px", "min_area"])
def test_filters_leave_faces_out_and_count_them(name, sample, report):
    tight = AnalysisOptions(
        fps=5, device="cpu", **{name: 1000.0 if name == "min_face_px" else 0.99}
    )
    none = analyze(str(sample / "sample.mp4"), components=components.load_components(tight))
    assert len(none.observations) == 0
    assert none.persons == ()
    assert_faces_add_up(none)
    assert none.tally.faces_filtered == none.tally.faces_detected == report.tally.faces_detected


def test_persons_with_few_faces_are_left_out_and_counted(sample, report):
    few = min(p.face_count for p in report.persons)
    options = AnalysisOptions(fps=5, device="cpu", min_faces=few + 1)
    got = analyze(str(sample / "sample.mp4"), components=components.load_components(options))
    assert len(got.persons) == got.tally.persons_dropped == 1
    assert len(got.observations) == len(report.observations)
    assert got.tally.faces_kept == len(report.observations) - few


def test_shots_are_the_truths_to_the_frame(report, truth):
    true_shots = [[shot["start_s"], shot["end_s"]] for shot in truth["shots"]]
    np.testing.assert_allclose(report.shots, true_shots, atol=1e-3)


def test_no_sample_stands_for_two_shots_and_presence_is_exact(report, truth):
    for person in report.persons:
        edges = np.array(person.intervals).ravel()
        assert np.isin(np.round(edges, 3), np.round(report.shots, 3)).all()
        assert person.screen_time_s == pytest.approx(sum(b - a for a, b in person.intervals))
    true_times = sorted((p["screen_time_s"] for p in truth["people"].values()), reverse=True)
    assert [p.screen_time_s for p in report.persons] == pytest.approx(true_times, abs=1e-3)


def test_a_range_is_part_of_the_whole(sample, report):
    part = AnalysisOptions(fps=5, device="cpu", start=5, stop=9)
    got = analyze(str(sample / "sample.mp4"), components=components.load_components(part))
    table = report.observations
    inside = (table.time_s >= 5) & (table.time_s < 9)
    assert set(table.frame[inside]) <= set(got.observations.frame)
    assert got.observations.time_s.min() >= 5
    assert (got.observations.time_s + got.observations.duration_s).max() <= 9 + 1e-9


def test_a_range_behind_the_end_is_an_input_error(tmp_path, models):
    path = media.video(tmp_path / "a.mp4", seconds=0.5)
    late = dataclasses.replace(models.options, start=60)
    with pytest.raises(InputError, match="--start"):
        analyze(str(path), components=components.load_components(late))


def test_a_video_without_faces_gives_an_empty_report(tmp_path, models):
    report = analyze(str(media.video(tmp_path / "a.mp4")), components=models)
    assert len(report.observations) == 0
    assert report.persons == ()
    assert report.tally.frames_analysed == 10


def test_progress_reaches_the_end(tmp_path, models):
    steps = []
    path = media.video(tmp_path / "a.mp4", seconds=5)
    analyze(str(path), components=models, progress=steps.append)
    observed = [s for s in steps if s.stage == "observe"]
    assert [s.done for s in observed] == sorted(s.done for s in observed)
    assert observed[-1].done == pytest.approx(5, abs=0.1)
    assert steps[-1].stage == "summarize"


def test_key_frames_alone_give_the_same_persons(sample, truth):
    options = AnalysisOptions(engine="videokeyframes", device="cpu")
    report = analyze(str(sample / "sample.mp4"), components=components.load_components(options))
    assert report.tally.frames_decoded == report.tally.frames_analysed < truth["frames"] / 5
    assert len(report.persons) == len(truth["people"])
    for row in range(len(report.observations)):
        assert owner(report, truth, row)[1] > 0.45


@pytest.mark.parametrize("name", ["joined.flv", "live.flv", "h264.avi"])
def test_a_mended_clock_is_in_the_notes_and_is_no_damage(name, models, tmp_path):
    (film,) = (film for film in film_clocks.FILMS if film.name == name)
    path = tmp_path / name
    film.make(path)
    whole = analyze(str(path), components=models)
    (note,) = whole.notes
    assert note.startswith(film.notes)
    assert whole.partial == ""
    shards = in_shards(path, 3, models, tmp_path)
    assert (shards.notes, shards.tally) == (whole.notes, whole.tally)
