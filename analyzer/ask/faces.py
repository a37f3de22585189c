"""The face that a question is about: of a picture, or of a row of the view `faces`."""

from collections.abc import Mapping
from typing import Any

from analyzer import registry
from analyzer.ask.questions import Value
from analyzer.ask.results import ResultsDatabase
from analyzer.errors import InputError, UsageError
from analyzer.gallery.poster import POSTER_FACTOR
from analyzer.imaging import boxes
from analyzer.options import AnalysisOptions
from analyzer.pipeline.components import Components, load_components
from analyzer.pipeline.stills import describe_still
from ina_input import documents
from joblist.names import spelled

_DESCRIBERS = """
SELECT describer, any_value(options) FROM media
WHERE describer IS NOT NULL AND ($medium = '' OR medium = $medium)
GROUP BY describer ORDER BY count(*) DESC, describer"""
_ROW = """
SELECT embedding FROM faces
WHERE medium = $medium AND frame = $frame AND ($face_id < 0 OR face_id = $face_id)
ORDER BY embedding IS NULL, face_id"""


def sought(results: ResultsDatabase, values: Mapping[str, Value]) -> dict[str, Any]:
    """Return the values of a question about a face.

    Args:
        results: The opened folder.
        values: `picture`, or `medium`, `frame` and `face_id`; and `distance`.

    Returns:
        `embedding`, its `dimensions`, the `describer` that made it, and `distance`.

    Raises:
        UsageError: Neither a picture nor a row is given, or the results name foreign code.
        InputError: The picture has no face, or there is no such row with an embedding.
    """
    picture, medium = str(values["picture"]), str(values["medium"])
    if bool(picture) == bool(medium):
        raise UsageError("films_with_face: give picture=FILE, or medium=... frame=... face_id=...")
    described = list(results.ask(_DESCRIBERS, {"medium": medium}).rows())
    if not described:
        raise InputError(
            f"no results with a describer{f' of medium {medium!r}' if medium else ''}: "
            "SELECT medium, describer FROM media shows what there is"
        )
    describer, options = described[0]
    distance = float(values["distance"])
    components = None if medium and distance > 0 else _components(describer, options)
    if components is not None and distance <= 0:
        distance = POSTER_FACTOR * components.describer.threshold
    if medium or components is None:
        embedding = _of_row(results, values)
    else:
        embedding = _of_picture(picture, components)
    return {
        "embedding": embedding,
        "dimensions": len(embedding),
        "describer": describer,
        "distance": distance,
    }


def _components(describer: str, options: str) -> Components:
    """Load what described the faces of the results, but no code that they bring."""
    if registry.is_foreign_code(describer):
        raise UsageError(
            f"describer {describer!r} is no part of this program: results may not name code that "
            "runs; give a row and a distance: medium=... frame=... face_id=... distance=..."
        )
    made = documents.parse(options)
    used = {"describer": describer, "bbox_expand": made.get("bbox_expand", 1)}
    detector = str(made.get("detector", ""))
    if detector and not registry.is_foreign_code(detector) and "=" not in detector:
        used["detector"] = detector
    return load_components(AnalysisOptions.from_dict(used))


def _of_picture(picture: str, components: Components) -> list[float]:
    """Return the embedding of the largest face of a picture."""
    still = describe_still(spelled(picture), components)
    if not len(still.detections):
        raise InputError(f"{picture}: no face found: give a picture with a larger face")
    largest = int(boxes.area(still.detections.boxes).argmax())
    return [float(value) for value in still.descriptions.embeddings[largest]]


def _of_row(results: ResultsDatabase, values: Mapping[str, Value]) -> list[float]:
    """Return the embedding of a row."""
    rows = list(results.ask(_ROW, values).rows())
    where = f"medium {values['medium']!r}, frame {values['frame']:g}"
    if not rows:
        raise InputError(f"{where}: no such row: SELECT medium, frame, face_id FROM faces")
    if rows[0][0] is None:
        raise InputError(
            f"{where}: the face was not described: take a row WHERE embedding IS NOT NULL"
        )
    return [float(value) for value in rows[0][0]]
