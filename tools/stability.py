"""Print who is in one labelled video at many rates, brightnesses and compressions.

::

    python tools/stability.py VIDEO LABELS [--json FILE] [--option fps=5 ...]

The measure is that of this tree; what is measured is the `analyzer` that Python imports, so that
two commits are compared by

::

    PYTHONPATH=OTHER_TREE python tools/stability.py VIDEO LABELS

A person is called as most of its labelled faces are; a second person of that name, and one without
any labelled face, show that persons are split or made up. Lines that differ from the reference, or
miss a limit, have a `!` before what is wrong.
"""

import argparse
import importlib.util
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

# Last: what another tree has comes from there, and a checkout need not be installed.
sys.path.append(str(Path(__file__).resolve().parent.parent))
from analyzer.export import characters
from analyzer.inference.runtime import Runtime
from analyzer.observations.table import concat
from analyzer.options import AnalysisOptions
from analyzer.pipeline import observe, summarize
from analyzer.pipeline.components import Components, load_components
from analyzer.types import MediaReport


def _own(name: str) -> ModuleType:
    """Load a file of this tree's evaluation, whatever `analyzer` is imported."""
    path = Path(__file__).resolve().parent.parent / "analyzer" / "evaluation" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"own_{name}", path)
    assert spec
    assert spec.loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # The others of this tree import it by this name, which the imported `analyzer` may lack.
    sys.modules.setdefault(f"analyzer.evaluation.{name}", module)
    return module


agreement, conditions, _, truth = map(_own, ("agreement", "conditions", "_lines", "truth"))
RATES = (5.0, 1.0, 2.0, 3.0, 8.0, 10.0, 15.0, None)
"""Pictures a second; the first is the reference."""
CONDITIONS: tuple[Any, ...] = (
    *conditions.every(RATES, (1.0, 0.7, 1.8), (None,)),
    *conditions.every(RATES, (1.0,), (18, 32)),
)
SHARE_POINTS, WITHOUT = 0.02, 0.05
"""How far the share of women may be from the reference's, and what share of the labelled faces may
be in no row of the characters."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Figures of one condition."""

    condition: str
    persons: dict[str, float]
    """Screen time of each person, in seconds."""
    women: float
    """Share of the persons' screen time that is women's; NaN where there is no person."""
    labelled: int
    """Labelled faces near an analysed picture."""
    reached: tuple[str, ...]
    """Persons with such a label."""
    missed: float
    """Share of the labelled faces that the detector did not find."""
    without_person: float
    """Share of the labelled faces that is no person's, found or not."""
    without_row: float
    """Share of them that is in no row of the characters, neither a person's nor another."""
    f1: float
    """F1 of the pairs of all labelled faces; one without a person is wrong."""

    def faults(self, reference: "Figures") -> dict[str, bool]:
        """Return, by field, whether it is off the limits that hold for each condition."""
        expected = {
            name for name in reference.persons if name.split(" #")[0] in (*self.reached, "?")
        }
        return {
            "persons": set(self.persons) != expected,
            "women": not abs(self.women - reference.women) <= SHARE_POINTS,
            "without_row": self.without_row > WITHOUT,
        }


def measure(video: Path, labels: Any, **options: Any) -> Iterator[Figures]:
    """Yield the figures of each condition, the reference first.

    Args:
        video: Path of the video.
        labels: From `truth.of_video`.
        options: Fields of `AnalysisOptions` but for the rate.
    """
    with tempfile.TemporaryDirectory(prefix="ina-stability-") as folder:
        models: dict[float | None, Components] = {}
        for condition in CONDITIONS:
            if condition.fps not in models:
                models[condition.fps] = load_components(
                    AnalysisOptions(**options, fps=condition.fps)
                )
            path = conditions.variant(video, condition, Path(folder))
            report, times = analyse(path, models[condition.fps])
            yield replace(figures_of(report, times, labels), condition=str(condition))


def analyse(path: Path, models: Components) -> tuple[MediaReport, Any]:
    """Return the report, and the times of the analysed pictures."""
    with models.decoder.open(str(path)) as medium:
        batches = list(observe.observe(medium, components=models))
    times = np.array([frame.time_s for frames, _ in batches for frame in frames])
    table = concat([rows for _, rows in batches])
    return summarize.summarize(medium.info, table, components=models), times


