"""Questions over 100 films with 10 million faces are answered in under 2 seconds."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from analyzer.ask import questions, sql

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]
FILMS, DIFFERENT, ROWS = 100, 5, 100_000
PERSONS, STRETCHES, SHOTS = 40, 75, 2000
SIZE = 128
LIMIT_S = 2.0
TRIES = 8
OWN = {
    "faces": "SELECT sex_label, count(*), sum(duration_s) FROM faces GROUP BY 1",
    "media": "SELECT medium, sex_label, sum(duration_s) FROM faces GROUP BY ALL",
    "ages": "SELECT floor(age_label / 10), count(*) FROM faces WHERE sharpness > 0.6 GROUP BY 1",
    "joined": "SELECT decade, avg(age_label) FROM faces JOIN media USING (medium) GROUP BY 1",
}


def document(rng: np.random.Generator, number: int) -> dict[str, object]:
    """Persons with stretches of some seconds in a film of 10,000 s, and its shots and tracks."""
    persons, tracks = [], []
    for person in range(PERSONS):
        starts = np.sort(rng.choice(np.arange(0, 9990, 10), STRETCHES, replace=False)) * 1.0
        ends = starts + rng.uniform(1, 9, STRETCHES).round(1)
        stretches = np.stack([starts, ends], 1).round(1).tolist()
        seconds = sum(end - start for start, end in stretches)
        sex = {"label": "fm"[person % 2], "value": 1.0, "low": None, "high": None}
        age = {"label": f"{30 + person}.0", "value": 4.0, "low": 25.0, "high": 75.0}
        persons.append({"person_id": person, "name": None, "attributes": {"sex": sex, "age": age},
                        "face_count": ROWS // PERSONS, "track_ids": [person],
                        "screen_time_s": seconds, "intervals_s": stretches})  # fmt: skip
        tracks += [{"track_id": n, "person_id": person, "face_count": 33, "labels": {"sex": "f"},
                    "intervals_s": [s]} for n, s in enumerate(stretches)]  # fmt: skip
    shots = [{"shot": n, "start_s": n * 5.0, "end_s": n * 5.0 + 5, "person_ids": [1, 2]}
             for n in range(SHOTS)]  # fmt: skip
    return {"medium": {"uri": f"film ({1950 + 10 * number}).mp4", "kind": "video"},
            "options": {"describer": "dlib_resnet"}, "counts": {"persons": PERSONS},
            "persons": persons, "unidentified": None, "shots": shots, "tracks": tracks}  # fmt: skip


def film(path: Path, number: int) -> None:
    rng = np.random.default_rng(number)
    owner = rng.integers(0, PERSONS, ROWS)
    described = np.arange(ROWS) % 50 == 0
    ends = np.concatenate([[0], np.cumsum(described * SIZE)]).astype(np.int32)
    vectors = rng.standard_normal((described.sum(), SIZE)).astype(np.float32).ravel()
    table = pa.table({
        "frame": np.arange(ROWS) // 2 * 5,
        "bbox": pa.array([[10, 20, 110, 140]] * ROWS, pa.list_(pa.int32())),
        "face_id": owner,
        "detect_conf": rng.uniform(0.5, 1, ROWS),
        "sex_decfunc": rng.standard_normal(ROWS),
        "age_decfunc": rng.uniform(0, 9, ROWS),
        "sex_label": np.array(["f", "m"])[owner % 2],
        "age_label": rng.uniform(1, 90, ROWS).round(1),
        "time_s": np.arange(ROWS) // 2 * 0.2,
        "person_id": owner,
        "name": pa.nulls(ROWS, pa.string()),
        "sharpness": rng.uniform(0, 1, ROWS),
        "frontality": rng.uniform(0, 1, ROWS),
        "duration_s": np.full(ROWS, 0.2),
        "embedding": pa.ListArray.from_arrays(ends, vectors, mask=pa.array(~described)),
    })  # fmt: skip
    metadata = {"ina": json.dumps(document(rng, number))}
    pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), path, compression="zstd")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("archive")
    for number in range(DIFFERENT):
        film(folder / f"film{number}.parquet", number)
    for number in range(DIFFERENT, FILMS):
        shutil.copy(folder / f"film{number % DIFFERENT}.parquet", folder / f"film{number}.parquet")
    yield folder
    shutil.rmtree(folder)


ROW = ("medium=film0", "frame=0", "distance=20")
ASKED = [(name, ROW if name == "films_with_face" else ()) for name in questions.ALL]


@pytest.mark.parametrize(
    ("question", "arguments"), [*ASKED, *((text, ()) for text in OWN.values())]
)
def test_ten_million_faces_are_asked_in_two_seconds(archive, question, arguments):
    def once() -> float:
        start = time.perf_counter()
        with sql.answered(archive, question, arguments, None) as (answer, notes):
            rows = list(answer.rows())
        assert (bool(rows), notes) == (question != "never_with_another", [])
        return time.perf_counter() - start

    # Other work on the machine only adds to it: one quick answer is enough.
    times = [once()]
    while min(times) >= LIMIT_S and len(times) < TRIES:
        times.append(once())
    print(f"{min(times):.2f} s: {question}")
    assert min(times) < LIMIT_S
