"""A medium and its observations as plain arrays and JSON-able values, as files keep them."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from fractions import Fraction
from typing import Any

from analyzer.types import MediaInfo, Observations
from analyzer.types.tally import Tally

_ARRAYS = tuple(f.name for f in fields(Observations) if f.name not in ("heads", "tally"))
_HEAD = "head."


def media_info_to_json(of: MediaInfo) -> dict[str, Any]:
    """Return the facts of a medium, JSON-able."""
    return {**asdict(of), "frame_rate": str(of.frame_rate or "")}


def media_info_from_json(values: Mapping[str, Any]) -> MediaInfo:
    """Read the facts of a medium; the inverse of `media_info_to_json`."""
    rate = Fraction(values["frame_rate"]) if values["frame_rate"] else None
    return MediaInfo(**{**values, "frame_rate": rate, "stills": tuple(values["stills"])})


def observation_arrays(table: Observations) -> dict[str, Any]:
    """Return the arrays of a table by name, those of the heads among them."""
    arrays = {name: getattr(table, name) for name in _ARRAYS}
    return {**arrays, **{_HEAD + head: values for head, values in table.heads.items()}}


def observation_facts(table: Observations) -> dict[str, Any]:
    """Return the facts of a table without its arrays, JSON-able: tally, heads in order."""
    return {"tally": asdict(table.tally), "heads": list(table.heads)}


def observations_from(arrays: Mapping[str, Any], facts: Mapping[str, Any]) -> Observations:
    """Read a table; the inverse of `observation_arrays` and `observation_facts`.

    Raises:
        KeyError, TypeError, ValueError: Something is missing, or of another form.
    """
    columns = {name: arrays[name] for name in _ARRAYS}
    heads = {head: arrays[_HEAD + head] for head in facts["heads"]}
    return Observations(**columns, heads=heads, tally=Tally(**facts["tally"]))
