"""Prepared questions: SQL with a name, a sentence and arguments."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analyzer.errors import UsageError

Value = str | float


@dataclass(frozen=True)
class Argument:
    """An argument of a question, `$name` in its SQL."""

    name: str
    default: Value
    """Its type is that of the argument; text that is empty stands for none."""
    help: str


@dataclass(frozen=True)
class Question:
    """A question with a name."""

    name: str
    help: str
    sql: str
    arguments: Sequence[Argument] = ()
    seeks_face: bool = False
    """Whether the arguments name a face, which stands for `$embedding` in the SQL."""


_MOMENTS = """
WITH changes AS (
    SELECT medium, start_s AS time_s, 1 AS change, coalesce(person_id, -1) AS code
    FROM appearances WHERE end_s > start_s
    UNION ALL
    SELECT medium, end_s, -1, -coalesce(person_id, -1) FROM appearances WHERE end_s > start_s
), moments AS (
    -- From one change to the next: how many are on screen; of one alone, the sum is the number.
    SELECT
        medium,
        lead(time_s) OVER next - time_s AS duration_s,
        sum(change) OVER next AS people,
        sum(code) OVER next AS person_id
    FROM changes
    WINDOW next AS (PARTITION BY medium ORDER BY time_s)
), alone AS (
    SELECT medium, person_id, sum(duration_s) AS alone_s
    FROM moments WHERE people = 1 AND person_id >= 0 GROUP BY medium, person_id
)"""
"""Seconds that each person is the only one on screen; unidentified faces are company."""

_ALL = (
    Question(
        "alone_on_screen",
        "how long people of a sex above an age are alone on screen",
        f"""{_MOMENTS}
SELECT who, medium, sex_label, age_label, round(alone_s, 3) AS alone_s, screen_time_s,
    round(alone_s / screen_time_s, 4) AS alone_share
FROM alone JOIN persons USING (medium, person_id)
WHERE sex_label = $sex AND age_label > $over
ORDER BY alone_s DESC, medium, who""",
        (
            Argument("sex", "f", "perceived sex: f or m"),
            Argument("over", 50.0, "years that the perceived age is above"),
        ),
    ),
    Question(
        "together",
        "who is on screen together, and for how long",
        """
WITH parts AS (
    -- By parts of ten seconds, so that not every pair of a medium is compared.
    SELECT medium, who, start_s, end_s, floor(start_s / 10) AS first,
        unnest(range(CAST(floor(start_s / 10) AS BIGINT), CAST(floor(end_s / 10) AS BIGINT) + 1))
            AS part
    FROM appearances WHERE person_id IS NOT NULL
)
SELECT a.who AS who, b.who AS with_who, count(DISTINCT a.medium) AS media,
    round(sum(least(a.end_s, b.end_s) - greatest(a.start_s, b.start_s)), 3) AS together_s
FROM parts a JOIN parts b ON a.medium = b.medium AND a.part = b.part
WHERE a.start_s < b.end_s AND b.start_s < a.end_s AND a.part = greatest(a.first, b.first)
    AND CASE WHEN $who = '' THEN a.who < b.who ELSE a.who = $who AND b.who <> $who END
GROUP BY a.who, b.who
ORDER BY together_s DESC, who, with_who""",
        (Argument("who", "", "only with this person: a value of the column who"),),
    ),
    Question(
        "films_with_face",
        "where a face is seen, by the distance of embeddings",
        """
WITH near AS MATERIALIZED (
    SELECT * FROM (
        SELECT medium, person_id, time_s, array_distance(
            CASE WHEN len(embedding) = $dimensions THEN embedding::FLOAT[$dimensions] END,
            $embedding::FLOAT[$dimensions]) AS distance
        FROM faces WHERE embedding IS NOT NULL
    ) WHERE distance < $distance
)
SELECT medium, who, near.person_id, round(CAST(min(distance) AS DOUBLE), 4) AS distance,
    count(*) AS faces, min(time_s) AS first_s
FROM near JOIN media USING (medium) LEFT JOIN persons USING (medium, person_id)
WHERE describer = $describer
GROUP BY medium, who, near.person_id
ORDER BY distance, medium, who""",
        (
            Argument("picture", "", "picture with the face; its largest is taken"),
            Argument("medium", "", "or a row of the view faces: its medium,"),
            Argument("frame", -1.0, "its frame"),
            Argument("face_id", -1.0, "and its face_id"),
            Argument("distance", 0.0, "distance below which it is the face; 0: the describer's"),
        ),
        seeks_face=True,
    ),
    Question(
        "screen_time_by_sex_and_decade",
        "screen time of persons by perceived sex and the decade of the medium",
        """SELECT decade, sex_label, count(DISTINCT medium) AS media, count(*) AS persons,
    round(sum(screen_time_s), 3) AS screen_time_s,
    round(sum(screen_time_s) / nullif(sum(sum(screen_time_s)) OVER (PARTITION BY decade), 0), 4)
        AS share_of_decade
FROM persons JOIN media USING (medium)
GROUP BY decade, sex_label
ORDER BY decade NULLS LAST, sex_label NULLS LAST""",
    ),
    Question(
        "never_with_another",
        "people who are never on screen with another face",
        f"""{_MOMENTS}
SELECT who, any_value(sex_label) AS sex_label, count(*) AS media,
    round(sum(persons.screen_time_s), 3) AS screen_time_s
FROM persons LEFT JOIN alone USING (medium, person_id)
WHERE persons.screen_time_s > $seconds
GROUP BY who
HAVING bool_and(coalesce(alone_s, 0) >= persons.screen_time_s - 0.001)
ORDER BY screen_time_s DESC, who""",
        (Argument("seconds", 0.0, "least seconds on screen in a medium"),),
    ),
)
ALL: Mapping[str, Question] = {question.name: question for question in _ALL}


def find(name: str) -> Question:
    """Return a question.

    Raises:
        UsageError: There is none of that name.
    """
    if name not in ALL:
        close = difflib.get_close_matches(name, ALL, n=1)
        hint = f": did you mean {close[0]}?" if close else ""
        raise UsageError(
            f"no question {name!r}{hint} There are {', '.join(ALL)}; SQL begins with SELECT"
        )
    return ALL[name]


def values(question: Question, given: Sequence[str]) -> dict[str, Value]:
    """Return the values of all arguments.

    Args:
        question: Its arguments.
        given: Texts `name=value`.

    Raises:
        UsageError: A text has another form, an unknown name, or a value that is no number.
    """
    known = {argument.name: argument for argument in question.arguments}
    read = {name: argument.default for name, argument in known.items()}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or name not in known:
            names = ", ".join(f"{each}=..." for each in known) or "none"
            raise UsageError(f"{question.name}: argument {text!r}: it takes {names}")
        read[name] = _number(name, value) if isinstance(known[name].default, float) else value
    return read


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not abs(number) < float("inf"):
        raise UsageError(f"{name}={text}: not a number")
    return number
