"""Report files, for later work on reports without their media.

A file is a zip: `report.json` describes the medium and its persons, `arrays.safetensors` holds
tracks, persons, shots and the poster, `observations.safetensors` the rows, `portraits` a JPEG per
track. Equal reports give equal bytes, whenever and wherever they are saved. For a corrected
report, `uncorrected` holds the first three files from before the corrections.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import numpy as np

from analyzer import registry
from analyzer._version import __version__
from analyzer.errors import InputError
from analyzer.files import zips
from analyzer.reports import checks, corrections_file, serialize
from analyzer.types import Attribute, Decoded, MediaInfo, MediaReport, Person, TrackPersons
from analyzer.types.people import Candidate, Poster
from ina_input import documents, regular
from ina_input.archives import ZipContents, open_zip

SCHEMA = 1
"""Version of the format; to be raised when older programs can no longer read the files."""
_JSON_FILE, _ARRAYS_FILE, _ROWS_FILE = (
    "report.json",
    "arrays.safetensors",
    "observations.safetensors",
)
_PORTRAITS, _UNCORRECTED = "portraits", "uncorrected/"
_POSTER_ARRAYS = ("image", "boxes", "scores", "person_ids", "distances")
_IDENTITY_ARRAYS = tuple(field.name for field in fields(TrackPersons))
_NUMBER = "number"
_READ_ERRORS = (OSError, AttributeError, LookupError, TypeError, ValueError)
"""Errors that reading raises for a damaged file, or one of another kind."""
_Result = TypeVar("_Result")


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Fields of a report without its rows: quick to read, even for a long medium."""

    info: MediaInfo
    persons: tuple[Person, ...]
    identities: TrackPersons
    provenance: Mapping[str, Any]


def save(report: MediaReport, path: Path, *, portraits: Mapping[int, bytes]) -> None:
    """Write a report to a file.

    Args:
        report: Report of a medium.
        path: Path of the file; its folder exists.
        portraits: JPEG of tracks by track id; the file keeps their order.

    Raises:
        ResourceError: The file cannot be written.
    """
    pack = registry.module("formats", "safetensors").pack
    with zips.create(path) as file:
        for folder, state in (("", report), (_UNCORRECTED, report.uncorrected)):
            if state:
                values = _numbers_to_json(_report_to_json(state))
                text = json.dumps(values, allow_nan=False, indent=1)
                file.add(f"{folder}{_JSON_FILE}", [text.encode()])
                file.add(f"{folder}{_ARRAYS_FILE}", [pack(_report_arrays(state))])
                file.add(f"{folder}{_ROWS_FILE}", [pack(_row_arrays(state))])
        for track, picture in portraits.items():
            file.add(f"{_PORTRAITS}/{track}.jpg", [picture], packed=False)


def load(path: Path) -> MediaReport:
    """Read a report; each field equals that of the saved report.

    Raises:
        InputError: The file is missing, no report, damaged, or of a newer version.
    """
    return _read_zip(path, _read_report)


def summary(path: Path) -> Summary:
    """Read the fields of a report without its rows; see `load`."""
    return _read_zip(path, _read_summary)


def portraits(path: Path) -> dict[int, bytes]:
    """Return the portraits of a report, JPEG by track id, the best first; see `load`."""

    def pictures(_: Mapping[str, Any], file: ZipContents) -> dict[int, bytes]:
        names = [PurePosixPath(n) for n in file.names if n.startswith(f"{_PORTRAITS}/")]
        return {checks.number(int(name.stem)): file.read(str(name)) for name in names}

    return _read_zip(path, pictures)


def _read_zip(path: Path, read: Callable[[Mapping[str, Any], ZipContents], _Result]) -> _Result:
    """Open a report file, and return the result of `read` for its JSON and its files."""
    try:
        with open_zip(path) as file:
            values = _read_json(file)
            if values["schema"] > SCHEMA:
                raise InputError(
                    f"{path}: a report of a newer version ({values['analyzer']}); install that one"
                )
            return read(values, file)
    except FileNotFoundError as error:
        raise InputError(
            f"{path}: no report there; give the joblist a column dest_report, or analyze "
            "--export report, and run it"
        ) from error
    except _READ_ERRORS as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"{path}: not a report that can be read ({reason}); analyse the medium again"
        ) from error


def _read_json(file: ZipContents, folder: str = "") -> Any:
    text = file.read(f"{folder}{_JSON_FILE}", limit=regular.MAX_BYTES)
    return documents.parse(text, object_hook=_number_from_json)


def _report_to_json(report: MediaReport) -> dict[str, Any]:
    """Return all of a report but its arrays as JSON-able values."""
    poster = report.poster
    return {
        "schema": SCHEMA,
        "analyzer": __version__,
        "info": serialize.media_info_to_json(report.info),
        "persons": [asdict(person) for person in report.persons],
        "notes": report.notes,
        "is_remembered": report.is_remembered,
        "corrections": [
            corrections_file.correction_to_json(correction) for correction in report.corrections
        ],
        **serialize.observations_to_json(report.observations),
        "provenance": report.provenance,
        "row_labels": _vocabularies(report.row_attributes),
        "track_labels": _vocabularies(report.track_attributes),
        "poster": poster
        and {
            **{"path": poster.path, "sex": poster.sex, "age": poster.age},
            # Files without it stay as they are.
            **({"ethnicity": poster.ethnicity} if poster.ethnicity else {}),
        },
    }


