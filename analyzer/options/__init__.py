"""Analysis options: the same words on every command line, in Python and over the wire.

Each field of `AnalysisOptions` carries its help and how to read it; command lines, validation
and the digest are all made from the fields, so an option is added in one place.
"""

import difflib
import hashlib
import json
import re
import typing
from collections.abc import Callable, Collection, Mapping
from dataclasses import Field, asdict, dataclass, field, fields
from typing import Any

from analyzer import registry
from analyzer.errors import UsageError
from analyzer.imaging.blur_gate import BlurGate

ENGINES = ("videotracking", "video", "videokeyframes", "image")
ATTRIBUTES = ("sex", "age", "ethnicity")
AGGREGATES = ("weighted", "mean", "median", "vote")


class _Parser(typing.Protocol):
    """What `add_arguments` needs of an ``argparse`` parser or group."""

    def add_argument(self, *names: str, **options: Any) -> Any: ...  # pragma: no cover


def _option(default: Any, text: str, read: Callable[[str], Any], **extra: Any) -> Any:
    return field(default=default, metadata={"help": text, "read": read, **extra})


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


_METAVARS: Mapping[Callable[[str], Any], str] = {
    int: "N",
    float: "X",
    str: "VALUE",
    _names: "LIST",
}


@dataclass(frozen=True, kw_only=True)
class AnalysisOptions:
    """How media are analysed. Equal options give equal results, whoever computes them.

    Raises:
        UsageError: a value out of range, options that exclude each other, or a component that
            does not exist.
    """

    engine: str = _option(
        "videotracking",
        "videotracking: detect and track; video: detect in every sampled frame; "
        "videokeyframes: key frames only; image: stills",
        str,
        choices=ENGINES,
    )
    fps: float | None = _option(
        None, "frames to analyse per second of video, such as 5 (default: all)", float
    )
    frame_step: int | None = _option(
        None, "analyse every Nth frame instead of --fps (default: every frame)", int
    )
    start: float | None = _option(
        None, "start at this second of the medium (default: its beginning)", float
    )
    stop: float | None = _option(
        None, "stop at this second of the medium (default: its end)", float
    )
    detect_period: int = _option(
        1, "detect in every Nth sampled frame and track in between (videotracking)", int
    )
    detector: str = _option(
        "centerface",
        "face detector, with its options: centerface:size=960; it is one of",
        str,
        stage="detect",
    )
    tracker: str = _option(
        "auto",
        "face tracker; auto is iou, or flow with --detect_period; it is one of",
        str,
        stage="track",
    )
    shots: str = _option(
        "adaptive", "shot detector, none to look for no cuts, or", str, stage="shots"
    )
    describer: str = _option(
        "dlib_resnet", "identity and attribute networks; one of", str, stage="describe"
    )
    clusterer: str = _option(
        "chinese_whispers", "how tracks become persons; one of", str, stage="cluster"
    )
    attributes: tuple[str, ...] = _option(
        ("sex", "age"), "perceived attributes: sex,age; ethnicity only when named", _names
    )
    aggregate: str = _option(
        "weighted",
        "how the faces of a track or person become one sex, age and ethnicity; weighted: mean, "
        "confident, sharp and frontal faces counting most; mean: all counting alike; median; "
        "vote: the most frequent label",
        str,
        choices=AGGREGATES,
    )
    min_label_accuracy: float | None = _option(
        None,
        "leave labels empty so that this share of the others is right, such as 0.97 (default: off)",
        float,
    )
    min_face_px: float = _option(
        0, "leave out faces smaller than this, in pixels", float, omits=True
    )
    min_face_share: float = _option(
        0,
        "leave out faces whose longer side is below this share, 0 to 1, of the picture's shorter "
        "side",
        float,
        omits=True,
    )
    min_area: float = _option(
        0, "leave out faces below this share of the picture, 0 to 1", float, omits=True
    )
    max_area: float = _option(
        1, "leave out faces above this share of the picture, 0 to 1", float, omits=True
    )
    min_conf: float = _option(
        0, "leave out detections less confident than this, 0 to 1", float, omits=True
    )
    detect_padding: float = _option(
        0,
        "look for faces in pictures with a black border of this share, 0 to 1, of their sides, for "
        "faces that fill the picture or are cut off",
        float,
    )
    bbox_expand: float = _option(1, "scale the sides of every detected box by this factor", float)
    blur_gate: str | None = _option(
        None,
        "look for no faces in blurred frames: var=100,grid=4,keep=0.5 keeps those in which half of "
        "4 x 4 cells have a variance of the Laplacian of 100 or more (default: off)",
        str,
        omits=True,
    )
    min_sharpness: float = _option(
        0, "leave out faces less sharp than this, 0 to 1", float, omits=True
    )
    min_frontality: float = _option(
        0,
        "leave out faces turned further away than this, 0 (profile) to 1 (frontal)",
        float,
        omits=True,
    )
    # On LFW pictures made small, 90 % of the faces of a sharpness of 0.04 to 0.05 are closer than
    # the threshold to the same person's sharp ones, 61 % at 0.02 to 0.03, 22 % below 0.02.
    min_clarity: float = _option(
        0.045,
        "sharpness, 0 to 1, that the sharpest tenth of a track's faces must have to count as a "
        "person; the faces of other tracks stay in the table, as nobody's",
        float,
    )
    min_faces: int = _option(1, "leave out persons with fewer faces than this", int)
    cluster_threshold: float | None = _option(
        None, "distance below which two faces are one person (default: the describer's)", float
    )
    # On LFW pictures, the nearest of five portraits of the same person is at most 0.547 away, that
    # of anybody else at least 0.56: 1.1 times the threshold of dlib's ResNet lies between.
    name_threshold: float | None = _option(
        None,
        "distance below which a person may be one of the gallery (default: 1.1 times the "
        "describer's threshold)",
        float,
    )
    poster_threshold: float | None = _option(
        None,
        "distance below which a poster's face is a character (default: 1.2 times the describer's "
        "threshold)",
        float,
    )
    anonymise: str | None = _option(
        None,
        "blur faces in the mp4: all; unnamed: all but those of the gallery; named: those of the "
        "gallery; or whom of it, NAME,NAME (default: nobody's)",
        str,
    )
    batch_size: int = _option(
        32, "faces or frames a batch; changes speed and memory, not results", int, local=True
    )
    device: str = _option(
        "auto",
        "where the networks run: auto (a GPU if there is one), cpu, cuda, or cuda:N for GPU N",
        str,
        local=True,
    )
    backend: str = _option(
        "auto",
        "library that executes the networks; changes speed, not results but for rounding; auto, or",
        str,
        stage="backend",
        local=True,
    )

    def __post_init__(self) -> None:
        _require(
            self.engine in ENGINES, f"engine {self.engine!r}: choose from {', '.join(ENGINES)}"
        )
        _require(
            self.aggregate in AGGREGATES,
            f"aggregate {self.aggregate!r}: choose from {', '.join(AGGREGATES)}",
        )
        _require(
            self.fps is None or self.frame_step is None, "give --fps or --frame_step, not both"
        )
        _require(self.fps is None or self.fps > 0, f"fps {self.fps}: must be above 0")
        _require(self.frame_step is None or self.frame_step >= 1, "frame_step: must be at least 1")
        _require(self.detect_period >= 1, "detect_period: must be at least 1")
        _require(self.batch_size >= 1, "batch_size: must be at least 1")
        _require(
            re.fullmatch(r"auto|cpu|cuda(:\d+)?", self.device) is not None,
            f"device {self.device!r}: must be auto, cpu, cuda, or cuda:N",
        )
        _require(self.start is None or self.start >= 0, "start: must be 0 or more")
        if self.stop is not None:
            _require(self.stop > (self.start or 0), "stop: must be after start")
        _require(
            0 <= self.min_area <= self.max_area <= 1, "min_area, max_area: 0 <= min <= max <= 1"
        )
        _require(0 <= self.min_face_share <= 1, "min_face_share: must be 0 (off) to 1, a share")
        _require(0 <= self.detect_padding <= 1, "detect_padding: must be 0 (off) to 1, a share")
        _require(
            self.min_label_accuracy is None or 0 < self.min_label_accuracy < 1,
            "min_label_accuracy: must be above 0 and below 1",
        )
        self._require_anonymisable()
        _ = self.gate  # reads it, and complains
        for name in ("min_sharpness", "min_frontality"):
            _require(0 <= getattr(self, name) <= 1, f"{name}: must be 0 (off) to 1")
        unknown = set(self.attributes) - set(ATTRIBUTES)
        _require(not unknown, f"attributes {sorted(unknown)}: choose from {', '.join(ATTRIBUTES)}")
        for option in fields(self):
            stage, text = option.metadata.get("stage"), getattr(self, option.name)
            extra = {"track": "auto", "shots": "none", "backend": "auto"}.get(stage or "")
            if stage and text != extra:
                registry.check(stage, text)

    def _require_anonymisable(self) -> None:
        """Refuse what would leave faces bare that are to be blurred."""
        if self.anonymise is None:
            return
        _require(bool(self.anonymise.strip(", ")), "anonymise: all, unnamed, named, or names")
        _require(
            self.engine == "videotracking",
            f"anonymise: engine {self.engine} does not follow faces from picture to picture; "
            "use videotracking",
        )
        omitting = [f for f in fields(self) if f.metadata.get("omits")]
        changed = [f.name for f in omitting if getattr(self, f.name) != f.default]
        _require(
            self.bbox_expand >= 1, "anonymise: bbox_expand below 1 would bare the faces' edges"
        )
        _require(
            not changed,
            f"anonymise: {', '.join(changed)} would leave faces out, and those unblurred; "
            "analyse without, or twice",
        )

    @property
    def gate(self) -> BlurGate | None:
        """Which frames the detector is not asked about; ``None`` = it is asked about all."""
        return registry.read(BlurGate, self.blur_gate, "blur_gate") if self.blur_gate else None

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> "AnalysisOptions":
        """Pick the options out of a larger mapping, such as ``vars(args)``; ``None`` = default."""
        mine = {f.name: values[f.name] for f in fields(cls) if values.get(f.name) is not None}
        return cls(**mine)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "AnalysisOptions":
        """The inverse of `to_dict`; values may be text, as on a command line.

        Raises:
            UsageError: an option that this version does not know, or a wrong value.
        """
        options = {f.name: f for f in fields(cls)}
        unknown = [_with_nearest(name, options) for name in sorted(set(values) - set(options))]
        _require(not unknown, f"unknown options: {', '.join(unknown)}")
        return cls(**{name: _typed(options[name], value) for name, value in values.items()})

    def to_dict(self) -> dict[str, Any]:
        """All options as JSON-able values."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    def shared(self) -> dict[str, Any]:
        """The options that change results (not batch size, not device), JSON-able."""
        local = {f.name for f in fields(self) if f.metadata.get("local")}
        return {k: v for k, v in self.to_dict().items() if k not in local}

    def digest(self) -> str:
        """Short hash of the options that change results."""
        shared = json.dumps(self.shared(), sort_keys=True)
        return hashlib.blake2b(shared.encode(), digest_size=16).hexdigest()


def add_arguments(parser: _Parser) -> None:
    """Add every analysis option to an ``argparse`` parser, with underscores and with hyphens."""
    for option in fields(AnalysisOptions):
        parser.add_argument(*spellings(option.name), **_argument(option))


def spellings(name: str) -> tuple[str, ...]:
    """``--a_b`` and, where it differs, ``--a-b``."""
    return tuple(dict.fromkeys((f"--{name}", f"--{name.replace('_', '-')}")))


def _argument(option: "Field[Any]") -> dict[str, Any]:
    """The keywords of ``add_argument`` for one field."""
    text = option.metadata["help"]
    stage = option.metadata.get("stage")
    if stage:
        text += f": {', '.join(registry.names(stage))}"
    if option.default is not None:
        shown = ",".join(option.default) if isinstance(option.default, tuple) else option.default
        text += f" (default: {shown})"
    arguments = {"dest": option.name, "type": option.metadata["read"], "default": None}
    if "choices" in option.metadata:
        arguments["choices"] = option.metadata["choices"]
    else:
        arguments["metavar"] = "SPEC" if stage else _METAVARS[option.metadata["read"]]
    return {**arguments, "help": text.replace("%", "%%")}


def _with_nearest(name: str, names: Collection[str]) -> str:
    """A name that is not known, and the one that may be meant."""
    close = difflib.get_close_matches(name, names, n=1)
    return f"{name} (did you mean {close[0]}?)" if close else name


def _typed(option: "Field[Any]", value: Any) -> Any:
    """A value of the field's type.

    Raises:
        UsageError: text that cannot be read.
    """
    if not isinstance(value, str):
        return tuple(value) if isinstance(value, list) else value
    try:
        return option.metadata["read"](value)
    except ValueError:
        kind = option.metadata["read"].__name__
        raise UsageError(f"{option.name}: {value!r} cannot be read as {kind}") from None


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise UsageError(message)
