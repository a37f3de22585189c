"""Publishing: whole files, the csv last."""

from pathlib import Path

import pytest

from jobs.errors import JobFailed
from jobs.outputs import publish
from tests.support.jobs import commit, make_lease, write_parts


def test_nothing_stands_under_its_name_before_commit(tmp_path: Path) -> None:
    lease = make_lease(tmp_path)
    manifest = write_parts(lease)
    assert not any(Path(dest).exists() for dest in lease.dests.values())
    commit(lease, manifest)
    assert Path(lease.dests["csv"]).read_text() == "x csv"
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a.ass", "a.csv"]


def test_the_csv_comes_last(tmp_path: Path) -> None:
    assert list(write_parts(make_lease(tmp_path)).files) == ["ass", "csv"]


def test_commit_may_be_repeated_after_any_rename(tmp_path: Path) -> None:
    lease = make_lease(tmp_path)
    manifest = write_parts(lease)
    first = manifest.files["ass"]
    Path(first.part).replace(first.path)
    commit(lease, manifest)
    commit(lease, manifest)
    assert Path(lease.dests["csv"]).read_text() == "x csv"


def test_commit_fails_when_part_and_result_are_gone(tmp_path: Path) -> None:
    lease = make_lease(tmp_path)
    manifest = write_parts(lease)
    part = publish.part_paths(lease)["csv"]
    part.unlink()
    Path(lease.dests["csv"]).write_text("another csv")
    with pytest.raises(JobFailed) as caught:
        commit(lease, manifest)
    assert caught.value.kind == "transient"


def test_an_exporter_that_writes_nothing_is_a_bug(tmp_path: Path) -> None:
    lease = make_lease(tmp_path)
    publish.open_folders(lease)
    with publish.OpenParts(lease) as outputs:
        parts = outputs.paths()
        parts["ass"].write_text("")
        with pytest.raises(JobFailed, match="exporter csv wrote no file"):
            outputs.seal({}, parts)


def test_what_a_task_leaves_out_is_not_published(tmp_path: Path) -> None:
    lease = make_lease(tmp_path)
    publish.open_folders(lease)
    with publish.OpenParts(lease) as outputs:
        parts = {"csv": outputs.paths()["csv"]}
        parts["csv"].write_text("x")
        manifest = outputs.seal({}, parts)
    commit(lease, manifest)
    assert [*manifest.files] == ["csv"]
    assert Path(lease.dests["csv"]).read_text() == "x"


def test_parts_of_earlier_leases_are_cleared(tmp_path: Path) -> None:
    old = publish.part_paths(make_lease(tmp_path, token=2))["csv"]
    write_parts(make_lease(tmp_path, token=2))
    publish.open_folders(make_lease(tmp_path, token=3))
    assert not old.exists()


def test_a_folder_in_the_place_of_an_output_is_bad_input(tmp_path: Path) -> None:
    lease = make_lease(tmp_path)
    Path(lease.dests["csv"]).mkdir(parents=True)
    with pytest.raises(JobFailed, match="is a folder"):
        publish.open_folders(lease)
