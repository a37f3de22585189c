"""Every component there is, found by listing, run through its stage's contract."""

import csv
import inspect
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from analyzer import registry
from analyzer.errors import MissingDependency, UsageError
from analyzer.evaluation import truth
from analyzer.inference.runtime import Runtime
from analyzer.options import AnalysisOptions
from analyzer.pipeline import components, summarize
from analyzer.types import Detections, Frame, MediaInfo
from tests.support import networks
from tests.support.media import ASTRONAUT_FACE, astronaut
from tests.support.observations import faces, observe

RUNTIME = Runtime(device="cpu")
MODELS = Path(__file__).parent.parent.parent / "shared" / "models"
WEIGHTS = {
    "retinaface": "retinaface_*.onnx",
    "scrfd": "scrfd_*.onnx",
    "ssd": "opencv_face_detector.onnx",
    "yolo": "yolo*face*.pt",
    "yunet": "yunet_*.onnx",
}
"""Detectors with weights that users bring, and their names among the models for development."""
BLIND = {"whole", "precomputed"}
"""Detectors that do not look."""
STAGES = ("decode", "detect", "track", "align", "describe", "cluster", "export")


def plugins(*stages: str) -> list[tuple[str, str]]:
    return [(stage, name) for stage in stages for name in registry.names(stage)]


def frame(image: np.ndarray, index: int = 0) -> Frame:
    return Frame(index=index, time_s=index / 25, duration_s=1 / 25, image=image)


def creator(stage: str, name: str):
    try:
        return registry.creator(stage, registry.check(stage, name))
    except MissingDependency as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(("stage", "name"), plugins(*STAGES))
def test_create_takes_keywords_and_says_what_it_is(stage, name):
    create = creator(stage, name)
    parameters = inspect.signature(create).parameters.values()
    assert all(p.kind is p.KEYWORD_ONLY for p in parameters)
    assert "runtime" in inspect.signature(create).parameters
    assert create.__doc__
    assert sys.modules[create.__module__].__doc__


@pytest.mark.parametrize("stage", STAGES)
def test_unknown_component_names_the_known(stage):
    with pytest.raises(UsageError, match=registry.names(stage)[0]):
        registry.load(stage, "nonesuch", runtime=RUNTIME)


@pytest.mark.parametrize(("stage", "name"), plugins("detect", "track", "cluster"))
def test_unknown_option_names_the_known(stage, name):
    creator(stage, name)
    with pytest.raises(UsageError, match="has no option 'nonesuch'"):
        registry.load(stage, f"{name}:nonesuch=1", runtime=RUNTIME)


def detector(name: str):
    """A detector of its own weights, or of those among the models for development."""
    spec = name
    if name in WEIGHTS:
        files = sorted(MODELS.glob(WEIGHTS[name]))
        if not files:
            pytest.skip(f"{name}: no {WEIGHTS[name]} in {MODELS}")
        spec = f"{name}:weights={files[0]}"
    try:
        return registry.load("detect", spec, runtime=RUNTIME)
    except MissingDependency as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", sorted({*registry.names("detect")} - BLIND))
class TestDetectors:
    def test_finds_the_one_face(self, name):
        image = astronaut()
        detections = detector(name).detect([image])
        assert [len(f) for f in detections] == [1]
        x1, y1, x2, y2 = detections[0].boxes[0]
        expected = ASTRONAUT_FACE[0]
        overlap = (min(x2, expected[2]) - max(x1, expected[0])) * (
            min(y2, expected[3]) - max(y1, expected[1])
        )
        union = (x2 - x1) * (y2 - y1) + 104 * 130 - overlap
        assert overlap / union > 0.6

    def test_pictures_of_a_batch_do_not_touch_each_other(self, name):
        finder = detector(name)
        image = astronaut()
        blank = np.full_like(image, 127)
        alone = finder.detect([image])[0]
        batch = finder.detect([blank, image, blank[:, ::-1]])
        assert [len(f) for f in batch] == [0, 1, 0]
        np.testing.assert_allclose(batch[1].boxes, alone.boxes, atol=0.01)

    def test_boxes_stay_inside_and_sorted_by_score(self, name):
        image = astronaut()[60:260, 200:400]
        detections = detector(name).detect([np.ascontiguousarray(image)])[0]
        assert (detections.boxes >= 0).all()
        assert (detections.boxes <= 200).all()
        assert (np.diff(detections.scores) <= 0).all()

    def test_empty_batch(self, name):
        assert detector(name).detect([]) == []


