"""Errors that this package raises on purpose.

::

    AnalyzerError
     ├── UsageError           an option or component does not exist, or a value is wrong
     │   ├── MissingPlugin    a plug-in from outside is not on this machine, or is another version
     │   └── Incapable        this machine cannot do it; another may
     ├── InputError           the medium cannot be read: missing, empty, not a video, broken
     ├── MissingDependency    a library that a component needs is not installed
     ├── WeightsError         a model file is missing, altered, or has the wrong format
     └── ResourceError        memory, disk or device failed

`kind` tells a scheduler what to do with a failed job: `input`: never retry; `resource`: retry
elsewhere or later; `usage` and `bug`: tell a person.
"""

from joblist.errors import ExplainedError as AnalyzerError
from joblist.errors import UsageError

__all__ = [
    "AnalyzerError",
    "Incapable",
    "InputError",
    "MissingDependency",
    "MissingPlugin",
    "ResourceError",
    "UsageError",
    "WeightsError",
]


class InputError(AnalyzerError):
    """The medium cannot be analysed; another try fails, too."""

    kind = "input"


class MissingDependency(AnalyzerError):
    """A library that a component needs is not installed.

    Args:
        package: Name of the library.
        needed_by: What needs it, such as `detect scrfd`.
        install: Argument of `pip install`.
    """

    kind = "usage"

    def __init__(self, package: str, *, needed_by: str, install: str) -> None:
        super().__init__(f"{needed_by} needs {package}; install it with: pip install {install}")


class MissingPlugin(UsageError):
    """A plug-in from outside is not on this machine, is another version, or cannot be loaded."""


class Incapable(UsageError):
    """This machine cannot do what the options ask for; another one may."""


class WeightsError(AnalyzerError):
    """A model file is missing, altered, or has the wrong format."""

    kind = "usage"


class ResourceError(AnalyzerError):
    """Memory, disk or device failed; another try may succeed."""

    kind = "resource"
