"""Watch a camera, or a video, with the faces found in it drawn over the picture."""

import argparse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer import registry
from analyzer.commands._counts import Counts
from analyzer.errors import UsageError
from analyzer.options import AnalysisOptions, add_arguments, spellings
from ina_cli.numbers import WholeNumber

if TYPE_CHECKING:
    from analyzer.live.stream import LiveFrame
    from analyzer.pipeline.components import Components

_VIDEO_OPTIONS = ("fps", "start", "stop")
"""Options that make no sense for a camera."""
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
    )
    parser.set_defaults(run=run)
    add = parser.add_argument
    add("source", nargs="?", default="0", metavar="SOURCE", help=SOURCE_HELP)
    add("--headless", action="store_true", help=HEADLESS_HELP)
    add(
        "--frames",
        type=WholeNumber(least=1),
        metavar="N",
        help="stop after N frames (default: at the end)",
    )
    add("--csv", type=Path, metavar="FILE", help="write a row for each face of each frame, at once")
    add(*spellings("threads"), type=WholeNumber(), default=0, metavar="N", help=THREADS_HELP)
    add_arguments(parser.add_argument_group("analysis"))


def run(args: argparse.Namespace) -> int:
    """Watch until the end, or until the user asks to stop."""
    options = AnalysisOptions.from_mapping(vars(args))
    camera = args.source.isdecimal()
    _require(options, args, camera=camera)

    counts = Counts()
    with suppress(KeyboardInterrupt):  # the way to stop without a window
        _watch(args, options, camera, counts)
    print(f"{_name(args.source)}: {counts}")
    return 0


def _watch(
    args: argparse.Namespace, options: AnalysisOptions, camera: bool, counts: Counts
) -> None:
    """Show, write and count the frames of a source.

    Args:
        args: Parsed arguments of the command.
        options: Options of the analysis.
        camera: Whether the source is a camera.
        counts: Counts that are kept up to date.
    """
    with ExitStack() as stack:
        # First, because a window that is made after PyAV is loaded never appears.
        show = None if args.headless else stack.enter_context(_screen(_name(args.source)))

        from analyzer.live import session

        # Without a search for cuts, which needs later pictures: no frame waits for others.
        components = session.load_components(replace(options, shots="none"), threads=args.threads)
        decoder = _camera(components) if camera else components.decoder
        medium = stack.enter_context(decoder.open(args.source))
        write = stack.enter_context(session.open_table(args.csv)) if args.csv else None
        counts.start()
        for live_frame in islice(session.watch(medium, components), args.frames):
            counts.add(live_frame)
            if write:
                write(live_frame)
            if show and not show(live_frame):
                break


def _name(source: str) -> str:
    """Return the name of a source for messages."""
    return f"camera {source}" if source.isdecimal() else source


def _require(options: AnalysisOptions, args: argparse.Namespace, *, camera: bool) -> None:
    """Refuse options that do not suit the source.

    Raises:
        UsageError: An engine or an option that does not suit the source.
    """
    if options.engine not in ("videotracking", "video"):
        raise UsageError(f"webcam: --engine {options.engine} follows nobody; leave it out")
    if args.frames is not None and args.frames < 1:
        raise UsageError("--frames: give 1 or more")
    refused = [name for name in _VIDEO_OPTIONS if getattr(options, name) is not None]
    if camera and refused:
        raise UsageError(f"--{refused[0]} is for videos; of a camera take every --frame_step N")


def _camera(components: "Components") -> Any:
    """Return the decoder of cameras."""
    step = components.options.frame_step
    return registry.load("decode", "camera", runtime=components.runtime, frame_step=step)


@contextmanager
def _screen(title: str) -> "Iterator[Callable[[LiveFrame], bool]]":
    """Open a window.

    Args:
        title: Title after `ina: `.

    Yields:
        A function that shows a frame, and returns whether to go on.
    """
    from analyzer.inference.runtime import Runtime

    screen = registry.load("show", "window", runtime=Runtime(), title=f"ina: {title}")
    try:
        yield lambda live_frame: screen.show(
            live_frame.frame.image, live_frame.faces.boxes, live_frame.captions()
        )
    finally:
        screen.close()
