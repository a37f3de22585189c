"""Part files: the observations of one shard of a medium."""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analyzer._version import __version__
from analyzer.errors import InputError
from analyzer.reports import serialize
from analyzer.types import MediaInfo, Observations


@dataclass(frozen=True, kw_only=True)
class Part:
    """One shard of a medium, or all of it."""

    info: MediaInfo
    observations: Observations
    """Frames and tracks are numbered from the first picture of the part."""
    reached_end: bool
    """Whether the part goes to the end; what `info` says of the length counts only then."""


def save(part: Part, path: Path, *, key: str) -> None:
    """Write a part to a file.

    Args:
        part: The part.
        path: Path of the file; its folder exists.
        key: Says what the part is of; `load` wants the same.
    """
    table = part.observations
    facts = {
        "key": _version(key),
        "info": serialize.media_info_to_json(part.info),
        "reached_end": part.reached_end,
        **serialize.observation_facts(table),
    }
    with path.open("wb") as file:
        np.savez(
            file,
            allow_pickle=False,
            told=np.array(json.dumps(facts)),
            **serialize.observation_arrays(table),
        )


def load(path: Path, *, key: str) -> Part:
    """Read a part from a file.

    Args:
        path: Path of the file.
        key: Key that the part was saved with.

    Raises:
        InputError: The file is damaged, or another version or analysis wrote it.
    """
    try:
        # NumPy leaves a file open that it cannot read; this one is closed in any case.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        facts = json.loads(str(arrays.pop("told")))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not the part of a medium ({error})") from error
    if facts["key"] != _version(key):
        raise InputError(f"{path}: made by another version or with other options")
    return Part(
        info=serialize.media_info_from_json(facts["info"]),
        observations=serialize.observations_from(arrays, facts),
        reached_end=facts["reached_end"],
    )


def _version(key: str) -> str:
    return f"{__version__} {key}"
