"""Measure how right the models are on labelled pictures, videos and tracks."""

import argparse
from pathlib import Path
from typing import Any

from analyzer import registry
from analyzer.commands import _clustering, _figures
from analyzer.inference.runtime import Runtime
from analyzer.options import ATTRIBUTES

EPILOG = """\
example:
  python -m analyzer evaluate attributes --data fairface/ --json figures.json --html figures.html

exit code: 0 measured, 1 the data cannot be read, 2 bad usage"""


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    parser = commands.add_parser("evaluate", help=__doc__, description=__doc__, has_settings=False)
    parts = parser.add_subparsers(title="what", metavar="WHAT", required=True)
    _clustering.add(parts)
    text = "perceived sex, age and ethnicity: by sex, age, ethnicity and face size"
    heads = parts.add_parser(
        "attributes",
        help=text,
        description=text,
        epilog=EPILOG,
    )
    heads.set_defaults(run=run)
    layouts = registry.names("datasets")
    heads.add_argument("--data", type=Path, required=True, metavar="DIR", help="labelled pictures")
    heads.add_argument(
        "--layout",
        default="fairface",
        choices=layouts,
        help="how DIR is laid out (default: fairface)",
    )
    heads.add_argument(
        "--split", default="val", metavar="NAME", help="part of FairFace (default: val)"
    )
    _figures.add_files(heads)
    heads.add_argument(
        "--describer",
        default="dlib_resnet",
        metavar="SPEC",
        help="networks to measure (default: dlib_resnet)",
    )
    _figures.add_means(heads)
    _figures.add_precision(heads)


def run(args: argparse.Namespace) -> int:
    """Measure the attributes, print the table, and write the JSON and the page."""
    from analyzer.commands import _progress

    page = _figures.page(args, "attributes")
    with _progress.bars() as progress:
        report = _report(args, progress)
    _figures.show(report, f"{args.data.name} ({args.layout})")
    _figures.save(args, report, page)
    return 0


def _report(args: argparse.Namespace, progress: Any) -> dict[str, Any]:
    """Return all figures, and what they were measured with."""
    from analyzer.evaluation import attributes

    runtime = Runtime(device=args.device, batch_size=args.batch_size, precision=args.precision)
    describer = registry.load("describe", args.describer, runtime=runtime, attributes=ATTRIBUTES)
    aligner = registry.load("align", describer.aligner, runtime=runtime)
    create = registry.module("datasets", args.layout).create
    dataset = create(folder=args.data, split=args.split, aligner=aligner)
    predictions = attributes.predict(describer, aligner, dataset, progress=progress)
    about = {
        "data": {"layout": args.layout, "split": args.split, "sha256": dataset.digest},
        "describer": args.describer,
        "models": dict(describer.provenance),
        "arithmetic": runtime.arithmetic,
    }
    return {**about, **attributes.report(predictions, describer.calibration)}
