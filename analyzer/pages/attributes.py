"""Page on the accuracy of attributes: tables, accuracy by group and size, reliability."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from analyzer.pages import _page


def create() -> "AttributesPage":
    """One page with the figures of `analyzer.evaluation.attributes.report`."""
    return AttributesPage()


class AttributesPage:
    """Renders the page; see `analyzer.pages.Page`."""

    def render(self, report: Mapping[str, Any]) -> str:
        """Return the page; see `analyzer.pages.Page`."""
        full = next(iter(report["sizes"].values()))
        return _page.render("attributes.html.j2", _FILTERS, report=report, full=full)


def percent(value: float) -> str:
    """Return a share as text with one decimal, in percent."""
    return f"{100 * value:.1f}"


def figure(interval: Mapping[str, float] | None, unit: str = "%") -> str:
    """Return a value with its interval: `92.1 (91.3-92.8)`."""
    if interval is None:
        return ""
    factor = 100 if unit == "%" else 1
    value, low, high = (factor * interval[name] for name in ("value", "low", "high"))
    return f"{value:.1f} ({low:.1f}–{high:.1f})"  # noqa: RUF001


def shares(counts: Sequence[int]) -> list[float]:
    """Return one row of a confusion matrix as shares of its sum."""
    total = max(sum(counts), 1)
    return [count / total for count in counts]


_FILTERS: Mapping[str, Callable[..., Any]] = {
    "percent": percent,
    "figure": figure,
    "shares": shares,
}
