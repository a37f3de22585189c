"""The faces of results: which may be drawn, and what the network says of all of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analyzer.attributes.calibration import Views
from analyzer.errors import InputError
from analyzer.reports import report_file
from analyzer.results import locate
from analyzer.shares import answers as network
from analyzer.shares.amounts import added_up, sex_given_from
from analyzer.types import F64, I64, MediaReport, Progress, ProgressHook

HEADS = ("sex", "age")
"""Heads that can be audited: few people tell an ethnicity by a face alike."""
NOT_LABELLED = -1


@dataclass(frozen=True)
class AuditedReport:
    """One of the reports."""

    path: Path
    uri: str
    models: Mapping[str, str]
    sex_given_from: float
    """See `analyzer.shares.amounts`."""


@dataclass(frozen=True)
class Candidates:
    """Faces that may be drawn, arrays (n,)."""

    report: I64
    """Number of the report."""
    row: I64
    """Row of its table."""
    cluster: I64
    """Number of the person, or of the track of nobody, over all reports."""
    weight: F64
    """Faces that each one stands for."""
    time_s: F64
    seconds: F64
    """Time on screen; 1 in stills."""
    size: I64
    """Class of size of `analyzer.shares.answers`."""
    groups: Mapping[str, I64]
    """Head -> group that the network gives the face; one beyond the groups where it gives none."""
    answers: Mapping[str, I64]
    """Head -> cell of the network's answer."""
    labels: Mapping[str, I64]
    """Head -> group that the face's track is labelled with; -1 without a label."""


@dataclass(frozen=True)
class Population:
    """All faces of results."""

    reports: Sequence[AuditedReport]
    candidates: Candidates
    faces: int
    """Number of faces that the network labelled."""
    amounts: Mapping[str, F64]
    """Head -> seconds (c, G) of each group in each cluster; those of no group are left out."""
    film: I64
    """(c,) number of the film of each cluster: segments of one film are one."""

    @property
    def heads(self) -> tuple[str, ...]:
        """The heads that all reports have."""
        return tuple(self.amounts)


def read(
    paths: Sequence[str],
    *,
    per_person: int,
    random: np.random.Generator,
    progress: ProgressHook | None = None,
) -> Population:
    """Read the reports below folders, one after the other.

    Args:
        paths: Folders, joblists or reports.
        per_person: Most faces of one person, or of one track of nobody, that may be drawn.
        random: For the choice of these.
        progress: Hook that is called with each report.

    Raises:
        InputError: There is no report, or one cannot be read, or has no attributes.
    """
    files = [
        medium.files["report"] for medium in locate.find(paths).results if "report" in medium.files
    ]
    if not files:
        raise InputError(
            f"{', '.join(paths)}: no reports: an audit needs them: analyze --export report, or the "
            "column dest_report of a joblist"
        )
    parts: list[_Part] = []
    for number, path in enumerate(files):
        if progress is not None:
            progress(Progress(stage="read", done=number, total=len(files)))
        parts.append(_part(path, report_file.load(path), per_person, random))
    return _joined(parts)


@dataclass(frozen=True)
class _Part:
    """What one report gives; clusters are numbered from 0."""

    report: AuditedReport
    faces: int
    columns: Mapping[str, I64 | F64]
    by_head: Mapping[str, Mapping[str, I64]]
    amounts: Mapping[str, F64]

    @property
    def clusters(self) -> int:
        return len(next(iter(self.amounts.values())))


