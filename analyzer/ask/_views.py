"""The views: SQL over the files, and over the documents in their metadata."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

FACES = {
    "frame": "BIGINT",
    "still": "VARCHAR",
    "bbox": "INTEGER[]",
    "face_id": "BIGINT",
    "detect_conf": "DOUBLE",
    "track_conf": "DOUBLE",
    "sex_decfunc": "DOUBLE",
    "age_decfunc": "DOUBLE",
    "sex_label": "VARCHAR",
    "age_label": "DOUBLE",
    "sex_decfunc_avg": "DOUBLE",
    "age_decfunc_avg": "DOUBLE",
    "sex_label_avg": "VARCHAR",
    "age_label_avg": "DOUBLE",
    "time_s": "DOUBLE",
    "person_id": "BIGINT",
    "name": "VARCHAR",
    "sharpness": "DOUBLE",
    "frontality": "DOUBLE",
    "ethnicity_label": "VARCHAR",
    "duration_s": "DOUBLE",
    "embedding": "FLOAT[]",
    "person_sex_label": "VARCHAR",
    "person_age_label": "DOUBLE",
    "person_age_low": "DOUBLE",
    "person_age_high": "DOUBLE",
    "person_screen_time_s": "DOUBLE",
}
"""Columns of the view `faces` behind `medium`, whatever the files have; further ones follow."""
_SUFFIX = ".parquet"
_ATTRIBUTE = '{"label":"VARCHAR","value":"DOUBLE","low":"DOUBLE","high":"DOUBLE"}'
_ON_SCREEN = (
    '"face_count":"BIGINT","track_ids":["BIGINT"],"first_s":"DOUBLE","last_s":"DOUBLE",'
    '"screen_time_s":"DOUBLE","screen_share":"DOUBLE","mean_area_ratio":"DOUBLE"%(stretches)s'
)
_PERSON = (
    '{"person_id":"BIGINT","name":"VARCHAR","name_distance":"DOUBLE","identity_id":"BIGINT",'
    f'"attributes":{{"sex":{_ATTRIBUTE},"age":{_ATTRIBUTE},"ethnicity":{_ATTRIBUTE}}},'
    f"{_ON_SCREEN}}}"
)
_SHOT = (
    '{"shot":"BIGINT","start_s":"DOUBLE","end_s":"DOUBLE","frame":"VARCHAR",'
    '"person_ids":["BIGINT"]}'
)
_YEAR = "(?:18[89]|19[0-9]|20[0-9])[0-9]"

_PEOPLE = """
CREATE TABLE internal.people AS SELECT
    medium,
    p.person_id AS person_id,
    coalesce(p.name, 'identity ' || p.identity_id, medium || ' person ' || p.person_id) AS who,
    p.name AS name,
    p.name_distance AS name_distance,
    p.identity_id AS identity_id,
    p.attributes.sex.label AS sex_label,
    try_cast(p.attributes.age.label AS DOUBLE) AS age_label,
    p.attributes.age.low AS age_low,
    p.attributes.age.high AS age_high,
    p.attributes.ethnicity.label AS ethnicity_label,
    p.face_count AS face_count,
    len(p.track_ids) AS track_count,
    p.first_s AS first_s,
    p.last_s AS last_s,
    p.screen_time_s AS screen_time_s,
    p.screen_share AS screen_share,
    p.mean_area_ratio AS mean_area_ratio,
    %(intervals)s AS intervals_s
FROM (SELECT medium, unnest(d.persons) AS p FROM internal.parsed)
"""
_PERSONS = """
CREATE TABLE persons AS
SELECT * EXCLUDE (intervals_s) FROM internal.people ORDER BY medium, person_id
"""
_APPEARANCES = """
CREATE TABLE appearances AS
SELECT * EXCLUDE (stretch), stretch[1] AS start_s, stretch[2] AS end_s,
    round(stretch[2] - stretch[1], 6) AS duration_s
