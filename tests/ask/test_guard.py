"""A question reads the views and nothing else, and changes nothing."""

import os
from pathlib import Path

import pytest

from analyzer.ask import results
from analyzer.errors import AnalyzerError, UsageError


def ask(folder: Path, sql: str) -> list[tuple]:
    with results.opened(folder, sql) as opened:
        return list(opened.ask(sql).rows())


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM '{other}'",
        "SELECT * FROM read_csv('{other}')",
        "SELECT * FROM read_text('{other}')",
        "SELECT * FROM read_blob('{other}')",
        "SELECT * FROM read_parquet('{folder}/*.parquet')",
        "SELECT * FROM glob('{folder}/*')",
        "SELECT * FROM 'https://localhost/a.parquet'",
        "SELECT * FROM sniff_csv('{other}')",
        "FROM query('SELECT * FROM read_csv(''{other}'')')",
    ],
)
def test_no_other_file_is_read(folder, tmp_path, sql):
    other = tmp_path / "other.csv"
    other.write_text("a\n1\n")
    with pytest.raises(UsageError) as refused:
        ask(folder, sql.format(other=other, folder=folder))
    assert "ask reads the views faces, persons, shots, appearances, media alone" in str(
        refused.value
    )


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("COPY faces TO '{other}'", "COPY"),
        ("ATTACH '{other}' AS a", "ATTACH"),
        ("CREATE TABLE a AS SELECT 1", "CREATE"),
        ("INSERT INTO persons SELECT * FROM persons", "INSERT"),
        ("DELETE FROM persons", "DELETE"),
        ("DROP VIEW faces", "DROP"),
        ("SET threads = 1", "SET"),
        ("LOAD httpfs", "LOAD"),
        ("INSTALL httpfs", "LOAD"),
        ("EXPORT DATABASE '{other}'", "EXPORT"),
        ("EXPLAIN ANALYZE COPY faces TO '{other}'", "EXPLAIN"),
        ("SELECT 1; SELECT 2", "SELECT, SELECT"),
        ("", "nothing"),
        (" -- a comment", "nothing"),
    ],
)
def test_only_one_select_is_answered(folder, tmp_path, sql, kind):
    other = tmp_path / "other"
    with pytest.raises(UsageError) as refused:
        ask(folder, sql.format(other=other))
    assert str(refused.value) == f"SQL: {kind}: ask takes one SELECT, and changes nothing"
    assert not other.exists()


def test_the_database_itself_is_locked(folder, tmp_path):
    """Also if a statement of another kind should come through."""
    with results.opened(folder, "SELECT * FROM persons") as opened:
        for sql in (
            "SET enable_external_access = true",
            "SET allowed_paths = ['/']",
            "RESET lock_configuration",
            "LOAD httpfs",
            f"ATTACH '{tmp_path / 'a.db'}'",
            f"COPY (SELECT 1) TO '{tmp_path / 'a.csv'}'",
        ):
            with pytest.raises(Exception, match=r"locked|disabled|Cannot"):
                opened.database.execute(sql)
    assert sorted(os.listdir(tmp_path)) == ["results"]


def test_names_in_sql_are_no_variables_of_the_program(folder):
    with pytest.raises(UsageError, match="Table with name opened does not exist"):
        ask(folder, "SELECT * FROM opened")


def test_the_results_stay_as_they_are(folder):
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    ask(folder, "SELECT * FROM faces, persons, media")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == files


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (
            "SELECT who,\n  'é', agelabel FROM persons",
            'SQL, line 2, column 8: Referenced column "agelabel" not found in FROM clause; did '
            "you mean age_label? in faces, persons, appearances\n    'é', agelabel FROM persons\n"
            "         ^",
        ),
        ("SELECT decade FROM persons", "decade is in media"),
        ("SELECT persons.nme FROM persons", "did you mean name? in faces, persons, appearances"),
        ("SELECT * FROM person", "did you mean persons? there are faces, persons, shots"),
        ("SELECT * FORM faces", 'SQL, line 1, column 15: syntax error at or near "faces"'),
        ("SELECT medain(age_label) FROM persons", "did you mean median?"),
        ("SELECT 'x'::INT FROM persons", "Could not convert string 'x' to INT32"),
        ("SELECT CAST(who AS INT) FROM persons", "Could not convert string 'Ada' to INT32"),
        ("SELECT (who FROM persons", 'SQL, line 1, column 13: syntax error at or near "FROM"'),
    ],
)
def test_errors_say_where_and_what_instead(folder, sql, message):
    with pytest.raises(AnalyzerError) as wrong:
        ask(folder, sql)
    assert message in str(wrong.value)
