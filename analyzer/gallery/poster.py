"""Name the persons of a report, and match the faces of its poster to them."""

from dataclasses import replace

from analyzer.attributes.calibration import Views
from analyzer.errors import InputError
from analyzer.gallery import matching
from analyzer.pipeline.components import Components
from analyzer.pipeline.stills import describe_still
from analyzer.types import MediaReport
from analyzer.types.people import Gallery, Poster

NAME_FACTOR = 1.1
"""Of the describer's threshold: a picture and the mean of many are nearer than two pictures."""
POSTER_FACTOR = 1.2
"""Two pictures: 0.6 with dlib's ResNet, as its author recommends."""


def identify(
    report: MediaReport,
    *,
    components: Components,
    gallery: Gallery | None = None,
    poster: str | None = None,
) -> MediaReport:
    """Name the persons of a medium, and find them on its poster.

    A poster that cannot be read is skipped; the report's notes say why.

    Args:
        report: Report of the medium.
        components: Components that made the report.
        gallery: Named portraits.
        poster: Path of the poster.
    """
    options, limit = components.options, components.describer.threshold
    if gallery is not None:
        report = matching.name_persons(
            report, gallery, options.name_threshold or NAME_FACTOR * limit
        )
    if poster is None:
        return report
    try:
        found, notes = _poster(poster, report, components)
        return replace(report, poster=found, notes=(*report.notes, *notes))
    except InputError as error:
        return replace(report, notes=(*report.notes, f"poster skipped: {error}"))


def _poster(
    path: str, report: MediaReport, components: Components
) -> tuple[Poster, tuple[str, ...]]:
    """Look at a poster, and match its n faces to the medium's characters; return notes as well.

    Raises:
        InputError: It cannot be read.
    """
    still = describe_still(path, components)
    limit = components.options.poster_threshold or POSTER_FACTOR * components.describer.threshold
    persons, distances = matching.match(still.descriptions.embeddings, report, limit)
    views = Views(
        face_px=still.chips.face_px,
        sharpness=still.chips.sharpness,
        frontality=still.chips.frontality,
    )
    decoded = components.labeller.decode(still.descriptions.heads, views)
    attributes_of = {p.person_id: p.attributes for p in report.persons}

    def labels(head: str) -> tuple[str, ...]:
        own = decoded[head].label if head in decoded else ("",) * len(persons)
        return tuple(
            attributes_of[person][head].label if head in attributes_of.get(person, ()) else label
            for person, label in zip(persons.tolist(), own, strict=True)
        )

    matched = Poster(
        path=path,
        image=still.image,
        boxes=still.detections.boxes,
        scores=still.detections.scores,
        person_ids=persons,
        distances=distances,
        sex=labels("sex"),
        age=labels("age"),
        ethnicity=labels("ethnicity") if "ethnicity" in components.options.attributes else (),
    )
    return matched, tuple(f"poster {note}" for note in still.notes)
