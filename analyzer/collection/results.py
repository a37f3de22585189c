"""The folder of results: tables, portraits and the page."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from analyzer import registry
from analyzer.collection import crops, shares, tables
from analyzer.collection.crops import Crops
from analyzer.collection.identities import CollectedPerson, Collection, MediumAppearance
from analyzer.collection.shares import CollectionShares
from analyzer.files import columns
from analyzer.files.atomic import atomic_write
from analyzer.files.columns import Column
from analyzer.shares.columns import columns as share_columns
from analyzer.shares.words import charts
from analyzer.types import ProgressHook

SHOWN = 5000
"""Most identities on the page; the tables have all."""
_MEDIA = 50
"""Most media that the page lists for an identity."""


@dataclass(frozen=True)
class Writers:
    """What depends on libraries that may be missing; loaded before the work."""

    parquet: Callable[..., None]
    page: Any

    @classmethod
    def load(cls) -> "Writers":
        """Load them.

        Raises:
            MissingDependency: With the cure.
        """
        page = registry.module("pages", "collection").create()
        return cls(registry.module("formats", "parquet").write, page)


def write(
    collection: Collection, folder: Path, writers: Writers, progress: ProgressHook | None = None
) -> None:
    """Write everything.

    Raises:
        ResourceError: The folder cannot be written to.
    """
    with atomic_write(folder / "crops.zip") as part:
        cut = crops.write(collection, folder, part, progress)
    _table(folder / "identities", list(tables.identities(collection, cut.portraits)), writers)
    _table(folder / "appearances", list(tables.appearances(collection, cut.files)), writers)
    with atomic_write(folder / "media.csv") as part:
        columns.write_csv(part, list(tables.media(collection)))
    found = shares.of_media(collection.seen, progress)
    _table(folder / "shares", share_columns(found.rows), writers)
    with atomic_write(folder / "index.html") as part:
        page = writers.page.render(_page(collection, cut, found, folder))
        part.write_text(page, encoding="utf-8", errors="backslashreplace")


def _table(stem: Path, table_columns: list[Column], writers: Writers) -> None:
    with atomic_write(stem.with_name(f"{stem.name}.csv")) as part:
        columns.write_csv(part, table_columns)
    with atomic_write(stem.with_name(f"{stem.name}.parquet")) as part:
        writers.parquet(part, table_columns)


def _page(
    collection: Collection, cut: Crops, found: CollectionShares, folder: Path
) -> Mapping[str, Any]:
    """Return the content of the page."""
    return {
        "identities": [_shown(identity, cut, folder) for identity in collection.identities[:SHOWN]],
        "metrics": [name.removeprefix("metric_") for name in collection.metrics],
        "total": len(collection.identities),
        "media": len(collection.seen),
        "persons": sum(len(medium.summary.persons) for medium in collection.seen),
        "faces": sum(identity.face_count for identity in collection.identities),
        "skipped": [(s.medium.item_id, s.reason) for s in collection.skipped],
        "shares": charts(found.rows),
        "unshared": found.left_out,
        "is_uneven": found.is_uneven,
    }


def _shown(identity: CollectedPerson, cut: Crops, folder: Path) -> dict[str, Any]:
    return {
        "id": identity.identity_id,
        "name": identity.name or "",
        "portrait": cut.portraits.get(identity.identity_id),
        "sex": identity.sex,
        "age": float(identity.age) if identity.age else None,
        "media": len(identity.appearances),
        "appearances": identity.stretches,
        "faces": identity.face_count,
        "screen_time_s": identity.screen_time_s,
        "metrics": list(identity.metrics.values()),
        "first": identity.appearances[0].seen.medium.item_id,
        "last": identity.appearances[-1].seen.medium.item_id,
        "listed": list(_listed(identity.appearances[:_MEDIA], folder)),
        "more": max(0, len(identity.appearances) - _MEDIA),
    }


def _listed(appearances: tuple[MediumAppearance, ...], folder: Path) -> Iterator[Mapping[str, Any]]:
    for appearance in appearances:
        page = appearance.seen.medium.page
        yield {
            "item": appearance.seen.medium.item_id,
            "link": page and quote(os.path.relpath(page, folder.absolute()).replace(os.sep, "/")),
            "first_s": appearance.first_s,
            "screen_time_s": appearance.screen_time_s,
            "pictures": appearance.stretches,
        }
