"""Group the persons of results anew: one medium, or all of a folder or joblist."""

from dataclasses import replace
from pathlib import Path

from analyzer.errors import UsageError
from analyzer.results import locate
from analyzer.results.locate import Found
from analyzer.review.amend import recluster

__all__ = ["recluster", "reports"]


def reports(path: str) -> Found:
    """Return the results with a report at a path.

    Args:
        path: A report, or a folder or joblist.

    Raises:
        UsageError: There are none.
    """
    if path.endswith(locate.load_exporter("report").suffix) and Path(path).is_file():
        return Found(results=[locate.beside(Path(path))])
    found = locate.find([path])
    with_report = [results for results in found.results if "report" in results.files]
    if not with_report:
        raise UsageError(
            f"{path}: no report there: give the joblist a column dest_report, or analyze "
            "--export report, and run it"
        )
    return replace(found, results=with_report)
