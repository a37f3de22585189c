"""Labels of sex that two people have looked at again, independently and without the label."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analyzer.errors import InputError
from analyzer.evaluation import _lines
from analyzer.types import I64

COLUMNS = ("file", "attribute", "label", "rater_a", "rater_b", "reason")
UNCLEAR = "unclear"
"""Answer where it cannot be told."""
_SEXES = ("f", "m")


@dataclass(frozen=True, kw_only=True)
class LabelReview:
    """What two raters saw in one picture."""

    file: str
    """Its name in the data set, without its suffix."""
    label: int
    """Class that the data set gives."""
    answers: tuple[str, str]
    """`f`, `m` or `unclear`, of each rater."""
    reason: str

    @property
    def seen(self) -> int:
        """Class that both raters saw; the label where they differ, -1 where neither can tell."""
        first, second = self.answers
        if first != second:
            return self.label
        return -1 if first == UNCLEAR else _SEXES.index(first)


def read(path: Path) -> list[LabelReview]:
    """Read a CSV with the columns `COLUMNS`.

    Raises:
        InputError: The file is missing or cannot be read.
    """
    return _lines.read(path, COLUMNS, _review, "review")


def _review(row: dict[str, str], where: str) -> LabelReview:
    answers = row["rater_a"], row["rater_b"]
    if (
        row["attribute"] != "sex"
        or row["label"] not in _SEXES
        or not {*answers} <= {*_SEXES, UNCLEAR}
    ):
        raise InputError(f"{where}: attribute is sex, label f or m, answers f, m or {UNCLEAR}")
    label = _SEXES.index(row["label"])
    return LabelReview(file=row["file"], label=label, answers=answers, reason=row["reason"])


def labels(reviews: list[LabelReview], files: list[str], given: I64) -> dict[str, I64]:
    """Return the labels of sex (n,) as they would be after the review.

    Args:
        reviews: Of some of the pictures. One with another label than the data set's is of another
            picture of that name, and does not count.
        files: n names of pictures.
        given: (n,) labels of the data set.

    Returns:
        `corrected`: where both raters saw the other sex, theirs. `cleaned`: besides, -1 where
        neither could tell.
    """
    row_of = {str(Path(file).with_suffix("")): row for row, file in enumerate(files)}
    corrected, cleaned = given.copy(), given.copy()
    for review in reviews:
        row = row_of.get(review.file)
        if row is not None and given[row] == review.label:
            cleaned[row] = review.seen
            corrected[row] = review.label if review.seen < 0 else review.seen
    return {"corrected": corrected.astype(np.int64), "cleaned": cleaned.astype(np.int64)}
