"""Specification of a describing network: a small YAML file beside its graph.

It describes the input of the network and the meaning of its outputs::

    alignment: arcface        # or chip: dlib's, with padding
    padding: 0.25             # of a chip
    size: 112                 # side of the input in pixels
    layout: NCHW              # or NHWC
    colour: RGB               # or BGR
    mean: 127.5               # one number, or three; of pixels 0 to 255
    std: 127.5
    embedding: output         # name of the output; left out where there is only one
    threshold: 1.0            # Euclidean distance of embeddings of length one: nearer is the same
    heads:                    # sex, age, ethnicity
      sex: {output: gender, columns: [0, 1]}            # logits of male and female
      age: {output: age, values: logits}                # or probabilities, years, decfunc
      ethnicity: {output: race, columns: [0, 1, 2, 3, 4, 5, 6]}

It has `embedding` with `threshold`, or `heads`, or both. A head's `columns` are in the order of
`analyzer.attributes.heads`; its `factor` converts its numbers to years.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from analyzer.attributes.heads import SIZES
from analyzer.errors import UsageError
from analyzer.weights import locate
from ina_input import regular

ALIGNMENTS = ("arcface", "chip")
VALUES = {
    "sex": ("logits", "probabilities"),
    "age": ("logits", "probabilities", "years", "decfunc"),
    "ethnicity": ("logits", "probabilities"),
}
"""Head name -> allowed meanings of its numbers."""
_SHIPPED_SPECS = Path(__file__).parents[1] / "stages" / "describe"
"""Folder of the specifications of known kinds of networks."""
MAX_BYTES = 1 << 16
"""Size of a specification."""
_LARGEST = 1e9
_MAX_DISTANCE = 2.0
"""Distance between opposite vectors of length one."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """Attribute head in the outputs of a network.

    Raises:
        UsageError: There is no such attribute, or the number of columns does not fit the values.
    """

    name: str
    """`sex`, `age` or `ethnicity`."""
    output: str = ""
    """Name of the output; empty if the network has only one."""
    values: str = "logits"
    """Meaning of the numbers; see `VALUES`."""
    columns: tuple[int, ...] = ()
    """Columns of the output in the order of `analyzer.attributes.heads` (sex: male, female, or
    only male); empty: all columns, in their order."""
    factor: float = 1.0
    """Factor that converts the numbers to years."""

    def __post_init__(self) -> None:
        allowed = VALUES.get(self.name)
        _require(allowed is not None, f"heads: no {self.name!r}; there are: {', '.join(VALUES)}")
        _choice(f"heads: {self.name}: values", self.values, allowed or ())
        widths = (1, 2) if self.name == "sex" else (self.width,)
        _require(
            not self.columns or len(self.columns) in widths,
            f"heads: {self.name}: give {' or '.join(map(str, widths))} columns",
        )

    @property
    def width(self) -> int:
        """Number of columns of the head; sex may have one more."""
        return 1 if self.values in ("years", "decfunc") else SIZES[self.name]


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """Input of a describing network, and meaning of its outputs.

    Raises:
        UsageError: A value is not allowed.
    """

    alignment: str
    """`arcface`, or `chip` for the chips of dlib."""
    size: int
    """Side of the input, in pixels."""
    mean: tuple[float, ...]
    """Mean of each channel, in the order of `colour`; of pixels 0 to 255."""
    std: tuple[float, ...]
    """Standard deviation of each channel, in the order of `colour`; of pixels 0 to 255."""
    padding: float = 0.25
    """Padding of a chip, as in dlib's `get_face_chip`."""
    layout: str = "NCHW"
    """`NCHW` or `NHWC`."""
    colour: str = "RGB"
    """`RGB` or `BGR`."""
    embedding: str = ""
    """Name of the output with the embedding; empty if the network has only one output."""
    threshold: float | None = None
    """Euclidean distance of embeddings of length one below which two faces are one person; `None`
    for a network without embeddings."""
    heads: tuple[Head, ...] = field(default=())
    """Attribute heads."""

    def __post_init__(self) -> None:
        _choice("alignment", self.alignment, ALIGNMENTS)
        _choice("layout", self.layout, ("NCHW", "NHWC"))
        _choice("colour", self.colour, ("RGB", "BGR"))
        _require(self.size >= 1, f"size {self.size}: must be at least 1")
        _require(self.padding >= 0, f"padding {self.padding}: must be 0 or more")
        _require(all(self.std), "std: must not be 0")
        is_in_range = self.threshold is None or 0 < self.threshold < _MAX_DISTANCE
        _require(
            is_in_range, f"threshold {self.threshold}: must be between 0 and {_MAX_DISTANCE:g}"
        )
        _require(
            self.threshold is not None or bool(self.heads),
            "says nothing: give a threshold (with which its output is an embedding), or heads",
        )


