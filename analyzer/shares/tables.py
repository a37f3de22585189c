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
    sex_given_from: float = 0.0
    """Age in years from which on these faces had a label of sex."""

    def require_sex_of(self, age: float) -> None:
        """Refuse results with labels of sex from another age on: they are of other faces.

        Args:
            age: From `analyzer.shares.amounts.sex_given_from`.

        Raises:
            InputError: The age is another.
        """
        if "sex" in self.counts and age != self.sex_given_from:
            raise InputError(
                f"{self.path}: was counted with --min_sex_age {self.sex_given_from:g}, and these "
                f"results have {age:g}: audit results of the same"
            )

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


def tables_of(
    models: Mapping[str, str], own: OwnTables | None = None, *, sex_given_from: float = 0.0
) -> Mapping[str, Confusion]:
    """Return head -> table of the network that labelled a medium; empty where none was counted.

    Args:
        models: Name -> SHA-256 of the models, from a report's provenance.
        own: Tables that take the place of the shipped ones.
        sex_given_from: From `analyzer.shares.amounts`. Faces without a label have no answer, so
            that sex has a table only for an age for which it was counted.

    Raises:
        InputError: The own tables are of other networks, or of other faces.
    """
    if own is not None:
        own.require_models(models)
        own.require_sex_of(sex_given_from)
    shipped: Mapping[str, Confusion] = {}
    for digest in models.values():
        path = _FOLDER / f"{digest[:16]}.json"
        if path.exists():
            shipped = read(path.read_text(encoding="utf-8"), sex_given_from=sex_given_from)
    return {**shipped, **(own.counts if own else {})}


def own(path: Path) -> OwnTables:
    """Read an archive's own tables.

    Raises:
        InputError: The file is missing, damaged, or none.
    """
    try:
        values: Any = documents.read(path)
        age = float(values.get("min_sex_age", 0.0))
        tables = OwnTables(path, dict(values["models"]), _tables(values), age)
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


def read(text: str, *, sex_given_from: float = 0.0) -> Mapping[str, Confusion]:
    """Read tables: head -> counts (S, G, K); the inverse of `written`.

    Args:
        text: JSON.
        sex_given_from: As of `tables_of`.
    """
    values = documents.parse(text)
    tables = _tables(values)
    if sex_given_from:
        tables.pop("sex", None)
        counts = values.get("sex_given_from", {}).get(f"{sex_given_from:g}")
        tables |= _tables({**values, "counts": {"sex": counts}}) if counts else {}
    return tables


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


def written(
    tables: Mapping[str, Confusion], data: str, of_given: Mapping[float, Confusion] | None = None
) -> str:
    """Return tables as JSON.

    Args:
        tables: Head -> table.
        data: Where the faces that were counted come from.
        of_given: Age from which on sex is given -> table of it.
    """
    counts = {head: table.counts.astype(int).tolist() for head, table in tables.items()}
    found = {h: t.found.astype(int).tolist() for h, t in tables.items() if t.found is not None}
    document = {"data": data, "counts": counts, **({"found": found} if found else {})}
    if of_given:
        by_age = {f"{age:g}": t.counts.astype(int).tolist() for age, t in of_given.items()}
        document["sex_given_from"] = by_age
    return json.dumps(document) + "\n"