def moving(n: int, *, start: float = 0.0) -> list[np.ndarray]:
    """A textured square that moves 3 px a frame over noise."""
    rng = np.random.default_rng(1)
    background = rng.integers(0, 60, (240, 320, 3), dtype=np.uint8)
    face = rng.integers(100, 255, (40, 40, 3), dtype=np.uint8).repeat(2, 0).repeat(2, 1)[:60, :60]
    pictures = []
    for i in range(n):
        picture = background.copy()
        x = round(start + 20 + 3 * i)
        picture[80:140, x : x + 60] = face
        pictures.append(picture)
    return pictures


def leaving(box: np.ndarray) -> np.ndarray:
    """The square of `moving` in a box that may lie partly or wholly outside the picture."""
    picture = np.pad(moving(1)[0], ((0, 0), (400, 400), (0, 0)))
    face = picture[80:140, 420:480].copy()
    picture[80:140, 420:480] = picture[80:140, 520:580]
    left = int(box[0]) + 400
    picture[80:140, left : left + 60] = face
    return np.ascontiguousarray(picture[:, 400:720])


def box_at(i: int) -> np.ndarray:
    return np.array([[20 + 3 * i, 80, 80 + 3 * i, 140]], np.float32)


@pytest.mark.parametrize("name", registry.names("track"))
class TestTrackers:
    def test_one_moving_face_is_one_track(self, name):
        tracker = registry.load("track", name, runtime=RUNTIME)
        ids, fresh = [], []
        for i, image in enumerate(moving(12)):
            detections = Detections(boxes=box_at(i), scores=np.array([0.9], np.float32))
            faces = tracker.track([frame(image, i)], [detections])[0]
            ids += faces.track_id.tolist()
            fresh += np.isnan(faces.track_conf).tolist()
        assert ids == [0] * 12
        assert fresh == [True] + [False] * 11

    def test_coasts_between_detections(self, name):
        tracker = registry.load("track", name, runtime=RUNTIME)
        for i, image in enumerate(moving(12)):
            detections = Detections(boxes=box_at(i), scores=np.array([0.9], np.float32))
            faces = tracker.track([frame(image, i)], [detections if i % 3 == 0 or i < 2 else None])[
                0
            ]
            assert faces.track_id.tolist() == [0]
            assert np.isnan(faces.detect_conf[0]) == (i % 3 != 0 and i >= 2)
            np.testing.assert_allclose(faces.boxes, box_at(i), atol=4)

    @pytest.mark.parametrize("way", [-1, 1], ids=["left", "right"])
    def test_a_face_that_leaves_the_picture_leaves_no_box_without_area(self, name, way):
        """It goes out at one side, and no detection tells of it."""
        tracker = registry.load("track", name, runtime=RUNTIME)
        shown = []
        for i in range(30):
            box = np.array([130 + way * 12 * i, 80, 190 + way * 12 * i, 140], np.float32)
            image = leaving(box)
            seen = Detections(boxes=box[None], scores=np.array([0.9], np.float32))
            found = tracker.track([frame(image, i)], [seen if i < 4 else None])[0]
            sides = found.boxes[:, 2:] - found.boxes[:, :2]
            assert (sides >= 1).all(), (i, found.boxes)
            assert (found.boxes >= 0).all()
            assert (found.boxes <= [320, 240, 320, 240]).all()
            shown.append(len(found))
        assert shown[:6] == [1] * 6
        assert shown[-1] == 0

    def test_two_faces_keep_their_own_tracks(self, name):
        tracker = registry.load("track", name, runtime=RUNTIME)
        image = moving(1)[0]
        both = np.concatenate([box_at(0), box_at(40)])
        scores = np.array([0.9, 0.8], np.float32)
        first = tracker.track([frame(image, 0)], [Detections(boxes=both, scores=scores)])[0]
        turned = Detections(boxes=both[::-1].copy(), scores=scores)
        second = tracker.track([frame(image, 1)], [turned])[0]
        assert first.track_id.tolist() == second.track_id.tolist()[::-1]

    def test_nobody_is_nobody(self, name):
        tracker = registry.load("track", name, runtime=RUNTIME)
        image = moving(1)[0]
        frames = [frame(image, 0), frame(image, 1)]
        assert [len(f) for f in tracker.track(frames, [Detections.empty(), None])] == [0, 0]


