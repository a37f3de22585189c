"""`evaluate attributes`: what is measured, and its tables."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from analyzer import registry
from analyzer.errors import InputError, UsageError
from analyzer.evaluation import attributes_run, attributes_tables, people_seen
from analyzer.evaluation.disturbances import DISTURBANCES
from analyzer.evaluation.people_seen import SeenPerson
from analyzer.inference.runtime import Runtime
from analyzer.options import ATTRIBUTES, AnalysisOptions
from analyzer.pipeline.components import load_components
from analyzer.types import ProgressHook
from ina_cli.console import console

_WIDTH = 170


def check(args: argparse.Namespace) -> None:
    """Refuse what cannot be measured or written.

    Raises:
        InputError: The document has no place for the tables.
        UsageError: A disturbance is named that there is not, or a page without pictures.
    """
    _disturbances(args.disturbances)
    if args.html and not args.data:
        raise UsageError("--html: give --data")
    if args.write:
        attributes_tables.check(args.write)


def report(args: argparse.Namespace, progress: ProgressHook) -> dict[str, Any]:
    """Return all figures, and what they were measured with."""
    figures = _pictures(args, progress) if args.data else {}
    if args.people:
        figures["people"] = _people(args, progress)
    return figures


def _pictures(args: argparse.Namespace, progress: ProgressHook) -> dict[str, Any]:
    runtime = Runtime(device=args.device, batch_size=args.batch_size, precision=args.precision)
    describer = registry.load("describe", args.describer, runtime=runtime, attributes=ATTRIBUTES)
    aligner = registry.load("align", describer.aligner, runtime=runtime)
    create = registry.module("datasets", args.layout).create
    dataset = create(folder=args.data, split=args.split, aligner=aligner)
    figures = attributes_run.measure(
        describer,
        aligner,
        attributes_run.FirstPictures(dataset, args.first) if args.first else dataset,
        labels=args.labels_as,
        disturbances=_disturbances(args.disturbances),
        min_sex_age=args.min_sex_age,
        min_sex_confidence=args.min_sex_confidence,
        progress=progress,
    )
    return {
        "data": {"layout": args.layout, "split": args.split, "sha256": dataset.digest},
        "labels_as": args.labels_as,
        "min_sex_age": args.min_sex_age,
        "min_sex_confidence": args.min_sex_confidence,
        "describer": args.describer,
        "models": dict(describer.provenance),
        "arithmetic": runtime.arithmetic,
        **figures,
    }


def _people(args: argparse.Namespace, progress: ProgressHook) -> dict[str, Any]:
    there = _there(people_seen.read(args.people))
    options = AnalysisOptions(
        fps=people_seen.FPS,
        attributes=("sex", "age"),
        describer=args.describer,
        device=args.device,
        batch_size=args.batch_size,
        precision=args.precision,
        min_sex_age=args.min_sex_age,
        min_sex_confidence=args.min_sex_confidence,
    )
    return people_seen.measure(there, load_components(options), progress)


def _there(people: Sequence[SeenPerson]) -> list[SeenPerson]:
    """Return those of videos that are there; what is missing is an error only where all is."""
    for video in dict.fromkeys(one.video for one in people):
        if not video.exists():
            print(f"warning: {video} is missing: its people are left out", file=sys.stderr)
    there = [one for one in people if one.video.exists()]
    if not there:
        raise InputError("no video of the labelled people is there")
    return there


def _disturbances(text: str) -> list[str]:
    if text in ("all", "none"):
        return list(DISTURBANCES) if text == "all" else []
    names = [name.strip() for name in text.split(";")]
    unknown = [name for name in names if name not in DISTURBANCES]
    if unknown:
        known = "; ".join(DISTURBANCES)
        raise UsageError(f"--disturbances: no {'; '.join(unknown)}: there are {known}")
    return names


def show(figures: Mapping[str, Any]) -> None:
    """Print distances between groups, disturbances, labels and people on standard output."""
    from rich import table

    for title, columns, rows in attributes_tables.beside_groups(figures):
        shown = table.Table(*columns, title=title)
        for row in rows:
            shown.add_row(*row)
        # A narrow terminal wraps the lines; squeezed columns could not be read.
        console(width=max(console().width, _WIDTH)).print(shown)


def write(args: argparse.Namespace, figures: Mapping[str, Any]) -> None:
    """Write the tables of the document that was named."""
    if args.write:
        attributes_tables.write(args.write, figures)