def parse(text: str, where: str) -> NetworkSpec:
    """Parse a specification.

    Args:
        text: YAML.
        where: Name of the file, for messages.

    Raises:
        UsageError: The text is not YAML, a key is unknown or missing, or a value is wrong.
    """
    try:
        values = yaml.load(text, _PlainLoader)
        _require(isinstance(values, dict), "write it as KEY: VALUE lines")
        return _network(values)
    # Dates such as 2020-99-99, and numbers of thousands of digits, are a `ValueError`.
    except (yaml.YAMLError, RecursionError, OverflowError, ValueError) as error:
        raise UsageError(f"{where}: not YAML: {' '.join(str(error).split())}") from error
    except UsageError as error:
        raise UsageError(f"{where}: {error}; see docs/models.md") from error


class _PlainLoader(yaml.SafeLoader):  # type: ignore[misc]
    """Loader of values that stand where they are used: an alias of aliases grows without end."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Make a node of what comes next."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("an alias (*): write the value itself")
        return super().compose_node(parent, index)


def resolve(model: str, spec: str = "") -> tuple[Path, NetworkSpec]:
    """Return the path of a network's file, and its specification.

    Args:
        model: Path of a file, or name of a model that `models list` shows.
        spec: Path of a YAML file, or name of a known kind of network; empty: the YAML file beside
            the model, or the shipped specification of a model with this hash or name.

    Raises:
        UsageError: The model has no specification, or a wrong one.
        WeightsError: There is no such file.
    """
    path = locate.of_user(model, cure="see python -m analyzer models list, and docs/models.md")
    text = spec or _beside(path) or locate.network_of(path)
    if not text:
        raise UsageError(
            f"{path}: unknown network: say what it wants to see in {path.with_suffix('.yaml').name}"
            f" beside it, or with spec=FILE.yaml or spec={'|'.join(kinds())}; see docs/models.md"
        )
    shipped = _SHIPPED_SPECS / f"{text}.yaml"
    file = shipped if text in kinds() else Path(text)
    try:
        return path, parse(regular.read_text(file, limit=MAX_BYTES), str(file))
    except (OSError, ValueError) as error:
        raise UsageError(f"spec {file}: {error}; there are: {', '.join(kinds())}") from error


def kinds() -> tuple[str, ...]:
    """Return the names of all kinds of networks with a shipped specification."""
    return tuple(sorted(file.stem for file in _SHIPPED_SPECS.glob("*.yaml")))


def _beside(path: Path) -> str:
    """Return the path of the YAML file beside a model; empty if there is none."""
    file = path.with_suffix(".yaml")
    return str(file) if file.is_file() else ""


def _network(values: Mapping[str, Any]) -> NetworkSpec:
    names = {f.name for f in fields(NetworkSpec)}
    _check_keys(values, names, ("alignment", "size", "mean", "std"), "")
    heads = values.get("heads") or {}
    _require(isinstance(heads, dict), "heads: write them as NAME: {output: ...}")
    parsed = {
        "size": _number("size", values["size"], int),
        "mean": _three("mean", values["mean"]),
        "std": _three("std", values["std"]),
        "heads": tuple(_head(name, head) for name, head in heads.items()),
    }
    for name in ("padding", "threshold"):
        if values.get(name) is not None:
            parsed[name] = _number(name, values[name], float)
    for name in ("alignment", "layout", "colour", "embedding"):
        if name in values:
            parsed[name] = str(values[name])
    return NetworkSpec(**parsed)


def _head(name: str, values: Any) -> Head:
    _require(isinstance(values, dict), f"heads: {name}: write it as {{output: NAME, ...}}")
    names = {f.name for f in fields(Head)} - {"name"}
    _check_keys(values, names, (), f"heads: {name}: ")
    parsed: dict[str, Any] = {k: str(values[k]) for k in ("output", "values") if k in values}
    columns = values.get("columns", [])
    _require(isinstance(columns, list), f"heads: {name}: columns: write them as [0, 1, ...]")
    parsed["columns"] = tuple(_number(f"heads: {name}: columns", c, int) for c in columns)
    factor = _number(f"heads: {name}: factor", values.get("factor", 1), float)
    return Head(name=name, factor=factor, **parsed)


def _check_keys(
    values: Mapping[str, Any], allowed: set[str], required: tuple[str, ...], where: str
) -> None:
    """Require all required keys and no unknown ones; `where` begins the message."""
    unknown = [str(key) for key in values if key not in allowed]
    _require(
        not unknown,
        f"{where}no key {', '.join(unknown)}; there are: {', '.join(sorted(allowed))}",
    )
    missing = [key for key in required if key not in values]
    _require(not missing, f"{where}{', '.join(missing)} missing")


def _number(name: str, value: Any, kind: type) -> Any:
    """Return a number as int or float; YAML's booleans are not numbers."""
    is_number = isinstance(value, int) or (kind is float and isinstance(value, float))
    is_number = is_number and not isinstance(value, bool) and abs(value) <= _LARGEST
    _require(is_number, f"{name}: {value!r} is not a number that can be counted with")
    return kind(value)


def _three(name: str, value: Any) -> tuple[float, ...]:
    """Return three numbers, one per channel; one number counts for all channels."""
    values = value if isinstance(value, list) else [value] * 3
    _require(len(values) == 3, f"{name}: give one number, or three")
    return tuple(_number(name, v, float) for v in values)


def _choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    _require(value in choices, f"{name}: {value!r}: choose from {', '.join(choices)}")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise UsageError(message)