@pytest.mark.parametrize("name", registry.names("align"))
class TestAligners:
    def test_chip_shows_the_face_level_and_centred(self, name):
        aligner = registry.load("align", name, runtime=RUNTIME)
        chips = aligner.align(astronaut(), ASTRONAUT_FACE, None)
        assert chips.images.shape == (1, aligner.size, aligner.size, 3)
        detector = registry.load("detect", "centerface:size=160", runtime=RUNTIME)
        detections = detector.detect([chips.images[0]])[0]
        assert len(detections) == 1
        eyes = detections.landmarks[0, :2]
        assert abs(eyes[0, 1] - eyes[1, 1]) < 0.08 * aligner.size
        assert abs(eyes[:, 0].mean() - aligner.size / 2) < 0.12 * aligner.size

    def test_blur_is_less_sharp(self, name):
        aligner = registry.load("align", name, runtime=RUNTIME)
        image = astronaut()
        small = image[::8, ::8].repeat(8, 0).repeat(8, 1)
        kernel = np.cumsum(np.cumsum(small.astype(np.int64), 0), 1)
        blurred = np.zeros_like(image)
        box = kernel[16:, 16:] - kernel[:-16, 16:] - kernel[16:, :-16] + kernel[:-16, :-16]
        blurred[8:-8, 8:-8] = box // 256
        sharp, soft = (
            aligner.align(i, ASTRONAUT_FACE, None).sharpness[0] for i in (image, blurred)
        )
        assert soft < 0.3 * sharp

    def test_no_face_no_chip(self, name):
        none = np.empty((0, 4), np.float32)
        assert (
            len(registry.load("align", name, runtime=RUNTIME).align(astronaut(), none, None)) == 0
        )


def describer(name: str, folder: Path, attributes: tuple[str, ...]):
    """A describer of its own weights, or of a small network that is written to the folder."""
    spec = name
    if name == "onnx":
        spec = f"onnx:embed={networks.embedding(folder / 'who.onnx')},spec=edgeface"
    try:
        return registry.load("describe", spec, runtime=RUNTIME, attributes=attributes)
    except MissingDependency as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("attributes", [(), ("sex",), ("sex", "age", "ethnicity")])
@pytest.mark.parametrize("name", registry.names("describe"))
def test_describer_declares_the_shapes_of_its_descriptions(name, attributes, tmp_path):
    subject = describer(name, tmp_path, attributes)
    aligner = registry.load("align", subject.aligner, runtime=RUNTIME)
    chips = aligner.align(astronaut(), ASTRONAUT_FACE, None).images
    for images in (chips, chips[:0]):
        described = subject.describe(images)
        assert described.embeddings.shape == (len(images), subject.dimensions)
        sizes = {head: raw.shape for head, raw in described.heads.items()}
        assert sizes == {head: (len(images), size) for head, size in subject.head_sizes.items()}
        assert list(described.heads) == list(subject.head_sizes)


@pytest.mark.parametrize("name", registry.names("cluster"))
class TestClusterers:
    def cluster(self, name, embeddings, apart=(), threshold=0.6):
        pairs = np.array(apart, np.int64).reshape(-1, 2)
        weights = np.ones(len(embeddings), np.float32)
        clusterer = registry.load("cluster", name, runtime=RUNTIME)
        return clusterer.cluster(embeddings, weights, pairs, threshold)

    def test_finds_the_people_without_knowing_how_many(self, name):
        embeddings, persons = truth.crowd(7, 9, spread=0.25)
        labels = self.cluster(name, embeddings)
        assert len(set(labels.tolist())) == 7
        assert len({(a, b) for a, b in zip(labels.tolist(), persons.tolist(), strict=True)}) == 7

    def test_labels_are_dense_and_repeatable(self, name):
        embeddings, _ = truth.crowd(5, 4, spread=0.3)
        labels = self.cluster(name, embeddings)
        assert sorted(set(labels.tolist())) == list(range(labels.max() + 1))
        np.testing.assert_array_equal(labels, self.cluster(name, embeddings))

    def test_tracks_on_screen_together_are_never_one_person(self, name):
        embeddings, _ = truth.crowd(1, 30, spread=0.1)
        rng = np.random.default_rng(0)
        apart = [(int(a), int(b)) for a, b in rng.integers(0, 30, (60, 2)) if a != b]
        labels = self.cluster(name, embeddings, apart)
        assert all(labels[a] != labels[b] for a, b in apart)

    def test_two_settings_with_many_tracks_each_are_one_person(self, name):
        """More tracks in each than a track has neighbours in a graph of them."""
        embeddings, _ = truth.crowd(1, 160, spread=0.05)
        embeddings[80:, 0] += 0.2
        assert set(self.cluster(name, embeddings).tolist()) == {0}

    def test_no_track_no_person(self, name):
        assert len(self.cluster(name, np.empty((0, 128), np.float32))) == 0

    def test_one_track_one_person(self, name):
        assert self.cluster(name, truth.crowd(1, 1, spread=0)[0]).tolist() == [0]


