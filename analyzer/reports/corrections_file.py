"""The file of a reviewer's corrections; docs/review.md lists its keys."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from analyzer.errors import InputError
from analyzer.files import source as files
from analyzer.files.text import write_json
from analyzer.types.corrections import Anchor, Correction, CorrectionsDocument
from ina_input import documents

SUFFIX = ".corrections.json"
_FORMAT = "ina-corrections"
_VERSION = 1
_NUMBERS_KEY = {"rename": "person", "merge": "persons", "split": "track", "not_a_face": "track"}
"""Operation -> key of the numbers of its persons or track."""
_HINT = "save it from the page again"
_READ_ERRORS = (AttributeError, KeyError, TypeError, ValueError)


def read(path: Path) -> CorrectionsDocument:
    """Read a file of corrections.

    Raises:
        InputError: The file is missing, no file of corrections, or of another version.
    """
    try:
        values = documents.read(path, opener=files.open_listed)
        if values["format"] != _FORMAT:
            raise InputError(f"{path}: not a file of corrections: {_HINT}")
        if values["version"] != _VERSION:
            raise InputError(
                f"{path}: corrections of version {values['version']}, and this program reads "
                f"{_VERSION}: install the one that made its page, or {_HINT}"
            )
        source = values["source"]
        return CorrectionsDocument(
            uri=str(source["uri"]),
            name=str(source["name"]),
            options=str(source["options"]),
            corrections=_corrections_from_json(values["corrections"]),
        )
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror}: give the file that the page has saved"
        ) from error
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: not JSON (line {error.lineno}): {_HINT}") from error
    except KeyError as error:
        raise InputError(f"{path}: {error} is missing: {_HINT}") from error
    except _READ_ERRORS as error:
        raise InputError(f"{path}: not a file of corrections ({error}): {_HINT}") from error


def read_if_there(path: str | Path | None) -> CorrectionsDocument | None:
    """Read a file of corrections; `None` if it is missing or has none; see `read`."""
    document = read(Path(path)) if path is not None and Path(path).exists() else None
    return document if document and document.corrections else None


def write(document: CorrectionsDocument, path: Path) -> None:
    """Write a file of corrections.

    Raises:
        ResourceError: The file cannot be written.
    """
    source = {"uri": document.uri, "name": document.name, "options": document.options}
    values = [correction_to_json(correction) for correction in document.corrections]
    contents = {"format": _FORMAT, "version": _VERSION, "source": source, "corrections": values}
    write_json(path, contents)


def correction_to_json(correction: Correction) -> dict[str, Any]:
    """Return a correction as JSON-able values."""
    values: dict[str, Any] = {"op": correction.op}
    faces = [[_anchor_to_json(anchor) for anchor in anchors] for anchors in correction.anchors]
    if correction.op == "merge":
        return {**values, "persons": list(correction.numbers), "anchors": faces}
    values[_NUMBERS_KEY[correction.op]] = correction.numbers[0]
    if correction.op == "rename":
        values["name"] = correction.name
    return {**values, "anchor": faces[0]}


def correction_from_json(values: Mapping[str, Any]) -> Correction:
    """Read a correction, the inverse of `correction_to_json`; anchors may be missing.

    Raises:
        KeyError, TypeError, ValueError: The values are not those of a correction.
    """
    op = values["op"]
    if op not in _NUMBERS_KEY:
        raise ValueError(f"no correction {op!r}; there are: {', '.join(_NUMBERS_KEY)}")
    stored = values["persons"] if op == "merge" else [values[_NUMBERS_KEY[op]]]
    numbers = [_number(value) for value in stored]
    if op == "merge" and len(set(numbers)) < 2:
        raise ValueError("a merge needs two persons")
    faces = values.get("anchors") if op == "merge" else [values.get("anchor") or []]
    anchors = tuple(tuple(map(_anchor_from_json, face)) for face in faces or [[]] * len(numbers))
    if len(anchors) != len(numbers):
        raise ValueError(f"{len(anchors)} anchors of {len(numbers)} persons")
    name = values["name"].strip() if op == "rename" else ""
    return Correction(op=op, numbers=tuple(numbers), anchors=anchors, name=name)


def _corrections_from_json(values: Sequence[Mapping[str, Any]]) -> tuple[Correction, ...]:
    corrections = []
    for number, value in enumerate(values, start=1):
        try:
            corrections.append(correction_from_json(value))
        except KeyError as error:
            raise ValueError(f"correction {number}: {error} is missing") from error
        except _READ_ERRORS as error:
            raise ValueError(f"correction {number}: {error}") from error
    return tuple(corrections)


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{value!r} is no number of a person, track or picture")
    return value


def _anchor_to_json(anchor: Anchor) -> dict[str, Any]:
    """Return an anchor with its time, or in stills its picture: these have no times."""
    still = {"picture": anchor.picture}
    where = {"time_s": anchor.time_s} if anchor.picture is None else still
    return {**where, "bbox": list(anchor.bbox)}


def _anchor_from_json(values: Mapping[str, Any]) -> Anchor:
    box = tuple(map(_coordinate, values["bbox"]))
    if len(box) != 4:
        raise ValueError(f"{values['bbox']} is no box")
    picture = values.get("picture")
    if picture is not None:
        return Anchor(picture=picture if isinstance(picture, str) else _number(picture), bbox=box)
    return Anchor(time_s=_coordinate(values["time_s"]), bbox=box)


def _coordinate(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)
