"""Group the tracks of a report into persons anew, without its medium."""

from collections import Counter
from dataclasses import replace

import numpy as np

from analyzer import registry
from analyzer.errors import UsageError
from analyzer.inference.runtime import Runtime
from analyzer.options import AnalysisOptions
from analyzer.pipeline.components import load_labeller
from analyzer.pipeline.summarize import group
from analyzer.types import I64, MediaReport, Person
from analyzer.types.people import Poster

NOBODY = -1


def regroup(
    report: MediaReport, *, threshold: float | None = None, clusterer: str | None = None
) -> MediaReport:
    """Cluster the tracks of a report again.

    Tracks stay what they are: a new analysis with another threshold may cut and link them
    otherwise, too. A person keeps the name, and the number in an identity store, of the person
    before with most of the same faces.

    Args:
        report: Report without corrections.
        threshold: Distance below which two faces are one person; `None` for that of the report.
        clusterer: Spec of the clusterer; `None` for that of the report.

    Raises:
        UsageError: No such clusterer, the report has no embeddings, or it hides faces by names.
        MissingDependency: A library that a component needs is not installed.
    """
    if len(report.observations) and not len(report.observations.embeddings):
        raise UsageError(
            f"{report.info.uri}: this report has no embeddings, so that nobody can be told from "
            "others; analyse the medium"
        )
    values = dict(report.provenance["options"])
    if values.get("anonymise") not in (None, "all"):
        # Faces that are hidden by a name must not come to light with another grouping.
        raise UsageError(
            f"{report.info.uri}: faces are hidden by names, which may change with the persons; "
            "analyse the medium again with --cluster_threshold"
        )
    if threshold is not None:
        values["cluster_threshold"] = threshold
    if clusterer is not None:
        values["clusterer"] = clusterer
    options = AnalysisOptions.from_dict(values)
    limit = threshold or report.provenance["cluster_threshold"]
    grouped = group(
        report,
        clusterer=registry.load("cluster", options.clusterer, runtime=Runtime()),
        labeller=load_labeller(options),
        options=options,
        limit=limit,
    )
    before, now = report.row_persons(), grouped.row_persons()
    return replace(
        grouped,
        persons=_known(report, grouped, before, now),
        poster=report.poster and _poster(report.poster, before, grouped),
        provenance={
            **report.provenance,
            "options": options.shared(),
            "options_digest": options.digest(),
            "cluster_threshold": limit,
        },
    )


def _known(report: MediaReport, grouped: MediaReport, before: I64, now: I64) -> tuple[Person, ...]:
    """Return the new persons with what was known of the old ones; each old one goes on once."""
    old = {person.person_id: person for person in report.persons}
    shared = Counter(zip(before.tolist(), now.tolist(), strict=True))
    successor: dict[int, int] = {}
    taken: set[int] = set()
    for (was, person), _ in sorted(shared.items(), key=lambda item: (-item[1], item[0])):
        if was in old and person != NOBODY and was not in taken and person not in successor:
            successor[person] = was
            taken.add(was)
    kept = ("name", "name_distance", "candidates", "identity_id")
    return tuple(
        replace(p, **{name: getattr(old[successor[p.person_id]], name) for name in kept})
        if p.person_id in successor
        else p
        for p in grouped.persons
    )


def _poster(poster: Poster, before: I64, grouped: MediaReport) -> Poster:
    """Return a poster with the persons who have most of the faces of those before."""
    now = grouped.row_persons()
    owners = []
    for was in poster.person_ids.tolist():
        votes = Counter(n for n in now[before == was].tolist() if n >= 0) if was >= 0 else None
        owners.append(votes.most_common(1)[0][0] if votes else NOBODY)
    attributes_of = {person.person_id: person.attributes for person in grouped.persons}

    def labels(head: str, own: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(
            attributes_of[person][head].label if head in attributes_of.get(person, ()) else label
            for person, label in zip(owners, own, strict=False)
        )

    return replace(
        poster,
        person_ids=np.array(owners, np.int64),
        sex=labels("sex", poster.sex),
        age=labels("age", poster.age),
        ethnicity=labels("ethnicity", poster.ethnicity),
    )
