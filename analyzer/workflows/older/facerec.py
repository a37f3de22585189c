"""The work of facerec's four scripts: extract in shards, merge, cluster, classify."""

import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from analyzer.errors import InputError, UsageError
from analyzer.files.atomic import atomic_write, atomic_write_bytes
from analyzer.gallery.folder import Galleries
from analyzer.gallery.poster import identify
from analyzer.options import AnalysisOptions
from analyzer.pipeline.components import Components, load_components
from analyzer.pipeline.conclude import conclude
from analyzer.pipeline.observe import observe_part
from analyzer.pipeline.regroup import regroup
from analyzer.reports import part_file, portraits, report_file
from analyzer.results import ownership_record
from analyzer.results.locate import load_exporter
from analyzer.types import MediaReport, ProgressHook
from ina_input import documents
from ina_input.archives import open_zip
from joblist.shard import Shard

MERGED = ("trajectories.jsonl", "features.jsonl", "scene_changes.json")
CLUSTERS, PREDICTIONS = "clusters.json", "predictions.json"
_REPORT = "film.report.zip"
_SHARDS, _OPTIONS = "shards", "options.json"
_PART = re.compile(r"part_(\d+)_of_(\d+)\.npz")
_TABLES = ("actors.csv", "actor_images.csv", "actor_embeddings.jsonl", "actor_images")
"""Files about actors, where the classifier is started."""


def extract(
    video: str,
    *,
    shard: Shard,
    out: Path,
    options: AnalysisOptions,
    progress: ProgressHook | None = None,
) -> Path:
    """Observe one shard of a film; return its folder, `ID-data`.

    Args:
        video: Path of the film, `ID-Name.mp4`.
        shard: Shard, numbered from 0.
        out: Folder in which the film's folder is made.
        options: Options of the analysis.
        progress: Hook that is called at each step.

    Raises:
        UsageError: The name has no number, or the folder holds shards of another film, or with
            other options.
        InputError: The film cannot be read.
    """
    number = re.match(r"(\d+)-", Path(video).name)
    if number is None:
        raise UsageError(
            f"{video}: name the film by its number: ID-Name.mp4, such as 12345-film.mp4"
        )
    folder = out / f"{number[1]}-data"
    shards = folder / _SHARDS
    if (shards / _OPTIONS).is_file() and _options(folder) != options:
        raise UsageError(f"{shards}: holds shards with other options: remove it, or give the same")
    target = folder / "film"
    ownership_record.require_own(target, shards.glob("part_*"), video)
    part = observe_part(video, components=load_components(options), shard=shard, progress=progress)
    ownership_record.record(target, video)
    atomic_write_bytes(shards / _OPTIONS, json.dumps(options.to_dict()).encode())
    with atomic_write(shards / f"part_{shard.number}_of_{shard.count}.npz") as path:
        part_file.save(part, path, key=options.digest())
    return folder


def merge(folder: Path, progress: ProgressHook | None = None) -> Sequence[Path]:
    """Join the shards of a film into its trajectories, features and cuts; return their paths.

    Args:
        folder: Folder of the film.
        progress: Hook that is called at each step.

    Raises:
        UsageError: Shards are missing.
        InputError: They are not of one film as it is now.
    """
    parts = _parts(folder)
    options = _options(folder)
    components = load_components(options)
    loaded = [part_file.load(path, key=options.digest()) for path in parts]
    report = conclude(loaded, components=components, progress=progress)
    _keep(report, folder)
    return _write(report, folder, MERGED)


def cluster(
    folder: Path, *, threshold: float | None = None, clusterer: str | None = None
) -> Sequence[Path]:
    """Cluster the trajectories of a film, also again; return the path of the clusters.

    Args:
        folder: Folder of the film, merged.
        threshold: Distance below which two faces are one person; `None`: the describer's.
        clusterer: Spec of a clusterer; `None`: as extracted.
    """
    report = regroup(_report(folder), threshold=threshold, clusterer=clusterer)
    _keep(report, folder)
    return _write(report, folder, [CLUSTERS])


def classify(folder: Path, actors: Path) -> tuple[Sequence[Path], Sequence[str]]:
    """Say which actor each cluster may be; return the path of the predictions, and notes.

    Args:
        folder: Folder of the film, clustered.
        actors: Folder with `actors.csv`, `actor_images.csv` and `actor_embeddings.jsonl`.
    """
    if not (actors / _TABLES[0]).is_file():
        raise UsageError(f"{actors.absolute()}: no {_TABLES[0]}: start this where the tables lie")
    components: Components = load_components(_options(folder))
    with tempfile.TemporaryDirectory(prefix="ina-actors-") as gallery:
        for name in _TABLES:
            if (actors / name).exists():
                Path(gallery, name).symlink_to((actors / name).absolute())
        portraits_known = Galleries(components).get(gallery)
    report = identify(_report(folder), components=components, gallery=portraits_known)
    _keep(report, folder)
    return _write(report, folder, [PREDICTIONS]), portraits_known.notes


def _parts(folder: Path) -> list[Path]:
    """Return all shards of a film, in their order."""
    found = {}
    count = 0
    for path in (folder / _SHARDS).glob("part_*.npz"):
        match = _PART.fullmatch(path.name)
        if match:
            found[int(match[1])] = path
            count = int(match[2])
    missing = [number for number in range(count) if number not in found]
    if missing or not found:
        cure = f"shards {', '.join(map(str, missing[:10]))} of {count}" if found else "shards"
        raise UsageError(f"{folder}: {cure} are missing: extract them first")
    return [found[number] for number in range(count)]


def _options(folder: Path) -> AnalysisOptions:
    try:
        return AnalysisOptions.from_dict(documents.read(folder / _SHARDS / _OPTIONS))
    except (OSError, TypeError, ValueError) as error:
        raise InputError(f"{folder}: no film was extracted into it: extract it first") from error


def _report(folder: Path) -> MediaReport:
    if not (folder / _REPORT).is_file():
        raise UsageError(f"{folder}: not merged yet: merge its shards first")
    return report_file.load(folder / _REPORT)


def _keep(report: MediaReport, folder: Path) -> None:
    """Keep the report, from which all other steps start; pictures stay those of the first."""
    path = folder / _REPORT
    kept = report_file.portraits(path) if path.is_file() else None
    if kept is None:
        rows = portraits.of_tracks(report)
        cut = portraits.cut(report, list(rows.values()))
        kept = {track: cut[row] for track, row in rows.items() if row in cut}
    with atomic_write(path) as part:
        report_file.save(report, part, portraits=kept)


def _write(report: MediaReport, folder: Path, names: Sequence[str]) -> list[Path]:
    """Write some of the exchange form's files."""
    movie = folder.name.removesuffix("-data")
    named = replace(report, info=replace(report.info, uri=f"{movie}-film"))
    with tempfile.TemporaryDirectory(prefix="ina-facerec-") as temporary:
        path = Path(temporary, "exchange.zip")
        load_exporter("exchange").write(named, path)
        with open_zip(path) as file:
            for name in names:
                atomic_write_bytes(folder / name, file.read(name))
    return [folder / name for name in names]
