import json

import numpy as np
import pytest

from analyzer import evaluate
from analyzer.__main__ import main
from analyzer.types import Descriptions


class Knows:
    """A describer that reads the classes from the pixels."""

    def describe(self, images):
        classes = images[:, 0, 0].astype(int)
        heads = {
            "sex": (classes[:, :1] - 0.5).astype(np.float32),
            "age": 20 * np.eye(9, dtype=np.float32)[classes[:, 1]],
            "ethnicity": np.eye(7, dtype=np.float32)[classes[:, 2]],
        }
        return Descriptions(embeddings=np.zeros((len(images), 1), np.float32), heads=heads)


class Painted:
    """A dataset whose pixels hold the classes."""

    digest = ""

    def __init__(self, n):
        rng = np.random.default_rng(0)
        sizes = {"sex": 2, "age": 9, "ethnicity": 7}
        self.labels = {name: rng.integers(0, size, n) for name, size in sizes.items()}

    def __len__(self):
        return len(self.labels["sex"])

    def chips(self, start, stop):
        classes = np.stack(list(self.labels.values()), axis=1)[start:stop]
        return np.broadcast_to(classes[:, None, None].astype(np.uint8), (len(classes), 2, 2, 3))


def test_who_knows_all_scores_all():
    told = []
    scores = evaluate.evaluate(Knows(), Painted(1100), progress=told.append)
    assert scores.count == 1100
    assert (scores.sex_accuracy, scores.age_accuracy, scores.ethnicity_accuracy) == (1, 1, 1)
    assert scores.age_mae_years < 2
    assert [step.done for step in told] == [512, 1024, 1100]


def test_errors_are_counted():
    dataset = Painted(400)
    raw = Knows().describe(dataset.chips(0, 400)).heads
    wrong = {
        "sex": np.where(np.arange(400) < 100, 1 - dataset.labels["sex"], dataset.labels["sex"]),
        "age": np.full(400, 8),
        "ethnicity": dataset.labels["ethnicity"],
    }
    scores = evaluate.score(raw, wrong)
    assert scores.sex_accuracy == 0.75
    assert scores.age_accuracy == pytest.approx((dataset.labels["age"] == 8).mean())
    assert scores.age_mae_years > 20


def test_command_writes_figures(shared, tmp_path, capsys):
    folder = shared / "data" / "fairface"
    if not folder.is_dir():
        pytest.skip(f"{folder} is missing")
    file = tmp_path / "figures.json"
    data = tmp_path / "data"
    data.mkdir()
    lines = (folder / "labels.csv").read_text(encoding="utf-8").splitlines()
    few = [lines[0], *[line for line in lines if line.startswith("val/")][:300]]
    (data / "labels.csv").write_text("\n".join(few), encoding="utf-8")
    (data / "val.zip").symlink_to(folder / "val.zip")
    arguments = ["evaluate", "attributes", "--data", str(data), "--json", str(file)]
    assert main([*arguments, "--device", "cpu"]) == 0
    assert "300 pictures" in capsys.readouterr().out
    figures = json.loads(file.read_text(encoding="utf-8"))
    assert figures["count"] == 300
    assert figures["sex_accuracy"] > 0.85
    assert figures["age_accuracy"] > 0.5
    assert len(figures["models"]) == 2
