"""Reports in files, to be worked on without looking at the media again.

A file is a zip: `report.json` tells of the medium and its persons, `arrays.safetensors` holds
tracks, persons, shots and the poster, `observations.safetensors` the rows, `portraits` a JPEG a
track. What a report was made of decides its bytes, not when and where it was saved. Of a report
that was corrected, `uncorrected` holds the first three as they were before.
"""

import json
import math
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import numpy as np

from analyzer import registry
from analyzer._version import __version__
from analyzer.errors import InputError
from analyzer.files import zips
from analyzer.reports import corrections_file, serialize
from analyzer.types import Attribute, Decoded, MediaInfo, MediaReport, Person, TrackPersons
from analyzer.types.people import Candidate, Poster

SCHEMA = 1
"""To be raised when older versions can no longer read the files."""
_TOLD, _ARRAYS, _ROWS = "report.json", "arrays.safetensors", "observations.safetensors"
_PORTRAITS, _BEFORE = "portraits", "uncorrected/"
_POSTER = ("image", "boxes", "scores", "person_ids", "distances")
_IDENTITIES = tuple(field.name for field in fields(TrackPersons))
_NUMBER = "number"
_DAMAGE = (
    *(OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError),
    *(AttributeError, IndexError, KeyError, TypeError, ValueError),
)
"""What reading a file raises that is something else, or no longer what it was."""
_Read = TypeVar("_Read")


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a report tells without its rows: quick to read, however long the medium."""

    info: MediaInfo
    persons: tuple[Person, ...]
    identities: TrackPersons
    provenance: Mapping[str, Any]


def save(report: MediaReport, path: Path, *, portraits: Mapping[int, bytes]) -> None:
    """Write a report to a file.

    Args:
        report: The report.
        path: Path of the file; its folder exists.
        portraits: JPEG of some tracks, by track id; the file keeps their order.

    Raises:
        ResourceError: The file cannot be written.
    """
    pack = registry.module("formats", "safetensors").pack
    with zips.create(path) as file:
        for folder, state in (("", report), (_BEFORE, report.uncorrected)):
            if state:
                text = json.dumps(_finite(_told(state)), allow_nan=False, indent=1)
                file.add(f"{folder}{_TOLD}", [text.encode()])
                file.add(f"{folder}{_ARRAYS}", [pack(_arrays(state))])
                file.add(f"{folder}{_ROWS}", [pack(_rows(state))])
        for track, picture in portraits.items():
            file.add(f"{_PORTRAITS}/{track}.jpg", [picture], packed=False)


def load(path: Path) -> MediaReport:
    """Read a report; it equals what was saved, field by field.

    Raises:
        InputError: No file, not a report, damaged, or of a newer version.
    """
    return _read(path, _report)


def summary(path: Path) -> Summary:
    """Read what a report tells without its rows; see `load`."""
    return _read(path, _summary)


def portraits(path: Path) -> dict[int, bytes]:
    """Read the portraits of a report, JPEG by track id, the best first; see `load`."""

    def pictures(_: Mapping[str, Any], file: zipfile.ZipFile) -> dict[int, bytes]:
        names = [PurePosixPath(n) for n in file.namelist() if n.startswith(f"{_PORTRAITS}/")]
        return {int(name.stem): file.read(str(name)) for name in names}

    return _read(path, pictures)


def _read(path: Path, read: Callable[[Mapping[str, Any], zipfile.ZipFile], _Read]) -> _Read:
    """Open a report, and take out of it what `read` makes of its JSON and its files."""
    try:
        with zipfile.ZipFile(path) as file:
            values = json.loads(file.read(_TOLD), object_hook=_number)
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
    except _DAMAGE as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"{path}: not a report that can be read ({reason}); analyse the medium again"
        ) from error


def _told(report: MediaReport) -> dict[str, Any]:
    """Return everything of a report that is no array."""
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
        **serialize.observation_facts(report.observations),
        "provenance": report.provenance,
        "row_labels": _vocabularies(report.row_attributes),
        "track_labels": _vocabularies(report.track_attributes),
        "poster": poster and {"path": poster.path, "sex": poster.sex, "age": poster.age},
    }


def _arrays(report: MediaReport) -> dict[str, Any]:
    """Return the arrays of tracks, persons, shots and the poster."""
    track_persons, poster = report.identities, report.poster
    return {
        **{name: getattr(track_persons, name) for name in _IDENTITIES},
        **{f"poster.{name}": getattr(poster, name) for name in _POSTER if poster},
        **_columns(report.track_attributes),
        "shots": report.shots,
    }


def _rows(report: MediaReport) -> dict[str, Any]:
    return serialize.observation_arrays(report.observations) | _columns(report.row_attributes)


def _report(values: Mapping[str, Any], file: zipfile.ZipFile, folder: str = "") -> MediaReport:
    unpack = registry.module("formats", "safetensors").unpack
    arrays = unpack(file.read(f"{folder}{_ARRAYS}"))
    rows = unpack(file.read(f"{folder}{_ROWS}"))
    corrections = tuple(map(corrections_file.correction_from_json, values.get("corrections", ())))
    before = json.loads(file.read(_BEFORE + _TOLD), object_hook=_number) if corrections else None
    return MediaReport(
        info=serialize.media_info_from_json(values["info"]),
        observations=serialize.observations_from(rows, values),
        identities=_identities(arrays),
        row_attributes=_decoded(values["row_labels"], rows),
        track_attributes=_decoded(values["track_labels"], arrays),
        persons=tuple(map(_person, values["persons"])),
        shots=arrays["shots"],
        provenance=values["provenance"],
        poster=_poster(values["poster"], arrays),
        notes=tuple(values["notes"]),
        is_remembered=values["is_remembered"],
        corrections=corrections,
        uncorrected=_report(before, file, _BEFORE) if before else None,
    )


def _summary(values: Mapping[str, Any], file: zipfile.ZipFile) -> Summary:
    arrays = registry.module("formats", "safetensors").unpack(file.read(_ARRAYS))
    return Summary(
        info=serialize.media_info_from_json(values["info"]),
        persons=tuple(map(_person, values["persons"])),
        identities=_identities(arrays),
        provenance=values["provenance"],
    )


def _identities(arrays: Mapping[str, Any]) -> TrackPersons:
    return TrackPersons(**{name: arrays[name] for name in _IDENTITIES})


def _poster(values: Mapping[str, Any] | None, arrays: Mapping[str, Any]) -> Poster | None:
    if values is None:
        return None
    columns = {name: arrays[f"poster.{name}"] for name in _POSTER}
    return Poster(
        path=values["path"], sex=tuple(values["sex"]), age=tuple(values["age"]), **columns
    )


def _person(values: Mapping[str, Any]) -> Person:
    return Person(
        **{
            **values,
            "track_ids": tuple(values["track_ids"]),
            "attributes": {
                head: Attribute(**attribute) for head, attribute in values["attributes"].items()
            },
            "intervals": tuple((start, end) for start, end in values["intervals"]),
            "candidates": tuple(Candidate(**attribute) for attribute in values["candidates"]),
        }
    )


def _vocabularies(heads: Mapping[str, Decoded]) -> dict[str, list[str]]:
    """Return the labels that each head gives, each once."""
    return {head: sorted(set(decoded.label)) for head, decoded in heads.items()}


def _columns(heads: Mapping[str, Decoded]) -> dict[str, Any]:
    """Return the values (n,) of each head, and the places (n,) of its labels in the vocabulary."""
    columns: dict[str, Any] = {}
    for head, labels in _vocabularies(heads).items():
        code_of = {label: number for number, label in enumerate(labels)}
        columns[f"decoded.{head}"] = heads[head].value
        columns[f"label.{head}"] = np.array([code_of[x] for x in heads[head].label], np.int64)
    return columns


def _decoded(
    vocabularies: Mapping[str, list[str]], columns: Mapping[str, Any]
) -> dict[str, Decoded]:
    """Read decoded heads; the inverse of `_vocabularies` and `_columns`."""
    return {
        head: Decoded(
            value=columns[f"decoded.{head}"],
            label=tuple(labels[code] for code in columns[f"label.{head}"].tolist()),
        )
        for head, labels in vocabularies.items()
    }


def _finite(value: Any) -> Any:
    """Replace numbers that JSON has no words for; see `_number`."""
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {_NUMBER: repr(value)}
    return value


def _number(read: dict[str, Any]) -> Any:
    return float(read[_NUMBER]) if read.keys() == {_NUMBER} else read
