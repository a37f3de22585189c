"""Plug-ins: self-contained HTML pages of figures; they need the extra [review].

In: JSON-able values of an evaluation or a collection. Out: the text of a page.
Used by the commands that evaluate and by collections, through the registry.
"""

from collections.abc import Mapping
from typing import Any, Protocol


class Page(Protocol):
    """Renderer of a page of figures."""

    def render(self, report: Mapping[str, Any]) -> str:
        """Return a self-contained HTML page of a report's JSON-able values."""
        ...
