"""Fetch a medium from its address for as long as it is worked on, by the rules of the server."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from analyzer.errors import AnalyzerError, UsageError
from analyzer.types import ProgressHook
from analyzer.types.progress import report_progress
from analyzer.workflows import inputs
from analyzer.workflows.items import Item
from joblist.addresses.fetch import Fetcher
from joblist.addresses.rules import url_fault
from joblist.model import is_address

MAX_BYTES = 20 * 10**9
"""Size above which a medium is not fetched, unless the user says otherwise."""

_LONGEST_NAME = 100


def with_https(paths: Sequence[str]) -> tuple[list[str], list[str]]:
    """Check addresses among paths; those with `http` are asked by `https`, as nothing else is.

    Args:
        paths: Paths and addresses.

    Returns:
        The paths, and a note for each address that has changed.

    Raises:
        UsageError: An address is not fetched, whatever stands behind it.
    """
    safe = [_safe(path) for path in paths]
    for path in filter(is_address, safe):
        if fault := url_fault(path):
            raise UsageError(f"{path} {fault}")
    notes = [f"{old}: asked by https" for old, new in zip(paths, safe, strict=True) if old != new]
    return safe, notes


def _safe(path: str) -> str:
    start, _, rest = path.partition("://")
    return f"https://{rest}" if rest and start.lower() == "http" else path


@contextmanager
def on_disk(
    item: Item, *, max_bytes: int = MAX_BYTES, progress: ProgressHook | None = None
) -> Iterator[Item]:
    """Give an item with a file as its medium, which is gone when the context ends.

    Args:
        item: Item with a medium behind an address, or on disk already.
        max_bytes: Size above which a medium is not fetched.
        progress: Hook that is called while the medium is fetched.

    Raises:
        AnalyzerError: The medium cannot be had.
    """
    if not isinstance(item.medium, str) or not is_address(item.medium):
        yield item
        return
    address = item.medium

    def report(values: Mapping[str, Any]) -> None:
        fraction = values.get("fraction")
        report_progress(progress, "fetch", fraction or 0.0, None if fraction is None else 1.0)

    with tempfile.TemporaryDirectory(prefix="ina-fetch-") as folder:
        # Reports and pages have this name.
        path = Path(folder, inputs.place(address).name[-_LONGEST_NAME:])
        with path.open("wb") as file:
            Fetcher(max_bytes=max_bytes).fetch(address, file, report)
        note = f"fetched from {address}, and not kept"
        try:
            yield replace(item, medium=str(path), address=address, notes=(*item.notes, note))
        except AnalyzerError as error:
            error.args = (str(error).replace(str(path), address),)
            raise
