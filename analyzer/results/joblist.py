"""Joblists of the analyzer, checked as a whole, with its exporters and its errors."""

import os
from collections.abc import Iterator

from analyzer import registry
from analyzer.errors import UsageError
from joblist import reader
from joblist.errors import JoblistError
from joblist.model import JobSpec, Rows, is_address
from joblist.names import spelled_spec


def read(
    path: str | os.PathLike[str], *, rows: Rows | None = None, addresses: bool = False
) -> list[JobSpec]:
    """Return the rows of a joblist; equal rows once.

    Args:
        path: Path of the joblist, which must be without faults.
        rows: Selection of rows; by default, all.
        addresses: Whether sources may be addresses.

    Raises:
        UsageError: The file has faults; the message lists all, with line and remedy.
    """
    try:
        specs = reader.read(
            os.fspath(path),
            exporters=registry.names("export"),
            faults=(lambda _: ()) if addresses else _address_faults,
            rows=rows,
        )
        by_csv = {spec.dests["csv"]: spelled_spec(spec) for spec in specs}
    except JoblistError as error:
        raise UsageError(str(error)) from error
    return list(by_csv.values())


def _address_faults(spec: JobSpec) -> Iterator[str]:
    if is_address(spec.source_path):
        yield (
            f"source_path {spec.source_path!r} is an address: download it and give the file, or "
            "add --allow_urls"
        )


def of_items(specs: list[JobSpec], items: list[str], *, path: str) -> list[JobSpec]:
    """Return the rows of some titles, in the order of the joblist.

    Args:
        specs: Rows of the joblist.
        items: Values of their column `item_id`.
        path: Path of the joblist.

    Raises:
        UsageError: No row has one of these values.
    """
    item_ids = {spec.item_id for spec in specs}
    for item in items:
        if item not in item_ids:
            there = sorted(filter(None, item_ids))
            shown = f"there are {', '.join(there[:10])}{', ...' if there[10:] else ''}"
            cure = shown if there else "give its rows one in the column item_id"
            raise UsageError(f"{path}: no row has item_id {item!r}: {cure}")
    return [spec for spec in specs if spec.item_id in items]
