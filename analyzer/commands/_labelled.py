"""Labelled sets on the command line of `evaluate clustering`, and how they are analysed."""

import argparse
import sys
from dataclasses import replace
from typing import Any

from analyzer.errors import InputError, UsageError
from analyzer.evaluation import conditions, labelled_sets
from analyzer.evaluation.conditions import Condition
from analyzer.evaluation.labelled_sets import LabelledSet


def add_conditions(parser: Any) -> None:
    """Add the options that say which sets are analysed, and how."""
    parser.add_argument(
        "--only", type=_names, metavar="LIST", help="these sets of --sets (default: all)"
    )
    parser.add_argument(
        "--rates",
        type=labelled_sets.rates,
        metavar="LIST",
        help="analyse a video at each of these frames a second: 1,5,all (default: --fps)",
    )
    parser.add_argument(
        "--gammas",
        type=labelled_sets.gammas,
        metavar="LIST",
        help="and made darker or brighter by each of these exponents: 0.7,1,1.8 (default: 1)",
    )
    parser.add_argument(
        "--crfs",
        type=labelled_sets.crfs,
        metavar="LIST",
        help="and encoded anew at each of these qualities: source,18,32 (default: source)",
    )


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


def sets(args: argparse.Namespace) -> list[LabelledSet]:
    """Return the sets that the command line names and that are there, each with its conditions.

    Raises:
        InputError: No set is there, or the list of sets cannot be read.
        UsageError: A set is named that the list does not have.
    """
    return _there(_named(args))


def _named(args: argparse.Namespace) -> list[LabelledSet]:
    lists = (args.rates or [args.fps], args.gammas or [1.0], args.crfs or [None])
    given = conditions.every(*lists)
    if args.sets is None:
        if args.only:
            raise UsageError("--only: give --sets")
        return [_set(args, given)]
    listed = labelled_sets.read(args.sets)
    if args.only:
        unknown = sorted(set(args.only) - {one.name for one in listed})
        if unknown:
            raise UsageError(f"--only: {args.sets} has no set {', '.join(unknown)}")
        listed = [one for one in listed if one.name in args.only]
    if not (args.fps or args.rates or args.gammas or args.crfs):
        return listed
    return list({one.name: replace(one, conditions=given) for one in listed}.values())


def _set(args: argparse.Namespace, given: tuple[Condition, ...]) -> LabelledSet:
    """Return the one set that the command line describes."""
    if args.synthetic:
        people, tracks = args.synthetic
        name = f"{people} made-up persons with {tracks} tracks each, spread {args.spread}"
    else:
        name = (args.pictures or args.video).name
    return LabelledSet(
        name=name,
        pictures=args.pictures,
        video=args.video,
        labels=args.labels,
        synthetic=args.synthetic,
        spread=args.spread,
        conditions=given,
    )


def _there(listed: list[LabelledSet]) -> list[LabelledSet]:
    """Return the sets that are there; what is missing is an error only where nothing is left."""
    if len(listed) == 1:
        return listed
    for one in listed:
        if one.missing:
            print(f"warning: set {one.name} is left out: {one.missing} is missing", file=sys.stderr)
    left = [one for one in listed if not one.missing]
    if not left:
        raise InputError("no set is there; media/README.md says how they are made")
    return left
