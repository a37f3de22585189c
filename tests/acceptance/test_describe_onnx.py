"""A small network of 512 numbers a face in place of the default one, on real media."""

from pathlib import Path

import numpy as np
import pytest

from analyzer.evaluation import truth
from analyzer.gallery.poster import POSTER_FACTOR
from analyzer.options import AnalysisOptions
from analyzer.pipeline import components, stills
from analyzer.pipeline.components import Components
from analyzer.types import F32, MediaReport
from tests.support.analysis import analyze

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]
LABELS = truth.of_video(Path(__file__).parent / "labels" / "short_hamilton_clip.csv")


def load(shared: Path, **options: object) -> Components:
    """The pipeline with that network."""
    path = shared / "models" / "edgeface_xxs_512.onnx"
    if not path.is_file():
        pytest.skip(f"{path} is missing")
    return components.load_components(AnalysisOptions(describer=f"onnx:embed={path}", **options))


@pytest.fixture(scope="module", params=["centerface", "yunet"])
def clip(shared: Path, request: pytest.FixtureRequest) -> MediaReport:
    path = shared / "media" / "video" / "short_hamilton_clip.mp4"
    detector = request.param
    if detector == "yunet":
        detector += f":weights={shared / 'models' / 'yunet_2026may.onnx'}"
    return analyze(str(path), components=load(shared, fps=5, detector=detector))


def test_the_main_man_is_one_person_and_nobody_else_is(clip: MediaReport) -> None:
    rows = LABELS.rows(clip.observations)
    persons = np.where(rows >= 0, clip.row_persons()[rows], -1)
    main = np.array(LABELS.persons) == "performer"
    (person,) = set(persons[main].tolist())
    assert person >= 0
    assert person not in persons[~main]
    assert clip.observations.embeddings.shape[1] == 512


def test_attributes_that_nobody_makes_are_empty(clip: MediaReport) -> None:
    assert clip.persons
    assert {p.attributes[head].label for p in clip.persons for head in ("sex", "age")} == {""}


def portraits(models: Components, folder: Path) -> tuple[F32, list[str]]:
    """An embedding of the face in the middle of each picture, and its name."""
    rows, names = [], []
    for path in sorted(folder.glob("*/*.jpg")):
        still = stills.describe_still(str(path), models)
        centres = (still.detections.boxes[:, :2] + still.detections.boxes[:, 2:]) / 2
        middle = np.array(still.image.shape[1::-1]) / 2
        rows.append(still.descriptions.embeddings[np.abs(centres - middle).sum(1).argmin()])
        names.append(path.parent.name)
    return np.stack(rows), names


def test_pairs_of_portraits_are_told_apart(shared: Path) -> None:
    models = load(shared)
    embeddings, names = portraits(models, shared / "media" / "images" / "lfw_subset")
    first, second = np.triu_indices(len(names), 1)
    same = np.array(names)[first] == np.array(names)[second]
    near = np.linalg.norm(embeddings[first] - embeddings[second], axis=1)
    shares = [((near < limit) == same).mean() for limit in np.linspace(0.5, 1.5, 101)]
    limit = POSTER_FACTOR * models.describer.threshold  # of two pictures
    mistaken = (near[~same] < limit).mean()
    print(f"{len(same)} pairs: {max(shares):.2%} told apart at best; {mistaken:.2%} of the "
          f"different ones are nearer than {limit:.2f}, and "
          f"{((near < limit) == same).mean():.2%} told apart there")  # fmt: skip
    assert len(names) == 100
    assert max(shares) >= 0.99
    assert ((near < limit) == same).mean() >= 0.99
    assert mistaken == 0
