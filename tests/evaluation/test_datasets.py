import csv
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from analyzer.errors import InputError
from analyzer.evaluation.datasets import fairface
from tests.support import media

ROWS = [
    ("train/1.png", "0-2", "Female", "White"),
    ("train/2.png", "more than 70", "Male", "Middle Eastern"),
    ("train/3.png", "70+", "Male", "Southeast Asian"),
    ("val/1.png", "20-29", "Female", "Latino_Hispanic"),
]


def png(file: str, side: int = 150) -> bytes:
    """A picture that tells its file by its red, green and blue."""
    colour = (int(file[-5]), 100, 200)
    image = np.full((side, side, 3), colour[::-1], np.uint8)
    return cv2.imencode(".png", image)[1].tobytes()


def write_labels(path: Path, rows=ROWS, header=("file", "age", "gender", "race")) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture
def folder(tmp_path) -> Path:
    write_labels(tmp_path / "labels.csv")
    for file, *_ in ROWS:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_bytes(png(file))
    return tmp_path


def test_labels_and_chips_of_a_split(folder):
    dataset = fairface.create(folder=folder, split="train")
    assert len(dataset) == 3
    assert dataset.labels["sex"].tolist() == [0, 1, 1]
    assert dataset.labels["age"].tolist() == [0, 8, 8]
    assert dataset.labels["ethnicity"].tolist() == [0, 6, 4]
    chips = dataset.chips(1, 9)
    assert chips.shape == (2, 150, 150, 3)
    assert chips[:, 7, 7].tolist() == [[2, 100, 200], [3, 100, 200]]
    assert dataset.chips(3, 9).shape == (0, 150, 150, 3)


def test_published_names_zip_files_and_sizes(folder, tmp_path):
    zipped = tmp_path / "zipped"
    zipped.mkdir()
    write_labels(zipped / "fairface_label_val.csv", ROWS[3:])
    with zipfile.ZipFile(zipped / "fairface-img.zip", "w") as archive:
        archive.writestr("val/1.png", png("val/1.png", 224))
    dataset = fairface.create(folder=zipped, split="val")
    plain = fairface.create(folder=folder, split="val")
    np.testing.assert_array_equal(dataset.chips(0, 1), plain.chips(0, 1))


def test_digest_depends_on_the_data_and_not_on_the_layout(folder, tmp_path):
    digest = fairface.create(folder=folder, split="train").digest
    zipped = tmp_path / "zipped"
    zipped.mkdir()
    write_labels(zipped / "labels.csv")
    with zipfile.ZipFile(zipped / "all.zip", "w") as archive:
        for file, *_ in ROWS:
            archive.writestr(file, png(file))
    assert fairface.create(folder=zipped, split="train").digest == digest
    (folder / "train" / "2.png").write_bytes(png("train/3.png"))
    assert fairface.create(folder=folder, split="train").digest != digest


def test_missing_labels_say_where_to_get_them(tmp_path):
    with pytest.raises(InputError, match=r"fairface_label_train\.csv.*joojs/fairface"):
        fairface.create(folder=tmp_path, split="train")


@pytest.mark.parametrize(
    ("rows", "header", "message"),
    [
        (ROWS, ("file", "age", "sex", "race"), "no column gender"),
        ([*ROWS[:1], ("train/9.png", "18", "Male", "White")], None, "line 3: age '18'"),
        (ROWS[3:], None, "no picture of the split 'train'"),
        ([("train/9.png", "20-29", "Male", "White")], None, r"train/9\.png: No such file"),
    ],
)
def test_wrong_labels_are_refused(folder, rows, header, message):
    write_labels(folder / "labels.csv", rows, header or ("file", "age", "gender", "race"))
    with pytest.raises(InputError, match=message):
        fairface.create(folder=folder, split="train")


def test_broken_pictures_are_named(folder):
    (folder / "train" / "2.png").write_bytes(b"no picture")
    dataset = fairface.create(folder=folder, split="train")
    with pytest.raises(InputError, match=r"train/2\.png: not a picture"):
        dataset.chips(0, 3)


def test_a_picture_that_would_fill_the_memory_is_refused(folder):
    """20,000 x 20,000 pixels in 48 kB: by its header, in a process that has not loaded OpenCV."""
    (folder / "val" / "1.png").write_bytes(media.black_png(20000, 20000))
    code = (
        "import sys, pathlib; from analyzer.evaluation.datasets import fairface; "
        "from analyzer.errors import InputError\n"
        "data = fairface.create(folder=pathlib.Path(sys.argv[1]), split='val')\n"
        "try: data.chips(0, 1)\n"
        "except InputError as e: print(e)\n" + media.PRINT_PEAK
    )
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True)
    assert time.monotonic() - started < 10
    message, _, peak = done.stdout.strip().rpartition("\n")
    assert "1.png: refused by OpenCV: " in message
    assert int(peak) < 200_000  # KiB; the pixels alone are 1.2 GB
