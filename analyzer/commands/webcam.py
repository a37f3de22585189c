"""Watch a camera, or a video, with the faces found in it drawn over the picture."""

import argparse
import csv
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer import registry
from analyzer.errors import UsageError
from analyzer.options import AnalysisOptions, add_arguments, spellings

if TYPE_CHECKING:
    from analyzer.live.stream import LiveFrame
    from analyzer.pipeline.components import Components

    pass

_HEADER = ("frame", "bbox", "face_id", "detect_conf", "sex_label", "age_label", "time_s")
_OF_FILES = ("fps", "start", "stop")
"""Options that a camera cannot fulfil."""
SOURCE_HELP = "number of a camera, or a video (default: 0, the first camera)"
EPILOG = """\
q, Esc, Ctrl-C or the window's close button end it.

examples:
  python -m analyzer webcam
  python -m analyzer webcam film.mp4 --headless --frames 100 --csv faces.csv

exit code: 0 stopped or at the end, 1 the camera or the video cannot be read, 2 bad usage"""
THREADS_HELP = "CPU threads (default: 0, every core)"
HEADLESS_HELP = "open no window; print the counts at the end"


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    parser = commands.add_parser(
        "webcam",
        help=__doc__,
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    add = parser.add_argument
    add("source", nargs="?", default="0", metavar="SOURCE", help=SOURCE_HELP)
    add("--headless", action="store_true", help=HEADLESS_HELP)
    add("--frames", type=int, metavar="N", help="stop after N frames (default: at the end)")
    add("--csv", type=Path, metavar="FILE", help="write a row a face and frame, as they are seen")
    add(*spellings("threads"), type=int, default=0, metavar="N", help=THREADS_HELP)
    add_arguments(parser.add_argument_group("analysis"))


def run(args: argparse.Namespace) -> int:
    """Watch until the end, or until somebody asks to stop."""
    options = AnalysisOptions.from_mapping(vars(args))
    camera = args.source.isdecimal()
    _require(options, args, camera=camera)

    counts = _Counts()
    with suppress(KeyboardInterrupt):  # is how one stops it without a window
        _watch(args, options, camera, counts)
    print(f"{_name(args.source)}: {counts}")
    return 0


def _watch(
    args: argparse.Namespace, options: AnalysisOptions, camera: bool, counts: "_Counts"
) -> None:
    with ExitStack() as stack:
        # First: a window that is made after PyAV is loaded never appears.
        show = None if args.headless else stack.enter_context(_screen(_name(args.source)))

        from analyzer.live.stream import watch
        from analyzer.pipeline.components import load_components

        # Looking for cuts takes pictures ahead, for which nobody is to wait.
        components = load_components(replace(options, shots="none"), threads=args.threads)
        decoder = _camera(components) if camera else components.decoder
        medium = stack.enter_context(decoder.open(args.source))
        write = stack.enter_context(_table(args.csv)) if args.csv else None
        counts.start()
        for seen in islice(watch(medium, components), args.frames):
            counts.add(seen)
            if write:
                write(seen)
            if show and not show(seen):
                break


def _name(source: str) -> str:
    """What is watched, for people."""
    return f"camera {source}" if source.isdecimal() else source


def _require(options: AnalysisOptions, args: argparse.Namespace, *, camera: bool) -> None:
    """Refuse what cannot be watched.

    Raises:
        UsageError: an engine or an option that does not suit the source.
    """
    if options.engine not in ("videotracking", "video"):
        raise UsageError(f"webcam: --engine {options.engine} follows nobody; leave it out")
    if args.frames is not None and args.frames < 1:
        raise UsageError("--frames: give 1 or more")
    asked = [name for name in _OF_FILES if getattr(options, name) is not None]
    if camera and asked:
        raise UsageError(f"--{asked[0]} is for videos; of a camera take every --frame_step N")


def _camera(components: "Components") -> Any:
    step = components.options.frame_step
    return registry.load("decode", "camera", runtime=components.runtime, frame_step=step)


@contextmanager
def _screen(title: str) -> "Iterator[Callable[[LiveFrame], bool]]":
    """A window; what it gives shows a frame, and tells whether to go on."""
    from analyzer.inference.runtime import Runtime

    screen = registry.load("show", "window", runtime=Runtime(), title=f"ina: {title}")
    try:
        yield lambda seen: screen.show(seen.frame.image, seen.faces.boxes, seen.captions())
    finally:
        screen.close()


@contextmanager
def _table(path: Path) -> "Iterator[Callable[[LiveFrame], None]]":
    """A table that is whole after each frame; what it gives writes a frame's rows."""
    from analyzer.files.text import open_text

    with open_text(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(_HEADER)

        def write(seen: "LiveFrame") -> None:
            writer.writerows(_rows(seen))
            stream.flush()

        yield write


def _rows(seen: "LiveFrame") -> Iterator[Sequence[object]]:
    from analyzer.files.text import number_cell
    from analyzer.live.stream import boxes

    sexes, ages = seen.labels["sex"], seen.labels["age"]
    for i, (box, track) in enumerate(zip(boxes(seen), seen.faces.track_id.tolist(), strict=True)):
        sure = number_cell(float(seen.faces.detect_conf[i]), 4)
        time_s = number_cell(seen.frame.time_s, 6)
        yield seen.frame.index, str(box), track, sure, sexes[i], ages[i], time_s


class _Counts:
    """What was seen so far."""

    def __init__(self) -> None:
        self._frames = self._faces = 0
        self._tracks: set[int] = set()
        self.start()

    def start(self) -> None:
        """Start the clock."""
        self._started = time.monotonic()

    def add(self, seen: "LiveFrame") -> None:
        """Count a frame."""
        self._frames += 1
        self._faces += len(seen.faces)
        self._tracks.update(seen.faces.track_id.tolist())

    def __str__(self) -> str:
        elapsed = max(time.monotonic() - self._started, 1e-9)
        return (
            f"{self._frames} frames, {self._faces} faces, {len(self._tracks)} tracks; "
            f"{elapsed:.1f} s, {self._frames / elapsed:.1f} frames a second"
        )
