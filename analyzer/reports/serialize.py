"""A medium and its observations as plain arrays and JSON-able values, as files keep them."""

import re
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np

from analyzer.types import MediaInfo, Observations
from analyzer.types.arrays import require_finite
from analyzer.types.tally import Tally

_ARRAYS = tuple(f.name for f in fields(Observations) if f.name not in ("heads", "tally"))
_FINITE = ("time_s", "duration_s", "boxes", "picture_px", "face_px", "embeddings", "cuts", "canvas")
_LATER = ("inside", "recognisability", "too_young")
"""Columns that files of older versions lack."""
_HEAD = "head."
_RATE = re.compile(r"(\d{1,18})(?:/([1-9]\d{0,17}))?")
_MAX_NUMBER = 1 << 62


def media_info_to_json(info: MediaInfo) -> dict[str, Any]:
    """Return the facts of a medium as JSON-able values."""
    return {**asdict(info), "frame_rate": str(info.frame_rate or "")}


def media_info_from_json(values: Mapping[str, Any]) -> MediaInfo:
    """Read the facts of a medium; the inverse of `media_info_to_json`."""
    rate = _rate_from_json(values["frame_rate"])
    stills, notes = (tuple(values.get(name) or ()) for name in ("stills", "notes"))
    stored, timecode = values.get("stored_px"), values.get("timecode")
    info = MediaInfo(
        **{
            **values,
            "frame_rate": rate,
            "stills": stills,
            "notes": notes,
            "stored_px": None if stored is None else tuple(stored),
        }
    )
    if not all(isinstance(text, str) for text in (info.uri, info.kind, *stills, *notes)):
        raise TypeError("a path or a note that is no text")
    if timecode is not None and not isinstance(timecode, str):
        raise TypeError("a timecode that is no text")
    if info.created is not None:
        date.fromisoformat(info.created)
    if stored is not None and not _is_size(stored):
        raise ValueError("stored pictures without a width and a height")
    if info.start_s is not None and not abs(info.start_s) < _MAX_NUMBER:
        raise ValueError("a medium that starts at no time")
    sizes = (info.width_px, info.height_px, info.duration_s, info.size_bytes or 0)
    if not all(0 <= size < _MAX_NUMBER for size in sizes):
        raise ValueError("a medium of no size, or none that can be counted with")
    return info


def _is_size(sides: Any) -> bool:
    """Return whether values are a width and a height in pixels."""
    whole = all(type(side) is int and 0 < side < _MAX_NUMBER for side in sides)
    return whole and len(sides) == 2


def _rate_from_json(text: str) -> Fraction | None:
    """Read a frame rate: of `1e999999999`, `Fraction` would make a number of so many digits."""
    match = _RATE.fullmatch(text)
    if text and match is None:
        raise ValueError(f"{text[:20]!r} is no frame rate")
    return Fraction(int(match[1]), int(match[2] or 1)) if match else None


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
    columns = {name: arrays[name] for name in _ARRAYS if name in arrays or name not in _LATER}
    heads = {head: arrays[_HEAD + head] for head in facts["heads"]}
    table = Observations(**columns, heads=heads, tally=Tally(**facts["tally"]))
    _require_table(table)
    return table


def _require_table(table: Observations) -> None:
    """Require that numbers can be counted with, and that rows and counters are possible.

    Raises:
        TypeError, ValueError: They are not.
    """
    require_finite("observations", {name: getattr(table, name) for name in _FINITE})
    if not all(0 <= count < _MAX_NUMBER for count in asdict(table.tally).values()):
        raise ValueError("a counter below 0, or of no number")
    rows = table.embedding_rows
    if len(rows) and (rows[0] < 0 or rows[-1] >= len(table) or (np.diff(rows) <= 0).any()):
        raise ValueError("embeddings of rows that are not there")
