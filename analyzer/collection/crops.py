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
    collection: Collection, folder: Path, crops: Path, progress: ProgressHook | None = None
) -> Crops:
    """Write the portraits that the reports hold.

    Args:
        collection: Collection of the persons.
        folder: Folder of the results; the best portrait of each goes into `portraits` in it.
        crops: The zip of all of them.
        progress: Hook that is called with each medium.

    Raises:
        ResourceError: A file cannot be written.
    """
    names = zips.folders(
        {collected.identity_id: collected.name for collected in collection.identities}
    )
    members = _members(collection)
    crops_cut, best = Crops(), dict[int, int]()
    target = folder / "portraits"
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("*.jpg"):
        old.unlink()
    with zips.create(crops) as file:
        for number, medium in enumerate(collection.seen):
            if progress is not None:
                progress(Progress(stage="portraits", done=number, total=len(collection.seen)))
            for identity, position, person, track, jpeg in _of_medium(medium, members[id(medium)]):
                item = zips.safe(medium.medium.item_id)
                name = f"{names[identity]}/{number:05}_{item}_{track}.jpg"
                file.add(name, [jpeg], packed=False)
                crops_cut.files.setdefault((identity, position), name)
                if person.face_count > best.get(identity, 0):
                    best[identity] = person.face_count
                    crops_cut.portraits[identity] = f"portraits/{identity}.jpg"
                    (folder / crops_cut.portraits[identity]).write_bytes(jpeg)
    return crops_cut


_Member = tuple[int, int, Person]
"""Identity, place of the appearance, and who of the medium it is."""


def _members(collection: Collection) -> dict[int, list[_Member]]:
    """Return the persons in each medium, by the medium's `id`."""
    members: dict[int, list[_Member]] = defaultdict(list)
    for identity in collection.identities:
        for position, appearance in enumerate(identity.appearances):
            for person in appearance.persons:
                members[id(appearance.seen)].append((identity.identity_id, position, person))
    return members


def _of_medium(
    medium: AnalysedMedium, members: Sequence[_Member]
) -> Iterator[tuple[int, int, Person, int, bytes]]:
    """Yield the portraits of a medium, the best of each person first."""
    try:
        pictures = report_file.portraits(medium.report) if members else {}
    except InputError:  # it was there a minute ago; its numbers count all the same
        return
    owner = {track: member for member in members for track in member[2].track_ids}
    for track, jpeg in pictures.items():
        if track in owner:
            yield *owner[track], track, jpeg
