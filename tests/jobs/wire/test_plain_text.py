"""Texts that may hold names of files."""

import os

import pytest

from jobs.wire.plain_text import plain_text, plain_values


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("caf\u00e9 \U0001f3ac", "caf\u00e9 \U0001f3ac"),
        (os.fsdecode(b"/films/caf\xe9.mp4"), "/films/caf\\xe9.mp4"),
        ("\ud800\udfff", "\\ud800\\udfff"),
        ("a\0b", "a\\x00b"),
    ],
)
def test_what_is_no_text_is_escaped(text: str, plain: str) -> None:
    assert plain_text(text, 100) == plain
    assert plain.encode("utf-8")


def test_lengths_are_bounded_with_escapes() -> None:
    assert len(plain_text("\udcff" * 5000, 4000)) == 4000
    values = plain_values({"stage": "\udcff" * 300, "done": 0.5})
    assert (len(values["stage"]), values["done"]) == (200, 0.5)
