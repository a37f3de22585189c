import numpy as np
import pytest

from analyzer.errors import InputError
from analyzer.evaluation.datasets import fairface
from tests.support.processes import ROOT

FILE = ROOT / "analyzer" / "evaluation" / "datasets" / "fairface_reviews.csv"
HEADER = "file,attribute,label,rater_a,rater_b,reason\n"


@pytest.fixture
def dataset(tmp_path, monkeypatch):
    """Six pictures that look like nothing, and how to review them."""
    labels = "".join(f"val/{i}.webp,20-29,{sex},White\n" for i, sex in enumerate(["Female"] * 6))
    (tmp_path / "labels.csv").write_text("file,age,gender,race\n" + labels)
    (tmp_path / "val").mkdir()
    for i in range(6):
        (tmp_path / "val" / f"{i}.webp").write_bytes(b"")

    def reviewed(rows: str):
        path = tmp_path / "reviews.csv"
        path.write_text(HEADER + rows)
        monkeypatch.setattr(fairface, "_REVIEWS", path)
        return fairface.create(folder=tmp_path, split="val")

    return reviewed


def test_labels_count_as_both_raters_saw_them(dataset):
    rows = (
        "val/0,sex,f,m,m,both see a man\n"
        "val/1,sex,f,m,f,they differ\n"
        "val/2,sex,f,unclear,unclear,a toy\n"
        "val/3,sex,f,m,unclear,one cannot tell\n"
        "val/4,sex,m,f,f,another picture of that name\n"
        "val/9,sex,f,m,m,not there\n"
    )
    labels = dataset(rows)
    assert labels.labels["sex"].tolist() == [0] * 6
    assert labels.reviewed["corrected"].tolist() == [1, 0, 0, 0, 0, 0]
    assert labels.reviewed["cleaned"].tolist() == [1, 0, -1, 0, 0, 0]


@pytest.mark.parametrize("row", ["val/0,age,f,m,m,", "val/0,sex,2,m,m,", "val/0,sex,f,m,x,"])
def test_what_cannot_be_read_is_refused(row, dataset):
    with pytest.raises(InputError, match="line 2: attribute is sex"):
        dataset(row + "\n")


def test_every_review_that_ships_changes_a_label_and_has_a_reason():
    lines = FILE.read_text(encoding="utf-8").splitlines()
    assert lines[0] + "\n" == HEADER
    rows = [line.split(",") for line in lines[1:]]
    assert len(rows) == len({file for file, *_ in rows}) > 0
    for _, _, label, first, second, reason in rows:
        assert first == second != label
        assert reason


def test_other_splits_have_no_reviews(dataset, tmp_path):
    dataset("val/0,sex,f,m,m,\n")
    (tmp_path / "labels.csv").write_text("file,age,gender,race\ntrain/0.webp,20-29,Male,White\n")
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "0.webp").write_bytes(b"")
    train = fairface.create(folder=tmp_path, split="train")
    assert train.reviewed == {}
    np.testing.assert_array_equal(train.labels["sex"], [1])
