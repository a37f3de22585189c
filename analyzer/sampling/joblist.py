"""The joblist of a sample: a row for each segment, in the order of the draws."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from analyzer.files.atomic import atomic_write
from analyzer.files.text import write_table
from analyzer.results.locate import load_exporter
from analyzer.sampling.catalogue import FilmCatalogue
from analyzer.sampling.design import Sample
from joblist.names import shortened

_STEM_BYTES = 100


def write(
    path: Path,
    sample: Sample,
    catalogue: FilmCatalogue,
    *,
    strata: Sequence[str],
    groups: Sequence[str],
    results: Path,
    exports: Sequence[str],
) -> int:
    """Write the joblist; return the number of its rows: a segment that is drawn twice is one.

    Args:
        path: Path of the joblist.
        sample: The segments.
        catalogue: Films from which they were drawn.
        strata: Names of the strata.
        groups: Columns of the catalogue that rows have as `group_...`.
        results: Folder for the results of the segments.
        exports: Names of exports.

    Raises:
        ResourceError: It cannot be written.
    """
    header = [
        *("source_path", "item_id", "start_s", "stop_s", "stratum"),
        *("weight", "draw", "draw_weight"),
        *(f"group_{name}" for name in groups),
        *(f"dest_{name}" for name in exports),
    ]
    suffixes = [load_exporter(name).suffix for name in exports]
    rows = []
    for number, places in enumerate(_segments(sample), start=1):
        first, film = places[0], int(sample.film[places[0]])
        source = catalogue.paths[film]
        stem = shortened(os.path.splitext(os.path.basename(source))[0], _STEM_BYTES)
        stem = str(results / f"{number:06d}-{stem}")
        draws = [str(sample.draw[place]) for place in places if sample.draw[place]]
        rows.append(
            [
                *(source, f"{os.path.basename(source)} {sample.start_s[first]:.3f} s"),
                *(f"{sample.start_s[first]:.3f}", f"{sample.stop_s[first]:.3f}"),
                *(strata[sample.stratum[first]], f"{sample.weight[places].sum():.12g}"),
                *(" ".join(draws), f"{sample.draw_weight[first]:.12g}" if draws else ""),
                *(catalogue.value(name, film) for name in groups),
                *(stem + suffix for suffix in suffixes),
            ]
        )
    with atomic_write(path) as part:
        write_table(part, header, rows)
    return len(rows)


def _segments(sample: Sample) -> Iterator[list[int]]:
    """Yield the places of each segment in the sample, in the order of their first draws."""
    places: dict[tuple[int, float], list[int]] = {}
    keys = zip(sample.film.tolist(), sample.start_s.tolist(), strict=True)
    for place, key in enumerate(keys):
        places.setdefault(key, []).append(place)
    yield from places.values()


def analysed_s(sample: Sample) -> float:
    """Return how much video is analysed, in seconds: a segment that is drawn twice counts once."""
    firsts = [places[0] for places in _segments(sample)]
    return float(np.sum(sample.stop_s[firsts] - sample.start_s[firsts]))
