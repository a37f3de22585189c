"""Measure how right the models are on labelled pictures."""

import argparse
import json
from pathlib import Path
from typing import Any

from analyzer import registry
from analyzer.options import ATTRIBUTES, spellings
from analyzer.runtime import Runtime


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    parser = commands.add_parser("evaluate", help=__doc__, description=__doc__)
    parts = parser.add_subparsers(title="what", metavar="WHAT", required=True)
    text = "sex, age and ethnicity, on FairFace"
    heads = parts.add_parser("attributes", help=text, description=text)
    heads.set_defaults(run=run)
    heads.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="FairFace: labels CSV and pictures"
    )
    heads.add_argument("--split", default="val", metavar="NAME", help="(default: val)")
    heads.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    heads.add_argument("--describer", default="dlib_resnet", help="(default: dlib_resnet)")
    heads.add_argument("--device", default="auto", metavar="DEVICE", help="auto, cpu, cuda:0, ...")
    heads.add_argument(*spellings("batch_size"), type=int, default=32, metavar="N", help="of chips")


def run(args: argparse.Namespace) -> int:
    """Score the attribute heads, print the table and write the JSON."""
    from analyzer.commands import _progress, _scores
    from analyzer.evaluate import evaluate

    runtime = Runtime(device=args.device, batch_size=args.batch_size)
    describer = registry.load("describe", args.describer, runtime=runtime, attributes=ATTRIBUTES)
    dataset = registry.module("datasets", "fairface").create(folder=args.data, split=args.split)
    with _progress.bars() as progress:
        scores = evaluate(describer, dataset, progress=progress)
    _scores.show(scores, f"FairFace {args.split}")
    if args.json:
        about = {"split": args.split, "data_sha256": dataset.digest}
        report = {**scores.to_dict(), **about, "models": dict(describer.provenance)}
        args.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0
