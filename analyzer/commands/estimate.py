"""Estimate shares of an archive, with intervals, from the results of a sample of it."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer.errors import UsageError
from analyzer.options import spellings
from ina_cli.console import console
from ina_cli.numbers import RealNumber

if TYPE_CHECKING:
    from analyzer.sampling.estimate import EstimatedShare, Estimates

EPILOG = """\
examples:
  python -m analyzer estimate sample.csv
  python -m analyzer estimate sample.csv --of age --by group_decade
  python -m analyzer estimate sample.csv --until 2

docs/shares.md has the recipe, and says when not to believe it.

exit code: 0 estimated, and with --until: one can stop; 1 with --until: not yet; 2 bad usage, or no
results"""
OPTIONS: dict[str, dict[str, Any]] = {
    "of": {"metavar": "HEAD", "default": "sex",
           "help": "share of which attribute: sex, age or ethnicity (default: sex)"},
    "over": {"choices": ("faces", "persons"), "default": "faces",
             "help": "faces: time of every face; persons: of every person that was found "
             "(default: faces)"},
    "ages": {"metavar": "LIST", "default": "10,20,40,60",
             "help": "ages at which a group begins (default: 10,20,40,60)"},
    "by": {"metavar": "COLUMN",
           "help": "also by this column of the joblist: stratum, group_... (default: none)"},
    "until": {"type": RealNumber(least=0.1, most=50), "metavar": "X",
              "help": "say whether one can stop: the confidence sequence is plus or minus X "
              "percentage points; give the same X at each look"},
    "most_faces": {"type": RealNumber(least=0.1, most=1000), "metavar": "N", "default": 5.0,
                   "help": "faces at once, in the mean of a segment, that the confidence sequence "
                   "counts at most (default: 5)"},
    "skip_missing": {"action": "store_true",
                     "help": "count draws without results as lost, not as still to come"},
    "merge_strata": {"action": "store_true",
                     "help": "put strata together that have results of one draw only"},
    "confusion": {"type": Path, "metavar": "FILE.json",
                  "help": "put the shares of faces right by an archive's own table, which audit "
                  "report --write has written (default: none)"},
    "write": {"type": Path, "metavar": "FILE.json",
              "help": "write the estimates here, also as a pilot for plan (default: nowhere)"},
}  # fmt: skip


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    parser = commands.add_parser("estimate", help=__doc__, description=__doc__, epilog=EPILOG)
    parser.set_defaults(run=run)
    parser.add_argument(
        "joblist", type=Path, metavar="JOBLIST.csv", help="the joblist that plan has written"
    )
    for name, keywords in OPTIONS.items():
        parser.add_argument(*spellings(name), **keywords)


def run(args: argparse.Namespace) -> int:
    """Print the shares; 1 where they are not as sure as `--until` asks."""
    from analyzer.sampling import estimate

    reach = args.until / 100 if args.until else None
    estimates = estimate.of_joblist(
        args.joblist,
        head=args.of,
        over=args.over,
        ages=_ages(args.ages),
        by=args.by,
        reach=reach,
        most_faces=args.most_faces,
        skip_missing=args.skip_missing,
        merge_strata=args.merge_strata,
        confusion=args.confusion,
    )
    for note in estimate.notes(estimates, args.most_faces):
        print(f"warning: {note}", file=sys.stderr)
    stdout = console()
    stdout.print(estimate.summary(estimates), highlight=False, soft_wrap=True)
    stdout.print(_table(estimates, args))
    if args.write:
        estimate.write(estimates, args.write)
    if reach is None:
        return 0
    enough = estimates.segments.is_census or estimates.can_stop(reach)
    verdict = "one can stop" if enough else "go on"
    stdout.print(f"plus or minus {args.until:g} points at all times: {verdict}", highlight=False)
    return 0 if enough else 1


def _ages(text: str) -> list[float]:
    try:
        ages = [float(part) for part in text.split(",")]
    except ValueError:
        ages = []
    if not ages or sorted(set(ages)) != ages or ages[0] <= 0:
        raise UsageError(f"--ages {text}: give rising ages, such as 10,20,40,60")
    return ages


def _table(estimates: "Estimates", args: argparse.Namespace) -> Any:
    """Return the shares."""
    from rich import table

    by = [args.by] if args.by else []
    names = [args.of, "observed", "95 % interval", "at all times"]
    is_corrected = any(share.corrected for share in estimates.shares)
    names += ["corrected", "95 % interval"] * is_corrected
    rows = table.Table(*by, *names, "segments")
    for share in estimates.shares:
        where = [share.where or "all"] if by else []
        rows.add_row(
            *where,
            share.group,
            _percent(share.ratio.value),
            _interval((share.low, share.high)),
            _interval(share.sequence),
            *(_corrected(share) if is_corrected else []),
            str(share.segments),
        )
    return rows


def _corrected(share: "EstimatedShare") -> list[str]:
    if share.corrected is None:
        return ["", ""]
    return [_percent(share.corrected.value), _interval(share.corrected_interval)]


def _interval(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else f"{_percent(ends[0])} to {_percent(ends[1])}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %" if value == value else "-"
