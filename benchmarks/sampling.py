"""How often intervals of samples hold the truth: a simulated archive of 20,000 films.

Films have shares of their own, shots show women or men, and faces of one shot are not independent:
a segment of a minute has some ten shots, each as long as it happens to be. The naive interval takes
every face of every frame, five a second, for a draw of its own.
"""

import time
from dataclasses import dataclass

import numpy as np

from analyzer.sampling import design, ratio, sequence
from analyzer.sampling.estimate import MOST_FACES
from analyzer.sampling.size import Spread
from analyzer.types import F64, I64

_FILMS, _STRATA = 20_000, 8
_SHARES = (0.02, 0.2, 0.5)
_RUNS, _DRAWS = 1000, 800
_SHOTS, _SHOT_S = 10, 5.0
_REACH = 0.03
_FRAMES_S = 5
_LIKENESS = 6.0
"""Films differ less, the larger it is: sum of the parameters of their beta distribution."""


@dataclass(frozen=True)
class Archive:
    """Films with their segments; seconds of faces a segment."""

    duration_s: F64
    stratum: I64
    first: I64
    """Place of each film's first segment."""
    women: F64
    faces: F64

    @property
    def truth(self) -> float:
        """Share of women in all of it."""
        return float(self.women.sum() / self.faces.sum())


def archive(share: float, rng: np.random.Generator) -> Archive:
    """Make an archive of about this share, which differs by stratum, film and shot."""
    duration_s = rng.lognormal(7.6, 0.6, _FILMS)
    stratum = np.sort(rng.choice(_STRATA, _FILMS, p=np.arange(1, _STRATA + 1) / 36))
    level = share * np.linspace(0.6, 1.3, _STRATA)[stratum]
    of_film = rng.beta(_LIKENESS * level, _LIKENESS * (1 - level))
    counts = design.segment_counts(duration_s, 60.0)
    film = np.repeat(np.arange(_FILMS), counts)
    shots = rng.poisson(_SHOTS * rng.gamma(2, 0.5, _FILMS)[film])
    with_women = rng.binomial(shots, of_film[film])
    women = rng.gamma(np.maximum(with_women, 1e-9), _SHOT_S)
    men = rng.gamma(np.maximum(shots - with_women, 1e-9), _SHOT_S)
    return Archive(duration_s, stratum, np.cumsum(counts) - counts, women, women + men)


def _drawn(films: Archive, draws: int, seed: int) -> tuple[design.Sample, F64, F64]:
    """Draw segments; return their seconds of women and of faces, too."""
    sample = design.draw(
        films.duration_s, films.stratum, draws=draws, segment_s=60.0, per_film=1, seed=seed
    )
    length_s = sample.stop_s - sample.start_s
    place = films.first[sample.film] + np.rint(sample.start_s / length_s).astype(np.int64)
    return sample, films.women[place], films.faces[place]


def run() -> dict[str, float]:
    """Share of the runs in which the truth lies inside, and when the sequence stops."""
    rng = np.random.default_rng(0)
    figures: dict[str, float] = {}
    began = time.perf_counter()
    for share in _SHARES:
        films = archive(share, rng)
        name = f"share_{100 * share:g}"
        figures |= {f"{name}_{key}": value for key, value in _coverage(films).items()}
        figures |= {f"{name}_{key}": value for key, value in _stops(films).items()}
    return {**figures, "seconds": time.perf_counter() - began}


def _coverage(films: Archive) -> dict[str, float]:
    """How often the intervals of a whole sample hold the truth."""
    inside = np.zeros(3)
    truth, widths = films.truth, []
    for seed in range(_RUNS):
        sample, women, faces = _drawn(films, _DRAWS, seed)
        found = ratio.estimate(women, faces, sample.weight, sample.stratum, sample.draw)
        frames = faces.sum() * _FRAMES_S
        naive = 1.96 * np.sqrt(found.value * (1 - found.value) / frames)
        low, high = found.logit_interval()
        plain = found.interval()
        inside += [
            low <= truth <= high,
            plain[0] <= truth <= plain[1],
            abs(found.value - truth) <= naive,
        ]
        widths.append((high - low) / 2)
    logit, t, naive_share = 100 * inside / _RUNS
    return {
        "truth_percent": 100 * truth,
        "interval_holds_percent": logit,
        "plain_t_holds_percent": t,
        "naive_holds_percent": naive_share,
        "half_width_points": 100 * float(np.mean(widths)),
    }


def _stops(films: Archive) -> dict[str, float]:
    """How often the sequence ever misses, and at which part of the planned draws it may stop."""
    planned = Spread.assumed(0.6).draws(_REACH, 1)
    truth = films.truth
    ratios = np.unique(np.clip(truth + np.linspace(-0.1, 0.1, 41), 0, 1))
    held, stops, needed = 0, [], []
    for seed in range(_RUNS):
        sample, women, faces = _drawn(films, planned, seed)
        length_s = sample.stop_s - sample.start_s
        above = sample.draw_weight * women / length_s
        below = sample.draw_weight * faces / length_s
        scale = np.minimum(1, MOST_FACES / np.maximum(below, 1e-12))
        above, below = above * scale, below * scale
        stake = sequence.stakes(above, below, _REACH)
        paths = sequence.capital_paths(
            above, below, np.array([truth]), bound=MOST_FACES, stake=stake
        )
        most = max(max(up.max(), down.max()) for up, down in paths)
        held += most < np.log(2 / sequence.ALPHA)
        if seed % 5 == 0:
            bounds = sequence.intervals(above, below, bound=MOST_FACES, reach=_REACH, ratios=ratios)
            narrow = bounds[:, 1] - bounds[:, 0] <= 2 * _REACH
            stops.append((narrow.argmax() + 1) / planned if narrow.any() else 1.0)
            residual = (above - truth * below).std() / below.mean()
            needed.append((1.96 * residual / _REACH) ** 2 / planned)
    return {
        "sequence_always_holds_percent": 100 * held / _RUNS,
        "sequence_stops_at_percent_of_planned": 100 * float(np.mean(stops)),
        "fixed_size_percent_of_planned": 100 * float(np.mean(needed)),
        "sequence_percent_of_archive": 100 * float(np.mean(stops)) * planned / len(films.women),
    }
