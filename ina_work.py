"""What `python -m jobs` and the server must know of the analysis; see `jobs.joint.Analysis`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import analyzer
from analyzer import options as analysis
from analyzer import registry
from analyzer.anonymise import needs_names
from analyzer.errors import AnalyzerError
from analyzer.options import AnalysisOptions
from analyzer.shards import plan
from jobs.errors import UsageError
from jobs.joint import Settled
from jobs.model import JobSpec, Shard

FACTORY = "ina_worker:make_task"
PROGRAM = analyzer.__version__


def models() -> Mapping[str, str]:
    """Hashes of the models by name."""
    from analyzer import weights

    return weights.hashes()


def exporters() -> Sequence[str]:
    """Names that a `dest_` column may have."""
    return registry.names("export")


def add_arguments(group: Any) -> None:
    """Add every analysis option to a parser or group."""
    analysis.add_arguments(group)


def settle(args: argparse.Namespace) -> Settled:
    """Read the analysis options."""
    with _told():
        options = AnalysisOptions.from_mapping(vars(args))
        return Settled(options=options.to_dict(), digest=options.digest())


def check(spec: JobSpec, options: Mapping[str, Any]) -> JobSpec:
    """Return a job, if those to be anonymised by name can be known."""
    choice = options["anonymise"]
    if needs_names(choice) and not spec.gallery:
        where = f"line {spec.line}: " if spec.line else ""
        raise UsageError(
            f"{where}--anonymise {choice}: only a gallery tells who has which name; give one, in "
            "the joblist's column gallery, or take --anonymise all"
        )
    return spec


def shards(count: int | None, minutes: float | None, options: Mapping[str, Any]) -> list[Shard]:
    """The shards that a user asks for; none where media are to be looked at as wholes."""
    with _told():
        wanted = plan(
            count,
            minutes,
            engine=options["engine"],
            shots=options["shots"],
            detector=options["detector"],
        )
    return [Shard(s.number, s.count, s.least_s) for s in wanted or () if s.count > 1]


def length_s(source: str, options: Mapping[str, Any]) -> float:
    """Return how long a medium is, as its container states; 0 where that cannot be known."""
    from analyzer.models import load_decoder

    try:
        with load_decoder(AnalysisOptions.from_dict(dict(options))).open(source) as medium:
            return float(medium.info.duration_s or 0)
    except AnalyzerError:
        return 0.0


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except AnalyzerError as error:
        raise UsageError(str(error)) from error
