"""Specification of a describing network, beside its graph: a small YAML file.

It says what the network wants to see, and what its outputs mean::

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

`embedding` with `threshold`, or `heads`, or both. A head's `columns` are in the order of
`analyzer.attributes.heads`; `factor` is what a number is multiplied with to be years.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from analyzer.attributes.heads import SIZES
from analyzer.errors import UsageError
from analyzer.weights import locate

ALIGNMENTS = ("arcface", "chip")
VALUES = {
    "sex": ("logits", "probabilities"),
    "age": ("logits", "probabilities", "years", "decfunc"),
    "ethnicity": ("logits", "probabilities"),
}
"""What a head's numbers may be."""
_KNOWN = Path(__file__).parents[1] / "stages" / "describe"
_WIDEST = 2.0
"""Distance between opposite vectors of length one."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """One attribute in a network's outputs.

    Raises:
        UsageError: The columns are not as many as the values need.
    """

    name: str
    output: str = ""
    """Name of the output; empty where the network has only one."""
    values: str = "logits"
    columns: tuple[int, ...] = ()
    """Of the output, in our order (sex: male, female, or male alone); empty = as they stand."""
    factor: float = 1.0

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
        """How many columns the head has, but for sex, which may have two."""
        return 1 if self.values in ("years", "decfunc") else SIZES[self.name]


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """What a network wants to see and what it says.

    Raises:
        UsageError: A value that is none of those there are.
    """

    alignment: str
    size: int
    mean: tuple[float, ...]
    """One number a channel, in the order of `colour`; of pixels 0 to 255."""
    std: tuple[float, ...]
    padding: float = 0.25
    layout: str = "NCHW"
    colour: str = "RGB"
    embedding: str = ""
    threshold: float | None = None
    heads: tuple[Head, ...] = field(default=())

    def __post_init__(self) -> None:
        _choice("alignment", self.alignment, ALIGNMENTS)
        _choice("layout", self.layout, ("NCHW", "NHWC"))
        _choice("colour", self.colour, ("RGB", "BGR"))
        _require(self.size >= 1, f"size {self.size}: must be at least 1")
        _require(self.padding >= 0, f"padding {self.padding}: must be 0 or more")
        _require(all(self.std), "std: must not be 0")
        near = self.threshold is None or 0 < self.threshold < _WIDEST
        _require(near, f"threshold {self.threshold}: must be between 0 and {_WIDEST:g}")
        _require(
            self.threshold is not None or bool(self.heads),
            "says nothing: give a threshold (with which its output is an embedding), or heads",
        )


def parse(text: str, where: str) -> NetworkSpec:
    """Read a specification; `where` is its name in messages.

    Raises:
        UsageError: Not YAML, an unknown or missing key, or a wrong value.
    """
    try:
        values = yaml.safe_load(text)
        _require(isinstance(values, dict), "write it as KEY: VALUE lines")
        return _network(values)
    except yaml.YAMLError as error:
        raise UsageError(f"{where}: not YAML: {' '.join(str(error).split())}") from error
    except UsageError as error:
        raise UsageError(f"{where}: {error}; see docs/models.md") from error


def resolve(model: str, spec: str = "") -> tuple[Path, NetworkSpec]:
    """Find a network's file, and what is to be known of it.

    Args:
        model: A file, or the name of one of the models that `models list` shows.
        spec: A YAML file, or the name of a known kind of network; empty: the YAML file beside the
            model, or the shipped specification of a model with this hash or name.

    Raises:
        UsageError: Nothing is known of the model, or its specification is wrong.
        WeightsError: There is no such file.
    """
    path = locate.of_user(model, cure="see python -m analyzer models list, and docs/models.md")
    text = spec or _beside(path) or locate.network_of(path)
    if not text:
        raise UsageError(
            f"{path}: unknown network: say what it wants to see in {path.with_suffix('.yaml').name}"
            f" beside it, or with spec=FILE.yaml or spec={'|'.join(kinds())}; see docs/models.md"
        )
    shipped = _KNOWN / f"{text}.yaml"
    file = shipped if text in kinds() else Path(text)
    try:
        return path, parse(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"spec {file}: {error}; there are: {', '.join(kinds())}") from error


def kinds() -> tuple[str, ...]:
    """Return the kinds of networks that are known."""
    return tuple(sorted(file.stem for file in _KNOWN.glob("*.yaml")))


def _beside(path: Path) -> str:
    file = path.with_suffix(".yaml")
    return str(file) if file.is_file() else ""


def _network(values: Mapping[str, Any]) -> NetworkSpec:
    names = {f.name for f in fields(NetworkSpec)}
    _keys(values, names, ("alignment", "size", "mean", "std"), "")
    heads = values.get("heads") or {}
    _require(isinstance(heads, dict), "heads: write them as NAME: {output: ...}")
    read = {
        "size": _number("size", values["size"], int),
        "mean": _three("mean", values["mean"]),
        "std": _three("std", values["std"]),
        "heads": tuple(_head(name, head) for name, head in heads.items()),
    }
    for name in ("padding", "threshold"):
        if values.get(name) is not None:
            read[name] = _number(name, values[name], float)
    for name in ("alignment", "layout", "colour", "embedding"):
        if name in values:
            read[name] = str(values[name])
    return NetworkSpec(**read)


def _head(name: str, values: Any) -> Head:
    _require(isinstance(values, dict), f"heads: {name}: write it as {{output: NAME, ...}}")
    names = {f.name for f in fields(Head)} - {"name"}
    _keys(values, names, (), f"heads: {name}: ")
    read: dict[str, Any] = {k: str(values[k]) for k in ("output", "values") if k in values}
    columns = values.get("columns", [])
    _require(isinstance(columns, list), f"heads: {name}: columns: write them as [0, 1, ...]")
    read["columns"] = tuple(_number(f"heads: {name}: columns", c, int) for c in columns)
    factor = _number(f"heads: {name}: factor", values.get("factor", 1), float)
    return Head(name=name, factor=factor, **read)


def _keys(
    values: Mapping[str, Any], allowed: set[str], needed: tuple[str, ...], where: str
) -> None:
    unknown = [str(key) for key in values if key not in allowed]
    _require(
        not unknown,
        f"{where}no key {', '.join(unknown)}; there are: {', '.join(sorted(allowed))}",
    )
    missing = [key for key in needed if key not in values]
    _require(not missing, f"{where}{', '.join(missing)} missing")


def _number(name: str, value: Any, kind: type) -> Any:
    right = isinstance(value, int) or (kind is float and isinstance(value, float))
    _require(right and not isinstance(value, bool), f"{name}: {value!r} is not a number")
    return kind(value)


def _three(name: str, value: Any) -> tuple[float, ...]:
    values = value if isinstance(value, list) else [value] * 3
    _require(len(values) == 3, f"{name}: give one number, or three")
    return tuple(_number(name, v, float) for v in values)


def _choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    _require(value in choices, f"{name}: {value!r}: choose from {', '.join(choices)}")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise UsageError(message)
