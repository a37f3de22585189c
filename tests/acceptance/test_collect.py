"""A joblist is served with reports, and its people are collected, as a user does both."""

import json
import shutil
import subprocess
import sys

import pytest

from analyzer.reports import report_file
from tests.support.processes import ROOT
from tests.support.servers import serve, table

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]


def test_reports_from_workers_are_collected(sample, tmp_path):
    """The same film under two names, in shards and whole, and one that cannot be read."""
    copy = tmp_path / "copy.mp4"
    shutil.copy(sample / "sample.mp4", copy)
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    rows: list[dict[str, object]] = [
        {
            "source_path": source,
            "dest_csv": tmp_path / f"{name}.csv",
            "dest_report": tmp_path / f"{name}.report.zip",
            "item_id": name,
            "metric_views": views,
        }
        for name, source, views in (
            ("one", sample / "sample.mp4", 100),
            ("two", copy, 50),
            ("three", tmp_path / "broken.mp4", 7),
        )
    ]
    code, output = serve(tmp_path, rows, "--fps", "2", "--shards", "2", "--shard_minutes", "0.05")
    assert code == 1, output
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", "collect", "jobs.csv", "-o", "people"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "3 rows, 2 media: 1 read, 1 skipped; 2 persons" in done.stdout
    assert "three: not analysed yet" in done.stderr
    truth = json.loads((sample / "sample.truth.json").read_text())
    people = table(tmp_path / "people" / "identities.csv")
    true_times = sorted((p["screen_time_s"] for p in truth["people"].values()), reverse=True)
    assert [float(row["screen_time_s"]) for row in people] == pytest.approx(true_times, abs=0.6)
    assert {row["metric_views_mean"] for row in people} == {"75.000000"}
    assert all((tmp_path / "people" / row["portrait"]).is_file() for row in people)
    assert len(report_file.portraits(tmp_path / "one.report.zip")) == 5
