"""What one call analyses: media, titles of a trailer and its posters, rows of a joblist."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from analyzer import registry
from analyzer.errors import UsageError
from analyzer.options.defaults import EXPORTS_OF_POSTERS
from analyzer.reports.corrections_file import SUFFIX
from analyzer.results import joblist, ownership_record, write
from analyzer.results.locate import load_exporter
from analyzer.workflows import inputs
from joblist.addresses.rules import url_fault
from joblist.model import Rows, is_address
from joblist.names import shortened, spelled


@dataclass(frozen=True, kw_only=True)
class Item:
    """One medium, what belongs to it, and where its results go."""

    medium: str | list[str]
    """Its path, or those of stills; of a title without one, its folder."""
    target: Path
    """Its results' path without their suffixes."""
    exports: Sequence[str]
    """What is written of it, in this order."""
    dests: Mapping[str, Path] = field(default_factory=dict)
    """Export -> file, where that is not the target with the suffix of the export."""
    posters: Sequence[str] = ()
    gallery: str | None = None
    corrections: Path | None = None
    """File of a reviewer's corrections, if there are any yet."""
    address: str = ""
    """Address from which its medium was fetched; empty where it was on disk."""
    missing: str = ""
    """Why it has no medium; empty where it has one."""
    notes: tuple[str, ...] = ()
    """What else it lacks."""
    start_s: float | None = None
    """Second from which on the medium is analysed; `None`: as the options say."""
    stop_s: float | None = None
    """Second up to which it is analysed; `None`: as the options say."""

    @property
    def results(self) -> str:
        """Where its results lie, for people."""
        return str(self.dests.get("csv", f"{self.target}.*"))

    def files(self) -> Iterator[Path]:
        """Yield the files that are to be written; of posters, each one's own."""
        for name in self.exports:
            posters = self.posters if name in EXPORTS_OF_POSTERS else ()
            for target in [self.target_of(poster) for poster in posters] or [self.target]:
                beside = target.with_name(target.name + load_exporter(name).suffix)
                yield self.dests.get(name, beside)

    def target_of(self, poster: str) -> Path:
        """Return the target of a poster's results: several are told apart by their own names."""
        if len(self.posters) < 2:
            return self.target
        name = f"{self.target.name}.{Path(poster).name.replace('.', '_')}"
        return self.target.with_name(shortened(name, inputs.MAX_STEM_BYTES))


def is_table(output: Path, *, stills: bool) -> bool:
    """Return whether the output of stills is one csv, not a folder."""
    return stills and output.suffix == ".csv" and not output.is_dir()


def of_media(
    media: Sequence[str],
    *,
    output: Path,
    exports: Sequence[str],
    stills: bool,
    poster: str | None,
    gallery: str | None,
) -> list[Item]:
    """Return items of videos and of videos in folders; or one of stills, which share results.

    Args:
        media: Videos, folders of videos, or stills.
        output: Folder for results; of stills, also the path of their csv.
        exports: What to write.
        stills: Whether the media are stills.
        poster: Path of the poster of the only medium.
        gallery: Folder of portraits.

    Raises:
        InputError: A folder holds no video, or a pattern matches no still.
        UsageError: A poster for several media, or results that would replace a medium.
    """
    notes: list[str] = []
    media, poster = [spelled(path) for path in media], poster and spelled(poster)
    media_list: list[str | list[str]] = (
        [inputs.stills_in(media)] if stills else list(inputs.media_in(media, notes))
    )
    if poster and len(media_list) > 1:
        raise UsageError(
            "--poster is the poster of one medium: analyse the media one at a time, or give each "
            "a folder with its poster, and the folders to --item"
        )
    stems = inputs.result_stems([m if isinstance(m, str) else m[0] for m in media_list])
    targets = [output / stem for stem in stems]
    if is_table(output, stills=stills):
        targets = [output.with_suffix("")]
    items = [
        Item(
            medium=medium,
            target=target,
            exports=exports,
            posters=[poster] if poster else [],
            gallery=gallery,
            corrections=target.with_name(target.name + SUFFIX),
            notes=tuple(notes) if number == 0 else (),
        )
        for number, (medium, target) in enumerate(zip(media_list, targets, strict=True))
    ]
    _require_apart(items)
    return items


