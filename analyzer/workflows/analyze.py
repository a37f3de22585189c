"""A medium with all that is told of it: who its persons are, and the faces of its poster."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from analyzer.attributes.calibration import Views
from analyzer.errors import InputError, UsageError
from analyzer.gallery import matching
from analyzer.identities import IdentityStore
from analyzer.identities.records import OtherCall
from analyzer.options import anonymise
from analyzer.pipeline import stills, summarize
from analyzer.pipeline.summarize import Models
from analyzer.reports.part_file import Part
from analyzer.types import MediaInfo, MediaReport, ProgressHook
from analyzer.types.people import Gallery, Poster

NAME_FACTOR = 1.1
"""Of the describer's threshold: a picture and the mean of many are nearer than two pictures."""
POSTER_FACTOR = 1.2
"""Two pictures: 0.6 with dlib's ResNet, as its author recommends."""


WITHOUT_MEDIUM = ("csv", "json", "posters", "poster_image", "report")
"""What can be exported of a medium that could not be read."""


def analyze(
    path: str | Sequence[str],
    *,
    models: Models,
    gallery: Gallery | None = None,
    poster: str | None = None,
    progress: ProgressHook | None = None,
    look: Callable[[], Sequence[Part]] | None = None,
) -> MediaReport:
    """Find out who is on screen in one medium, how they are called, and who is on its poster.

    Of medium and poster, one that cannot be read is skipped; the report's notes say why.

    Args:
        path: as for `pipeline.analyze`.
        models: from `pipeline.load_models`.
        gallery: named portraits.
        poster: path of the poster.
        progress: told of each step.
        look: looks at the medium in another way than `pipeline.observe_part` does, as in shards.

    Raises:
        UsageError: somebody is to be anonymised by a name that no gallery has.
        InputError: the medium cannot be read, nor is there a poster that can.
        ResourceError: memory or device gave out.
    """
    _require_names(models.options.anonymise, gallery)
    try:
        seen = look() if look else [summarize.observe_part(path, models=models, progress=progress)]
        report = summarize.conclude(seen, models=models, progress=progress)
    except InputError as error:
        report = identify(_nothing(path, error, models), models=models, poster=poster)
        if report.poster is None:
            raise
        return report
    return identify(report, models=models, gallery=gallery, poster=poster)


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


def _nothing(path: str | Sequence[str], error: InputError, models: Models) -> MediaReport:
    """The report of a medium that cannot be read."""
    info = MediaInfo(
        uri=path if isinstance(path, str) else path[0],
        kind="none",
        width_px=0,
        height_px=0,
        frame_rate=None,
        duration_s=0.0,
    )
    report = summarize.summarize(info, summarize.nothing_seen(models), models=models)
    return replace(report, notes=(f"medium skipped: {error}",))


def identify(
    report: MediaReport,
    *,
    models: Models,
    gallery: Gallery | None = None,
    poster: str | None = None,
) -> MediaReport:
    """Name the persons of a medium, and find them on its poster.

    A poster that cannot be read is skipped; the report's notes say why.

    Args:
        report: of the medium.
        models: that made it.
        gallery: named portraits.
        poster: path of the poster.
    """
    options, limit = models.options, models.describer.threshold
    if gallery is not None:
        report = matching.name_persons(
            report, gallery, options.name_threshold or NAME_FACTOR * limit
        )
    if poster is None:
        return report
    try:
        return replace(report, poster=_poster(poster, report, models))
    except InputError as error:
        return replace(report, notes=(*report.notes, f"poster skipped: {error}"))


def remember(report: MediaReport, store: IdentityStore, *, key: str) -> MediaReport:
    """Know the persons of a medium again among those of all media, and add the new ones.

    Args:
        report: of the medium.
        store: open.
        key: of the work that made the report. With the size of the medium it names the call: work
            that is done again counts once, and a medium that took another's place counts anew.

    Raises:
        UsageError: the store is of another describer.
        ResourceError: the store is gone.
    """
    persons = sorted(report.persons, key=lambda person: person.person_id)
    centroids = report.identities.centroids  # P x D
    counts = np.array([person.face_count for person in persons], np.int64)
    call = f"{key}:{_size(report.info)}"
    # What a tracker carried on counts as seen: rows are made of both.
    seen = report.tally.faces_detected + report.tally.faces_tracked
    try:
        # Clustering has told them apart, with more evidence than their means hold.
        ids = store.match_or_add(centroids, counts, key=call, detected=seen, distinct=True)
    except OtherCall:
        # Another machine saw another number of persons, and they are counted already.
        ids = store.match(centroids).ids
    known = {p.person_id: i for p, i in zip(persons, ids.tolist(), strict=True) if i >= 0}
    return replace(
        report,
        persons=tuple(replace(p, identity_id=known.get(p.person_id)) for p in report.persons),
        is_remembered=True,
    )


def _size(info: MediaInfo) -> int:
    """Bytes of a medium; 0 where there is none."""
    files = info.stills or (info.uri,)
    return sum(os.path.getsize(file) for file in files if os.path.isfile(file))


def _poster(path: str, report: MediaReport, models: Models) -> Poster:
    """Look at a poster, and match its n faces to the medium's characters.

    Raises:
        InputError: it cannot be read.
    """
    still = stills.look(path, models)
    limit = models.options.poster_threshold or POSTER_FACTOR * models.describer.threshold
    persons, distances = matching.match(still.described.embeddings, report, limit)
    views = Views(
        face_px=still.chips.face_px,
        sharpness=still.chips.sharpness,
        frontality=still.chips.frontality,
    )
    decoded = models.labeller.decode(still.described.heads, views)
    known = {p.person_id: p.attributes for p in report.persons}

    def labels(head: str) -> tuple[str, ...]:
        own = decoded[head].label if head in decoded else ("",) * len(persons)
        return tuple(
            known[person][head].label if head in known.get(person, ()) else label
            for person, label in zip(persons.tolist(), own, strict=True)
        )

    return Poster(
        path=path,
        image=still.image,
        boxes=still.found.boxes,
        scores=still.found.scores,
        person_ids=persons,
        distances=distances,
        sex=labels("sex"),
        age=labels("age"),
    )
