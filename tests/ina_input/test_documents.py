"""JSON of others: bounded, finite, each key once."""

import json
import math
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ina_input import documents
from ina_input.regular import BoundExceeded

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_what_json_writes_is_read(value):
    assert documents.parse(json.dumps(value)) == value


@given(st.text(alphabet='[]{}",:\\1e-.Nantrue \n') | st.binary())
def test_anything_else_is_a_value_error(text):
    try:
        value = documents.parse(text)
    except ValueError:
        return
    assert value == json.loads(text), "what is taken is what JSON says"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[" * 100_000, "nested"),
        ("[" * 100_000 + "]" * 100_000, "nested"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "nested"),
        ('["\\\\",' + "[" * 70 + "]" * 70 + "]", "nested"),
        ("[" + "1," * 6_000_000 + "1]", "values"),
        ("[" + "[]," * 6_000_000 + "1]", "values"),
        ("9" * 10_000, "64 bits"),
        ("-" + "9" * 10_000_000, "64 bits"),
        ("9223372036854775808", "64 bits"),
        ("1e999", "too large"),
        ("[NaN]", "NaN is not a finite number"),
        ("-Infinity", "not a finite"),
        ('{"a": 1, "a": 2}', "'a' stands there twice"),
        ("", "Expecting value"),
        (b"\xff", "utf-8"),
    ],
    ids=lambda text: str(text[:20]),
)
def test_what_exceeds_a_bound_is_named(text, says):
    started = time.process_time()
    with pytest.raises(ValueError, match=says):
        documents.parse(text)
    assert time.process_time() - started < 10


def test_the_widest_and_deepest_are_read():
    assert documents.parse("[" * 64 + "]" * 64)
    assert documents.parse(json.dumps({"a": "[" * 1000, "b": '"' * 1000 + "," * 6_000_000}))
    assert documents.parse("9223372036854775807") == 2**63 - 1
    assert math.isclose(documents.parse("1" + "0" * 300 + ".0"), 1e300)


def test_a_text_of_many_values_needs_no_room():
    text = "[" + "{}," * 20_000_000 + "1]"
    tracemalloc.start()
    with pytest.raises(BoundExceeded):
        documents.parse(text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 * len(text)


def test_lines_have_numbers_and_bounds(tmp_path, monkeypatch):
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n\n[2]\n')
    assert list(documents.read_lines(path)) == [(1, {"a": 1}), (3, [2])]
    path.write_text("1\n[NaN]\n")
    with pytest.raises(ValueError, match="line 2: NaN"):
        list(documents.read_lines(path))
    monkeypatch.setattr(documents, "MAX_LINES", 1)
    path.write_text("1\n2\n")
    with pytest.raises(BoundExceeded, match="more than 1 lines"):
        list(documents.read_lines(path))
    monkeypatch.setattr(documents, "MAX_LINE_CHARACTERS", 5)
    path.write_text("1234567")
    with pytest.raises(BoundExceeded, match="line 1: more than 5 characters"):
        list(documents.read_lines(path))
