"""A medium with all that is told of it: who its persons are, and the faces of its poster."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from analyzer.errors import InputError, UsageError
from analyzer.gallery.poster import identify
from analyzer.options import anonymise
from analyzer.pipeline import observe, run, summarize
from analyzer.pipeline.components import Components
from analyzer.reports.part_file import Part
from analyzer.types import MediaInfo, MediaReport, ProgressHook
from analyzer.types.people import Gallery

WITHOUT_MEDIUM = ("csv", "json", "posters", "poster_image", "report")
"""What can be exported of a medium that could not be read."""


def analyze(
    path: str | Sequence[str],
    *,
    components: Components,
    gallery: Gallery | None = None,
    poster: str | None = None,
    progress: ProgressHook | None = None,
    look: Callable[[], Sequence[Part]] | None = None,
) -> MediaReport:
    """Find out who is on screen in one medium, how they are called, and who is on its poster.

    Of medium and poster, one that cannot be read is skipped; the report's notes say why.

    Args:
        path: as for `pipeline.analyze`.
        components: from `load_components`.
        gallery: named portraits.
        poster: path of the poster.
        progress: told of each step.
        look: looks at the medium in another way than `pipeline.observe_part` does, as in shards.

    Raises:
        UsageError: somebody is to be anonymised by a name that no gallery has.
        InputError: the medium cannot be read, nor is there a poster that can.
        ResourceError: memory or device gave out.
    """
    _require_names(components.options.anonymise, gallery)
    try:
        seen = (
            look()
            if look
            else [observe.observe_part(path, components=components, progress=progress)]
        )
        report = run.conclude(seen, components=components, progress=progress)
    except InputError as error:
        report = identify(_nothing(path, error, components), components=components, poster=poster)
        if report.poster is None:
            raise
        return report
    return identify(report, components=components, gallery=gallery, poster=poster)


def _require_names(choice: str | None, gallery: Gallery | None) -> None:
    """See that those whose faces are to be blurred can be known; before hours of work."""
    if choice is None or not anonymise.needs_names(choice):
        return
    if gallery is None:
        raise UsageError(
            f"anonymise {choice}: only a gallery tells who has which name; give one (--gallery, "
            "column gallery), or anonymise all"
        )
    missing = anonymise.unknown(choice, gallery.names)
    if missing:
        raise UsageError(
            f"anonymise: {', '.join(missing)}: not in the gallery, which has "
            f"{', '.join(sorted(set(gallery.names))) or 'nobody'}; all, unnamed and named are no "
            "names"
        )


def _nothing(path: str | Sequence[str], error: InputError, components: Components) -> MediaReport:
    """The report of a medium that cannot be read."""
    info = MediaInfo(
        uri=path if isinstance(path, str) else path[0],
        kind="none",
        width_px=0,
        height_px=0,
        frame_rate=None,
        duration_s=0.0,
    )
    report = summarize.summarize(info, observe.nothing_seen(components), components=components)
    return replace(report, notes=(f"medium skipped: {error}",))
