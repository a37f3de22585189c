"""Tables of what networks confuse: counted on labelled pictures, a file for each network."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from analyzer.shares.answers import GROUPS
from analyzer.shares.confusion import Confusion
from ina_input import documents

_FOLDER = Path(__file__).parent / "counts"


def tables_of(models: Mapping[str, str]) -> Mapping[str, Confusion]:
    """Return head -> table of the network that labelled a medium; empty where none was counted.

    Args:
        models: Name -> SHA-256 of the models, from a report's provenance.
    """
    for digest in models.values():
        path = _FOLDER / f"{digest[:16]}.json"
        if path.exists():
            return read(path.read_text(encoding="utf-8"))
    return {}


def read(text: str) -> Mapping[str, Confusion]:
    """Read tables: head -> counts (S, G, K); the inverse of `written`."""
    values = documents.parse(text)
    found = values.get("found", {})
    return {
        head: Confusion(
            GROUPS[head],
            np.array(counts, np.float64),
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
