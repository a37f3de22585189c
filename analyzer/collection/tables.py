"""The tables of a collection: identities, their appearances in media, and the media."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from analyzer.collection.identities import CollectedPerson, Collection, MediumAppearance
from analyzer.files.columns import Column
from analyzer.types import MediaInfo

_Row = TypeVar("_Row")
_METRIC_DIGITS = 6


def identities(collection: Collection, portraits: Mapping[int, str]) -> Iterator[Column]:
    """Yield the columns of the identities, a row each, most screen time first.

    Args:
        collection: All of them.
        portraits: Identity -> file, as the folder of results has it.
    """
    each = _of(collection.identities)
    yield each("identity_id", "integer", lambda i: i.identity_id)
    yield each("name", "text", lambda i: i.name)
    yield each("sex_label", "text", lambda i: i.sex or None)
    yield each("age_label", "number", lambda i: float(i.age) if i.age else None, 1)
    yield each("media_count", "integer", lambda i: len(i.appearances))
    yield each("appearance_count", "integer", lambda i: i.stretches)
    yield each("face_count", "integer", lambda i: i.face_count)
    yield each("screen_time_s", "number", _total_s, 3)
    yield each("first_item", "text", lambda i: _medium(i.appearances[0]).item_id)
    yield each("last_item", "text", lambda i: _medium(i.appearances[-1]).item_id)
    for name in collection.metrics:
        yield from _metric(name, collection.identities)
    yield each("portrait", "text", lambda i: portraits.get(i.identity_id))


def _metric(name: str, rows: Sequence[CollectedPerson]) -> Iterator[Column]:
    each = _of(rows)
    yield each(f"{name}_mean", "number", lambda i: i.metrics[name].mean, _METRIC_DIGITS)
    yield each(f"{name}_count", "integer", lambda i: i.metrics[name].count)
    yield each(f"{name}_spread", "number", lambda i: i.metrics[name].spread, _METRIC_DIGITS)


def appearances(collection: Collection, crops: Mapping[tuple[int, int], str]) -> Iterator[Column]:
    """Yield the columns of identities in media, a row for each of both.

    Args:
        collection: All of them.
        crops: Identity and place of its appearance -> file in the zip of crops.
    """
    rows = [
        (identity, position, appearance)
        for identity in collection.identities
        for position, appearance in enumerate(identity.appearances)
    ]
    each = _of(rows)
    yield each("identity_id", "integer", lambda r: r[0].identity_id)
    yield each("name", "text", lambda r: r[0].name)
    yield each("item_id", "text", lambda r: _medium(r[2]).item_id)
    yield each("source_path", "text", lambda r: _medium(r[2]).source_path)
    yield each("person_id", "text", lambda r: " ".join(str(p.person_id) for p in r[2].persons))
    yield each("first_s", "number", lambda r: r[2].first_s, 3)
    yield each("last_s", "number", lambda r: r[2].last_s, 3)
    yield each("screen_time_s", "number", lambda r: _seconds(r[2]), 3)
    yield each("appearance_count", "integer", lambda r: r[2].stretches)
    yield each("face_count", "integer", lambda r: r[2].face_count)
    for name in collection.metrics:
        values = [_medium(appearance).metrics.get(name) for _, _, appearance in rows]
        yield Column(name, "number", values, _METRIC_DIGITS)
    yield each("portrait", "text", lambda r: crops.get((r[0].identity_id, r[1])))


def media(collection: Collection) -> Iterator[Column]:
    """Yield the columns of the media, a row each, in the order of the joblist."""
    each = _of(collection.seen)
    yield each("item_id", "text", lambda s: s.medium.item_id)
    yield each("source_path", "text", lambda s: s.medium.source_path)
    yield each("rows", "integer", lambda s: len(s.medium.rows))
    yield each("copies", "integer", lambda s: len(s.medium.copies))
    yield each("duration_s", "number", lambda s: _length_s(s.summary.info), 3)
    yield each("person_count", "integer", lambda s: len(s.summary.persons))
    yield each("face_count", "integer", lambda s: sum(p.face_count for p in s.summary.persons))
    for name in collection.metrics:
        values = [medium.medium.metrics.get(name) for medium in collection.seen]
        yield Column(name, "number", values, _METRIC_DIGITS)
    yield each("report", "text", lambda s: str(s.report))


def _of(rows: Sequence[_Row]) -> Callable[..., Column]:
    """Return a function that makes a column of these rows."""

    def each(name: str, kind: str, value: Callable[[Any], Any], digits: int = 4) -> Column:
        return Column(name, kind, [value(row) for row in rows], digits)

    return each


def _total_s(identity: CollectedPerson) -> float | None:
    """Return how long an identity is on screen in all media; `None` where all are stills."""
    timed = any(appearance.is_timed for appearance in identity.appearances)
    return identity.screen_time_s if timed else None


def _seconds(appearance: MediumAppearance) -> float | None:
    """Return how long an identity is on screen in a medium; `None` in stills."""
    return appearance.screen_time_s if appearance.is_timed else None


def _length_s(info: MediaInfo) -> float | None:
    return info.duration_s if info.is_timed else None


def _medium(appearance: MediumAppearance) -> Any:
    return appearance.seen.medium
