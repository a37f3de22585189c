"""Stills: one, many, broken, turned, huge."""

import shutil
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from analyzer.__main__ import main
from analyzer.errors import InputError
from analyzer.inference.runtime import Runtime
from analyzer.stages.decode import images
from analyzer.workflows import inputs


def frames(path):
    with images.create(runtime=Runtime()).open(path) as medium:
        return medium.info, list(medium.frames()), medium


def picture(path, *, turned: int = 1):
    """White above, black below, for the viewer."""
    pixels = np.zeros((60, 40, 3), np.uint8)
    pixels[:30] = 255
    stored = pixels if turned == 1 else np.rot90(pixels, 1)
    exif = Image.Exif()
    exif[0x0112] = turned
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif)
    return str(path)


@pytest.mark.parametrize("turned", [1, 6])
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_pictures_are_upright(turned, suffix, tmp_path):
    path = picture(tmp_path / f"a.{suffix}", turned=turned)
    _, pictures, _ = frames(path)
    assert pictures[0].image.shape == (60, 40, 3)
    assert pictures[0].image[:25].mean() > 240
    assert pictures[0].image[35:].mean() < 15


def test_a_folder_is_one_medium_in_order_of_name(tmp_path):
    for name in ("b.png", "a.png", "c.txt"):
        picture(tmp_path / name) if name.endswith("png") else (tmp_path / name).touch()
    info, pictures, _ = frames(str(tmp_path))
    assert [path.rsplit("/", 1)[1] for path in info.stills] == ["a.png", "b.png"]
    assert [f.index for f in pictures] == [0, 1]
    assert all(f.cut for f in pictures)


def test_a_broken_picture_among_others_is_counted_and_left_out(tmp_path):
    good = picture(tmp_path / "a.png")
    broken = tmp_path / "b.png"
    broken.write_bytes((tmp_path / "a.png").read_bytes()[:50])
    _, pictures, medium = frames([good, str(broken), good])
    assert [f.index for f in pictures] == [0, 2]
    assert (medium.frames_decoded, medium.damaged) == (2, 1)


def bomb(path):
    """A PNG of 48 kB that would fill 1.2 GB."""
    side = 20_000

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(b"\0" * (side // 8 + 1)) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", rows), chunk(b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


BAD = {
    "missing": (lambda path: None, "No such file"),
    "empty": (lambda path: path.touch(), "empty"),
    "text": (lambda path: path.write_text("not a picture\n" * 9), "not a picture"),
    "no pictures": (lambda path: path.mkdir(), "no picture in this folder"),
    "bomb": (bomb, "larger than|not a picture"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_pictures_are_refused(name, tmp_path):
    make, reason = BAD[name]
    path = tmp_path / "bad.png"
    make(path)
    with pytest.raises(InputError, match=reason):
        frames(str(path))


def test_stills_of_a_job_become_one_table(tmp_path):
    data = pytest.importorskip("skimage.data")
    folder = tmp_path / "stills"
    folder.mkdir()
    Image.fromarray(data.astronaut()).save(folder / "astronaut.png")
    shutil.copy(folder / "astronaut.png", folder / "again.png")
    picture(folder / "nobody.png")
    out = tmp_path / "out"
    assert main(["analyze", str(folder), "-o", str(out), "--engine", "image"]) == 0
    lines = (out / "stills.csv").read_text().splitlines()
    assert lines[0].startswith("frame,bbox,detect_conf,sex_decfunc")
    assert [line.split(",")[0].rsplit("/", 1)[1] for line in lines[1:]] == [
        "again.png",
        "astronaut.png",
    ]
    characters = (out / "stills.characters.csv").read_text().splitlines()
    assert len(characters) == 2


class TestPatterns:
    @pytest.fixture
    def folder(self, tmp_path):
        (tmp_path / "below").mkdir()
        for name in ("b.png", "a.png", "c.txt", "below/d.png", "[e].png"):
            picture(tmp_path / name) if name.endswith("png") else (tmp_path / name).touch()
        return tmp_path

    def test_are_what_they_match_in_order_of_name(self, folder):
        paths = inputs.stills_in([f"{folder}/*.png", f"{folder}/below"])
        assert paths == [f"{folder}/{name}" for name in ("[e].png", "a.png", "b.png", "below")]

    def test_stars_go_into_folders(self, folder):
        assert f"{folder}/below/d.png" in inputs.stills_in([f"{folder}/**/*.png"])

    def test_a_file_of_that_name_is_itself(self, folder):
        assert inputs.stills_in([f"{folder}/[e].png"]) == [f"{folder}/[e].png"]

    def test_no_match_is_said(self, folder, capsys):
        arguments = ["analyze", f"{folder}/*.jpg", "-o", str(folder), "--engine", "image"]
        assert main(arguments) == 1
        assert "*.jpg: no file matches; check the folder" in capsys.readouterr().err
