"""Every error that this package raises on purpose.

::

    AnalyzerError
     ├── UsageError           an option or component that does not exist, or a wrong value
     ├── InputError           the medium cannot be read: missing, empty, not a video, broken
     ├── MissingDependency    a library that the chosen component needs is not installed
     ├── WeightsError         a model file is missing, altered, or of the wrong form
     └── ResourceError        memory, disk or device gave out

`kind` says what a scheduler should do with a job that failed so: `input` never retry,
`resource` retry elsewhere or later, `usage` and `bug` call a human.
"""

from joblist.errors import ExplainedError as AnalyzerError
from joblist.errors import UsageError

__all__ = [
    "AnalyzerError",
    "InputError",
    "MissingDependency",
    "ResourceError",
    "UsageError",
    "WeightsError",
]


class InputError(AnalyzerError):
    """A medium that cannot be analysed, however often one tries."""

    kind = "input"


class MissingDependency(AnalyzerError):
    """A library that the chosen component needs is not installed."""

    kind = "usage"

    def __init__(self, package: str, *, needed_by: str, install: str) -> None:
        super().__init__(f"{needed_by} needs {package}; install it with: pip install {install}")


class WeightsError(AnalyzerError):
    """A model file is missing, altered, or of the wrong form."""

    kind = "usage"


class ResourceError(AnalyzerError):
    """Memory, disk or device gave out; another try may succeed."""

    kind = "resource"
