"""Train the weights that this package ships."""

import argparse
from pathlib import Path
from typing import Any

from analyzer import registry
from analyzer.commands import _figures
from analyzer.errors import UsageError
from analyzer.inference.runtime import Runtime
from ina_cli.numbers import WholeNumber

EPILOG = """\
examples:
  python -m analyzer train attributes --data fairface/ --out attributes.safetensors
  python -m analyzer train attributes --data fairface/ --calibrate attributes.safetensors
  python -m analyzer train attributes --data fairface/ --average one --average two --out both

exit code: 0 trained, 1 the data cannot be read, 2 bad usage"""


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    parser = commands.add_parser("train", help=__doc__, description=__doc__, has_settings=False)
    parts = parser.add_subparsers(title="what", metavar="WHAT", required=True)
    text = "branch for perceived sex, age and ethnicity, on FairFace"
    heads = parts.add_parser(
        "attributes",
        help=text,
        description=text,
        epilog=EPILOG,
    )
    heads.set_defaults(run=run)
    heads.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="FairFace: labels CSV and pictures"
    )
    heads.add_argument(
        "--out", type=Path, metavar="FILE", help="the file to write (default: the one that ships)"
    )
    text = "a branch to train further (default: dlib's own stages)"
    heads.add_argument("--start", type=Path, metavar="FILE", help=text)
    text = "a branch that this one also learns from, may be repeated"
    heads.add_argument(
        "--teacher", type=Path, action="append", default=[], metavar="FILE", help=text
    )
    heads.add_argument(
        "--seed", type=WholeNumber(), default=0, metavar="N", help="of random numbers (default: 0)"
    )
    text = "how often all pictures are seen (default: 20)"
    heads.add_argument("--epochs", type=WholeNumber(least=1), default=20, metavar="N", help=text)
    text = "train nothing: correct and calibrate this file anew, and write it to --out, or in place"
    nothing = heads.add_mutually_exclusive_group()
    nothing.add_argument("--calibrate", type=Path, metavar="FILE", help=text)
    text = "train nothing: write the mean of files with the same --start; repeat it"
    nothing.add_argument(
        "--average", type=Path, action="append", default=[], metavar="FILE", help=text
    )
    heads.add_argument(
        "--resume", action="store_true", help="go on from FILE.checkpoint of the same run"
    )
    _figures.add_means(heads)


def run(args: argparse.Namespace) -> int:
    """Train the branch and print its figures on the tuning split."""
    from analyzer.commands import _progress

    option = "--calibrate" if args.calibrate else "--average" if args.average else ""
    if option and (args.start or args.teacher or args.resume):
        raise UsageError(f"{option} trains nothing: leave out --start, --teacher and --resume")
    if len(args.average) == 1:
        raise UsageError("--average: name two files or more, each with an --average of its own")
    training = registry.module("train", "attributes")
    fairface = registry.module("datasets", "fairface")
    runtime = Runtime(device=args.device, batch_size=args.batch_size)
    out = args.out or args.calibrate or training.SHIPPED
    pictures = fairface.create(folder=args.data, split="train")
    with _progress.bars() as progress:
        common = {"runtime": runtime, "out": out, "progress": progress}
        if args.calibrate:
            report = training.calibrate(pictures, args.calibrate, **common)
        elif args.average:
            report = training.average(pictures, args.average, **common)
        else:
            run = {"seed": args.seed, "epochs": args.epochs, "resume": args.resume}
            files = {"start": args.start, "teachers": args.teacher}
            report = training.train(pictures, **files, **run, **common)
    _figures.show(report, "tuning split of train")
    print(out)
    return 0