def of_folders(
    folders: Sequence[str],
    *,
    output: Path,
    exports: Callable[[bool], Sequence[str]],
    gallery: str | None,
) -> list[Item]:
    """Return an item for each title's folder: the video in it, and its pictures as posters.

    Args:
        folders: Folders of the titles, which give the results their names.
        output: Folder for results.
        exports: What to write, told whether there is a poster.
        gallery: Folder of portraits.

    Raises:
        UsageError: One is no folder, or results would replace a medium.
    """
    folders = [spelled(folder) for folder in folders]
    for folder in folders:
        if not Path(folder).is_dir():
            cure = " before --item" if folder.endswith(".csv") else ""
            raise UsageError(
                f"--item {folder}: no such folder: give a folder with trailer and poster, or a "
                f"joblist{cure} and an item_id"
            )
    paths = [Path(folder).resolve() for folder in folders]
    # A folder's name has no suffix: what looks like one is a part of it.
    stems = inputs.result_stems([f"{path}.folder" for path in paths])
    items = [
        _of_folder(Path(folder), output / stem, exports, gallery)
        for folder, stem in zip(folders, stems, strict=True)
    ]
    _require_apart(items)
    return items


def _of_folder(
    folder: Path, target: Path, exports: Callable[[bool], Sequence[str]], gallery: str | None
) -> Item:
    videos = inputs.files_in(folder, inputs.VIDEO_SUFFIXES)
    posters = inputs.files_in(folder, registry.module("decode", "images").SUFFIXES)
    wrong = "no video in this folder"
    if videos:
        names = ", ".join(Path(video).name for video in videos)
        wrong = f"{len(videos)} videos ({names}), not one: take some out, or write a joblist"
    return Item(
        medium=videos[0] if len(videos) == 1 else str(folder),
        target=target,
        exports=exports(bool(posters)),
        posters=posters,
        gallery=gallery,
        corrections=target.with_name(target.name + SUFFIX),
        missing="" if len(videos) == 1 else f"{folder}: {wrong}",
        notes=() if posters else (f"poster skipped: {folder}: no picture in this folder",),
    )


def _require_apart(items: Sequence[Item]) -> None:
    """Refuse results that would take the place of what is read, before hours of work.

    Raises:
        UsageError: There are such.
    """
    from analyzer.gallery.folder import files_of

    media = [m for i in items for m in ([i.medium] if isinstance(i.medium, str) else i.medium)]
    results = [file for item in items for file in item.files()]
    write.require_apart(media, results)
    posters = [poster for item in items for poster in item.posters]
    write.require_apart(posters, results, what="a poster")
    galleries = {item.gallery for item in items if item.gallery}
    portraits = [file for folder in galleries for file in files_of(folder)]
    write.require_apart(portraits, results, what="a file of the gallery")


def require_own(items: Sequence[Item]) -> None:
    """Refuse results that would take the place of another medium's, before hours of work.

    Raises:
        UsageError: There are such.
    """
    for item in items:
        ownership_record.require_own(item.target, item.files(), item.medium)


def of_joblist(
    path: str, *, items: Sequence[str], rows: Rows | None, addresses: bool = False
) -> list[Item]:
    """Return the rows of a joblist; their columns say where the results go.

    Args:
        path: Path of the joblist.
        items: The titles that are wanted, by `item_id`; none for all.
        rows: Those that are wanted.
        addresses: Whether media may be fetched from addresses.

    Raises:
        UsageError: What is wrong with the joblist; a title or row that it does not have.
    """
    path = spelled(path)
    specs = joblist.read(path, rows=rows, addresses=addresses)
    for spec in specs:
        if is_address(spec.source_path) and (fault := url_fault(spec.source_path)):
            raise UsageError(f"{path}:{spec.line}: source_path {spec.source_path!r} {fault}")
    if items:
        specs = joblist.of_items(specs, list(items), path=path)
    return [
        Item(
            medium=spec.source_path,
            target=Path(spec.dests["csv"]).with_suffix(""),
            # The csv comes last, but for videos: where it is, all tables are.
            exports=sorted(spec.dests, key=lambda name: (name == "csv", name)),
            dests={name: Path(file) for name, file in spec.dests.items()},
            posters=[spec.poster_path] if spec.poster_path else [],
            gallery=spec.gallery,
            corrections=Path(spec.corrections) if spec.corrections else None,
            start_s=spec.start_s,
            stop_s=spec.stop_s,
        )
        for spec in specs
    ]
