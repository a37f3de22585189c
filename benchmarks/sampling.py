"""How often intervals of samples hold the truth: a simulated archive of 20,000 films.

Films have shares of their own, shots show women or men, and faces of one shot are not independent:
a segment of a minute has some ten shots, each as long as it happens to be. The naive interval takes
every face of every frame, five a second, for a draw of its own.
"""

import time
from dataclasses import dataclass

import numpy as np

from analyzer.sampling import corrected, design, ratio, sequence
from analyzer.sampling.estimate import MOST_FACES
from analyzer.sampling.segments import Answers, Segments
from analyzer.sampling.size import Spread
from analyzer.shares.confusion import Confusion
from analyzer.types import F64, I64

_FILMS, _STRATA = 20_000, 8
_SHARES = (0.02, 0.2, 0.5)
_RUNS, _DRAWS = 1000, 800
_SHOTS, _SHOT_S = 10, 5.0
_REACH = 0.03
_FRAMES_S = 5
_ANSWERS = np.array([[0.80, 0.12, 0.05, 0.03], [0.02, 0.05, 0.13, 0.80]])
"""Chance of each answer (a woman, perhaps a woman, perhaps a man, a man) to women, and to men."""
_LABELLED = 2500
"""Faces of each sex from which the table of what the network confuses was counted."""
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
    answers: F64
    """(n, 1, K) seconds of each answer of a network that errs."""

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
    # All of a shot gets one answer: faces of a shot are taken for others together.
    seconds = [
        rng.gamma(np.maximum(rng.multinomial(number, chances), 1e-9), _SHOT_S)
        for number, chances in zip((with_women, shots - with_women), _ANSWERS, strict=True)
    ]
    women, men = (each.sum(1) for each in seconds)
    answers = (seconds[0] + seconds[1])[:, None]
    return Archive(duration_s, stratum, np.cumsum(counts) - counts, women, women + men, answers)


def _drawn(films: Archive, draws: int, seed: int) -> tuple[design.Sample, F64, F64]:
    """Draw segments; return their seconds of women and of faces, too."""
    sample, place = _places(films, draws, seed)
    return sample, films.women[place], films.faces[place]


def _places(films: Archive, draws: int, seed: int) -> tuple[design.Sample, I64]:
    """Draw segments; return their places in the archive, too."""
    sample = design.draw(
        films.duration_s, films.stratum, draws=draws, segment_s=60.0, per_film=1, seed=seed
    )
    length_s = sample.stop_s - sample.start_s
    return sample, films.first[sample.film] + np.rint(sample.start_s / length_s).astype(np.int64)


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
        figures |= {f"{name}_{key}": value for key, value in _corrections(films).items()}
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


def _corrections(films: Archive) -> dict[str, float]:
    """How often the corrected interval holds the truth, with a table that is counted anew."""
    rng, truth = np.random.default_rng(1), films.truth
    held, off, observed = 0, [], []
    for seed in range(_RUNS):
        sample, place = _places(films, _DRAWS, seed)
        table = Confusion(("f", "m"), _counted(rng))
        found = corrected.shares(_segments(films, sample, place, table), np.ones(len(place)))["f"]
        low, high = found.logit_interval()
        held += low <= truth <= high
        off.append(found.value - truth)
        answers = np.tensordot(sample.weight, films.answers[place], 1)[0]
        observed.append(answers[:2].sum() / answers.sum() - truth)
    return {
        "corrected_holds_percent": 100 * held / _RUNS,
        "corrected_off_points": 100 * float(np.mean(off)),
        "observed_off_points": 100 * float(np.mean(observed)),
    }


def _counted(rng: np.random.Generator) -> F64:
    """Count the answers to labelled faces: (1, 2, K)."""
    return np.stack([rng.multinomial(_LABELLED, chances) for chances in _ANSWERS])[None] * 1.0


def _segments(films: Archive, sample: design.Sample, place: I64, table: Confusion) -> Segments:
    """Return segments with results."""
    seconds = films.answers[place]
    return Segments(
        amounts={"f": seconds[:, 0, :2].sum(1), "m": seconds[:, 0, 2:].sum(1)},
        length_s=sample.stop_s - sample.start_s,
        weight=sample.weight,
        stratum=sample.stratum,
        cluster=sample.draw,
        draw=sample.draw,
        draw_weight=sample.draw_weight,
        columns={},
        listed=len(place),
        missing=0,
        first_missing=float("inf"),
        answers=Answers(seconds, table, ["f", "m"]),
    )