FROM (
    SELECT medium, person_id, who, name, sex_label, age_label, unnest(intervals_s) AS stretch
    FROM internal.people
    UNION ALL
    SELECT medium, NULL, NULL, NULL, NULL, NULL, unnest(%(unidentified)s)
    FROM internal.parsed
)
"""
_SHOTS = """
CREATE TABLE shots AS SELECT
    medium, s.shot AS shot, s.start_s AS start_s, s.end_s AS end_s,
    round(s.end_s - s.start_s, 6) AS duration_s, s.frame AS still,
    len(s.person_ids) AS person_count, s.person_ids AS person_ids
FROM (
    SELECT medium, unnest(shots.shots) AS s FROM internal.parsed
) ORDER BY medium, shot
"""
_DOCUMENT = (
    '{"medium":{"uri":"VARCHAR","kind":"VARCHAR","width_px":"BIGINT","height_px":"BIGINT",'
    '"frame_rate":"VARCHAR","duration_s":"DOUBLE","analysed_s":["DOUBLE"],"size_bytes":"BIGINT"},'
    '"counts":{"persons":"BIGINT","tracks":"BIGINT","shots":"BIGINT","faces_saved":"BIGINT"},'
    '"partial":"VARCHAR","options":"JSON","options_digest":"VARCHAR",'
    '"program":{"version":"VARCHAR"},'
    f'"persons":[{_PERSON}],"unidentified":{{{_ON_SCREEN}}}}}'
)
_PARTS = 4
"""Parts of the documents that DuckDB parses side by side: a table of few rows has one thread."""
_PARSED = f"""
SELECT
    medium,
    from_json(document, '{_DOCUMENT}') AS d,
    from_json(CASE WHEN %(shots)s THEN document END, '{{"shots":[{_SHOT}]}}') AS shots
FROM internal.documents WHERE rowid %% {_PARTS} = %(part)s
"""
"""Stretches and shots are most of a document: only what is needed is made of it."""
_MEDIA = """
CREATE TABLE internal.media AS SELECT
    medium,
    d.medium.uri AS uri,
    d.medium.kind AS kind,
    d.medium.width_px AS width_px,
    d.medium.height_px AS height_px,
    d.medium.frame_rate AS frame_rate,
    d.medium.duration_s AS duration_s,
    d.medium.analysed_s[1] AS analysed_start_s,
    d.medium.analysed_s[2] AS analysed_end_s,
    d.medium.size_bytes AS size_bytes,
    d.counts.persons AS person_count,
    d.counts.tracks AS track_count,
    d.counts.shots AS shot_count,
    d.counts.faces_saved AS face_count,
    d.unidentified.face_count AS unidentified_face_count,
    d.unidentified.screen_time_s AS unidentified_screen_time_s,
    d.partial AS partial,
    json_extract_string(d.options, '$.detector') AS detector,
    json_extract_string(d.options, '$.describer') AS describer,
    CAST(d.options AS VARCHAR) AS options,
    d.options_digest AS options_digest,
    d.program.version AS program_version
