"""A table of what the network confuses in an archive, counted on the labelled faces of its audit.

Answers of a group are counted with the weights of the faces, as a draw by predictions would bend
them, and the rows are scaled to the effective number of faces. A class of size with few faces takes
the counts of all sizes. To each row come some faces of the shipped table: what was not seen in a
hundred faces is not impossible.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from analyzer.audit.audit_file import Audit
from analyzer.audit.rates import JudgedFaces, effective_number
from analyzer.shares import answers as network
from analyzer.shares.confusion import Confusion
from analyzer.shares.tables import tables_of
from analyzer.types import F64, I64

SHIPPED_FACES = 10
"""Faces of the shipped table in each row."""
LEAST_OF_SIZE = 20
"""Effective faces of a group and size from which on they are counted by themselves."""
LEAST_FACES = 50
"""Labelled faces of a head from which on there is a table of it."""


def document(audit: Audit, heads: Mapping[str, JudgedFaces]) -> dict[str, Any]:
    """Return the tables as JSON-able values, for `analyzer.shares.tables.own`.

    Args:
        audit: The audit.
        heads: Head -> its labelled faces.
    """
    of_all = tables_of(audit.models)
    shipped = {**of_all, **tables_of(audit.models, sex_given_from=audit.sex_given_from)}
    counts: dict[str, Any] = {}
    for head, judged in heads.items():
        if len(judged.faces) >= LEAST_FACES:
            counts[head] = by_size(judged, shipped.get(head)).round(6).tolist()
    return {
        "data": f"audit {audit.identifier}, {len(audit.faces)} faces",
        "models": dict(audit.models),
        "min_sex_age": audit.sex_given_from,
        "prior": 0.0 if shipped else 0.5,
        "counts": counts,
    }


def by_size(judged: JudgedFaces, shipped: Confusion | None) -> F64:
    """Return the counts (S, G, K) of answers by class of size and labelled group."""
    sizes, groups = len(network.SIZES_PX), len(network.GROUPS[judged.head])
    answers = np.array([face.answers[judged.head] for face in judged.faces], np.int64)
    size = np.array([face.size for face in judged.faces], np.int64)
    cells = network.count(judged.head)
    counts = np.zeros((sizes, groups, cells))
    for group, of_group in _groups(judged):
        for number in range(sizes):
            own = of_group & (size == number)
            if effective_number(judged.weight[own]) < LEAST_OF_SIZE:
                own = of_group
            counts[number, group] = _scaled_counts(answers[own], judged.weight[own], cells)
    return counts if shipped is None else counts + SHIPPED_FACES * shipped.likelihoods()


def _groups(judged: JudgedFaces) -> "Iterator[tuple[int, np.ndarray]]":
    for group in range(len(network.GROUPS[judged.head])):
        yield group, judged.truth == group


def _scaled_counts(cells: I64, weight: F64, count: int) -> F64:
    """Return the weights (count,) in each cell, scaled to the effective number of faces."""
    if not len(cells):
        return np.zeros(count)
    sums = np.bincount(cells, weight, count)
    return np.asarray(sums * (effective_number(weight) / weight.sum()), np.float64)
