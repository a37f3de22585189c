"""The folder of results: tables, portraits and the page."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from analyzer import registry
from analyzer.collection import crops, tables
from analyzer.collection.crops import Crops
from analyzer.collection.identities import CollectedPerson, Collection, MediumAppearance
from analyzer.files import atomic as outputs
from analyzer.files import columns
from analyzer.files.columns import Column
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
            MissingDependency: with the cure.
        """
        page = registry.module("pages", "collection").create()
        return cls(registry.module("formats", "parquet").write, page)


def write(
    found: Collection, folder: Path, writers: Writers, progress: ProgressHook | None = None
) -> None:
    """Write everything.

    Raises:
        ResourceError: the folder cannot be written to.
    """
    with outputs.atomic_write(folder / "crops.zip") as part:
        cut = crops.write(found, folder, part, progress)
    _table(folder / "identities", list(tables.identities(found, cut.portraits)), writers)
    _table(folder / "appearances", list(tables.appearances(found, cut.files)), writers)
    with outputs.atomic_write(folder / "media.csv") as part:
        columns.write_csv(part, list(tables.media(found)))
    with outputs.atomic_write(folder / "index.html") as part:
        page = writers.page.render(_page(found, cut, folder))
        part.write_text(page, encoding="utf-8", errors="backslashreplace")


def _table(stem: Path, found: list[Column], writers: Writers) -> None:
    with outputs.atomic_write(stem.with_name(f"{stem.name}.csv")) as part:
        columns.write_csv(part, found)
    with outputs.atomic_write(stem.with_name(f"{stem.name}.parquet")) as part:
        writers.parquet(part, found)


def _page(found: Collection, cut: Crops, folder: Path) -> Mapping[str, Any]:
    """What the page shows."""
    return {
        "identities": [_shown(one, cut, folder) for one in found.identities[:SHOWN]],
        "metrics": [name.removeprefix("metric_") for name in found.metrics],
        "total": len(found.identities),
        "media": len(found.seen),
        "persons": sum(len(seen.summary.persons) for seen in found.seen),
        "faces": sum(one.face_count for one in found.identities),
        "skipped": [(s.medium.item_id, s.reason) for s in found.skipped],
    }


def _shown(one: CollectedPerson, cut: Crops, folder: Path) -> dict[str, Any]:
    return {
        "id": one.identity_id,
        "name": one.name or "",
        "portrait": cut.portraits.get(one.identity_id),
        "sex": one.sex,
        "age": float(one.age) if one.age else None,
        "media": len(one.appearances),
        "appearances": one.stretches,
        "faces": one.face_count,
        "screen_time_s": one.screen_time_s,
        "metrics": list(one.metrics.values()),
        "first": one.appearances[0].seen.medium.item_id,
        "last": one.appearances[-1].seen.medium.item_id,
        "listed": list(_listed(one.appearances[:_MEDIA], folder)),
        "more": max(0, len(one.appearances) - _MEDIA),
    }


def _listed(appearances: tuple[MediumAppearance, ...], folder: Path) -> Iterator[Mapping[str, Any]]:
    for one in appearances:
        page = one.seen.medium.page
        yield {
            "item": one.seen.medium.item_id,
            "link": page and quote(os.path.relpath(page, folder.absolute()).replace(os.sep, "/")),
            "first_s": one.first_s,
            "screen_time_s": one.screen_time_s,
        }
