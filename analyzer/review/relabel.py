"""Sex, age and other labels of a corrected report: of its rows, its tracks and its persons."""

from collections.abc import Mapping

import numpy as np

from analyzer.attributes.labeller import Labeller
from analyzer.observations import persons
from analyzer.observations.table import take
from analyzer.review.ownership import Ownership
from analyzer.types import I64, Attribute, Decoded, MediaReport, Observations

_UNKNOWN = float("nan")
"""Decision value of what a reviewer said: no network decided."""


def attributes(labels: Mapping[str, str]) -> dict[str, Attribute]:
    """Return the attributes that a reviewer gave a person.

    Args:
        labels: Head name -> label.
    """
    return {head: Attribute(label=label, value=_UNKNOWN) for head, label in labels.items()}


def taken(heads: Mapping[str, Decoded], origin: I64) -> dict[str, Decoded]:
    """Return each head's values at some places.

    Args:
        heads: Head name -> values of rows or tracks.
        origin: (n,) place of each; -1: its value is unknown.
    """
    return {
        head: Decoded(
            value=np.append(decoded.value, np.float32(_UNKNOWN))[origin],
            label=tuple(decoded.label[i] if i >= 0 else "" for i in origin.tolist()),
        )
        for head, decoded in heads.items()
    }


def given(
    heads: Mapping[str, Decoded], owners: I64, described: Mapping[int, Mapping[str, str]]
) -> dict[str, Decoded]:
    """Return each head's values with what a reviewer said of the persons.

    Args:
        heads: Head name -> values of n rows or tracks.
        owners: (n,) person of each.
        described: Person -> head -> label that a reviewer gave.
    """
    labels = {head: {p: own[head] for p, own in described.items() if head in own} for head in heads}
    return {
        head: _given(decoded, owners, labels[head]) if labels[head] else decoded
        for head, decoded in heads.items()
    }


def _given(decoded: Decoded, owners: I64, labels: Mapping[int, str]) -> Decoded:
    """Return the values of one head; see `given`."""
    is_given = np.isin(owners, list(labels))
    pairs = zip(owners.tolist(), decoded.label, strict=True)
    return Decoded(
        value=np.where(is_given, np.float32(_UNKNOWN), decoded.value),
        label=tuple(labels.get(owner, label) for owner, label in pairs),
    )


def of_tracks(
    report: MediaReport, state: Ownership, table: Observations, ids: I64, labeller: Labeller
) -> dict[str, Decoded]:
    """Return the labels of the tracks: those with other rows than before are averaged anew.

    Args:
        report: Report as it was analysed.
        state: The tracks after the corrections.
        table: Rows after the corrections.
        ids: (T,) ids of the tracks that are left, ascending.
        labeller: Aggregates faces and decodes heads.
    """
    places = np.searchsorted(state.tracks, ids)
    heads = taken(report.track_attributes, state.source[places])
    recut = np.isin(places, sorted(state.recut))
    if not table.heads or not recut.any():
        return heads
    rows = np.isin(table.track_id, ids[recut])
    anew = persons.average_tracks(take(table, rows), ids[recut], labeller)
    for head, values in anew.items():
        labels = np.array(heads[head].label, object)
        numbers = heads[head].value.copy()
        labels[recut], numbers[recut] = values.label, values.value
        heads[head] = Decoded(value=numbers, label=tuple(labels.tolist()))
    return heads
