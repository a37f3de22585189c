"""`older facerec`: the command lines of facerec's four scripts."""

import argparse
import sys
from glob import glob
from pathlib import Path
from typing import Any

from analyzer.commands import _older
from analyzer.commands._progress import bar
from analyzer.errors import UsageError
from analyzer.options import AnalysisOptions, add_arguments
from ina_cli.numbers import RealNumber, WholeNumber
from joblist.shard import Shard

_PATH = "--path data/12345-data"
_STEPS = {
    "merge_shards": "join the shards: trajectories, features, scene changes",
    "cluster": "cluster the trajectories, also again",
    "classify_knn": "name the clusters by actors.csv and its tables, which lie here",
}
_IGNORED = ("iou_threshold", "overlap", "min_face_size")


def add(tools: Any) -> None:
    """Add the tool to the subparsers of `older`."""
    parser = _older.tool(tools, "facerec", "the four scripts of facerec")
    scripts = parser.add_subparsers(title="scripts", metavar="SCRIPT", required=True)
    extract = _older.tool(
        scripts,
        "extract",
        "observe one shard of a film",
        "--shard 0 --n 4 --out data 12345-film.mp4",
    )
    extract.set_defaults(run=_run_extract)
    extract.add_argument("video", metavar="ID-Name.mp4", help="the film, named by its number")
    extract.add_argument(
        "--shard", type=WholeNumber(), required=True, metavar="I", help="shard, from 0"
    )
    extract.add_argument(
        "--n", type=WholeNumber(least=1), required=True, metavar="N", help="number of shards"
    )
    extract.add_argument("--out", type=Path, required=True, metavar="DIR", help="for ID-data")
    add_arguments(extract.add_argument_group("analysis"))
    for name, text in _STEPS.items():
        step = _older.tool(scripts, name, text, _PATH)
        step.set_defaults(run=_run_step, step=name)
        step.add_argument("--path", required=True, metavar="D", help="folder ID-data, or a pattern")
        if name == "cluster":
            step.add_argument(
                "--cluster_threshold", type=RealNumber(), metavar="D", help="distance"
            )
            step.add_argument("--clusterer", metavar="SPEC", help="how tracks become persons")
        if name == "merge_shards":
            _older.add_ignored(step, _IGNORED)


def _run_extract(args: argparse.Namespace) -> int:
    from analyzer.workflows.older import facerec

    shard = Shard(number=args.shard, count=args.n)
    options = AnalysisOptions.from_mapping(vars(args))
    with bar(str(shard)) as progress:
        folder = facerec.extract(
            args.video, shard=shard, out=args.out, options=options, progress=progress
        )
    print(folder)
    return 0


def _run_step(args: argparse.Namespace) -> int:
    from analyzer.workflows.older import facerec

    folders = sorted(Path(path) for path in glob(args.path) if Path(path).is_dir())
    if not folders:
        raise UsageError(f"--path {args.path}: no such folder: give what extract has printed")
    _older.note_ignored(args)
    for folder in folders:
        notes: Any = ()
        if args.step == "merge_shards":
            files = facerec.merge(folder)
        elif args.step == "cluster":
            files = facerec.cluster(
                folder, threshold=args.cluster_threshold, clusterer=args.clusterer
            )
        else:
            files, notes = facerec.classify(folder, Path())
        for note in notes:
            print(f"note: {note}", file=sys.stderr)
        print(*files, sep="\n")
    return 0
