"""What a call does to identities: groups of new faces, and means and counts that grow."""

from collections.abc import Iterable, Sequence
from itertools import groupby

import numpy as np

from analyzer.identities.records import FACTS, StoredAppearance, StoredIdentity
from analyzer.types import F32, I64
from analyzer.types.arrays import check

TAKEN_OVER = 0
"""Number of the call that stands for all of an older form of store."""
_UPDATES, _FACES, _MEDIA, _MILLISECONDS, _FIRST_DAY, _LAST_DAY = range(len(FACTS))


def unit(vectors: F32) -> F32:
    """Return vectors (n, D) of length one.

    Raises:
        ValueError: One is not finite, or of length 0.
    """
    check("embeddings", "array", vectors, np.float32, (len(vectors), None))
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (np.isfinite(lengths).all() and lengths.all()):
        raise ValueError("an embedding is not finite, or of length 0")
    return vectors / lengths


def group(vectors: F32, least: float, refine: int) -> I64:
    """Group new faces among themselves, each with the nearest before it.

    Args:
        vectors: (n, D) of length one.
        least: Cosine above which two are one person.
        refine: How many embeddings a mean is made of at most.

    Returns:
        (n,) labels from 0.
    """
    centres, sizes = np.zeros_like(vectors), np.zeros(len(vectors), np.int64)
    labels = np.empty(len(vectors), np.int64)
    counted = 0
    for number, vector in enumerate(vectors):
        cosines = centres[:counted] @ vector
        label = int(cosines.argmax()) if counted else 0
        if not counted or cosines[label] <= least:
            label, counted = counted, counted + 1
        labels[number] = label
        if sizes[label] < refine:
            centre = centres[label] * np.float32(sizes[label]) + vector
            centres[label] = centre / np.linalg.norm(centre)
            sizes[label] += 1
    return labels


def grow(
    centroids: F32,
    facts: I64,
    appearances: Sequence[StoredAppearance],
    which: I64,
    *,
    day: int,
    refine: int,
) -> tuple[F32, I64]:
    """Add the appearances of one call to identities.

    Args:
        centroids: (m, D) means of the identities, of length one; zeros of new ones.
        facts: (m, 6) in the order of `FACTS`; zeros of new ones.
        appearances: n of them, of one call.
        which: (n,) row of each one's identity.
        day: Date of the medium, 0 for none.
        refine: How many embeddings a mean is made of at most.

    Returns:
        Means and facts from then on.
    """
    grown, facts = centroids.copy(), facts.copy()
    is_taken = _rank(which) < (refine - facts[:, _UPDATES])[which]
    moved = np.unique(which[is_taken])
    embeddings = np.stack([appearance.embedding for appearance in appearances])
    weights = _numbers(appearances, "updates")
    sums = centroids * facts[:, _UPDATES, None].astype(np.float32)
    weighted = embeddings * weights[:, None].astype(np.float32)
    np.add.at(sums, which[is_taken], weighted[is_taken])
    grown[moved] = unit(sums[moved])
    np.add.at(facts[:, _UPDATES], which[is_taken], weights[is_taken])
    np.add.at(facts[:, _FACES], which, _numbers(appearances, "faces"))
    np.add.at(facts[:, _MILLISECONDS], which, _numbers(appearances, "milliseconds"))
    media = np.zeros(len(facts), np.int64)
    np.maximum.at(media, which, _numbers(appearances, "media"))
    facts[:, _MEDIA] += media
    if day:
        first = facts[:, _FIRST_DAY]
        facts[:, _FIRST_DAY] = np.where(first > 0, np.minimum(first, day), day)
        facts[:, _LAST_DAY] = np.maximum(facts[:, _LAST_DAY], day)
    return grown, facts


def _numbers(appearances: Sequence[StoredAppearance], name: str) -> I64:
    return np.array([getattr(appearance, name) for appearance in appearances], np.int64)


def rebuild(
    identity: int, appearances: Iterable[StoredAppearance], days: dict[int, int], refine: int
) -> StoredIdentity:
    """Return what an identity is that was matched to just these appearances.

    Args:
        identity: Its number.
        appearances: One or more, in the order of their calls.
        days: Call -> date of its medium.
        refine: How many embeddings a mean is made of at most.
    """
    centroids, facts = np.empty((1, 0), np.float32), np.zeros((1, len(FACTS)), np.int64)
    for call, members in groupby(appearances, key=lambda appearance: appearance.call):
        of_call = list(members)
        if not centroids.size:
            centroids = np.zeros((1, len(of_call[0].embedding)), np.float32)
        is_first = not facts[0, _UPDATES]
        which = np.zeros(len(of_call), np.int64)
        centroids, facts = grow(centroids, facts, of_call, which, day=days[call], refine=refine)
        if is_first and call == TAKEN_OVER and len(of_call) == 1:
            # The mean itself, which scaling once more would round.
            centroids = of_call[0].embedding[None]
    return stored(identity, centroids[0], facts[0])


def stored(identity: int, centroid: F32, facts: I64) -> StoredIdentity:
    """Return an identity of a mean (D,) and facts (6,)."""
    values = dict(zip(FACTS, facts.tolist(), strict=True))
    return StoredIdentity(id=identity, centroid=centroid, **values)


def taken_over(
    identity: int, centroid: F32, *, updates: int, faces: int, media: int
) -> tuple[bytes, bytes]:
    """Return row and appearance of an identity of an older form, which kept no appearances."""
    facts = np.array([updates, faces, media, 0, 0, 0], np.int64)
    appearance = StoredAppearance(
        call=TAKEN_OVER,
        row=identity,
        embedding=centroid,
        person_id=-1,
        faces=faces,
        milliseconds=0,
        updates=updates,
        media=media,
    )
    return stored(identity, centroid, facts).pack(), appearance.pack()


def _rank(labels: I64) -> I64:
    """Return the number of equal labels before each of labels (n,)."""
    order = np.argsort(labels, kind="stable")
    sorted_labels = labels[order]
    ranks = np.empty(len(labels), np.int64)
    ranks[order] = np.arange(len(labels)) - np.searchsorted(sorted_labels, sorted_labels)
    return ranks
