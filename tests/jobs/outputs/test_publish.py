"""Publishing: whole files, the csv last."""

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from joblist.model import JobSpec
from jobs.errors import JobFailed
from jobs.outputs import part_names, publish
from jobs.outputs.part_names import part_name
from jobs.server import cleanup
from jobs.types import Bounds, Lease, Manifest
from jobs.worker.child import outcome_of
from tests.support.jobs import commit, make_lease, manifest_of, write_parts


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


def named(lease: Lease, **changes: str) -> Manifest:
    """A manifest with another csv."""
    files = dict(manifest_of(lease).files)
    files["csv"] = replace(files["csv"], **changes)
    return Manifest(files=files)


def test_a_manifest_names_what_is_its_job_s_and_nothing_else(tmp_path: Path) -> None:
    lease = replace(make_lease(tmp_path), ledger="0123456789abcdef")
    csv, part = lease.dests["csv"], str(publish.part_paths(lease)["csv"])
    ids = {"job": lease.job, "token": lease.token, "ledger": lease.ledger}
    right = manifest_of(lease)
    assert publish.fault(right, lease.dests, **ids) == ""
    less = Manifest(files={"csv": right.files["csv"]})
    assert publish.fault(less, lease.dests, **ids) == "", "an exporter may leave its file out"
    wrong = {
        "no csv is among": [Manifest(files={}), Manifest(files={"ass": right.files["ass"]})],
        "is not the job's csv": [named(lease, path="/etc/passwd"), named(lease, path=f"{csv}/x")],
        "is no part file of the job": [
            named(lease, part=text)
            for text in (
                *("/etc/passwd", csv, f"{part}0", f"{part}.1", part.replace(".3", ".4")),
                *(part.replace(".7.", ".8."), part.replace("0123", "0124"), "", f"x{part}"),
                *(f"{csv}.part.7.2", f"{csv}.part.7.33", lease.dests["ass"]),
            )
        ],
        "is not the job's mp4": [Manifest(files={**right.files, "mp4": right.files["csv"]})],
    }
    for says, manifests in wrong.items():
        for manifest in manifests:
            assert says in publish.fault(manifest, lease.dests, **ids), manifest
            with pytest.raises(JobFailed, match="nothing is published"):
                commit(lease, manifest)
    before = named(lease, part=f"{csv}.part.7.3")
    assert publish.fault(before, lease.dests, **ids) == "", "as versions before wrote it"


def test_parts_of_two_ledgers_never_meet(tmp_path: Path) -> None:
    one, two = (replace(make_lease(tmp_path), ledger=uid) for uid in ("1" * 16, "2" * 16))
    first, second = write_parts(one, "one"), write_parts(two, "two")
    commit(one, first)
    assert Path(one.dests["csv"]).read_text() == "one csv"
    commit(two, second)
    assert Path(one.dests["csv"]).read_text() == "two csv"


@pytest.mark.parametrize("letter", ["x", "ü", "漢", "\udcff"])
@pytest.mark.parametrize("length", [1, 150, 191, 192, 234, 239, 255])
def test_names_of_parts_fit_and_differ(tmp_path: Path, letter: str, length: int) -> None:
    stem = letter * ((length - 4) // len(os.fsencode(letter)))
    names = [f"{stem}.csv", f"{stem}.ass"] if stem else ["a", "b"]
    paths = []
    for name in names:
        dest = str(tmp_path / name)
        shard = part_names.shard_name(dest, 9_999_999, 999, 99, 100, "0" * 16)
        paths += [part_names.part_name(dest, 9_999_999, token, "0" * 16) for token in (1, 999)]
        paths += [shard, part_names.part_name(shard, 9_999_999, 999, "0" * 16)]
    assert len({*paths}) == len(paths)
    for path in paths:
        assert len(os.fsencode(os.path.basename(path))) <= 255
        Path(path).touch()
    assert ".csv.part." in paths[0] or not stem


def test_a_poster_s_part_has_the_suffix_that_its_format_is_known_by() -> None:
    name = part_names.part_name(f"/{'x' * 240}.poster.png", 1, 1, "0" * 16)
    assert ".png" in Path(name).suffixes


@pytest.mark.parametrize("where", ["new", "new/deeper"])
def test_a_folder_that_is_a_file_is_bad_input_and_named(tmp_path: Path, where: str) -> None:
    (tmp_path / "new").write_text("a file")
    dests = {"csv": str(tmp_path / where / "a.csv")}
    lease = replace(make_lease(tmp_path), spec=JobSpec(source_path="/a.mp4", dests=dests))
    for bounds in (Bounds(), Bounds(output_root=str(tmp_path))):
        outcome = outcome_of(
            lambda bounds=bounds: publish.open_folders(replace(lease, bounds=bounds))
        )
        assert outcome.kind == "input"
        assert f"{tmp_path}/new is a file, and {dests['csv']} is to lie in it" in outcome.error


def test_a_folder_that_vanishes_while_a_job_runs_is_tried_again(tmp_path: Path) -> None:
    lease = make_lease(tmp_path)
    publish.open_folders(lease)
    with publish.OpenParts(lease) as outputs:
        paths = outputs.paths()
        for path in paths.values():
            path.write_text("x")
        (tmp_path / "new").rename(tmp_path / "moved")
        with pytest.raises(JobFailed) as caught:
            outputs.seal({}, paths)
    assert caught.value.kind == "transient"
    publish.open_folders(lease)
    commit(lease, write_parts(lease))


def test_a_folder_in_the_place_of_an_output_is_bad_input(tmp_path: Path) -> None:
    lease = make_lease(tmp_path)
    Path(lease.dests["csv"]).mkdir(parents=True)
    with pytest.raises(JobFailed, match="is a folder"):
        publish.open_folders(lease)


def test_what_is_no_regular_file_is_not_replaced(tmp_path: Path) -> None:
    lease = make_lease(tmp_path)
    csv = Path(lease.dests["csv"])
    csv.parent.mkdir()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for make in (lambda: os.mkfifo(csv), lambda: csv.symlink_to(pipe)):
        make()
        with pytest.raises(JobFailed, match=r"a.csv is not a regular file: change the joblist"):
            publish.open_folders(lease)
        assert stat.S_ISFIFO(csv.stat().st_mode)
        csv.unlink()
    # Results of before, and links that lead nowhere, are replaced.
    csv.symlink_to(tmp_path / "nowhere")
    commit(lease, write_parts(lease))
    assert csv.is_file()
    assert not csv.is_symlink()


def test_a_folder_in_the_place_of_a_part_file_is_named_and_holds_up_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lease = make_lease(tmp_path)
    older = Path(part_name(lease.dests["csv"], lease.job, lease.token - 1, lease.ledger))
    own = publish.part_paths(lease)["ass"]
    older.mkdir(parents=True)
    publish.open_folders(lease)
    own.mkdir()
    with pytest.raises(JobFailed, match=r"in the place of a part file: remove it") as caught:
        publish.OpenParts(lease)
    assert caught.value.kind == "resource"
    later = tmp_path / "new" / "b.part"
    later.touch()
    assert cleanup.remove_parts([str(older), str(later)]) == 1
    assert f"{older} is not removed, and stays" in caplog.text