def _report_arrays(report: MediaReport) -> dict[str, Any]:
    """Return the arrays of tracks, persons, shots and the poster."""
    track_persons, poster = report.identities, report.poster
    return {
        **{name: getattr(track_persons, name) for name in _IDENTITY_ARRAYS},
        **{f"poster.{name}": getattr(poster, name) for name in _POSTER_ARRAYS if poster},
        **_head_arrays(report.track_attributes),
        "shots": report.shots,
    }


def _row_arrays(report: MediaReport) -> dict[str, Any]:
    heads = _head_arrays(report.row_attributes)
    return serialize.observations_to_arrays(report.observations) | heads


def _read_report(values: Mapping[str, Any], file: ZipContents, folder: str = "") -> MediaReport:
    unpack = registry.module("formats", "safetensors").unpack
    arrays = unpack(file.read(f"{folder}{_ARRAYS_FILE}"))
    rows = unpack(file.read(f"{folder}{_ROWS_FILE}"))
    corrections = tuple(map(corrections_file.correction_from_json, values.get("corrections", ())))
    uncorrected = _read_json(file, _UNCORRECTED) if corrections else None
    report = MediaReport(
        info=serialize.media_info_from_json(values["info"]),
        observations=serialize.observations_from_arrays(rows, values),
        identities=_identities_from_arrays(arrays),
        row_attributes=_heads_from_arrays(values["row_labels"], rows),
        track_attributes=_heads_from_arrays(values["track_labels"], arrays),
        persons=tuple(map(_person_from_json, values["persons"])),
        shots=arrays["shots"],
        provenance=checks.provenance(values["provenance"]),
        poster=_read_poster(values["poster"], arrays),
        notes=tuple(values["notes"]),
        is_remembered=values["is_remembered"],
        corrections=corrections,
        uncorrected=_read_report(uncorrected, file, _UNCORRECTED) if uncorrected else None,
    )
    checks.require_report(report)
    return report


def _read_summary(values: Mapping[str, Any], file: ZipContents) -> Summary:
    arrays = registry.module("formats", "safetensors").unpack(file.read(_ARRAYS_FILE))
    summary = Summary(
        info=serialize.media_info_from_json(values["info"]),
        persons=tuple(map(_person_from_json, values["persons"])),
        identities=_identities_from_arrays(arrays),
        provenance=checks.provenance(values["provenance"]),
    )
    checks.require_persons(summary.persons, summary.identities)
    return summary


def _identities_from_arrays(arrays: Mapping[str, Any]) -> TrackPersons:
    return TrackPersons(**{name: arrays[name] for name in _IDENTITY_ARRAYS})


def _read_poster(values: Mapping[str, Any] | None, arrays: Mapping[str, Any]) -> Poster | None:
    if values is None:
        return None
    columns = {name: arrays[f"poster.{name}"] for name in _POSTER_ARRAYS}
    return Poster(
        path=values["path"],
        sex=tuple(values["sex"]),
        age=tuple(values["age"]),
        ethnicity=tuple(values.get("ethnicity", ())),
        **columns,
    )


def _person_from_json(values: Mapping[str, Any]) -> Person:
    return Person(
        **{
            **values,
            "track_ids": tuple(values["track_ids"]),
            "attributes": {
                head: Attribute(
                    # Files of earlier versions have no distribution.
                    **{**attribute, "distribution": tuple(attribute.get("distribution", ()))}
                )
                for head, attribute in values["attributes"].items()
            },
            "intervals": tuple((start, end) for start, end in values["intervals"]),
            "candidates": tuple(Candidate(**attribute) for attribute in values["candidates"]),
        }
    )


def _vocabularies(heads: Mapping[str, Decoded]) -> dict[str, list[str]]:
    """Return the different labels of each head, sorted."""
    return {head: sorted(set(decoded.label)) for head, decoded in heads.items()}


def _head_arrays(heads: Mapping[str, Decoded]) -> dict[str, Any]:
    """Return the values (n,) of each head, and the indices (n,) of its labels in the vocabulary."""
    columns: dict[str, Any] = {}
    for head, labels in _vocabularies(heads).items():
        code_of = {label: number for number, label in enumerate(labels)}
        columns[f"decoded.{head}"] = heads[head].value
        columns[f"label.{head}"] = np.array([code_of[x] for x in heads[head].label], np.int64)
    return columns


def _heads_from_arrays(
    vocabularies: Mapping[str, list[str]], columns: Mapping[str, Any]
) -> dict[str, Decoded]:
    """Read decoded heads; the inverse of `_vocabularies` and `_head_arrays`."""
    return {
        head: Decoded(
            value=columns[f"decoded.{head}"],
            label=tuple(labels[checks.number(code)] for code in columns[f"label.{head}"].tolist()),
        )
        for head, labels in vocabularies.items()
    }


def _numbers_to_json(value: Any) -> Any:
    """Replace infinite numbers and NaN, which JSON lacks; the inverse of `_number_from_json`."""
    if isinstance(value, Mapping):
        return {key: _numbers_to_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_numbers_to_json(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {_NUMBER: repr(value)}
    return value


def _number_from_json(values: dict[str, Any]) -> Any:
    return float(values[_NUMBER]) if values.keys() == {_NUMBER} else values
