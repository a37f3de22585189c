"""The file of a reviewer's corrections; docs/review.md lists its keys."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from analyzer.errors import InputError
from analyzer.files import source as files
from analyzer.files.text import write_json
from analyzer.types.corrections import (
    OF_SEVERAL,
    OF_TRACKS,
    OPS,
    Anchor,
    Correction,
    CorrectionsDocument,
)
from ina_input import documents

SUFFIX = ".corrections.json"
_FORMAT = "ina-corrections"
_VERSION = 1
_SEXES = ("m", "f", "")
_MAX_YEARS = 130
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
    op, numbers = correction.op, correction.numbers
    faces = [_anchors_to_json(anchors) for anchors in correction.anchors]
    several = op in OF_SEVERAL
    own: dict[str, dict[str, Any]] = {
        "rename": {"name": correction.name},
        "sex": {"label": correction.label},
        "age": {"label": correction.label},
        "split_at": {"time_s": correction.time_s},
        "add_face": {"drawn": _anchors_to_json(correction.drawn)},
    }
    return {
        "op": op,
        _numbers_key(op): list(numbers) if several else numbers[0],
        **own.get(op, {}),
        **({"anchors": faces} if several else {"anchor": faces[0]}),
    }


def correction_from_json(values: Mapping[str, Any]) -> Correction:
    """Read a correction, the inverse of `correction_to_json`; anchors may be missing.

    Raises:
        KeyError, TypeError, ValueError: The values are not those of a correction.
    """
    op = values["op"]
    if op not in OPS:
        raise ValueError(f"no correction {op!r}; there are: {', '.join(OPS)}")
    several, stored = op in OF_SEVERAL, values[_numbers_key(op)]
    numbers = [_number(value) for value in (stored if several else [stored])]
    if several and len(set(numbers)) < 2:
        raise ValueError(f"a {op} needs two persons")
    faces = values.get("anchors") if several else [values.get("anchor") or []]
    anchors = tuple(tuple(map(_anchor_from_json, face)) for face in faces or [[]] * len(numbers))
    if len(anchors) != len(numbers):
        raise ValueError(f"{len(anchors)} anchors of {len(numbers)} persons")
    return Correction(
        op=op,
        numbers=tuple(numbers),
        anchors=anchors,
        name=values["name"].strip() if op == "rename" else "",
        label=_label(op, values["label"]) if op in ("sex", "age") else "",
        time_s=_coordinate(values["time_s"]) if op == "split_at" else None,
        drawn=_drawn(values["drawn"]) if op == "add_face" else (),
    )


def _numbers_key(op: str) -> str:
    """Return the key of the numbers of a correction's persons or track."""
    if op in OF_SEVERAL:
        return "persons"
    return "track" if op in OF_TRACKS else "person"


def _label(op: str, value: Any) -> str:
    """Return a sex or age as it stands in results."""
    if op == "sex":
        if value not in _SEXES:
            raise ValueError(f"{value!r} is no sex; there are: m, f, and nothing for unknown")
        return str(value)
    if value == "":
        return ""
    if isinstance(value, bool) or not 0 <= (years := float(value)) <= _MAX_YEARS:
        raise ValueError(f"{value!r} is no age in years")
    return f"{years:.1f}"


def _drawn(values: Sequence[Mapping[str, Any]]) -> tuple[Anchor, ...]:
    """Return the boxes of an added face, in order of time."""
    faces = sorted(map(_anchor_from_json, values), key=lambda face: face.time_s)
    if not faces:
        raise ValueError("an added face needs a box")
    for face in faces:
        x1, y1, x2, y2 = face.bbox
        if face.picture is not None or face.time_s < 0 or x2 <= x1 or y2 <= y1:
            raise ValueError(f"{list(face.bbox)} is no box of a face in a video")
    if len({face.time_s for face in faces}) < len(faces):
        raise ValueError("two boxes of an added face at one time")
    return tuple(faces)


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


def _anchors_to_json(anchors: Sequence[Anchor]) -> list[dict[str, Any]]:
    return [_anchor_to_json(anchor) for anchor in anchors]


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
