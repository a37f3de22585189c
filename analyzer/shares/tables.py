"""Tables of what networks confuse: counted on labelled pictures, a file for each network.

An archive's own table, which `audit report` writes, takes their place.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.errors import InputError
from analyzer.shares.answers import GROUPS, SIZES_PX, count
from analyzer.shares.confusion import PRIOR, Confusion
from ina_input import documents

_FOLDER = Path(__file__).parent / "counts"


@dataclass(frozen=True)
class OwnTables:
    """Tables of an archive's audit."""

    path: Path
    models: Mapping[str, str]
    """Name -> SHA-256 of the models that were audited."""
    counts: Mapping[str, Confusion]
    """Head -> answers of the network for single faces, by size."""

    def require_models(self, models: Mapping[str, str]) -> None:
        """Refuse results of other networks: they err differently.

        Args:
            models: Name -> SHA-256 of the models, from a report's provenance.

        Raises:
            InputError: The models are others.
        """
        if models != self.models:
            raise InputError(
                f"{self.path}: is of other networks than these results: audit results of these"
            )


def tables_of(models: Mapping[str, str], own: OwnTables | None = None) -> Mapping[str, Confusion]:
    """Return head -> table of the network that labelled a medium; empty where none was counted.

    Args:
        models: Name -> SHA-256 of the models, from a report's provenance.
        own: Tables that take the place of the shipped ones.

    Raises:
        InputError: The own tables are of other networks.
    """
    if own is not None:
        own.require_models(models)
    shipped: Mapping[str, Confusion] = {}
    for digest in models.values():
        path = _FOLDER / f"{digest[:16]}.json"
        if path.exists():
            shipped = read(path.read_text(encoding="utf-8"))
    return {**shipped, **(own.counts if own else {})}


def own(path: Path) -> OwnTables:
    """Read an archive's own tables.

    Raises:
        InputError: The file is missing, damaged, or none.
    """
    try:
        values: Any = documents.read(path)
        tables = OwnTables(path, dict(values["models"]), _tables(values))
        if not tables.counts:
            raise ValueError("no attribute has enough labelled faces: audit more")
        for head, table in tables.counts.items():
            _require_shape(table, (len(SIZES_PX), len(GROUPS[head]), count(head)))
        return tables
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: cannot be read as a table of confusions ({documents.fault(error)}): take "
            "what audit report --write has written"
        ) from error


def _require_shape(table: Confusion, shape: tuple[int, ...]) -> None:
    if table.counts.shape != shape:
        raise ValueError(f"counts {table.counts.shape} instead of {shape}")
    # A cell in which nothing is counted, with nothing added, makes an answer impossible.
    if not (np.isfinite(table.counts).all() and (table.counts + table.prior > 0).all()):
        raise ValueError("a cell without a number above 0")


def read(text: str) -> Mapping[str, Confusion]:
    """Read tables: head -> counts (S, G, K); the inverse of `written`."""
    return _tables(documents.parse(text))


def _tables(values: Mapping[str, Any]) -> dict[str, Confusion]:
    found = values.get("found", {})
    return {
        head: Confusion(
            GROUPS[head],
            np.array(counts, np.float64),
            values.get("prior", PRIOR),
            found=np.array(found[head], np.float64) if head in found else None,
        )
        for head, counts in values["counts"].items()
    }


def written(tables: Mapping[str, Confusion], data: str) -> str:
    """Return tables as JSON.

    Args:
        tables: Head -> table.
        data: Where the faces that were counted come from.
    """
    counts = {head: table.counts.astype(int).tolist() for head, table in tables.items()}
    found = {h: t.found.astype(int).tolist() for h, t in tables.items() if t.found is not None}
    document = {"data": data, "counts": counts, **({"found": found} if found else {})}
    return json.dumps(document) + "\n"
