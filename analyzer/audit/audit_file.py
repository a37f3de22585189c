"""The file of an audit: the drawn faces, what each stands for, and what the network says."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from analyzer.errors import InputError
from analyzer.files.atomic import atomic_write
from analyzer.files.hashing import sha256
from analyzer.files.text import write_json
from ina_input import documents

FORMAT, VERSION = "ina-audit", 1


@dataclass(frozen=True, kw_only=True)
class AuditedFace:
    """One drawn face."""

    face: int
    """Number, from 1, in the order of the results."""
    report: str
    row: int
    uri: str
    time_s: float
    cluster: int
    """Number of the person, or of the track of nobody."""
    weight: float
    """Faces of the results that it stands for."""
    seconds: float
    groups: Mapping[str, str]
    """Variable -> group by which was drawn, such as the face's size."""
    size: int
    """Class of size of `analyzer.shares.answers`."""
    predicted: Mapping[str, int]
    """Head -> group that the network gives the face; -1 where it gives none."""
    answers: Mapping[str, int]
    """Head -> cell of the network's answer."""
    labels: Mapping[str, int]
    """Head -> group of the track's label; -1 without one."""


@dataclass(frozen=True, kw_only=True)
class PredictedShare:
    """Share of a group over all faces, as the network labels them."""

    share: float
    """Of the seconds of all faces, 0 to 1."""
    error: float
    """Standard error, between clusters."""


@dataclass(frozen=True, kw_only=True)
class Audit:
    """A draw of faces."""

    seed: int
    faces: Sequence[AuditedFace]
    total: int
    """Faces of the results."""
    clustered_by: str
    """`film`, or `person` where there are too few films."""
    shares: Mapping[str, Sequence[PredictedShare]]
    """Head -> share of each group over all faces that have one."""
    models: Mapping[str, str]
    """Name -> SHA-256 of the models."""
    notes: Sequence[str] = ()
    sex_given_from: float = 0.0
    """Age in years from which on the results give a sex; 0: of all faces."""

    @property
    def heads(self) -> tuple[str, ...]:
        """The heads that are audited."""
        return tuple(self.shares)

    @property
    def identifier(self) -> str:
        """Hash of the draw, which page and labels carry."""
        named = "\n".join(f"{face.report} {face.row} {face.weight!r}" for face in self.faces)
        return sha256([f"{self.seed}\n{named}".encode()]).hexdigest()[:16]


def write(audit: Audit, path: Path) -> None:
    """Write an audit.

    Raises:
        ResourceError: The file cannot be written.
    """
    with atomic_write(path) as part:
        write_json(part, {"format": FORMAT, "version": VERSION, **asdict(audit)})


def read(path: Path) -> Audit:
    """Read an audit.

    Raises:
        InputError: The file is missing, damaged, or none.
    """
    try:
        values: Any = documents.read(path)
        if values["format"] != FORMAT or values["version"] > VERSION:
            raise ValueError(f"format {values['format']}, version {values['version']}")
        return Audit(
            seed=values["seed"],
            faces=[AuditedFace(**face) for face in values["faces"]],
            total=values["total"],
            clustered_by=values["clustered_by"],
            shares={
                head: [PredictedShare(**share) for share in shares]
                for head, shares in values["shares"].items()
            },
            models=values["models"],
            notes=values["notes"],
            sex_given_from=float(values.get("sex_given_from", 0.0)),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: cannot be read as an audit ({documents.fault(error)}): take what audit draw "
            "has written"
        ) from error
