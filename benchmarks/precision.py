"""What `--precision fast` saves and costs beside `exact`: milliseconds, faces, persons.

The films are those of the folder that ``FILMS`` names, by default the real media beside the
checkout, or else the sample; ``PICTURES`` of each are searched. A face of `exact` is found if
`fast` has a box with an IoU of 0.5 with it; extra are the boxes of `fast` that no face of `exact`
has. Medians of alternating runs, ``RUNS`` of them; processor time leaves out the waiting.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from analyzer.imaging.boxes import iou
from analyzer.options import AnalysisOptions
from analyzer.pipeline.components import Components, load_components
from analyzer.types import F32, U8
from analyzer.workflows.analyze import Request, analyze
from analyzer.workflows.observer import WholeObserver
from benchmarks import _faces, _media

_RUNS = int(os.environ.get("RUNS", "5"))
_PICTURES = int(os.environ.get("PICTURES", "100"))
_FACES, _BATCH = 40, 8
_FOUND = 0.5
_RATES = 1, 5
_WITHOUT_FACES = "no_face", "bottle-detection"
"""Films in which every box is false."""
Precisions = Mapping[str, Components]
"""Components for `exact` and for `fast`."""


def run() -> dict[str, float]:
    """Milliseconds in both precisions, and what they find."""
    both = _components(fps=5, shots="none")
    figures: dict[str, float] = {"runs": _RUNS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = _media.clip(folder)
        figures |= _costs(both, list(_pictures(_media.looped(clip, folder, 10), both)))
        figures |= _found(both, _films(clip))
        for film in [clip, *([_media.STREET] if _media.STREET.exists() else [])]:
            figures |= _persons(film)
    return figures


def _components(**options: object) -> Precisions:
    return {
        precision: load_components(AnalysisOptions(device="cpu", precision=precision, **options))  # type: ignore[arg-type]
        for precision in ("exact", "fast")
    }


def _films(clip: Path) -> list[Path]:
    """Return the films to search; without a folder of them, the clip alone."""
    folder = Path(os.environ.get("FILMS", clip.parent))
    return sorted(folder.glob("*.mp4"))


def _pictures(film: Path, both: Precisions) -> Iterator[U8]:
    """Yield pictures of a film, five a second."""
    with both["exact"].decoder.open(str(film)) as medium:
        yield from (frame.image for frame in islice(medium.frames(None), _PICTURES))


def _costs(both: Precisions, pictures: Sequence[U8]) -> dict[str, float]:
    """Milliseconds a picture of 720p, and a face with identity, sex and age."""
    chips = _faces.chips(_FACES)
    routes: dict[str, tuple[int, Callable[[], object]]] = {}
    for precision, components in both.items():
        routes[f"detect_{precision}"] = len(pictures), lambda c=components: _boxes(c, pictures)  # type: ignore[misc]
        routes[f"describe_{precision}"] = (
            _FACES,
            lambda c=components: c.describer.describe(chips),  # type: ignore[misc]
        )
    seconds: dict[str, list[float]] = {route: [] for route in routes}
    computed: dict[str, list[float]] = {route: [] for route in routes}
    for number in range(_RUNS + 1):
        for route, (count, do) in routes.items():
            started, before = time.perf_counter(), time.process_time()
            do()
            if number:  # the first does not count
                seconds[route].append((time.perf_counter() - started) / count)
                computed[route].append((time.process_time() - before) / count)
    return {
        f"{route}_{kind}": 1000 * statistics.median(values)
        for kind, routes_ in (("ms", seconds), ("cpu_ms", computed))
        for route, values in routes_.items()
    }


def _boxes(components: Components, pictures: Sequence[U8]) -> list[F32]:
    """Return the boxes of the faces in each picture."""
    found: list[F32] = []
    for start in range(0, len(pictures), _BATCH):
        batch = pictures[start : start + _BATCH]
        found += [detections.boxes for detections in components.detector.detect(batch)]
    return found


def _found(both: Precisions, films: Sequence[Path]) -> dict[str, float]:
    """Faces of `exact`, those that `fast` finds, and boxes that `fast` has beside them."""
    faces = found = extra = false = 0
    for film in films:
        pictures = list(_pictures(film, both))
        pairs = zip(*(_boxes(components, pictures) for components in both.values()), strict=True)
        for exact, fast in pairs:
            hits = iou(exact, fast) >= _FOUND
            faces, found = faces + len(exact), found + int(hits.any(1).sum())
            beyond = int((~hits.any(0)).sum())
            extra, false = extra + beyond, false + beyond * (film.stem in _WITHOUT_FACES)
    return {
        "films": len(films),
        "faces_of_exact": faces,
        "found_by_fast_percent": 100 * found / max(1, faces),
        "extra_in_fast": extra,
        "extra_where_there_are_no_faces": false,
    }


def _persons(film: Path) -> dict[str, float]:
    """Number of persons of a film, and of their faces, at two rates."""
    figures: dict[str, float] = {}
    for rate in _RATES:
        for precision, components in _components(fps=rate).items():
            observer = WholeObserver(components)
            request = Request(path=str(film))
            report = analyze(request, components=components, observer=observer)
            name = f"{film.stem}_{rate}_fps_{precision}"
            figures[f"{name}_persons"] = len(report.persons)
            figures[f"{name}_faces"] = sum(person.face_count for person in report.persons)
    return figures
