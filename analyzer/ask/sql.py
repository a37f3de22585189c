"""One question, prepared or in SQL, and its answer."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from analyzer import registry
from analyzer.ask import questions, results
from analyzer.errors import UsageError


@contextmanager
def answered(
    folder: Path, question: str, arguments: Sequence[str], catalogue: Path | None
) -> Iterator[tuple[results.SqlAnswer, Sequence[str]]]:
    """Ask the parquet results below a folder; yield the answer, and notes on files left out.

    Args:
        folder: Folder of the results.
        question: Name of a prepared question, or SQL.
        arguments: Texts `name=value` for a prepared question.
        catalogue: CSV with facts of the media; see `results.opened`.

    Raises:
        UsageError: There is no such question or argument, or the SQL is wrong.
        InputError: There are no parquet results, or no such face.
    """
    if not question.replace("_", "").isalnum():
        if arguments:
            raise UsageError(f"SQL takes no arguments, such as {arguments[0]!r}: put it in quotes")
        with results.opened(folder, question, catalogue) as opened:
            yield opened.ask(question), opened.notes
        return
    prepared = questions.find(question)
    values: dict[str, Any] = dict(questions.values(prepared, arguments))
    with results.opened(folder, prepared.sql, catalogue) as opened:
        sql = prepared.sql
        if prepared.seeks_face:
            # Networks are needed for a face alone, and slow to load.
            values = registry.module("ask", "faces").sought(opened, values)
            sql = sql.replace("$dimensions", str(values.pop("dimensions")))
        yield opened.ask(sql, values), opened.notes
