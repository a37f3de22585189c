"""Page of the people of an archive: portraits, and a table that can be sorted by any column."""

from collections.abc import Mapping
from typing import Any

from analyzer.pages import _page


def create() -> "CollectionPage":
    """One page with what `analyzer.collection` found."""
    return CollectionPage()


class CollectionPage:
    """Renders the page; see `analyzer.pages.Page`."""

    def render(self, report: Mapping[str, Any]) -> str:
        """Return the page; see `analyzer.pages.Page`."""
        return _page.render("collection.html.j2", {"clock": clock, "figure": figure}, **report)


def clock(seconds: float) -> str:
    """Return hours, minutes and seconds: `1:02:03`, `2:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def figure(value: float | None) -> str:
    """Return a number with as many digits as can be read; empty where there is none."""
    return "" if value is None else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
