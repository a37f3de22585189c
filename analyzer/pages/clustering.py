"""Page on the accuracy of persons: F1 against the threshold, and all figures."""

from collections.abc import Mapping
from typing import Any

from analyzer.pages import _page


def create() -> "ClusteringPage":
    """One page with the figures of `analyzer.evaluation.clustering`."""
    return ClusteringPage()


class ClusteringPage:
    """Renders the page; see `analyzer.pages.Page`."""

    def render(self, report: Mapping[str, Any]) -> str:
        """Return the page; see `analyzer.pages.Page`."""
        thresholds = sorted({run["threshold"] for run in report["runs"]})
        lines: dict[str, list[Mapping[str, Any]]] = {}
        for run in sorted(report["runs"], key=lambda run: run["threshold"]):
            lines.setdefault(run["clusterer"], []).append(run)
        return _page.render(
            "clustering.html.j2", {}, report=report, thresholds=thresholds, lines=lines
        )
