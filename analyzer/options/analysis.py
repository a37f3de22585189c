"""Options of the analysis: one field per option, with its help, its parser and its check.

Command lines, validation and the digest are derived from the fields, so an option is added in one
place.
"""

import hashlib
import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import Field, asdict, dataclass, field, fields
from typing import Any

from analyzer import registry
from analyzer.imaging.blur_gate import BlurGate
from analyzer.options.older_tools import own_options
from analyzer.options.validators import (
    above_zero,
    at_least_one,
    between_zero_and_one,
    check,
    device,
    in_one_form,
    require,
    share,
    subset_of,
    typed,
    with_nearest,
    zero_or_more,
    zero_to_one,
)

ENGINES = ("videotracking", "video", "videokeyframes", "image")
ATTRIBUTES = ("sex", "age", "ethnicity")
PRECISIONS = ("exact", "fast")
MIN_SEX_AGE = 14.0
"""Years; docs/model_card.md has the table by which they and `min_sex_confidence` were chosen."""
AGGREGATES = ("weighted", "mean", "median", "vote")


def option(default: Any, text: str, read: Callable[[str], Any], **extra: Any) -> Any:
    """Return a dataclass field with the metadata of an option.

    Args:
        default: Default value; `None` for an option without one.
        text: Help on the command line.
        read: Function that parses the value from text.
        extra: Further metadata: `choices`: allowed values; `check`: function that checks the
            value; `plugin`: kind of plug-in with the names that are allowed, and `extra`: one more
            allowed value; `local`: true if it changes no results; `omits`: true if it leaves
            faces out.
    """
    return field(default=default, metadata={"help": text, "read": read, **extra})


def read_names(text: str) -> tuple[str, ...]:
    """Parse names that are separated by commas.

    Args:
        text: Names, such as `sex,age`.
    """
    return tuple(part.strip() for part in text.split(",") if part.strip())


def read_gate(name: str, text: str) -> BlurGate:
    """Parse a blur gate.

    Args:
        name: Name of the option, for error messages.
        text: Fields of the gate, such as `var=100,grid=4,keep=0.5`.

    Raises:
        UsageError: The text does not have that form, or a value is out of range.
    """
    return registry.read(BlurGate, text, name)


