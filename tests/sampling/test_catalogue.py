"""Catalogues of archives, right and wrong: each fault has its line and its cure."""

from pathlib import Path

import pytest

from analyzer.errors import UsageError
from analyzer.sampling import catalogue

HEADER = "source_path,duration_s,channel,decade\n"


def read(folder: Path, text: str | bytes, *columns: str) -> catalogue.FilmCatalogue:
    path = folder / "archive.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return catalogue.read(path, columns)


def test_strata_are_the_combinations_that_there_are(tmp_path: Path) -> None:
    text = f"{HEADER}a.mp4,60,one,1950\nb.mp4,90.5,two,1950\n,,,\nc.mp4,5,one,\nd.mp4,7,one,1950\n"
    films = read(tmp_path, text, "channel", "decade")
    assert films.paths == ["a.mp4", "b.mp4", "c.mp4", "d.mp4"]
    assert films.duration_s.tolist() == [60, 90.5, 5, 7]
    names, numbers = films.strata(["channel", "decade"])
    of_films = [names[number] for number in numbers]
    assert of_films == ["one/1950", "two/1950", "one/unknown", "one/1950"]
    assert films.value("channel", 1) == "two"
    assert films.strata([])[0] == ["all"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("source_path\na\n", ":1: no column duration_s: add it; the header has source_path"),
        ("", ":1: no header: the first line must name source_path and duration_s"),
        ("source_path;duration_s\na;5\n", ":1: columns are separated by ';' or tabs: separate"),
        (HEADER, ": no films: write a row for each under the header"),
        (
            f"{HEADER}a,,x,1\n",
            ":2: duration_s is empty: write the film's seconds, as ffprobe states them",
        ),
        (f"{HEADER}a,-5,x,1\n", ":2: duration_s '-5' is no length: write seconds, such as 5400.5"),
        (f"{HEADER}a,0,x,1\n", ":2: duration_s '0' is no length"),
        (f"{HEADER}a,1:30:00,x,1\n", ":2: duration_s '1:30:00' is no length"),
        (f"{HEADER}a,inf,x,1\n", ":2: duration_s 'inf' is no length"),
        (f"{HEADER}a,5,x,1\nb,5,x,1\na,6,x,1\n", ":4: source_path 'a' is that of line 2, too"),
        (f"{HEADER}a,5,x,1\n./a,6,x,1\n", ":3: source_path './a' is that of line 2, too"),
        ("source_path,duration_s,duration_s\na,5,6\n", ":1: 2 columns duration_s: keep one"),
        (f"{HEADER},5,x,1\n", ":2: source_path is empty: give a path"),
        (f"{HEADER}a,b,5,x,1\n", ":2: 5 cells under 4 columns: quote cells with commas"),
        (b"source_path,duration_s\n\xff,5\n", "not UTF-8"),
        (f'{HEADER}"a,5\n', "not CSV"),
    ],
)
def test_faults(text: str | bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, text)
    assert message in str(caught.value)


def test_a_missing_file_and_a_missing_stratum(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        catalogue.read(tmp_path / "none.csv")
    with pytest.raises(UsageError, match="no column genre: add it; the header has source_path"):
        read(tmp_path, f"{HEADER}a,5,x,1\n", "genre")
