"""Portraits of the identities: the best of each, and all of them in folders of a zip."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from analyzer.collection.identities import Collection
from analyzer.collection.media import AnalysedMedium
from analyzer.errors import InputError
from analyzer.files import zips
from analyzer.reports import report_file
from analyzer.types import Person, Progress, ProgressHook


@dataclass(frozen=True)
class Crops:
    """Where the portraits are."""

    portraits: dict[int, str] = field(default_factory=dict)
    """Identity -> file of the folder of results."""
    files: dict[tuple[int, int], str] = field(default_factory=dict)
    """Identity and place of its appearance -> file in the zip."""


def write(
    found: Collection, folder: Path, crops: Path, progress: ProgressHook | None = None
) -> Crops:
    """Write the portraits that the reports hold.

    Args:
        found: whose.
        folder: of the results; the best portrait of each goes into ``portraits`` in it.
        crops: the zip of all of them.
        progress: told of each medium.

    Raises:
        ResourceError: a file cannot be written.
    """
    names = zips.folders({one.identity_id: one.name for one in found.identities})
    members = _members(found)
    made, best = Crops(), dict[int, int]()
    target = folder / "portraits"
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("*.jpg"):
        old.unlink()
    with zips.create(crops) as file:
        for number, seen in enumerate(found.seen):
            if progress is not None:
                progress(Progress(stage="portraits", done=number, total=len(found.seen)))
            for identity, place, person, track, jpeg in _of_medium(seen, members[id(seen)]):
                item = zips.safe(seen.medium.item_id)
                name = f"{names[identity]}/{number:05}_{item}_{track}.jpg"
                file.add(name, [jpeg], packed=False)
                made.files.setdefault((identity, place), name)
                if person.face_count > best.get(identity, 0):
                    best[identity] = person.face_count
                    made.portraits[identity] = f"portraits/{identity}.jpg"
                    (folder / made.portraits[identity]).write_bytes(jpeg)
    return made


_Member = tuple[int, int, Person]
"""Identity, place of the appearance, and who of the medium it is."""


def _members(found: Collection) -> dict[int, list[_Member]]:
    """Who is in each medium, by the medium's ``id``."""
    members: dict[int, list[_Member]] = defaultdict(list)
    for identity in found.identities:
        for place, one in enumerate(identity.appearances):
            for person in one.persons:
                members[id(one.seen)].append((identity.identity_id, place, person))
    return members


def _of_medium(
    seen: AnalysedMedium, members: Sequence[_Member]
) -> Iterator[tuple[int, int, Person, int, bytes]]:
    """Yield the portraits of a medium, the best of each person first."""
    try:
        pictures = report_file.portraits(seen.report) if members else {}
    except InputError:  # it was there a minute ago; its numbers count all the same
        return
    owner = {track: member for member in members for track in member[2].track_ids}
    for track, jpeg in pictures.items():
        if track in owner:
            yield *owner[track], track, jpeg
