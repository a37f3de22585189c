"""CSV of others: rows and their number have bounds, and a row is read no further than that."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ina_input import tables
from ina_input.tables import CsvRows, CsvTable


def rows_of(path, text, **options):
    path.write_text(text, encoding="utf-8")
    with CsvRows(path, **options) as rows:
        return list(rows)


def test_rows_are_those_of_the_module_csv(tmp_path):
    text = '\ufeffa,b\n1,"x\ny"\n\n2,\n'
    assert rows_of(tmp_path / "a.csv", text) == [["a", "b"], ["1", "x\ny"], [], ["2", ""]]


def test_a_table_has_its_columns_and_the_lines_of_its_rows(tmp_path):
    (tmp_path / "a.csv").write_text('a,b\n1,"x\ny"\n\n2\n3,4,5,6\n')
    with CsvTable(tmp_path / "a.csv") as table:
        assert table.columns == ["a", "b"]
        assert list(table.rows()) == [
            (3, {"a": "1", "b": "x\ny"}),
            (5, {"a": "2", "b": ""}),
            (6, {"a": "3", "b": "4", "": "5,6"}),
        ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a" * 2_000_000, "line 1: a row of more than 1048576 characters"),
        ("a\n" + "," * 2_000_000, "line 2: a row of more than"),
        ('a\n"' + "x\n" * 2_000_000, "line 5.*: a row of more than|field larger"),
        ("a\n" + '"\n",' * 500_000, "a row of more than"),
        ("a\n" + "," * 1000, "line 2: more than 1000 cells"),
        ("," * 1000, "line 1: more than 1000 cells"),
        ("a\n" + "x" * 200_000, "field larger than field limit"),
    ],
    ids=range(7),
)
def test_what_exceeds_a_bound_is_named(text, says, tmp_path):
    with pytest.raises(csv.Error, match=says):
        rows_of(tmp_path / "a.csv", text)


def test_rows_are_counted_but_for_empty_ones(tmp_path):
    assert len(rows_of(tmp_path / "a.csv", "a\n\n\n1\n", max_rows=2)) == 4
    with pytest.raises(csv.Error, match="more than 2 rows"):
        rows_of(tmp_path / "a.csv", "a\n1\n2\n", max_rows=2)


def test_a_table_that_cannot_be_read_is_closed(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(UnicodeDecodeError):
        CsvTable(tmp_path / "a.csv")


@given(st.binary(max_size=300) | st.text('a,"\n\r1', max_size=300).map(str.encode))
def test_anything_is_rows_or_one_of_two_errors(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)
    try:
        with CsvTable(path) as table:
            assert all(len(row) <= len(table.columns) + 1 for _, row in table.rows())
    except (csv.Error, UnicodeDecodeError):
        pass


def test_bounds_are_those_of_the_document():
    assert (tables.MAX_ROWS, tables.MAX_COLUMNS) == (20_000_000, 1000)
