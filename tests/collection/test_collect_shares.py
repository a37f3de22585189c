"""Shares of a collection: films are the clusters."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analyzer.__main__ import main
from analyzer.reports import report_file
from tests.support.reports import film_of_shots

RANDOM = np.random.default_rng(6)


def film(share: float, number: int, models: dict[str, str] | None = None):
    """A film of 20 shots with about this share of women; nobody is in two films."""
    logits = np.where(RANDOM.random(20) < share, -3.0, 2.6) + RANDOM.normal(0, 1.0, 20)
    report = film_of_shots(logits.tolist(), uri=f"{number}.mp4")
    random = np.random.default_rng(number)
    centroids = random.normal(0, 1, report.identities.centroids.shape).astype(np.float32)
    return replace(
        report,
        identities=replace(report.identities, centroids=centroids),
        provenance={
            "options": {**report.provenance["options"], "describer": "dlib_resnet"},
            "cluster_threshold": 0.1,
            "models": models or report.provenance["models"],
        },
    )


def collected(folder: Path, films) -> dict[tuple[str, str], dict[str, str]]:
    """Return the rows of the table by measure and group."""
    paths = []
    for number, each in enumerate(films):
        paths.append(str(folder / f"{number}.report.zip"))
        report_file.save(each, Path(paths[-1]), portraits={})
    assert main(["collect", *paths, "-o", str(folder / "out")]) == 0
    with (folder / "out" / "shares.csv").open(newline="", encoding="utf-8") as stream:
        return {(row["measure"], row["group"]): row for row in csv.DictReader(stream)}


def women_in(films) -> float:
    logits = np.concatenate([each.observations.heads["sex"][:, 0] for each in films])
    return float((logits < 0).mean())


def test_films_are_the_clusters(tmp_path):
    films = [film(share, n) for n, share in enumerate(np.linspace(0.1, 0.7, 30))]
    rows = collected(tmp_path, films)
    women = rows["face_time", "f"]
    assert float(women["observed"]) == pytest.approx(women_in(films), abs=1e-4)
    assert (women["clusters"], float(women["amount"])) == ("30", 600)
    assert float(women["low"]) < float(women["corrected"]) < float(women["high"])
    # Films differ more than the lot of 600 faces explains.
    assert float(women["high"]) - float(women["low"]) > 2 * 1.96 * np.sqrt(0.24 / 600)
    assert rows["persons", "f"]["amount"] == "600.000"
    assert float(rows["people_per_minute", "f"]["per_minute"]) > 0


def test_few_films_give_a_note_and_no_interval(tmp_path):
    women = collected(tmp_path, [film(0.5, n) for n in range(5)])["face_time", "f"]
    assert (women["low"], women["high"]) == ("", "")
    assert women["note"] == "no interval: fewer than 10 films with this group, or without it"
    assert "no interval" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_the_order_of_films_changes_nothing(tmp_path):
    films = [film(share, n) for n, share in enumerate(np.linspace(0.1, 0.7, 12))]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert collected(tmp_path / "a", films) == collected(tmp_path / "b", films[::-1])


def test_films_of_several_networks_are_not_corrected(tmp_path):
    films = [film(0.4, n, {"branch": "0" * 64} if n % 2 else None) for n in range(12)]
    women = collected(tmp_path, films)["face_time", "f"]
    assert women["corrected"] == ""
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "nothing is corrected" in page


def test_a_report_with_damaged_rows_is_left_out_and_named(tmp_path, monkeypatch):
    load = report_file.load

    def broken(path):
        if path.name == "3.report.zip":
            raise report_file.InputError(f"{path}: damaged")
        return load(path)

    monkeypatch.setattr(report_file, "load", broken)
    women = collected(tmp_path, [film(0.4, n) for n in range(12)])["face_time", "f"]
    assert women["clusters"] == "11"
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "1 medium is not in the shares" in page
