"""Stage: pages for the eyes, in one file each; needs the extra [review]."""

from collections.abc import Mapping
from typing import Any, Protocol


class Page(Protocol):
    """Turns figures into a page."""

    def render(self, report: Mapping[str, Any]) -> str:
        """Make one self-contained HTML page of a report's JSON-able values."""
        ...
