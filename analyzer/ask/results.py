"""All parquet results of a folder as a database that can only be read.

The tables of persons, shots, appearances and media are made of the documents in the files'
metadata, and only if a question names them; the faces stay in the files. Then the database is
locked: it opens these files and nothing else, loads no extension, and its settings stay as they
are. Questions are single SELECTs, so nothing is written either.
"""

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from analyzer.ask import _sql_errors, _views
from analyzer.errors import InputError, UsageError
from analyzer.files.text import is_utf8

_TABLES = ("persons", "shots", "appearances", "media")
_LISTINGS = ("show", r"query\w*", "information_schema", r"duckdb_\w+")
"""Words of questions that may be about every view without its name."""
_VIEWS = ("faces", *_TABLES)
_DOCUMENTS = "FROM parquet_kv_metadata(?) WHERE decode(key) = 'ina'"
_CHUNK = 10_000
_BEFORE = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
}
"""Settings from the start: names in SQL are no variables of this program, either."""


@dataclass(frozen=True)
class SqlAnswer:
    """Rows that are made while they are read; some errors come only then."""

    columns: Sequence[str]
    cursor: Any = field(repr=False)
    again: Callable[[], Any] = field(repr=False)
    """Ask once more, for a table of pyarrow: the library copies to make one of the cursor."""
    explained: Callable[[], AbstractContextManager[None]] = field(repr=False)

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield the rows, once.

        Raises:
            UsageError: A value cannot be what the question makes of it.
            ResourceError: The memory does not suffice, or a file cannot be read.
        """
        while True:
            with self.explained():
                chunk = self.cursor.fetchmany(_CHUNK)
            if not chunk:
                return
            yield from chunk

    def table(self) -> Any:
        """Return all rows as a table of pyarrow, instead of `rows`; it raises the same errors."""
        with self.explained():
            return self.again()


@dataclass(frozen=True)
class ResultsDatabase:
    """An opened folder; see `opened`."""

    database: Any = field(repr=False)
    columns: Mapping[str, Sequence[str]]
    """View -> its columns."""
    notes: Sequence[str]
    """Which files were left out, and why."""

    def ask(self, sql: str, values: Mapping[str, Any] | None = None) -> SqlAnswer:
        """SqlAnswer a question.

        Args:
            sql: One SELECT, with `$name` for values.
            values: Name -> value.

        Raises:
            UsageError: It is not one SELECT, or something in it does not exist.
            ResourceError: The memory does not suffice, or a file cannot be read.
        """
        with self._explained(sql):
            statements = self.database.extract_statements(sql)
        kinds = [statement.type for statement in statements]
        if kinds != [duckdb.StatementType.SELECT]:
            given = ", ".join(str(kind).rpartition(".")[2] for kind in kinds) or "nothing"
            raise UsageError(f"SQL: {given}: ask takes one SELECT, and changes nothing")
        used = {name: value for name, value in (values or {}).items() if f"${name}" in sql}
        with self._explained(sql):
            cursor = self.database.execute(sql, used or None)
        return SqlAnswer(
            [column[0] for column in cursor.description],
            cursor,
            partial(self._table, sql, used or None),
            partial(self._explained, sql),
        )

    def _table(self, sql: str, values: Mapping[str, Any] | None) -> Any:
        # The name keeps it open: with the last reference to a cursor it is closed.
        cursor = self.database.cursor()
        return cursor.sql(sql, params=values).to_arrow_table()

    @contextmanager
    def _explained(self, sql: str) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            raise _sql_errors.explained(error, sql, self.columns) from error


@contextmanager
def opened(folder: Path, sql: str, catalogue: Path | None = None) -> Iterator[ResultsDatabase]:
    """Open the parquet results below a folder, for one question.

    Args:
        folder: Folder of the results.
        sql: The question; what it does not name is not made.
        catalogue: CSV with a column `source_path`; its other columns go to the view `media`.

    Raises:
        InputError: There are no such results, or the catalogue cannot be read.
    """
    root = Path(os.path.abspath(folder))
    files = _files(root, folder)
    with ExitStack() as stack:
        spill = stack.enter_context(tempfile.TemporaryDirectory(prefix="ask"))
        database = stack.enter_context(
            duckdb.connect(":memory:", config={**_BEFORE, "temp_directory": spill})
        )
        # The footers are long and read several times: they hold the documents.
        database.execute("SET parquet_metadata_cache = true")
        notes = [f"{file}: its path is not UTF-8: left out" for file in files if not _named(file)]
        results = _with_document(database, [file for file in files if _named(file)], notes)
        if not results:
            raise InputError(
                f"{folder}: no parquet results below: add parquet to --export, or dest_parquet to "
                f"the joblist{_first(notes)}"
            )
        database.execute(_views.faces(_forms(database, results), root))
        _make_tables(database, root, results, _needed(sql), catalogue)
        _lock(database, results)
        yield ResultsDatabase(database, _columns(database), notes)


def _files(root: Path, folder: Path) -> list[Path]:
    if not root.is_dir():
        raise InputError(f"{folder}: no such folder: give the folder of the results")
    return sorted(path for path in root.rglob("*.parquet") if path.is_file())


def _named(file: Path) -> bool:
    return is_utf8(str(file))


def _first(notes: Sequence[str]) -> str:
    more = f" and {len(notes) - 1} more" if len(notes) > 1 else ""
    return f" ({notes[0]}{more})" if notes else ""


def _patterns(files: Sequence[Path]) -> list[str]:
    return [_views.pattern(file) for file in files]


def _with_document(database: Any, files: Sequence[Path], notes: list[str]) -> list[Path]:
    """Return the files that are results; say of the others why they are none."""
    query = f"SELECT file_name {_DOCUMENTS}"
    found: set[str] = set()
    try:
        if files:
            found.update(*zip(*database.execute(query, [_patterns(files)]).fetchall(), strict=True))
    except duckdb.Error:
        # One of them is damaged: find out which.
        for file in files:
            try:
                found.update(*database.execute(query, [_patterns([file])]).fetchall())
            except duckdb.Error:
                notes.append(f"{file}: no parquet file, or damaged: left out")
    damaged = {note.partition(":")[0] for note in notes}
    for file in files:
        if str(file) not in found and str(file) not in damaged:
            notes.append(f"{file}: not of the exporter parquet: left out")
    return [file for file in files if str(file) in found]


def _forms(database: Any, files: Sequence[Path]) -> list[tuple[dict[str, str], Sequence[Path]]]:
    """Return the files in groups of equal columns: column -> type, and the files."""
    query = """
        SELECT form, list(file_name) FROM (
            SELECT file_name, list_sort(list(concat_ws(' ', name, type, converted_type))) AS form
            FROM parquet_schema(?) GROUP BY file_name
        ) GROUP BY form ORDER BY min(file_name)"""
    groups: list[tuple[dict[str, str], Sequence[Path]]] = []
    for _, names in database.execute(query, [_patterns(files)]).fetchall():
        members = sorted(map(Path, names))
        first = database.execute("DESCRIBE SELECT * FROM read_parquet(?)", [_patterns(members[:1])])
        groups.append(({name: kind for name, kind, *_ in first.fetchall()}, members))
    return groups


def _needed(sql: str) -> list[str]:
    """Return the tables that a question may be about: those with names that stand in it."""
    if re.search(rf"\b({'|'.join(_LISTINGS)})\b", sql, re.IGNORECASE):
        return list(_TABLES)
    return [name for name in _TABLES if re.search(rf"\b{name}\b", sql, re.IGNORECASE)]


def _make_tables(
    database: Any, root: Path, files: Sequence[Path], names: Sequence[str], catalogue: Path | None
) -> None:
    """Make tables of the documents."""
    database.execute("CREATE SCHEMA internal")
    database.execute(
        f"CREATE TABLE internal.documents AS SELECT {_views.medium('file_name', root)} AS medium, "
        f"decode(value) AS document {_DOCUMENTS}{'' if names else ' LIMIT 0'}",
        [_patterns(files)],
    )
    odd = r"SELECT medium, document FROM internal.documents WHERE contains(document, '\ud')"
    for medium, document in database.execute(odd).fetchall():
        database.execute(
            "UPDATE internal.documents SET document = ? WHERE medium = ?",
            [_readable(document), medium],
        )
    columns = None if catalogue is None else _read_catalogue(database, catalogue)
    for statement in _views.tables(names, columns):
        database.execute(statement)
    database.execute("DROP SCHEMA internal CASCADE")


def _readable(document: str) -> str:
    r"""Return a document in which bytes of a path that are no text stand as `\udcXX`."""
    return re.sub(r"(?<!\\)((?:\\\\)*)\\(u[dD][c-fC-F]\w\w)", _lone, document)


def _lone(match: "re.Match[str]") -> str:
    """Escape the second half of a pair only where the first half is missing."""
    before = match.string[max(0, match.start() - 6) : match.start()]
    is_pair = not match[1] and re.fullmatch(r"\\u[dD][89abAB]\w\w", before)
    return match[0] if is_pair else f"{match[1]}\\\\{match[2]}"


def _read_catalogue(database: Any, path: Path) -> list[str]:
    """Read the catalogue as text; return its columns."""
    try:
        database.execute(
            "CREATE TABLE internal.catalogue AS SELECT * FROM "
            "read_csv(?, header = true, all_varchar = true, delim = ',', quote = '\"')",
            [_views.pattern(path)],
        )
    except duckdb.Error as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{path}: cannot be read as a catalogue: {reason}") from error
    columns = [name for name, *_ in database.execute("DESCRIBE internal.catalogue").fetchall()]
    if "source_path" not in columns:
        raise InputError(f"{path}: no column source_path, the path of each medium")
    return columns


def _lock(database: Any, files: Sequence[Path]) -> None:
    """Let the database open these files and nothing else from now on."""
    allowed = sorted({name for file in files for name in (str(file), _views.pattern(file))})
    database.execute(f"SET allowed_paths = [{', '.join(map(_views.text, allowed))}]")
    database.execute("SET errors_as_json = true")
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")


def _columns(database: Any) -> dict[str, list[str]]:
    """Return the columns of each view."""
    rows = database.execute(
        "SELECT table_name, column_name FROM duckdb_columns() "
        "WHERE schema_name = 'main' AND NOT internal ORDER BY table_name, column_index"
    ).fetchall()
    found: dict[str, list[str]] = {name: [] for name in _VIEWS}
    for table, column in rows:
        found.setdefault(table, []).append(column)
    return found