def _part(path: Path, report: MediaReport, most: int, random: np.random.Generator) -> _Part:
    table = report.observations
    heads = [head for head in HEADS if head in table.heads]
    if not heads:
        raise InputError(f"{path}: neither sex nor age: analyse it with --attributes sex,age")
    answered = np.flatnonzero(
        ~np.any([np.isnan(table.heads[h]).any(axis=1) for h in heads], axis=0)
    )
    persons, tracks = report.row_persons()[answered], table.track_id[answered]
    # A track of nobody is as good as a person: its faces are as alike.
    _, cluster = np.unique(np.where(persons >= 0, persons, -1 - tracks), return_inverse=True)
    counts = np.bincount(cluster)
    chosen = np.sort(_at_most(cluster, most, random))
    seconds = table.duration_s[answered] if report.info.is_timed else np.ones(len(answered))
    groups = {head: _groups(head, report)[answered] for head in heads}
    rows = answered[chosen]
    views = Views(
        face_px=table.face_px[rows],
        sharpness=table.sharpness[rows],
        frontality=table.frontality[rows],
    )
    return _Part(
        AuditedReport(
            path,
            report.info.uri,
            dict(report.provenance.get("models", {})),
            sex_given_from(report),
        ),
        faces=len(answered),
        columns={
            "row": rows,
            "cluster": cluster[chosen],
            "weight": (counts / np.minimum(counts, most))[cluster[chosen]],
            "time_s": table.time_s[rows],
            "seconds": seconds[chosen],
            "size": network.size_class(views),
        },
        by_head={
            head: {
                "groups": groups[head][chosen],
                "answers": network.answers(head, table.heads[head][rows]),
                "labels": _track_labels(report, head)[report.row_tracks()[rows]],
            }
            for head in heads
        },
        amounts={h: _sums(cluster, groups[h], seconds, len(network.GROUPS[h])) for h in heads},
    )


def _groups(head: str, report: MediaReport) -> I64:
    """Return the group (N,) that the network gives each face; see `Candidates.groups`.

    What a reviewer said is no answer of the network, and does not count here.
    """
    table = report.observations
    not_given = (table.too_young == 1) & (head == "sex")
    observed = network.observed(head, table.heads[head])
    return np.where(not_given, len(network.GROUPS[head]), observed)


def _at_most(cluster: I64, most: int, random: np.random.Generator) -> I64:
    """Return places of at most so many members of each cluster (n,), drawn by lot."""
    order = np.lexsort((random.random(len(cluster)), cluster))
    rank = np.arange(len(order)) - np.searchsorted(cluster[order], cluster[order])
    return order[rank < most]


def _sums(cluster: I64, groups: I64, seconds: F64, count: int) -> F64:
    """Return the seconds (c, G) of each group in each cluster, without those of no group."""
    clusters = int(cluster.max(initial=-1)) + 1
    return added_up((cluster, groups), seconds, (clusters, count + 1))[:, :count]


def _track_labels(report: MediaReport, head: str) -> I64:
    """Return the group (T,) of each track's label."""
    labels = report.track_attributes[head].label
    numbers = np.full(len(labels), NOT_LABELLED, np.int64)
    given = [index for index, label in enumerate(labels) if label]
    numbers[given] = network.groups_of_labels(head, [labels[index] for index in given])
    return numbers


def _joined(parts: Sequence[_Part]) -> Population:
    first = np.cumsum([0, *(part.clusters for part in parts)])
    films = {uri: n for n, uri in enumerate(dict.fromkeys(part.report.uri for part in parts))}
    counts = [len(part.columns["row"]) for part in parts]
    heads = [head for head in HEADS if all(head in part.amounts for part in parts)]
    if not heads:
        raise InputError("the reports have no attribute in common: audit them one by one")

    def column(name: str) -> F64:
        return np.concatenate([np.asarray(part.columns[name]) for part in parts])

    def of_heads(name: str) -> dict[str, I64]:
        return {h: np.concatenate([part.by_head[h][name] for part in parts]) for h in heads}

    candidates = Candidates(
        report=np.repeat(np.arange(len(parts)), counts),
        row=column("row").astype(np.int64),
        cluster=column("cluster").astype(np.int64) + np.repeat(first[:-1], counts),
        weight=column("weight"),
        time_s=column("time_s"),
        seconds=column("seconds"),
        size=column("size").astype(np.int64),
        groups=of_heads("groups"),
        answers=of_heads("answers"),
        labels=of_heads("labels"),
    )
    return Population(
        [part.report for part in parts],
        candidates,
        faces=sum(part.faces for part in parts),
        amounts={h: np.concatenate([part.amounts[h] for part in parts]) for h in heads},
        film=np.repeat([films[part.report.uri] for part in parts], [p.clusters for p in parts]),
    )


def by_report(rows: I64, reports: I64) -> Iterator[tuple[int, I64]]:
    """Yield the number of each report of some faces, and the places of its faces among these.

    Args:
        rows: (n,) rows of the faces.
        reports: (n,) their reports.
    """
    for report in np.unique(reports).tolist():
        places = np.flatnonzero(reports == report)
        yield report, places[np.argsort(rows[places], kind="stable")]
