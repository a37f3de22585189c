"""The mean performance of each face in the videos of a table."""

import csv
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.collection import run as collections
from analyzer.collection.identities import CollectedPerson, Collection
from analyzer.errors import AnalyzerError, InputError, UsageError
from analyzer.files import zips
from analyzer.files.atomic import atomic_write
from analyzer.files.columns import Column, write_csv
from analyzer.options import AnalysisOptions
from analyzer.results import write
from analyzer.results.locate import load_exporter
from analyzer.types import ProgressHook
from analyzer.workflows import inputs
from analyzer.workflows.analyze import analyze
from analyzer.workflows.exports import write_exports
from analyzer.workflows.fetching import on_disk, with_https
from analyzer.workflows.items import Item, require_own
from analyzer.workflows.session import AnalysisSession
from ina_input.archives import open_zip
from ina_input.tables import CsvTable, lack
from joblist.model import JobSpec

URL, PERFORMANCE = "Video URL", "Performance"
METRIC = "metric_performance"
_EXPORTS = ("report", "csv")
_ALL_FACES = 1_000_000


@dataclass(frozen=True)
class PostedVideo:
    """A row of the table."""

    url: str
    performance: float | None
    """`None` where the cell is empty."""
    line: int


def read(table: Path) -> list[PostedVideo]:
    """Return the videos of a table, the first row of each address.

    Args:
        table: Path of a csv with the columns `Video URL` and `Performance`.

    Raises:
        UsageError: Not such a table, or a number that is none; with the line.
    """
    videos: dict[str, PostedVideo] = {}
    try:
        with CsvTable(table) as reader:
            if fault := lack(reader.columns, [PERFORMANCE, URL]):
                raise UsageError(f"{table}: {fault}")
            for line, row in reader.rows():
                video = _video(row, line, table)
                videos.setdefault(video.url, video)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{table}: cannot be read as CSV in UTF-8 ({error})") from error
    if not videos:
        raise UsageError(f"{table}: no videos: write a row for each under the header")
    return list(videos.values())


def _video(row: Mapping[str, str], line: int, table: Path) -> PostedVideo:
    url, text = row[URL].strip(), row[PERFORMANCE].strip()
    try:
        number = float(text) if text else None
    except ValueError:
        number = math.nan
    if not url or (number is not None and not math.isfinite(number)):
        raise UsageError(
            f"{table}:{line}: {url or 'no address'}, {text!r}: give an address and a number"
        )
    return PostedVideo(url, number, line)


def run(
    table: Path,
    output: Path,
    options: AnalysisOptions,
    *,
    failed: Callable[[str], None],
    progress: ProgressHook | None = None,
) -> Collection:
    """Analyse every video, put the faces together, and write the folder.

    Args:
        table: See `read`.
        output: Folder: `influencer_performance.csv`, `crops.zip`, and what `collect` writes.
        options: Options of the analysis.
        failed: Function that is called with the reason where a video is left out.
        progress: Hook that is called at each step.

    Raises:
        UsageError: The table, or an address in it, is wrong.
    """
    videos = read(table)
    urls, _ = with_https([video.url for video in videos])
    media = output / "media"
    items = [
        Item(medium=url, target=media / stem, exports=_EXPORTS)
        for url, stem in zip(urls, inputs.result_stems(urls), strict=True)
    ]
    require_own(items)
    rows = []
    with AnalysisSession(options, folder=output) as session:
        for video, url, item in zip(videos, urls, items, strict=True):
            try:
                _analyse(item, session, progress)
            except AnalyzerError as error:
                failed(f"{table}:{video.line}: {error}")
                continue
            rows.append(_row(video, url, item.target))
    collection = collections.collect(
        rows, output, clusterer=options.clusterer, threshold=None, progress=progress
    )
    if collection.seen:
        _write_means(collection, output / "influencer_performance.csv")
        with atomic_write(output / "crops.zip") as part:
            _write_crops(collection, part)
    return collection


def _analyse(item: Item, session: AnalysisSession, progress: ProgressHook | None) -> None:
    """Analyse a video; its files, and all of its faces, are written while it is here."""
    with on_disk(item, progress=progress) as local:
        components, observer = session.machinery(local)
        report = analyze(
            session.request(local, corrected=False),
            components=components,
            observer=observer,
            progress=progress,
        )
        hook = progress or (lambda _: None)
        written = write_exports(local, report, components=components, progress=hook)
        if written.faults:
            raise InputError("; ".join(written.faults))
        crops = load_exporter(f"crops:most={_ALL_FACES}")
        write.write_export(crops, report, _crops(item.target), progress)


def _crops(target: Path) -> Path:
    return target.with_name(f"{target.name}.crops.zip")


def _row(video: PostedVideo, url: str, target: Path) -> JobSpec:
    """Return the row of a joblist that says the same."""
    return JobSpec(
        source_path=url,
        dests={
            "csv": str(target.with_name(f"{target.name}.csv")),
            "report": str(target.with_name(f"{target.name}.report.zip")),
        },
        item_id=video.url,
        metrics={} if video.performance is None else {METRIC: video.performance},
        line=video.line,
    )


def _write_means(collection: Collection, path: Path) -> None:
    """Write a row a face: its picture, its mean, and over how many videos; the best first."""

    def mean(person: CollectedPerson) -> float | None:
        return person.metrics[METRIC].mean if METRIC in person.metrics else None

    people = sorted(
        collection.identities,
        key=lambda p: (mean(p) is None, -(mean(p) or 0.0), p.identity_id),
    )
    pictures = [f"portraits/{person.identity_id}.jpg" for person in people]
    there = [picture if (path.parent / picture).is_file() else "" for picture in pictures]
    columns = [
        Column("face", "text", there),
        Column("identity_id", "integer", [person.identity_id for person in people]),
        Column("average_performance", "number", [mean(person) for person in people]),
        Column("videos", "integer", [len(person.appearances) for person in people]),
        Column("faces", "integer", [person.face_count for person in people]),
    ]
    with atomic_write(path) as part:
        write_csv(part, columns)


def _write_crops(collection: Collection, path: Path) -> None:
    """Write one zip of all faces: a folder an identity, with the faces of all its videos."""
    with zips.create(path) as archive:
        for number, seen in enumerate(collection.seen):
            owner = {
                str(person.person_id): identity.identity_id
                for identity in collection.identities
                for appearance in identity.appearances
                if appearance.seen is seen
                for person in appearance.persons
            }
            target = Path(str(seen.report).removesuffix(".report.zip"))
            with open_zip(_crops(target)) as crops:
                for name in _of_persons(crops.names, owner):
                    folder, _, file = name.partition("/")
                    archive.add(
                        f"{owner[folder]}/{number:05}_{file}", [crops.read(name)], packed=False
                    )


def _of_persons(names: Sequence[str], owner: Mapping[str, int]) -> list[str]:
    return [name for name in names if name.partition("/")[0] in owner]
