"""How often the network errs, by group: counted over the labelled faces, and weighted back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analyzer.audit.audit_file import Audit, AuditedFace
from analyzer.audit.faces import NOT_LABELLED
from analyzer.audit.labels import NO_FACE
from analyzer.evaluation.intervals import wilson
from analyzer.shares.answers import GROUPS
from analyzer.types import F64, I64


@dataclass(frozen=True)
class JudgedFaces:
    """The faces of an audit with a label of one head that names a group; arrays (n,)."""

    head: str
    faces: Sequence[AuditedFace]
    truth: I64
    predicted: I64
    weight: F64
    seconds: F64

    @property
    def wrong(self) -> F64:
        """1 where the network errs, else 0."""
        return (self.truth != self.predicted).astype(np.float64)


@dataclass(frozen=True)
class ErrorRate:
    """How often the network errs in one group."""

    variable: str
    group: str
    faces: int
    errors: int
    low: float
    high: float
    """Wilson interval of `errors / faces`: as the faces were drawn."""
    weighted: float
    weighted_low: float
    weighted_high: float
    """Share weighted back to all faces, and its Wilson interval for the effective number."""


def labelled(audit: Audit, labels: Mapping[int, str], head: str) -> JudgedFaces:
    """Return the faces that a label and the network give a group.

    Args:
        audit: The audit.
        labels: Face -> label.
        head: `sex` or `age`.
    """
    groups = list(GROUPS[head])
    faces = [
        face
        for face in audit.faces
        if labels.get(face.face) in groups and face.predicted[head] != NOT_LABELLED
    ]
    return JudgedFaces(
        head,
        faces,
        truth=np.array([groups.index(labels[face.face]) for face in faces], np.int64),
        predicted=np.array([face.predicted[head] for face in faces], np.int64),
        weight=np.array([face.weight for face in faces], np.float64),
        seconds=np.array([face.seconds for face in faces], np.float64),
    )


def rates(judged: JudgedFaces) -> Iterator[ErrorRate]:
    """Yield the error of all faces, of each labelled group, and of each group of the draw."""
    groups = GROUPS[judged.head]
    variables: dict[str, tuple[Sequence[str], list[str]]] = {
        "all": (("",), [""] * len(judged.faces)),
        f"labelled {judged.head}": (groups, [groups[truth] for truth in judged.truth]),
    }
    for name in judged.faces[0].groups if judged.faces else ():
        values = [face.groups[name] for face in judged.faces]
        title = f"predicted {name}" if name in GROUPS else name
        variables[title] = (list(dict.fromkeys(sorted(values))), values)
    for variable, (names, values) in variables.items():
        at = np.array(values)
        for group in names:
            if (at == group).any():
                yield _rate(variable, group, judged.wrong[at == group], judged.weight[at == group])


def no_faces(audit: Audit, labels: Mapping[int, str]) -> ErrorRate:
    """Return how many of the labelled faces are none."""
    faces = [face for face in audit.faces if face.face in labels]
    wrong = np.array([labels[face.face] == NO_FACE for face in faces], np.float64)
    return _rate("no face", "", wrong, np.array([face.weight for face in faces], np.float64))


def _rate(variable: str, group: str, wrong: F64, weight: F64) -> ErrorRate:
    low, high = wilson(wrong.sum(), len(wrong))
    share = float(weight @ wrong / weight.sum()) if len(wrong) else 0.0
    effective = effective_number(weight)
    weighted = wilson(share * effective, effective)
    return ErrorRate(
        *(variable, group, len(wrong), int(wrong.sum()), float(low), float(high)),
        *(share, float(weighted[0]), float(weighted[1])),
    )


def effective_number(weight: F64) -> float:
    """Return how many faces of equal weight tell as much (Kish, Survey Sampling, 1965)."""
    return float(weight.sum() ** 2 / (weight @ weight)) if len(weight) else 0.0


def confusion(judged: JudgedFaces, weight: F64) -> F64:
    """Return the sum of weights (G, G) of each label and prediction.

    Args:
        judged: Labelled faces.
        weight: (n,) what each one counts: 1, or the faces that it stands for.
    """
    count = len(GROUPS[judged.head])
    cells = np.zeros((count, count))
    np.add.at(cells, (judged.truth, judged.predicted), weight)
    return cells
