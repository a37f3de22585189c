"""Words of older tools: the options of inaFaceAnalyzer and of a tool for trailers, as aliases.

Each has one line in `ALIASES`. Command lines, `AnalysisOptions.from_dict` and so `analyze(...)`
take them, and say in one note what they are called here. docs/coming-from.md has the tables for
people.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from analyzer import registry
from analyzer.errors import UsageError

PAGE = "docs/coming-from.md"
PREPROCESSED = "preprocessed_image"
"""Engine of inaFaceAnalyzer: pictures that are cut-out faces."""

Convert = Callable[[Any], Mapping[str, Any]]
"""Function from the value of an alias to options of this program, as values or as text."""


@dataclass(frozen=True)
class Alias:
    """An option of an older tool."""

    means: str
    """What to write here, for the note."""
    convert: Convert
    is_command: bool = True
    """Whether it is also an option of the command line, not of Python alone."""


def _named(name: str) -> Convert:
    """Return the conversion of an option that only has another name."""
    return lambda value: {name: value}


def _without_effect(_: Any) -> Mapping[str, Any]:
    return {}


def _among(option: str, names: Mapping[str, str], own: Callable[[], tuple[str, ...]]) -> Convert:
    """Return the conversion of an option with values of other names.

    Args:
        option: Name of the older tool's option.
        names: Value of the older tool, in lower case -> own value.
        own: Function that returns the values that have the same name here.
    """

    def convert(value: Any) -> Mapping[str, Any]:
        name, colon, rest = str(value).partition(":")
        known = {**{value: value for value in own()}, **names}
        if name.lower() not in known:
            raise UsageError(
                f"{option} {name!r}: choose from {', '.join(sorted(known))}; {PAGE} says what else "
                "there is"
            )
        return {_TARGETS[option]: known[name.lower()] + colon + rest}

    return convert


_TARGETS = {"face_detector": "detector", "cluster_model": "clusterer", "agr_method": "aggregate"}
_CLASSIFIERS = {
    "Resnet50FairFaceGRA": ("sex", "age"),
    "Resnet50FairFace": ("sex",),
    "Vggface_LSVM_YTF": ("sex",),
    "Vggface_LSVM_FairFace": ("sex",),
}
"""Classifier of inaFaceAnalyzer -> attributes that it tells."""


def _classifier(value: Any) -> Mapping[str, Any]:
    """Convert `NAME`, or `NAME:embed=FILE.onnx,attributes=FILE.onnx` with exported networks."""
    name, _, files = str(value).partition(":")
    if name not in _CLASSIFIERS:
        raise UsageError(f"classifier {name!r}: choose from {', '.join(_CLASSIFIERS)}")
    describer = {"describer": f"onnx:{files}"} if files else {}
    return {"attributes": _CLASSIFIERS[name], **describer}


def _expansion(value: Any) -> Mapping[str, Any]:
    try:
        return {"bbox_expand": 1 + float(value)}
    except ValueError:
        raise UsageError(f"bbox_expand_factor: {value!r} cannot be read as float") from None


_WEIGHED = "of no effect: faces that show little weigh little with aggregate=weighted; or leave out"
ALIASES: Mapping[str, Alias] = {
    # inaFaceAnalyzer
    "face_detector": Alias(
        "detector: LibFaceDetection is yunet, OcvCnnFacedetector is ssd",
        _among(
            "face_detector",
            {"libfacedetection": "yunet", "ocvcnnfacedetector": "ssd"},
            lambda: registry.names("detect"),
        ),
    ),
    "face_detection_confidence": Alias("min_conf", _named("min_conf")),
    "face_detection_padding": Alias("detect_padding", _named("detect_padding")),
    "min_face_size_px": Alias("min_face_px", _named("min_face_px")),
    "min_face_size_percent": Alias("min_face_share", _named("min_face_share")),
    "classifier": Alias(
        "describer: its weights are Keras files, which are not read; without an export of yours, "
        "describer onnx:embed=FILE.onnx,attributes=FILE.onnx, this program's own network is taken",
        _classifier,
    ),
    # the tool for trailers and posters, from Python
    "bbox_expand_factor": Alias(
        "bbox_expand, a factor: a margin of 0.3 is 1.3", _expansion, is_command=False
    ),
    "cluster_model": Alias(
        "clusterer",
        _among(
            "cluster_model",
            {"hierarchical": "agglomerative", "agglomerativeclustering": "agglomerative"},
            lambda: registry.names("cluster"),
        ),
        is_command=False,
    ),
    "agr_method": Alias(
        "aggregate",
        _among(
            "agr_method",
            {"average": "mean", "avg": "mean", "majority": "vote", "mode": "vote"},
            lambda: ("weighted", "mean", "median", "vote"),
        ),
        is_command=False,
    ),
    "min_conf_cla": Alias(f"{_WEIGHED} with min_conf", _without_effect, is_command=False),
    "min_sharpness_cla": Alias(
        f"{_WEIGHED} with min_sharpness, 0 to 1", _without_effect, is_command=False
    ),
    "max_z_cla": Alias(
        f"{_WEIGHED} with min_frontality, 0 to 1", _without_effect, is_command=False
    ),
    "num_cpu": Alias("threads", _named("threads"), is_command=False),
    "store_visuals": Alias(
        "of no effect: write(report, 'film.mp4') and write(report, 'film.poster.jpg') do that",
        _without_effect,
        is_command=False,
    ),
}
"""Option of an older tool -> what it is here."""


def note(name: str) -> str:
    """Return the note on an alias that was used.

    Args:
        name: Key of `ALIASES`.
    """
    return f"{name} is {ALIASES[name].means} ({PAGE})"


def own_options(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Replace the words of older tools among options.

    Args:
        values: Options by name; others than aliases stay as they are.

    Returns:
        Options of this program, and a note for each word that was replaced. What is given by its
        own name counts more than an alias.

    Raises:
        UsageError: A value that an alias does not have.
    """
    own: dict[str, Any] = {}
    notes = []
    for name, value in values.items():
        if name in ALIASES:
            own.update(ALIASES[name].convert(value))
            notes.append(note(name))
    given = {name: value for name, value in values.items() if name not in ALIASES}
    if given.get("engine") == PREPROCESSED:
        given["engine"] = "image"
        own["detector"] = "whole"
        notes.append(preprocessed_note())
    return {**own, **given}, notes


def preprocessed_note() -> str:
    """Return the note on the engine for cut-out faces."""
    return f"engine {PREPROCESSED} is engine image with detector whole ({PAGE})"
