"""Page on how right the attributes are: tables, accuracy by group and size, reliability."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

_TEMPLATE = "attributes.html.j2"


def create() -> "AttributesPage":
    """One page with the figures of `analyzer.evaluate.report`."""
    return AttributesPage()


class AttributesPage:
    """Renders the page; see `analyzer.review.Page`."""

    def __init__(self) -> None:
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(Path(__file__).parent),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        self._environment.filters |= {"percent": percent, "figure": figure, "shares": shares}

    def render(self, report: Mapping[str, Any]) -> str:
        """Make the page; see `analyzer.review.Page`."""
        full = next(iter(report["sizes"].values()))
        return self._environment.get_template(_TEMPLATE).render(report=report, full=full)


def percent(value: float) -> str:
    """A share as text with one decimal, in percent."""
    return f"{100 * value:.1f}"


def figure(found: Mapping[str, float] | None, unit: str = "%") -> str:
    """A value with its interval: ``92.1 (91.3-92.8)``."""
    if found is None:
        return ""
    factor = 100 if unit == "%" else 1
    value, low, high = (factor * found[name] for name in ("value", "low", "high"))
    return f"{value:.1f} ({low:.1f}–{high:.1f})"  # noqa: RUF001


def shares(counts: Sequence[int]) -> list[float]:
    """One row of a confusion matrix as shares of its sum."""
    total = max(sum(counts), 1)
    return [count / total for count in counts]
