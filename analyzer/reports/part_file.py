"""Part files: the observations of one shard of a medium."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analyzer._version import __version__
from analyzer.errors import InputError
from analyzer.files import npz, source
from analyzer.reports import serialize
from analyzer.types import MediaInfo, Observations
from ina_input import documents

_FACTS = "told"
"""Name of the array in the file that holds the facts as JSON."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """The observations of one shard of a medium, or of all of it."""

    info: MediaInfo
    observations: Observations
    """Frames and tracks are numbered from the first picture of the part."""
    reached_end: bool
    """Whether the part goes to the end of the medium; the length in `info` is right only then."""


def save(part: Part, path: Path, *, key: str) -> None:
    """Write a part to a file.

    Args:
        part: Part of a medium.
        path: Path of the file; its folder exists.
        key: Key of the analysis; `load` requires the same.
    """
    table = part.observations
    facts = {
        "key": _versioned_key(key),
        "info": serialize.media_info_to_json(part.info),
        "reached_end": part.reached_end,
        **serialize.observations_to_json(table),
    }
    with path.open("wb") as file:
        np.savez(
            file,
            allow_pickle=False,
            **{_FACTS: np.array(json.dumps(facts))},
            **serialize.observations_to_arrays(table),
        )


def load(path: Path, *, key: str) -> Part:
    """Read a part from a file.

    Args:
        path: Path of the file.
        key: Key that the part was saved with.

    Raises:
        InputError: The file is damaged, or was written by another version or analysis.
    """
    try:
        arrays = npz.read(path, opener=source.open_listed)
        facts = documents.parse(str(arrays.pop(_FACTS)))
        if facts["key"] != _versioned_key(key):
            raise InputError(f"{path}: made by another version or with other options")
        return Part(
            info=serialize.media_info_from_json(facts["info"]),
            observations=serialize.observations_from_arrays(arrays, facts),
            reached_end=bool(facts["reached_end"]),
        )
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: not the part of a medium ({error})") from error


def _versioned_key(key: str) -> str:
    return f"{__version__} {key}"