FROM internal.parsed
"""
_DATED = f"""
CREATE TABLE media AS
SELECT *, year // 10 * 10 AS decade FROM (
    SELECT m.* EXCLUDE (file_name), try_cast(coalesce(
        %(year)s
        nullif(regexp_extract(file_name, '[(]({_YEAR})[)]', 1), ''),
        nullif(regexp_extract(file_name, '(?:^|.*[^0-9])({_YEAR})(?:[^0-9]|$)', 1), '')
    ) AS INTEGER) AS year%(columns)s
    FROM (SELECT *, regexp_extract(uri, '[^/]*$') AS file_name FROM internal.media) m %(join)s
) ORDER BY medium
"""
_JOIN = """LEFT JOIN (
    SELECT * FROM internal.catalogue
    QUALIFY row_number() OVER (PARTITION BY source_path) = 1
) c ON c.source_path = m.uri"""


def tables(named: Collection[str], catalogue: Sequence[str] | None) -> Iterator[str]:
    """Yield the statements that make tables of the table `internal.documents`.

    Args:
        named: Names of the tables that are needed; others have columns and no rows.
        catalogue: Columns of the table `internal.catalogue`; `None` without one.
    """
    timed = "appearances" in named
    parsed = {
        "stretches": ',"intervals_s":[["DOUBLE"]]' if timed else "",
        "shots": str("shots" in named),
    }
    parts = [_PARSED % {**parsed, "part": part} for part in range(_PARTS)]
    yield f"CREATE TABLE internal.parsed AS {' UNION ALL '.join(parts)}"
    none = "CAST(NULL AS DOUBLE[][])"
    yield _PEOPLE % {"intervals": "p.intervals_s" if timed else none}
    yield _MEDIA
    made = {
        "persons": _PERSONS,
        "appearances": _APPEARANCES
        % {"unidentified": "d.unidentified.intervals_s" if timed else none},
        "shots": _SHOTS,
        "media": _DATED % _catalogued(catalogue),
    }
    for name, statement in made.items():
        yield statement if name in named else f"{statement} LIMIT 0"


def _catalogued(columns: Sequence[str] | None) -> Mapping[str, str]:
    """Return the parts of SQL that join a catalogue; its own year comes before that of a name."""
    if columns is None:
        return {"year": "", "columns": "", "join": ""}
    own = {name for name in columns if name not in ("source_path", "year", "decade")}
    taken = [f", c.{quoted(n)} AS {quoted(f'catalogue_{n}')}" for n in columns if n in own]
    year = "regexp_extract(c.year, '^[0-9]{4}')," if "year" in columns else ""
    year = f"nullif({year[:-1]}, '')," if year else ""
    return {"year": year, "columns": "".join(taken), "join": _JOIN}


def faces(groups: Sequence[tuple[Mapping[str, str], Sequence[Path]]], root: Path) -> str:
    """Return the statement that makes the view `faces`; files of one form are read together.

    Args:
        groups: Column -> its type, and the files that have these columns.
        root: Folder of the results; names of media are paths from there.
    """
    more: dict[str, str] = {}
    for columns, _ in groups:
        for name, kind in columns.items():
            if name not in FACES:
                more[name] = kind if more.get(name, kind) == kind else "VARCHAR"
    selects = []
    for columns, files in groups:
        stills = columns.get("frame") == "VARCHAR"
        values = [
            f"{medium('filename', root)} AS medium",
            *(_value(name, kind, columns, stills) for name, kind in (FACES | more).items()),
        ]
        names = ", ".join(text(pattern(file)) for file in files)
        selects.append(f"SELECT {', '.join(values)} FROM read_parquet([{names}], filename = true)")
    return "CREATE VIEW faces AS " + " UNION ALL ".join(selects)


def _value(name: str, kind: str, columns: Mapping[str, str], stills: bool) -> str:
    """Return one column of the view; of stills, `frame` is a path, and stands in `still`."""
    source = {"still": "frame", "frame": ""}.get(name, name) if stills else name
    if source not in columns:
        return f"CAST(NULL AS {kind}) AS {quoted(name)}"
    if columns[source] == kind:
        return f"{quoted(source)} AS {quoted(name)}"
    return f"CAST({quoted(source)} AS {kind}) AS {quoted(name)}"


def medium(column: str, root: Path) -> str:
    """Return the name of a medium as SQL, of a column with the paths of its files."""
    start = len(str(root).rstrip("/")) + 2
    return f"left(substring({column}, {start}), -{len(_SUFFIX)})"


def quoted(name: str) -> str:
    """Return a name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """Return a text as SQL."""
    return "'" + value.replace("'", "''") + "'"


def pattern(path: Path) -> str:
    """Return a path as a pattern that means this file alone."""
    return "".join(f"[{letter}]" if letter in "[*?" else letter for letter in str(path))
