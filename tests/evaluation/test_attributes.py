import json

import numpy as np
import pytest

from analyzer import registry
from analyzer.__main__ import main
from analyzer.evaluation import attributes
from analyzer.inference.runtime import Runtime
from analyzer.training import _calibrate
from tests.support.observations import TABLES, WholePicture, sure_of, views


class Knows:
    """A describer that reads the classes from the pixels."""

    def describe(self, images):
        return sure_of(images[:, 0, 0].astype(int))


class Painted:
    """A dataset with the classes in its pixels."""

    digest = ""

    def __init__(self, n):
        rng = np.random.default_rng(0)
        sizes = {"sex": 2, "age": 9, "ethnicity": 7}
        self.labels = {name: rng.integers(0, size, n) for name, size in sizes.items()}

    def __len__(self):
        return len(self.labels["sex"])

    def chips(self, start, stop):
        classes = np.stack(list(self.labels.values()), axis=1)[start:stop]
        return np.broadcast_to(classes[:, None, None].astype(np.uint8), (len(classes), 150, 150, 3))


def predictions(n: int, progress=lambda _: None) -> list[attributes.Predictions]:
    return attributes.predict(
        Knows(), WholePicture(), Painted(n), sizes_px=(150, 20), progress=progress
    )


def test_who_knows_all_scores_all():
    steps = []
    report = attributes.report(predictions(600, steps.append), TABLES)
    assert report["count"] == 600
    assert [step.done for step in steps] == [512, 600]
    for figures in report["sizes"].values():
        overall = figures["overall"]
        for name in ("sex_accuracy", "age_accuracy", "age_one_off", "ethnicity_accuracy"):
            assert overall[name]["value"] == 1
            assert overall[name]["low"] > 0.99
        assert overall["age_mae_years"]["value"] < 4
        assert np.trace(figures["confusion"]["age"]) == 600
        assert sum(cell["count"] for cell in figures["cells"]) == 600
        groups = figures["groups"]["ethnicity"]
        assert sum(group["count"] for group in groups.values()) == 600
    json.dumps(report)


def test_errors_are_counted_and_unlabelled_pictures_are_not():
    (right, _) = predictions(400)
    wrong = {
        "sex": np.where(np.arange(400) < 100, 1 - right.labels["sex"], right.labels["sex"]),
        "age": np.full(400, 8),
        "ethnicity": np.where(np.arange(400) < 200, -1, right.labels["ethnicity"]),
    }
    altered = attributes.Predictions(size_px=150, raw=right.raw, labels=wrong, views=right.views)
    figures = attributes.report([altered], TABLES)["sizes"]["150"]
    overall = figures["overall"]
    assert overall["sex_accuracy"]["value"] == 0.75
    assert overall["sex_accuracy"]["low"] < 0.75 < overall["sex_accuracy"]["high"]
    share = (right.labels["age"] == 8).mean()
    assert overall["age_accuracy"]["value"] == pytest.approx(share)
    assert overall["age_rmse_years"]["value"] > overall["age_mae_years"]["value"] > 20
    assert overall["ethnicity_accuracy"]["value"] == 1
    assert np.sum(figures["confusion"]["ethnicity"]) == 200
    assert figures["groups"]["age"]["0-2"]["sex_accuracy"] is None


def test_an_interval_holds_the_share_of_the_bin_that_it_covers():
    low, high = np.array([20.0, 25, 40, 0]), np.array([30.0, 35, 50, 100])
    held = attributes.held(low, high, np.array([3, 3, 3, 8]))
    np.testing.assert_allclose(held, [1, 0.5, 0, 1])


