"""Prepared questions about people that are known."""

from pathlib import Path

import pytest

from analyzer.ask import questions, sql
from analyzer.errors import InputError, UsageError


def ask(folder: Path, question: str, *arguments: str) -> list[tuple]:
    with sql.answered(folder, question, arguments, None) as (answer, _):
        return list(answer.rows())


def test_women_over_fifty_alone_on_screen(folder):
    """Of 0.8 s, one has 0.4 s with a man; in the other film 0.2 s beside an unidentified face."""
    assert ask(folder, "alone_on_screen") == [
        ("Ada", "old", "f", 61.0, 0.4, 0.8, 0.5),
        ("Ada", "sub [1]/new*", "f", 62.0, 0.2, 0.4, 0.5),
    ]
    assert ask(folder, "alone_on_screen", "over=25")[1][:2] == ("old person 2", "old")
    assert ask(folder, "alone_on_screen", "sex=m") == []


def test_who_is_on_screen_together(folder):
    assert ask(folder, "together") == [("Ada", "old person 1", 1, 0.4)]
    assert ask(folder, "together", "who=old person 1") == [("old person 1", "Ada", 1, 0.4)]
    assert ask(folder, "together", "who=' OR 1=1") == []


def test_screen_time_by_sex_and_decade(folder):
    assert ask(folder, "screen_time_by_sex_and_decade") == [
        (1950, "f", 1, 2, 1.0, 0.7143),
        (1950, "m", 1, 1, 0.4, 0.2857),
        (2020, "f", 1, 1, 0.4, 1.0),
        (None, "m", 1, 1, None, None),
    ]


def test_people_never_seen_with_another(folder):
    assert ask(folder, "never_with_another") == [("old person 2", "f", 1, 0.2)]


def test_films_with_the_face_of_a_row(folder):
    row = ("medium=old", "frame=0", "face_id=0")
    assert ask(folder, "films_with_face", *row, "distance=0.5") == [
        ("old", "Ada", 0, 0.0, 1, 0.0),
        ("sub [1]/new*", "Ada", 0, 0.1, 1, 0.0),
    ]
    assert len(ask(folder, "films_with_face", *row, "distance=2")) == 2
    with pytest.raises(InputError, match="not described: take a row WHERE embedding"):
        ask(folder, "films_with_face", "medium=old", "frame=20", "distance=1")
    with pytest.raises(InputError, match="no such row"):
        ask(folder, "films_with_face", "medium=old", "frame=7", "distance=1")
    with pytest.raises(InputError, match="no results with a describer of medium 'nobody'"):
        ask(folder, "films_with_face", "medium=nobody", "frame=7", "distance=1")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["togther"], "no question 'togther': did you mean together?"),
        (["together", "name=a"], "argument 'name=a': it takes who=..."),
        (["together", "Ada"], "argument 'Ada': it takes who=..."),
        (["alone_on_screen", "over=old"], "over=old: not a number"),
        (["films_with_face"], "give picture=FILE, or medium="),
        (["SELECT 1", "who=a"], "SQL takes no arguments, such as 'who=a'"),
    ],
)
def test_wrong_questions_are_told(folder, words, message):
    with pytest.raises(UsageError) as wrong:
        ask(folder, *words)
    assert message in str(wrong.value)


def test_every_question_is_explained():
    for question in questions.ALL.values():
        assert question.help
        for argument in question.arguments:
            assert argument.help
            assert f"${argument.name}" in question.sql or question.seeks_face
