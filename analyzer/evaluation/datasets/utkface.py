"""UTKFace (Zhang et al., CVPR 2017): a folder of aligned faces named AGE_SEX_RACE_DATE.jpg.

Its races are fewer than FairFace's: Asian and Others have no counterpart there, so these pictures
are not labelled with an ethnicity.
"""

import re
from pathlib import Path

import numpy as np

from analyzer.attributes.heads import AGE_EDGES, ETHNICITIES
from analyzer.errors import InputError
from analyzer.evaluation.datasets import _pictures
from analyzer.files.hashing import sha256
from analyzer.stages.align import Aligner
from analyzer.types import F32, I64, U8
from ina_input import regular

_NAME = re.compile(r"(\d{1,3})_([01])_([0-4])_")
_SEXES = (1, 0)
"""Class of sex by UTKFace's number: 0 is male there."""
_ETHNICITIES = ("White", "Black", None, "Indian", None)
_MARGIN = 0.15
"""Share of a picture's side between its edge and the face."""


def create(*, folder: Path, split: str, aligner: Aligner) -> "UtkFace":
    """UTKFace's aligned faces, which know no `split`.

    Raises:
        InputError: No picture in the folder is named so.
    """
    return UtkFace(folder, aligner)


class UtkFace:
    """The pictures of one folder; those with other names are left out, as a few of UTKFace are."""

    def __init__(self, folder: Path, aligner: Aligner) -> None:
        named = [(path, _NAME.match(path.name)) for path in sorted(folder.glob("*.jpg"))]
        self._files = [path for path, match in named if match]
        self._aligner = aligner
        if not self._files:
            raise InputError(f"{folder}: no picture is named AGE_SEX_RACE_*.jpg, as UTKFace's are")
        numbers = np.array([[int(n) for n in match.groups()] for _, match in named if match])
        self.labels = {
            "sex": np.array(_SEXES)[numbers[:, 1]],
            "age": np.searchsorted(AGE_EDGES[1:-1], numbers[:, 0], side="right"),
            "ethnicity": np.array([_class(n) for n in numbers[:, 2]], np.int64),
        }
        self.reviewed: dict[str, I64] = {}
        self.digest = self._digest()

    def __len__(self) -> int:
        return len(self._files)

    def chips(self, start: int, stop: int) -> U8:
        """Decode and align pictures; see `analyzer.evaluation.datasets.Dataset`."""
        return np.concatenate([self._chip(path) for path in self._files[start:stop]])

    def _chip(self, path: Path) -> U8:
        image = _pictures.decode(_content(path), str(path), "leave it out")
        return self._aligner.align(image, _face(image), None).images

    def _digest(self) -> str:
        pieces = (path.name.encode() + b"\n" + _content(path) for path in self._files)
        return sha256(pieces).hexdigest()


def _content(path: Path) -> bytes:
    try:
        return regular.read_bytes(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}): leave it out") from error


def _face(image: U8) -> F32:
    """Return box (1, 4) of the face in an aligned picture."""
    height, width = image.shape[:2]
    low, high = _MARGIN, 1 - _MARGIN
    return np.array([[low * width, low * height, high * width, high * height]], np.float32)


def _class(race: int) -> int:
    name = _ETHNICITIES[race]
    return -1 if name is None else ETHNICITIES.index(name)