def noisy(n: int, noise: float, size_px: int) -> attributes.Predictions:
    """Predictions with errors, independent of each other."""
    rng = np.random.default_rng(n)
    labels = Painted(n).labels
    raw = {
        "sex": 6.0 * (labels["sex"][:, None] - 0.5),
        "age": 20 * np.eye(9)[labels["age"]],
        "ethnicity": 9 * np.eye(7)[labels["ethnicity"]],
    }
    return attributes.Predictions(
        size_px=size_px,
        raw={k: (v + rng.normal(0, noise, v.shape)).astype(np.float32) for k, v in raw.items()},
        labels=labels,
        views=views(*[size_px] * n),
    )


def test_calibrated_tables_keep_what_they_promise():
    tables = _calibrate.calibrate([noisy(4000, 2.5, 150), noisy(4001, 4, 20)])
    figures = attributes.report([noisy(4002, 2.5, 150)], tables)["sizes"]["150"]
    assert figures["overall"]["age_held"]["value"] == pytest.approx(0.8, abs=0.02)
    for step in figures["abstention"]["sex"]:
        if step["right"]:
            assert step["right"]["value"] >= step["asked"] - 0.005
    for bins in figures["reliability"]["sex"]:
        assert bins["confidence"] == pytest.approx(bins["accuracy"], abs=0.06)


def test_the_page_shows_every_part():
    pytest.importorskip("jinja2")
    report = attributes.report(predictions(300), TABLES)
    text = registry.module("pages", "attributes").create().render(report)
    for heading in ("By face size", "Confusion", "Reliability", "Abstention"):
        assert heading in text
    assert "http" not in text.replace("http-equiv", "")
    without = attributes.report(predictions(300), None)
    assert "Abstention" not in registry.module("pages", "attributes").create().render(without)


def test_command_writes_figures_and_page(shared, tmp_path, capsys, monkeypatch):
    pytest.importorskip("jinja2")
    folder = shared / "data" / "fairface"
    if not folder.is_dir():
        pytest.skip(f"{folder} is missing")
    monkeypatch.setenv("COLUMNS", "200")
    data = tmp_path / "data"
    data.mkdir()
    lines = (folder / "labels.csv").read_text(encoding="utf-8").splitlines()
    few = [lines[0], *[line for line in lines if line.startswith("val/")][:100]]
    (data / "labels.csv").write_text("\n".join(few), encoding="utf-8")
    (data / "val.zip").symlink_to(folder / "val.zip")
    files = {name: tmp_path / f"figures.{name}" for name in ("json", "html")}
    arguments = ["evaluate", "attributes", "--data", str(data), "--device", "cpu"]
    arguments += ["--disturbances", "cap, top 10 %"]
    assert main([*arguments, *(f"--{name}={path}" for name, path in files.items())]) == 0
    shown = capsys.readouterr().out
    assert all(
        text in shown for text in ("20 px", "adults, 20+", "cap, top 10 %", "corrected: all")
    )
    figures = json.loads(files["json"].read_text(encoding="utf-8"))
    assert figures["sizes"]["150"]["overall"]["sex_accuracy"]["value"] > 0.8
    assert len(figures["models"]) == 2
    assert "<svg" in files["html"].read_text(encoding="utf-8")


def test_utkface_is_read_from_its_names(tmp_path):
    image = pytest.importorskip("PIL.Image")
    names = ("1_0_0_x.jpg", "35_1_2_x.jpg", "70_1_3_x.jpg", "no_label.jpg", "20_0_x.jpg")
    for name in names:
        image.new("RGB", (200, 200), "grey").save(tmp_path / name)
    aligner = registry.load("align", "chip", runtime=Runtime(device="cpu"))
    create = registry.module("datasets", "utkface").create
    dataset = create(folder=tmp_path, split="", aligner=aligner)
    assert len(dataset) == 3
    assert {head: classes.tolist() for head, classes in dataset.labels.items()} == {
        "sex": [1, 0, 0],
        "age": [0, 4, 8],
        "ethnicity": [0, -1, 5],
    }
    assert dataset.chips(1, 3).shape == (2, 150, 150, 3)
    with pytest.raises(Exception, match="AGE_SEX_RACE"):
        create(folder=tmp_path / "none", split="", aligner=aligner)