@dataclass(frozen=True, kw_only=True)
class AnalysisOptions:
    """Options of an analysis; equal options give equal results on every worker.

    Raises:
        UsageError: A value is out of range, options exclude each other, or a component does not
            exist.

    Example:
        `AnalysisOptions(fps=5, detector="centerface:size=960")`
    """

    engine: str = option(
        "videotracking",
        "videotracking: detect and track; video: detect in every sampled frame; "
        "videokeyframes: key frames only; image: stills",
        str,
        choices=ENGINES,
    )
    fps: float | None = option(
        None,
        "frames to analyse per second of video, such as 5 (default: all)",
        float,
        check=above_zero,
    )
    frame_step: int | None = option(
        None,
        "analyse every Nth frame instead of --fps (default: every frame)",
        int,
        check=at_least_one,
    )
    start: float | None = option(
        None,
        "start at this second of the medium (default: its beginning)",
        float,
        check=zero_or_more,
    )
    stop: float | None = option(None, "stop at this second of the medium (default: its end)", float)
    detect_period: int = option(
        1,
        "detect in every Nth sampled frame and track in between (videotracking)",
        int,
        check=at_least_one,
    )
    detector: str = option(
        "centerface",
        "face detector, with its options: centerface:size=960; it is one of",
        str,
        plugin="detect",
    )
    tracker: str = option(
        "auto",
        "face tracker; auto is iou, or flow with --detect_period; it is one of",
        str,
        plugin="track",
        extra="auto",
    )
    shots: str = option(
        "adaptive", "shot detector, none to look for no cuts, or", str, plugin="shots", extra="none"
    )
    describer: str = option(
        "dlib_resnet", "identity and attribute networks; one of", str, plugin="describe"
    )
    clusterer: str = option("average", "how tracks become persons; one of", str, plugin="cluster")
    attributes: tuple[str, ...] = option(
        ("sex", "age"),
        "perceived attributes: sex,age; ethnicity only when named",
        read_names,
        check=subset_of(ATTRIBUTES),
    )
    aggregate: str = option(
        "weighted",
        "how the faces of a track or person become one sex, age and ethnicity; weighted: mean, "
        "confident, sharp and frontal faces counting most; mean: all counting alike; median; "
        "vote: the most frequent label",
        str,
        choices=AGGREGATES,
    )
    min_label_accuracy: float | None = option(
        None,
        "leave labels empty so that this share of the others is right, such as 0.97 (default: off)",
        float,
        check=between_zero_and_one,
    )
    min_sex_age: float = option(
        MIN_SEX_AGE,
        "leave sex empty where the interval of the age ends below these years; 0: label children, "
        "too, one time in five wrongly",
        float,
        check=zero_or_more,
    )
    min_sex_confidence: float = option(
        0.7, "leave sex empty if less likely to be right than this, 0 to 1", float, check=share
    )
    min_face_px: float = option(
        0, "leave out faces smaller than this, in pixels", float, omits=True
    )
    min_face_share: float = option(
        0,
        "leave out faces with a longer side below this share, 0 to 1, of the picture's shorter "
        "side",
        float,
        omits=True,
        check=share,
    )
    min_area: float = option(
        0, "leave out faces below this share of the picture, 0 to 1", float, omits=True
    )
    max_area: float = option(
        1, "leave out faces above this share of the picture, 0 to 1", float, omits=True
    )
    min_conf: float = option(
        0, "leave out detections less confident than this, 0 to 1", float, omits=True
    )
    detect_padding: float = option(
        0,
        "look for faces in pictures with a black border of this share, 0 to 1, of their sides, for "
        "faces that fill the picture or are cut off",
        float,
        check=share,
    )
    bbox_expand: float = option(
        1,
        "cut each face out for the networks with the sides of its box scaled by this factor; the "
        "box itself stays",
        float,
        check=above_zero,
    )
    blur_gate: str | None = option(
        None,
        "look for no faces in blurred frames: var=100,grid=4,keep=0.5 keeps those in which half of "
        "4 x 4 cells have a variance of the Laplacian of 100 or more (default: off)",
        str,
        omits=True,
        check=read_gate,
    )
    min_sharpness: float = option(
        0, "leave out faces less sharp than this, 0 to 1", float, omits=True, check=zero_to_one
    )
    min_frontality: float = option(
        0,
        "leave out faces turned further away than this, 0 (profile) to 1 (frontal)",
        float,
        omits=True,
        check=zero_to_one,
    )
    min_clarity: float = option(
        0,
        "sharpness, 0 to 1, that the sharpest tenth of a track's faces must have to count as a "
        "person; the faces of other tracks are unidentified",
        float,
    )
    min_faces: int = option(1, "leave out persons with fewer faces than this", int)
    cluster_threshold: float | None = option(
        None, "distance below which two faces are one person (default: the describer's)", float
    )
    # On LFW pictures, the nearest of five portraits of the same person has a distance of at most
    # 0.547, the nearest of another person at least 0.56: 1.1 times the threshold of dlib's ResNet
    # lies in between.
    name_threshold: float | None = option(
        None,
        "distance below which a person may be one of the gallery (default: 1.1 times the "
        "describer's threshold)",
        float,
    )
    poster_threshold: float | None = option(
        None,
        "distance below which a poster's face is a character (default: 1.2 times the describer's "
        "threshold)",
        float,
    )
    anonymise: str | None = option(
        None,
        "blur faces in the mp4: all; unnamed: all but those of the gallery; named: those of the "
        "gallery; or some of its names, NAME,NAME (default: none)",
        str,
    )
    # `auto` is `exact`: boxes found with 16 bits move, by which persons of few faces can change.
    precision: str = option(
        "auto",
        "arithmetic of the networks; exact: 32 bits; fast: 16 and 8 bits where the processor or "
        "GPU has them, with nearly the same results; auto: exact",
        str,
        choices=("auto", *PRECISIONS),
    )
    batch_size: int = option(
        32,
        "faces or frames a batch; changes speed and memory, not results",
        int,
        local=True,
        check=at_least_one,
    )
    device: str = option(
        "auto",
        "where the networks run: auto (a GPU if there is one), cpu, cuda, or cuda:N for GPU N",
        str,
        local=True,
        check=device,
    )
    backend: str = option(
        "auto",
        "library that executes the networks; changes speed, not results but for rounding; auto, or",
        str,
        plugin="backend",
        local=True,
        extra="auto",
    )

    def __post_init__(self) -> None:
        for option in fields(self):
            object.__setattr__(self, option.name, in_one_form(option, getattr(self, option.name)))
            check(option, getattr(self, option.name))
            self._pin(option)
        if self.precision == "auto":
            object.__setattr__(self, "precision", PRECISIONS[0])
        require(self.fps is None or self.frame_step is None, "give --fps or --frame_step, not both")
        self._require_sampling()
        if self.stop is not None:
            require(self.stop > (self.start or 0), "stop: must be after start")
        require(
            0 <= self.min_area <= self.max_area <= 1, "min_area, max_area: 0 <= min <= max <= 1"
        )
        self._require_anonymisable()

    def _pin(self, option: "Field[Any]") -> None:
        """Pin the code of a plug-in from outside: equal options give equal results."""
        kind, value = option.metadata.get("plugin"), getattr(self, option.name)
        if kind and value is not None and value != option.metadata.get("extra"):
            object.__setattr__(self, option.name, registry.pinned(kind, value))

    def plugins(self) -> dict[str, str]:
        """Return the specs of all components that the options select, by option."""
        return {name: str(getattr(self, name)) for name in PLUGIN_OPTIONS}

    def _require_sampling(self) -> None:
        """Refuse options of sampling that the engine cannot honour."""
        timed = [name for name in ("fps", "start", "stop") if getattr(self, name) is not None]
        require(
            self.engine != "image" or not timed,
            f"{timed and timed[0]}: stills have no times; take every Nth of them with --frame_step",
        )
        require(
            self.engine != "videokeyframes" or self.frame_step is None,
            "frame_step: engine videokeyframes does not see the pictures between key frames; "
            "thin these out with --fps",
        )

    def _require_anonymisable(self) -> None:
        """Refuse options with which faces that must be blurred could stay visible."""
        if self.anonymise is None:
            return
        require(bool(self.anonymise.strip(", ")), "anonymise: all, unnamed, named, or names")
        require(
            self.engine == "videotracking",
            f"anonymise: engine {self.engine} does not follow faces from picture to picture; "
            "use videotracking",
        )
        omitting = [f for f in fields(self) if f.metadata.get("omits")]
        changed = [f.name for f in omitting if getattr(self, f.name) != f.default]
        require(
            not changed,
            f"anonymise: {', '.join(changed)} would leave faces out, and those unblurred; "
            "analyse without, or twice",
        )

    @property
    def gate(self) -> BlurGate | None:
        """Condition that leaves out blurred frames; `None`: the detector runs on all frames."""
        return read_gate("blur_gate", self.blur_gate) if self.blur_gate else None

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> "AnalysisOptions":
        """Return the options in a larger mapping.

        Args:
            values: Values by name, such as `vars(args)`; other names are ignored, and `None` means
                the default.

        Raises:
            UsageError: See `AnalysisOptions`.
        """
        given = {f.name: values[f.name] for f in fields(cls) if values.get(f.name) is not None}
        return cls(**given)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "AnalysisOptions":
        """Return options from a mapping; the inverse of `to_dict`.

        Args:
            values: Values by name; they may be text. Names that older tools have for options are
                understood, with a warning: `analyzer.options.older_tools`.

        Raises:
            UsageError: This version has no such option, or a value is wrong.
        """
        values, notes = own_options(values)
        for note in notes:
            warnings.warn(note, stacklevel=2)
        options = {f.name: f for f in fields(cls)}
        unknown = [with_nearest(name, options) for name in sorted(set(values) - set(options))]
        require(not unknown, f"unknown options: {', '.join(unknown)}")
        return cls(**{name: typed(options[name], value) for name, value in values.items()})

    def to_dict(self) -> dict[str, Any]:
        """Return all options by name, as JSON-able values."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    def shared(self) -> dict[str, Any]:
        """Return the options that change results (not batch size, not device), as `to_dict`."""
        local = {f.name for f in fields(self) if f.metadata.get("local")}
        return {k: v for k, v in self.to_dict().items() if k not in local}

    def digest(self) -> str:
        """Return a short hash of the options that change results."""
        shared = json.dumps(self.shared(), sort_keys=True)
        return hashlib.blake2b(shared.encode(), digest_size=16).hexdigest()


PLUGIN_OPTIONS: Mapping[str, str] = {
    f.name: f.metadata["plugin"] for f in fields(AnalysisOptions) if "plugin" in f.metadata
}
"""Option that selects a component -> kind of plug-in."""
