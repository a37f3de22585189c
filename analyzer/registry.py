"""Find, describe and load components: a stage is a folder, a choice is a file in it.

`analyzer/stages/detect/centerface.py` is `--detector centerface`; `PLUGINS` lists where the
folders are. A component is named by a spec,
`name` or `name:option=value,option=value`; the options are the keywords of its `create`.
"""

import ast
import difflib
import importlib
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from analyzer.errors import MissingDependency, UsageError

_Made = TypeVar("_Made")
PLUGINS: Mapping[str, str] = {
    "align": "stages.align",
    "backend": "inference.backends",
    "cluster": "stages.cluster",
    "commands": "commands",
    "datasets": "evaluation.datasets",
    "decode": "stages.decode",
    "demo": "demo",
    "describe": "stages.describe",
    "detect": "stages.detect",
    "export": "export",
    "formats": "files.codecs",
    "identities": "identities.backends",
    "pages": "pages",
    "shots": "stages.shots",
    "show": "live.screens",
    "track": "stages.track",
    "train": "training",
}
"""Where something can be plugged in: kind of plug-in -> package below `analyzer`, a file each."""
_ROOT = Path(__file__).parent
_PIP_NAMES = {
    "cv2": "opencv-python",
    "dlib": "dlib-bin",
    "faiss": "faiss-cpu",
    "ffmpeg": "ffmpeg-python",
    "PIL": "pillow",
    "yaml": "PyYAML",
}
_EXTRAS = {
    "jinja2": "'ina[review]'",
    "lxml": "'ina[review]'",
    "markupsafe": "'ina[review]'",
    "matplotlib": "'ina[demo]'",
    "onnx2torch": "'ina[torch]'",
    "onnxruntime": "'ina[cpu]'",
    "pyarrow": "'ina[review]'",
    "redis": "'ina[redis]'",
    "skimage": "'ina[demo]'",
    "torch": "'ina[torch]'",
    "ultralytics": "'ina[yolo]'",
    "xlsxwriter": "'ina[review]'",
}


@dataclass(frozen=True)
class Spec:
    """A component's name and the options given to it, still text."""

    name: str
    options: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Spec":
        """Read `name[:key=value,...]`.

        Raises:
            UsageError: The text is not of that form.
        """
        name, _, rest = text.partition(":")
        pairs = _pairs(rest, f"{text!r}: write options as name:key=value,key=value")
        return cls(name.strip().replace("-", "_"), pairs)


def _pairs(text: str, cure: str) -> tuple[tuple[str, str], ...]:
    """Read `key=value,key=value`."""
    pairs = []
    for part in filter(None, text.split(",")):
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise UsageError(cure)
        pairs.append((key.strip().replace("-", "_"), value.strip()))
    return tuple(pairs)


def names(stage: str) -> tuple[str, ...]:
    """List the components of a stage without importing any."""
    files = _folder(stage).glob("*.py")
    return tuple(sorted(f.stem for f in files if not f.stem.startswith("_")))


def _folder(stage: str) -> Path:
    return _ROOT.joinpath(*PLUGINS[stage].split("."))


def check(stage: str, text: str) -> Spec:
    """Parse a spec and see that its component exists, without importing it.

    Raises:
        UsageError: No such component; the message lists those there are.
    """
    spec = Spec.parse(text)
    available = names(stage)
    if spec.name not in available:
        close = difflib.get_close_matches(spec.name, available, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise UsageError(
            f"no {stage} component {spec.name!r}; there are: {', '.join(available)}.{hint}"
        )
    return spec


def module(stage: str, name: str) -> types.ModuleType:
    """Import one component's file.

    Raises:
        MissingDependency: A library that it imports is not installed.
    """
    try:
        return importlib.import_module(f"analyzer.{PLUGINS[stage]}.{name}")
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("", "analyzer"):
            raise
        install = _EXTRAS.get(missing) or _PIP_NAMES.get(missing, missing)
        raise MissingDependency(missing, needed_by=f"{stage} {name}", install=install) from error


def constant(stage: str, name: str, constant_name: str) -> Any:
    """Read a constant off a component's file, which is not imported; `None` where it has none."""
    for node in ast.parse((_folder(stage) / f"{name}.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == constant_name:
            return ast.literal_eval(node.value)
    return None


def load(stage: str, text: str, **context: Any) -> Any:
    """Create the component that a spec names.

    Args:
        stage: Folder under `analyzer`.
        text: The spec, such as `centerface:size=960`.
        context: What the pipeline hands to every component of the stage (`runtime` and the like).

    Returns:
        What the component's `create` returns: an object that fulfils the stage's Protocol.

    Raises:
        UsageError: Unknown component or option, or a value of the wrong type.
        MissingDependency: A library that the component needs is not installed.
    """
    spec = check(stage, text)
    create = module(stage, spec.name).create
    name = f"{stage} {spec.name}"
    return create(**_convert(create, spec.options, name, frozenset(context)), **context)


def read(create: Callable[..., _Made], text: str, name: str) -> _Made:
    """Make the value of an option that is written `key=value,key=value`, as a spec's options are.

    Args:
        create: Its keywords are the keys.
        text: What the option was set to.
        name: Name of the option.

    Raises:
        UsageError: The text is not of that form, an unknown key, or a value of the wrong type.
    """
    pairs = _pairs(text, f"{name} {text!r}: write it as key=value,key=value")
    return create(**_convert(create, pairs, name))


def _convert(
    create: Callable[..., Any],
    options: Sequence[tuple[str, str]],
    name: str,
    given: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Turn the text of options into the types that `create` declares."""
    hints = get_type_hints(create)
    # An option that is called as something that is given is the keyword with _ behind.
    keyword_of = {k.rstrip("_"): k for k in inspect.signature(create).parameters if k not in given}
    values = {}
    for key, text in options:
        if key not in keyword_of:
            raise UsageError(
                f"{name} has no option {key!r}; it has: {', '.join(keyword_of) or 'none'}"
            )
        keyword = keyword_of[key]
        try:
            values[keyword] = _value(text, hints[keyword])
        except ValueError:
            kind = getattr(hints[keyword], "__name__", hints[keyword])
            raise UsageError(f"{name}: {key}={text!r} cannot be read as {kind}") from None
    return values


def _value(text: str, hint: Any) -> Any:
    """Convert one option's text; unions are tried from left to right."""
    if get_origin(hint) in (Union, types.UnionType):
        if type(None) in get_args(hint) and text.lower() in ("", "none"):
            return None
        hint = next(h for h in get_args(hint) if h is not type(None))
    if hint is bool:
        if text.lower() not in ("true", "false", "1", "0", "yes", "no"):
            raise ValueError(text)
        return text.lower() in ("true", "1", "yes")
    return hint(text)
