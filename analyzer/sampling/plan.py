"""Plan the sample of an archive: how many segments, which, and what they cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analyzer.errors import UsageError
from analyzer.options import AnalysisOptions
from analyzer.sampling import catalogue as catalogues
from analyzer.sampling import design, joblist, speed
from analyzer.sampling.catalogue import FilmCatalogue
from analyzer.sampling.design import Sample, segment_counts
from analyzer.sampling.size import Spread

REACHES = (0.05, 0.03, 0.02, 0.01)
"""Half widths of intervals that are offered."""


@dataclass(frozen=True)
class Wish:
    """What a sample is to be like."""

    strata: Sequence[str] = ()
    """Columns of which each combination of values is a stratum."""
    groups: Sequence[str] = ()
    """Further columns by which shares may be estimated."""
    segments: int | None = None
    """Number of segments; `None`: as many as `reach` needs."""
    reach: float = 0.02
    """Half of the width of the interval, as a share."""
    spread: float = 0.6
    """Standard deviation of the share from segment to segment."""
    pilot: Path | None = None
    """File of estimates that knows it better."""
    segment_s: float = 60.0
    per_film: int = 1
    seed: int = 0
    results: Path = Path("results")
    """Folder for the results of the segments."""
    exports: Sequence[str] = ("csv", "json")


@dataclass(frozen=True)
class Machine:
    """How fast a process of this machine is."""

    pace: float | None = None
    """Seconds of video in a second; `None`: not known, or measured."""
    film: str | None = None
    """Film on which it is measured."""
    options: AnalysisOptions | None = None
    """Options with which it is measured."""

    def measured(self, segment_s: float) -> float | None:
        """Return the pace; `None` where it is not known.

        Raises:
            AnalyzerError: The film or a component cannot be used.
        """
        if self.film is None:
            return self.pace
        return speed.measure(self.film, self.options or AnalysisOptions(), segment_s=segment_s)


@dataclass(frozen=True)
class Offer:
    """What an interval costs."""

    reach: float
    segments: int
    video_s: float
    work_s: float | None
    """Time of one process of this machine; `None` where its speed is not known."""


@dataclass(frozen=True)
class Planned:
    """A sample that was drawn, and what it costs."""

    rows: int
    draws: int
    """0 where all of the archive is taken."""
    strata: int
    reach: float
    """Half of the width of the interval that is to be expected; 0 where all is taken."""
    video_s: float
    work_s: float | None
    pace: float | None
    archive_s: float
    films: int
    offers: tuple[Offer, ...]


def plan(path: Path, output: Path, wish: Wish, machine: Machine) -> Planned:
    """Draw segments of an archive, and write their joblist.

    Args:
        path: The catalogue.
        output: The joblist.
        wish: What the sample is to be like.
        machine: How fast this machine is.

    Raises:
        UsageError: The catalogue has faults, or is the joblist.
        ResourceError: The joblist cannot be written.
    """
    if path.resolve() == output.resolve():
        raise UsageError(f"{output} is the catalogue: give the joblist another name")
    groups = list(dict.fromkeys([*wish.strata, *wish.groups]))
    catalogue = catalogues.read(path, groups)
    names, stratum = catalogue.strata(wish.strata)
    spread = Spread.of_pilot(wish.pilot) if wish.pilot else Spread.assumed(wish.spread)
    draws = spread.draws(wish.reach, wish.per_film)
    if wish.segments is not None:
        draws = max(1, -(-wish.segments // wish.per_film))
    sample = design.draw(
        catalogue.duration_s,
        stratum,
        draws=draws,
        segment_s=wish.segment_s,
        per_film=wish.per_film,
        seed=wish.seed,
    )
    rows = joblist.write(
        output,
        sample,
        catalogue,
        strata=names,
        groups=groups,
        results=wish.results,
        exports=wish.exports,
    )
    pace = machine.measured(wish.segment_s)
    drawn, video_s = int(sample.draw.max(initial=0)), joblist.analysed_s(sample)
    return Planned(
        rows=rows,
        draws=drawn,
        strata=len(np.unique(sample.stratum)),
        reach=spread.reach(drawn, wish.per_film) if drawn else 0.0,
        video_s=video_s,
        work_s=video_s / pace if pace else None,
        pace=pace,
        archive_s=float(catalogue.duration_s.sum()),
        films=len(catalogue.paths),
        offers=tuple(_offers(catalogue, wish, spread, pace, mean_s=_mean_s(sample))),
    )


def _mean_s(sample: Sample) -> float:
    return float((sample.stop_s - sample.start_s).mean())


def _offers(
    catalogue: FilmCatalogue, wish: Wish, spread: Spread, pace: float | None, *, mean_s: float
) -> list[Offer]:
    """Return what other intervals cost."""
    total_s = float(catalogue.duration_s.sum())
    of_archive = int(segment_counts(catalogue.duration_s, wish.segment_s).sum())
    offers = []
    for reach in REACHES:
        segments = min(of_archive, spread.draws(reach, wish.per_film) * wish.per_film)
        video_s = min(total_s, segments * mean_s)
        offers.append(Offer(reach, segments, video_s, video_s / pace if pace else None))
    return offers
