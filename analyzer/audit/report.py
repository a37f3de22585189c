"""What the labels of an audit tell: agreement, errors, confusions, and corrected shares."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.audit import audit_file, kappa, labels, own_table, powered, rates
from analyzer.audit.audit_file import Audit
from analyzer.audit.faces import NOT_LABELLED
from analyzer.audit.kappa import Kappa
from analyzer.audit.labels import CANNOT_TELL, HeadLabels, RaterLabels
from analyzer.audit.powered import PoweredShare
from analyzer.audit.rates import ErrorRate, JudgedFaces
from analyzer.errors import UsageError
from analyzer.files.atomic import atomic_write
from analyzer.files.text import write_json
from analyzer.shares.answers import GROUPS

LEAST_ERRORS = 20
"""Errors below which the intervals of shares hold less often than they say."""


@dataclass(frozen=True)
class HeadFindings:
    """What is known of one head."""

    labels: HeadLabels
    agreement: Kappa | None
    """`None` with one rater."""
    found: JudgedFaces
    cannot_tell: int
    """Faces of which the raters cannot tell it: they are left out."""
    rates: Sequence[ErrorRate]
    shares: Sequence[PoweredShare]

    @property
    def has_table(self) -> bool:
        """Whether there are enough faces for a table of confusions."""
        return len(self.found.faces) >= own_table.LEAST_FACES

    def cells(self) -> tuple[Sequence[str], list[list[int]], list[list[float]]]:
        """Return the groups, and a row of each: predictions of the faces with its label.

        Returns:
            Groups, numbers of faces, and sums of weights.
        """
        found = self.found
        counted = rates.confusion(found, np.ones(len(found.faces))).astype(int)
        weighted = rates.confusion(found, found.weight)
        return GROUPS[found.head], counted.tolist(), weighted.tolist()


@dataclass(frozen=True)
class Findings:
    """What is known of an audit."""

    audit: Audit
    raters: Sequence[str]
    heads: Mapping[str, HeadFindings]
    no_face: ErrorRate
    """How many of the drawn faces are none."""


def findings(audit: Audit, raters: Sequence[RaterLabels], third: RaterLabels | None) -> Findings:
    """Compare labels with what the network says.

    Args:
        audit: The audit.
        raters: One or two raters.
        third: Who settles what two do not agree on.

    Raises:
        UsageError: See `analyzer.audit.labels.combined`; or nobody has labelled a face.
    """
    combined = {head: labels.combined(raters, third, head) for head in audit.heads}
    if not any(labelled.agreed for labelled in combined.values()):
        raise UsageError("no face has a label that counts: label some, and download them again")
    heads = {head: _of_head(audit, labelled, head) for head, labelled in combined.items()}
    names = [rater.rater for rater in [*raters, *([third] if third else [])]]
    first = next(iter(combined.values()))
    return Findings(audit, names, heads, rates.no_faces(audit, first.agreed))


def of_files(audit: Path, raters: Sequence[Path], settle: Path | None) -> Findings:
    """Read an audit and its labels; see `findings`.

    Args:
        audit: File of the audit.
        raters: Files of one or two raters.
        settle: File of a third one.

    Raises:
        InputError: A file cannot be read.
        UsageError: See `findings`.
    """
    drawn = audit_file.read(audit)
    third = labels.read(settle, drawn) if settle else None
    return findings(drawn, [labels.read(path, drawn) for path in raters], third)


def _of_head(audit: Audit, combined: HeadLabels, head: str) -> HeadFindings:
    judged = rates.labelled(audit, combined.agreed, head)
    return HeadFindings(
        combined,
        kappa.kappa(combined.pairs) if combined.pairs else None,
        judged,
        cannot_tell=sum(label == CANNOT_TELL for label in combined.agreed.values()),
        rates=list(rates.rates(judged)),
        shares=list(powered.shares(audit, judged)),
    )


def notes(findings: Findings) -> list[str]:
    """Return what a reader of the figures must know."""
    texts = list(findings.audit.notes)
    if len(findings.raters) == 1:
        texts.append("one rater: nobody knows how far another would agree")
    for head, of_head in findings.heads.items():
        left_out = [d for d in of_head.labels.disputes if d.settled is None]
        if left_out:
            numbers = ", ".join(str(dispute.face) for dispute in left_out)
            texts.append(f"{head}: the raters do not agree on faces {numbers}: left out; --settle")
        if of_head.labels.single:
            texts.append(
                f"{head}: {of_head.labels.single} faces have a label of one rater: left out"
            )
        if of_head.cannot_tell:
            texts.append(f"{head}: of {of_head.cannot_tell} faces nobody can tell: left out")
        young = sum(face.predicted[head] == NOT_LABELLED for face in findings.audit.faces)
        if young:
            texts.append(f"{head}: {young} faces look too young for a label of it: left out")
        errors = int(of_head.found.wrong.sum())
        if errors < LEAST_ERRORS:
            texts.append(
                f"{head}: the network errs on {errors} labelled faces only: below {LEAST_ERRORS} "
                "the intervals of the shares are too narrow: label more"
            )
        if any(share.interval is None for share in of_head.shares):
            texts.append(
                f"{head}: shares without an interval: fewer than {powered.LEAST_CLUSTERS} "
                f"{findings.audit.clustered_by}s, or no error was seen"
            )
        if not of_head.has_table:
            texts.append(
                f"{head}: {len(of_head.found.faces)} labelled faces are too few for a table of "
                f"confusions: {own_table.LEAST_FACES} are needed"
            )
    return texts


def write(findings: Findings, path: Path) -> None:
    """Write the figures, and the tables for `--export shares:confusion=FILE` and `estimate`.

    Raises:
        ResourceError: The file cannot be written.
    """
    heads = {head: of_head.found for head, of_head in findings.heads.items()}
    with atomic_write(path) as part:
        write_json(
            part, {**own_table.document(findings.audit, heads), "report": _to_json(findings)}
        )


def _to_json(findings: Findings) -> dict[str, Any]:
    return {
        "raters": len(findings.raters),
        "faces": len(findings.audit.faces),
        "faces_of_the_results": findings.audit.total,
        "clusters": findings.audit.clustered_by,
        "no_face": asdict(findings.no_face),
        "heads": {head: _head_to_json(of_head) for head, of_head in findings.heads.items()},
        "notes": notes(findings),
    }


def _head_to_json(of_head: HeadFindings) -> dict[str, Any]:
    groups, counted, weighted = of_head.cells()
    return {
        "groups": list(groups),
        "labelled": len(of_head.found.faces),
        "cannot_tell": of_head.cannot_tell,
        "agreement": of_head.agreement and asdict(of_head.agreement),
        "disputes": [asdict(dispute) for dispute in of_head.labels.disputes],
        "errors": [asdict(rate) for rate in of_head.rates],
        "confusion": counted,
        "confusion_weighted": weighted,
        "shares": [
            {**asdict(share), "share": share.value, "interval": share.interval}
            for share in of_head.shares
        ],
    }
