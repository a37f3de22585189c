"""Specs: texts that select a plug-in, and its options.

::

    centerface:size=960                a plug-in of this package, or of an installed one
    faces.detector:create:size=960     a function of a module
    plugins/faces.py:size=960          the function `create` of a file, or file.py:function

`@` after a name, module or file pins its code: the version of the package, or the beginning of the
file's SHA-256.
"""

import re
from dataclasses import dataclass

from analyzer.errors import UsageError

_PIN = r"(?:@(?P<pin>[\w.+!-]+))?"
_REST = r"(?::(?P<options>.*))?"
_FUNCTION = r":(?P<function>[A-Za-z_]\w*)(?=:|$)"
_FILE = re.compile(rf"(?P<name>[^:@]+\.py){_PIN}(?:{_FUNCTION})?{_REST}")
_MODULE = re.compile(rf"(?P<name>[A-Za-z_][\w.]*){_PIN}{_FUNCTION}{_REST}")
_NAME = re.compile(rf"(?P<name>[^:@]*){_PIN}{_REST}")


@dataclass(frozen=True)
class Spec:
    """Name of a component and its options, both as text."""

    name: str
    """Name of a plug-in, or module or file of a function."""
    options: tuple[tuple[str, str], ...] = ()
    pin: str = ""
    """Version of the package, or beginning of the file's SHA-256; empty: any."""
    function: str = ""
    """Function of the module or file; empty for the name of a plug-in."""

    @classmethod
    def parse(cls, text: str) -> "Spec":
        """Parse a spec.

        Args:
            text: Spec, such as `centerface:size=960`.

        Raises:
            UsageError: The text does not have that form.
        """
        cure = f"{text!r}: write options as name:key=value,key=value"
        stripped = text.strip()
        if match := _FILE.fullmatch(stripped):
            function = match["function"] or "create"
        elif match := _MODULE.fullmatch(stripped):
            function = match["function"]
        else:
            match, function = _NAME.fullmatch(stripped), ""
        if match is None:
            raise UsageError(cure)
        name = match["name"].strip()
        return cls(
            name if function else name.replace("-", "_"),
            pairs(match["options"] or "", cure),
            match["pin"] or "",
            function,
        )

    @property
    def is_file(self) -> bool:
        """Whether the function is one of a file."""
        return bool(self.function) and self.name.endswith(".py")

    @property
    def component(self) -> str:
        """The spec without its options."""
        pin = f"@{self.pin}" if self.pin else ""
        return f"{self.name}{pin}" + (f":{self.function}" if self.function else "")

    def __str__(self) -> str:
        options = ",".join(f"{key}={value}" for key, value in self.options)
        return f"{self.component}:{options}" if options else self.component


def split(text: str) -> list[str]:
    """Split a list of specs at its commas, but for those between the options of a spec.

    Args:
        text: Specs, such as `csv,crops:all=true,side=160,ass`.
    """
    specs: list[str] = []
    for part in text.split(","):
        name, _, _ = part.partition("=")
        if specs and name != part and ":" not in name:
            specs[-1] += f",{part}"
        else:
            specs.append(part)
    return [spec.strip() for spec in specs]


def pairs(text: str, cure: str) -> tuple[tuple[str, str], ...]:
    """Parse `key=value,key=value`.

    Args:
        text: Text of the options; empty for none.
        cure: Message of the error.

    Raises:
        UsageError: The text does not have that form.
    """
    parsed = []
    for part in filter(None, text.split(",")):
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise UsageError(cure)
        parsed.append((key.strip().replace("-", "_"), value.strip()))
    return tuple(parsed)
