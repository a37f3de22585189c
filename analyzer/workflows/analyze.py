"""Analyse one medium: observe, summarize, name, remember, correct; always in this order.

::

    from analyzer.workflows.analyze import Request, analyze
    from analyzer.workflows.observer import WholeObserver

    report = analyze(
        Request(path="film.mp4"), components=components, observer=WholeObserver(components)
    )
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from analyzer.errors import InputError, UsageError
from analyzer.gallery.poster import identify
from analyzer.identities import IdentityStore
from analyzer.identities.remember import remember, with_archive_names
from analyzer.options import anonymise
from analyzer.pipeline.components import Components
from analyzer.pipeline.conclude import conclude
from analyzer.pipeline.summarize import summarize
from analyzer.reports import portraits
from analyzer.review.apply import reapply
from analyzer.types import MediaInfo, MediaReport, ProgressHook
from analyzer.types.corrections import CorrectionsDocument
from analyzer.types.people import Gallery
from analyzer.types.progress import report_progress
from analyzer.workflows.observer import Observer

_PORTRAIT_PX = 96
"""Side of a portrait in an identity store."""
WITHOUT_MEDIUM = ("csv", "json", "posters", "poster_image", "poster_crops", "report")
"""Exports of a medium that could not be read: its poster alone was."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One medium, and what belongs to it."""

    path: str | Sequence[str]
    """Path of a video; with the engine `image`, of a picture, a folder, or a list of them."""
    missing: str = ""
    """Reason why there is no medium, but a poster perhaps; empty where there is one."""
    gallery: Gallery | None = None
    """Named portraits."""
    poster: str | None = None
    """Path of the poster."""
    corrections: CorrectionsDocument | None = None
    """Corrections of an earlier analysis, which are applied again."""
    identities: IdentityStore | None = None
    """Open store in which the persons are remembered across media."""
    call_key: str = ""
    """Key of this work in the store: the same work counts once."""
    notes: tuple[str, ...] = ()
    """Further notes for the report."""


def analyze(
    request: Request,
    *,
    components: Components,
    observer: Observer,
    progress: ProgressHook | None = None,
) -> MediaReport:
    """Find the persons of one medium, with their names, and the persons on its poster.

    Of medium and poster, one that cannot be read is skipped; the report's notes say why.

    Args:
        request: The medium, and what belongs to it.
        components: From `load_components`.
        observer: Observer of the medium, which has the same components.
        progress: Hook that is called at each step.

    Raises:
        UsageError: A person is to be anonymised by a name that is not in the gallery.
        InputError: Neither the medium can be read nor a poster.
        ResourceError: Memory or device gave out, or the identity store is gone.
    """
    _require_names(components.options.anonymise, request.gallery)
    try:
        if request.missing:
            raise InputError(request.missing)
        parts = observer.observe(request.path, progress)
        report = conclude(parts, components=components, progress=progress)
    except InputError as error:
        report = _skipped(request.path, error, components)
        report = identify(report, components=components, poster=request.poster)
        if report.poster is None:
            raise
    else:
        report = identify(
            report, components=components, gallery=request.gallery, poster=request.poster
        )
    if request.identities is not None:
        report_progress(progress, "identities", 0, None)
        # The store shows no face that the medium's own files hide.
        cut = None if components.options.anonymise else _portraits
        report = remember(report, request.identities, key=request.call_key, portraits=cut)
    report = reapply(report, request.corrections, labeller=lambda: components.labeller)
    if request.identities is not None:
        report = with_archive_names(report, request.identities)
    return replace(report, notes=(*report.notes, *request.notes))


def _portraits(report: MediaReport, persons: Sequence[int]) -> dict[int, bytes]:
    """Return a portrait of each person that can be cut out of the medium, as JPEG."""
    best = portraits.best(report)
    rows = {best[person]: person for person in persons if person in best}
    pictures = portraits.cut(report, list(rows), side_px=_PORTRAIT_PX)
    return {rows[row]: picture for row, picture in pictures.items()}


def exports_of(report: MediaReport, requested: Sequence[str]) -> list[str]:
    """Return the exports that are possible: few of them, where the medium was skipped.

    Args:
        report: Report of the medium.
        requested: Names of exports.
    """
    skipped = report.info.kind == "none"
    return [name for name in requested if not skipped or name in WITHOUT_MEDIUM]


def _require_names(choice: str | None, gallery: Gallery | None) -> None:
    """Require that the gallery has the persons to be blurred; before hours of work."""
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


def _skipped(path: str | Sequence[str], error: InputError, components: Components) -> MediaReport:
    """Return the report of a medium that cannot be read."""
    info = MediaInfo(
        uri=path if isinstance(path, str) else path[0],
        kind="none",
        width_px=0,
        height_px=0,
        frame_rate=None,
        duration_s=0.0,
    )
    report = summarize(info, components.no_observations(), components=components)
    return replace(report, notes=(f"medium skipped: {error}",))
