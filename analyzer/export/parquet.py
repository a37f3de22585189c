"""Parquet: the csv's rows with their types, embeddings, and the report as metadata.

`pandas.read_parquet` gives the columns of the csv, in its order; then `duration_s`,
`embedding` (null where a face was not described) and, joined by `person_id` and under
`person_`, columns of the characters. The metadata `ina` of the schema holds the document of
`analyzer.export.json`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from analyzer import registry
from analyzer.export import _faces, _persons
from analyzer.export._document import document
from analyzer.files.columns import Column
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport, ProgressHook

_JOINED = ("sex_label", "age_label", "age_low", "age_high", "screen_time_s")


def create(*, runtime: Runtime) -> "ParquetExporter":
    """Parquet with the csv's rows, embeddings and the report's metadata."""
    return ParquetExporter()


class ParquetExporter:
    """Writes one table; see `analyzer.export.Exporter`."""

    suffix: ClassVar[str] = ".parquet"

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the table; a medium without faces gives its columns and no rows."""
        typed = registry.module("formats", "parquet")
        columns = {column.name: typed.array(column) for column in _faces.columns(report)}
        durations = pa.array(report.observations.duration_s)
        if not report.info.is_timed:
            durations = pa.nulls(len(durations), pa.float64())
        columns["duration_s"] = durations
        columns["embedding"] = _embedding_array(report)
        columns.update({c.name: typed.array(c) for c in _person_columns(report)})
        metadata = json.dumps(document(report), allow_nan=False)
        table = pa.table(columns).replace_schema_metadata({"ina": metadata})
        typed.save(path, table)


def _embedding_array(report: MediaReport) -> Any:
    """Return a list of numbers per row, null where a face was not described."""
    table = report.observations
    lengths = np.zeros(len(table) + 1, np.int32)
    lengths[table.embedding_rows + 1] = table.embeddings.shape[1]
    described = np.zeros(len(table), bool)
    described[table.embedding_rows] = True
    return pa.ListArray.from_arrays(
        pa.array(np.cumsum(lengths, dtype=np.int32)),
        pa.array(table.embeddings.ravel()),
        mask=pa.array(~described),
    )


def _person_columns(report: MediaReport) -> Iterator[Column]:
    """Yield the columns of each row's person."""
    number_of = {person.person_id: number for number, person in enumerate(report.persons)}
    rows = [number_of.get(person) for person in report.row_persons().tolist()]
    for column in _persons.columns(report):
        if column.name in _JOINED:
            values = [None if row is None else column.values[row] for row in rows]
            yield Column(f"person_{column.name}", column.kind, values)