def test_options_survive_the_wire_and_keep_their_digest():
    options = AnalysisOptions(fps=5, attributes=("sex",), detector="centerface:size=960")
    again = AnalysisOptions.from_dict(options.to_dict())
    assert again == options
    assert again.digest() == options.digest()
    assert AnalysisOptions(fps=5, batch_size=1).digest() == AnalysisOptions(fps=5).digest()
    assert AnalysisOptions(fps=4).digest() != AnalysisOptions(fps=5).digest()
    assert Fraction(str(options.fps)) == 5


@pytest.mark.parametrize(
    ("values", "cure"),
    [
        ({"fps": 5, "frame_step": 2}, "not both"),
        ({"fps": 0}, "above 0"),
        ({"engine": "film"}, "choose from"),
        ({"attributes": ("beauty",)}, "choose from"),
        ({"aggregate": "max"}, "choose from weighted, mean, median, vote"),
        ({"detector": "centreface"}, "Did you mean 'centerface'"),
        ({"detector": "centerface:640"}, "name:key=value"),
        ({"start": 5, "stop": 4}, "after start"),
        ({"min_area": 0.5, "max_area": 0.1}, "min <= max"),
    ],
)
def test_wrong_options_are_refused_with_the_cure(values, cure):
    with pytest.raises(UsageError, match=cure):
        AnalysisOptions(**values)


class TestIds:
    """Numbers of tracks and persons in files run from 0 without a gap, whatever was left out."""

    # Track, frames, and the person it shows: 0 has too few faces, 2 is never clear, 3 was never
    # detected, and the last track goes on with the second.
    TRACKS = (
        (3, range(0, 2), 0),
        (7, range(1, 6), 1),
        (9, range(2, 8), 2),
        (4, range(3, 9), 3),
        (5, range(4, 9), 4),
        (12, range(9, 15), 1),
    )

    def observations(self):
        rows = sorted((n, track, person) for track, frames, person in self.TRACKS for n in frames)
        frames, track_ids, people = (list(column) for column in zip(*rows, strict=True))
        n = len(rows)
        return observe(
            track_ids,
            faces(*people),
            frames=frames,
            boxes=np.array([[200 * w, 10, 200 * w + 40, 50] for w in people], np.float32),
            detect_conf=np.where(np.array(track_ids) == 4, np.nan, 0.9).astype(np.float32),
            sharpness=np.where(np.array(people) == 2, 0.001, 0.5).astype(np.float32),
            heads={"sex": np.zeros((n, 1), np.float32), "age": np.zeros((n, 9), np.float32)},
            span_s=np.array([0, 4.0]),
        )

    @pytest.mark.parametrize("name", registry.names("cluster"))
    def test_are_dense(self, name, tmp_path):
        options = AnalysisOptions(clusterer=name, min_faces=3, min_clarity=0.045, device="cpu")
        info = MediaInfo(uri="a.mp4", kind="video", width_px=900, height_px=90,
                         frame_rate=Fraction(5), duration_s=4.0)  # fmt: skip
        models = components.load_components(options)
        report = summarize.summarize(info, self.observations(), components=models)
        tables = {}
        for exporter in ("csv", "characters"):
            path = tmp_path / exporter
            registry.load("export", exporter, runtime=RUNTIME).write(report, path, None)
            with path.open(newline="", encoding="utf-8") as file:
                tables[exporter] = list(csv.DictReader(file))
        tracks = {int(row["face_id"]) for row in tables["csv"]}
        persons = {int(row["person_id"]) for row in tables["csv"] if row["person_id"]}
        assert tracks == {0, 1, 2, 3}
        assert persons == {0, 1}
        *known, rest = tables["characters"]
        assert {int(row["person_id"]) for row in known} == persons
        assert (rest["person_id"], rest["name"]) == ("", "unidentified faces")
        counts = [int(row["face_count"]) for row in tables["characters"]]
        assert sum(counts) == len(tables["csv"])