def figures_of(report: MediaReport, times: Any, labels: Any) -> Figures:
    """Return the figures of a report of the labelled video; see `truth.of_video`."""
    rows = labels.rows(report.observations)
    is_labelled = labels.are_reached(times, report.observations.cuts) | (rows >= 0)
    person_of_row = report.row_persons()
    persons = np.where(rows >= 0, person_of_row[rows], -1)[is_labelled]
    names = np.array(labels.persons)[is_labelled]
    without = persons < 0
    # A face is in a row of the characters if its person has one, or if they hold every face.
    table = {c.name: c.values for c in characters.create(runtime=Runtime()).columns(report)}
    holds_all = sum(table["face_count"]) == len(person_of_row)
    return Figures(
        condition="",
        persons=_screen_times(report, persons, names),
        women=_women(report),
        labelled=int(is_labelled.sum()),
        reached=tuple(sorted(set(names.tolist()))),
        missed=float((rows < 0)[is_labelled].mean()),
        without_person=float(without.mean()),
        without_row=float(((rows < 0)[is_labelled] if holds_all else without).mean()),
        f1=agreement.compare_all(np.unique(names, return_inverse=True)[1], persons).pairs.f1,
    )


def _screen_times(report: MediaReport, persons: Any, names: Any) -> dict[str, float]:
    """Return the screen time of each person, by the name that most of its labelled faces have."""
    seconds: dict[str, float] = {}
    for person in report.persons:
        most = Counter(names[persons == person.person_id].tolist()).most_common(1)
        name = most[0][0] if most else "?"
        again = sum(other.split(" #")[0] == name for other in seconds)
        seconds[f"{name} #{again + 1}" if again else name] = round(person.screen_time_s, 3)
    return seconds


def _women(report: MediaReport) -> float:
    seconds = {"f": 0.0, "m": 0.0, "": 0.0}
    for person in report.persons:
        sex = person.attributes.get("sex")
        seconds[sex.label if sex else ""] += person.screen_time_s
    both = seconds["f"] + seconds["m"]
    return seconds["f"] / both if both else float("nan")


def line(figures: Figures, reference: Figures) -> str:
    """Return a row of the table, with a `!` before each figure that is off."""
    faults = figures.faults(reference)
    marks = {name: "!" if is_off else " " for name, is_off in faults.items()}
    persons = ", ".join(f"{name} {time:.1f}" for name, time in sorted(figures.persons.items()))
    return (
        f"{figures.condition:26} {figures.labelled:4} {marks['women']}{figures.women:7.1%} "
        f"{figures.missed:7.1%} {figures.without_person:7.1%} "
        f"{marks['without_row']}{figures.without_row:7.1%} "
        f"{figures.f1:6.3f} {marks['persons']}{len(figures.persons)}: {persons}"
    )


HEADER = (
    f"{'analysed at':26} {'lab.':4} {'women':>8} {'missed':>7} {'nobody':>7} "
    f"{'no row':>8} {'F1':>6}  persons, seconds on screen"
)


def main() -> int:
    """Read the command line, print the table; 1 where a line is off."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    names = ", ".join(field.name for field in fields(AnalysisOptions))
    parser.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", help=f"one of {names}"
    )
    args = parser.parse_args()
    given = AnalysisOptions.from_mapping(dict(text.split("=", 1) for text in args.option))
    options = {name: value for name, value in vars(given).items() if name != "fps"}
    done: list[Figures] = []
    print(HEADER)
    for figures in measure(args.video, truth.of_video(args.labels), **options):
        done.append(figures)
        print(line(figures, done[0]), flush=True)
    if args.json:
        args.json.write_text(json.dumps([asdict(one) for one in done], indent=1) + "\n")
    off = sum(any(figures.faults(done[0]).values()) for figures in done)
    print(f"{off} of {len(done)} lines are off")
    return int(off > 0)


if __name__ == "__main__":
    raise SystemExit(main())
