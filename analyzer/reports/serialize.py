"""A medium and its observations as plain arrays and JSON-able values, as files keep them."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from fractions import Fraction
from typing import Any

from analyzer.types import MediaInfo, Observations
from analyzer.types.tally import Tally

_ARRAYS = tuple(f.name for f in fields(Observations) if f.name not in ("heads", "tally"))
_HEAD = "head."


def media_info_to_json(info: MediaInfo) -> dict[str, Any]:
    """Return the facts of a medium as JSON-able values."""
    return {**asdict(info), "frame_rate": str(info.frame_rate or "")}


def media_info_from_json(values: Mapping[str, Any]) -> MediaInfo:
    """Read the facts of a medium; the inverse of `media_info_to_json`."""
    rate = Fraction(values["frame_rate"]) if values["frame_rate"] else None
    return MediaInfo(**{**values, "frame_rate": rate, "stills": tuple(values["stills"])})


def observations_to_arrays(observations: Observations) -> dict[str, Any]:
    """Return the arrays of a table by name, with those of its heads."""
    arrays = {name: getattr(observations, name) for name in _ARRAYS}
    return {**arrays, **{_HEAD + head: values for head, values in observations.heads.items()}}


def observations_to_json(observations: Observations) -> dict[str, Any]:
    """Return what a table has besides arrays as JSON-able values: tally, heads in order."""
    return {"tally": asdict(observations.tally), "heads": list(observations.heads)}


def observations_from_arrays(arrays: Mapping[str, Any], facts: Mapping[str, Any]) -> Observations:
    """Read a table; the inverse of `observations_to_arrays` and `observations_to_json`.

    Args:
        arrays: Arrays by name; others are ignored.
        facts: JSON-able values; others are ignored.

    Raises:
        KeyError, TypeError, ValueError: Something is missing, or has another form.
    """
    columns = {name: arrays[name] for name in _ARRAYS}
    heads = {head: arrays[_HEAD + head] for head in facts["heads"]}
    return Observations(**columns, heads=heads, tally=Tally(**facts["tally"]))
