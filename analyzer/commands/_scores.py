"""Attribute scores as a table."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyzer.evaluate import Scores


def show(scores: "Scores", title: str) -> None:
    """Print one row a head on standard output."""
    from rich.console import Console
    from rich.table import Table

    table = Table("head", "figure", "value", title=f"{title}: {scores.count} pictures")
    table.add_row("sex", "accuracy", f"{scores.sex_accuracy:.1%}")
    table.add_row("age", "accuracy of the bin", f"{scores.age_accuracy:.1%}")
    table.add_row("age", "mean absolute error", f"{scores.age_mae_years:.1f} years")
    table.add_row("ethnicity", "accuracy", f"{scores.ethnicity_accuracy:.1%}")
    Console().print(table)
