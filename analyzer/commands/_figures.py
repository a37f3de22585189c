"""The figures of attributes as tables."""

from collections.abc import Iterator, Mapping
from typing import Any

_NAMES = {
    "sex_accuracy": "sex",
    "age_accuracy": "age bin",
    "age_one_off": "age, one bin off",
    "age_mae_years": "age MAE",
    "age_rmse_years": "age RMSE",
    "age_held": "age in interval",
    "ethnicity_accuracy": "ethnicity",
}


def show(report: Mapping[str, Any], title: str) -> None:
    """Print the figures by face size, and at full size by group, on standard output."""
    from rich.console import Console
    from rich.table import Table

    sizes = report["sizes"]
    full = next(iter(sizes))
    shown = [name for name in _NAMES if name in sizes[full]["overall"]]
    table = Table("", "faces", *(_NAMES[name] for name in shown), title=title)
    for label, row in _rows(sizes, full):
        table.add_row(label, str(row["count"]), *(_cell(name, row[name]) for name in shown))
    Console().print(table)


def _rows(sizes: Mapping[str, Any], full: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for size, figures in sizes.items():
        yield f"{size} px", figures["overall"]
    for head, groups in sizes[full]["groups"].items():
        for name, row in groups.items():
            yield f"{head} {name}", row


def _cell(name: str, figure: Mapping[str, float] | None) -> str:
    """The value, and half the width of its interval."""
    if figure is None:
        return ""
    half = (figure["high"] - figure["low"]) / 2
    if name.endswith("years"):
        return f"{figure['value']:.1f} ± {half:.1f}"
    return f"{100 * figure['value']:.1f} ± {100 * half:.1f}"
