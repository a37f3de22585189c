"""Links planted where something is written or read under a root: nothing outside is touched."""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.errors import InputError
from analyzer.files import source
from analyzer.gallery import folder as gallery
from analyzer.reports import corrections_file, part_file
from analyzer.stages.decode import _still, images
from jobs.dashboard import files as pages
from jobs.errors import JobFailed
from jobs.outputs import publish
from jobs.outputs.part_names import shard_name
from jobs.server import cleanup
from jobs.types import Bounds, Lease, Manifest
from jobs.worker.child import outcome_of
from tests.support.injectors import Sentinel
from tests.support.jobs import commit, make_lease


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    """A folder beside the roots; the test fails if anything in it was touched."""
    folder = tmp_path / "outside"
    (folder / "new").mkdir(parents=True)
    for name in ("a.csv", "a.jpg", "b.json", "new/a.csv", "new/a.jpg"):
        (folder / name).write_text("sentinel")
    with closing(Sentinel(folder)) as watched:
        yield folder
        assert watched.accesses() == []
    assert (folder / "a.csv").read_text() == "sentinel"


@pytest.fixture
def lease(tmp_path: Path, outside: Path) -> Lease:
    (tmp_path / "root").mkdir()
    (tmp_path / "media").mkdir()
    bounds = Bounds(input_root=str(tmp_path / "media"), output_root=str(tmp_path / "root"))
    return replace(make_lease(tmp_path / "root"), bounds=bounds, ledger="0123456789abcdef")


def write(lease: Lease) -> Manifest:
    with publish.OpenParts(lease) as outputs:
        paths = outputs.paths()
        for name, path in paths.items():
            path.write_text(f"new {name}")
        return outputs.seal({}, paths)


@pytest.mark.parametrize("name", ["csv", "ass"])
def test_at_the_name_of_a_part(lease: Lease, outside: Path, name: str) -> None:
    publish.open_folders(lease)
    publish.part_paths(lease)[name].symlink_to(outside / "a.csv")
    commit(lease, write(lease))
    assert Path(lease.dests["csv"]).read_text() == "new csv"
    assert not Path(lease.dests["csv"]).is_symlink()


@pytest.mark.parametrize("text", ["", "sentinel"])
def test_at_the_name_of_a_part_a_second_name(lease: Lease, tmp_path: Path, text: str) -> None:
    publish.open_folders(lease)
    (tmp_path / "other").write_text(text)
    os.link(tmp_path / "other", publish.part_paths(lease)["csv"])
    commit(lease, write(lease))
    assert (tmp_path / "other").read_text() == text
    assert Path(lease.dests["csv"]).read_text() == "new csv"


def test_at_the_name_of_a_part_while_it_is_written(lease: Lease, outside: Path) -> None:
    publish.open_folders(lease)
    with publish.OpenParts(lease) as outputs:
        paths = outputs.paths()
        part = publish.part_paths(lease)["csv"]
        part.unlink()
        part.symlink_to(outside / "a.csv")
        for path in paths.values():
            path.write_text("new")
        with pytest.raises(JobFailed, match="was replaced or removed") as caught:
            outputs.seal({}, paths)
        assert caught.value.kind == "transient"
    publish.discard(lease)
    assert os.listdir(part.parent) == []


def test_at_the_name_of_a_part_before_it_is_published(lease: Lease, outside: Path) -> None:
    publish.open_folders(lease)
    manifest = write(lease)
    part = Path(manifest.files["csv"].part)
    part.unlink()
    part.symlink_to(outside / "a.csv")
    with pytest.raises(JobFailed, match="was replaced"):
        commit(lease, manifest)
    assert not os.path.lexists(lease.dests["csv"])


def test_at_the_destination(lease: Lease, outside: Path) -> None:
    publish.open_folders(lease)
    Path(lease.dests["csv"]).symlink_to(outside / "a.csv")
    manifest = write(lease)
    Path(manifest.files["csv"].part).rename(f"{lease.dests['csv']}.away")
    with pytest.raises(JobFailed, match="disappeared"):
        commit(lease, manifest)
    Path(f"{lease.dests['csv']}.away").rename(manifest.files["csv"].part)
    commit(lease, manifest)
    assert not Path(lease.dests["csv"]).is_symlink()


def swap(lease: Lease, outside: Path) -> None:
    """Put a link in place of the folder of the outputs, which has files of the same names."""
    folder = Path(lease.dests["csv"]).parent
    folder.rename(folder.with_name("before"))
    folder.symlink_to(outside / "new")


def test_in_place_of_a_folder_before_parts_are_made(lease: Lease, outside: Path) -> None:
    publish.open_folders(lease)
    swap(lease, outside)
    for action in (publish.open_folders, publish.OpenParts, publish.new_token):
        outcome = outcome_of(lambda action=action: action(lease))
        assert (outcome.kind, "lies outside" in outcome.error) == ("input", True)


def test_in_place_of_a_folder_while_it_is_written(lease: Lease, outside: Path) -> None:
    publish.open_folders(lease)
    with publish.OpenParts(lease) as outputs:
        paths = outputs.paths()
        swap(lease, outside)
        for path in paths.values():
            path.write_text("new")
        outcome = outcome_of(lambda: outputs.seal({}, paths))
        assert "lies outside" in outcome.error
    assert "lies outside" in outcome_of(lambda: publish.discard(lease)).error


def test_in_place_of_a_folder_before_it_is_published(lease: Lease, outside: Path) -> None:
    publish.open_folders(lease)
    manifest = write(lease)
    swap(lease, outside)
    outcome = outcome_of(lambda: commit(lease, manifest))
    assert "lies outside" in outcome.error


def test_in_place_of_a_folder_when_parts_are_removed(
    lease: Lease, outside: Path, tmp_path: Path
) -> None:
    part = shard_name(lease.dests["csv"], 7, 1, 0, 2, lease.ledger)
    publish.open_folders(lease)
    Path(part).touch()
    swap(lease, outside)
    assert cleanup.remove_parts([part], lease.bounds.output_root) == 0
    assert (tmp_path / "root" / "before" / os.path.basename(part)).exists()


def test_what_an_exporter_renames_into_its_place_is_published(lease: Lease) -> None:
    """As plug-ins from outside may do."""
    publish.open_folders(lease)
    with publish.OpenParts(lease) as outputs:
        paths = outputs.paths()
        new = paths["csv"].with_name("new")
        new.write_text("written beside, then renamed")
        os.rename(new, paths["csv"])
        paths["ass"].write_text("")
        commit(lease, outputs.seal({}, paths))
    assert Path(lease.dests["csv"]).read_text() == "written beside, then renamed"


def test_links_that_stay_within_the_root_are_followed(lease: Lease, tmp_path: Path) -> None:
    (tmp_path / "root" / "real").mkdir()
    (tmp_path / "root" / "new").symlink_to("real")
    publish.open_folders(lease)
    commit(lease, write(lease))
    assert (tmp_path / "root" / "real" / "a.csv").read_text() == "new csv"


def plant_in(media: Path, outside: Path) -> None:
    for name in ("a.csv", "a.jpg", "b.json"):
        (media / name).symlink_to(outside / name)
    (media / "new").symlink_to(outside / "new")


def test_where_media_portraits_and_stills_are_read(
    lease: Lease, outside: Path, tmp_path: Path
) -> None:
    media = tmp_path / "media"
    plant_in(media, outside)
    with source.limited_to(str(media)):
        for name in ("a.jpg", "new/a.jpg"):
            for read in (source.open_file, source.open_listed, _still.read):
                with pytest.raises((InputError, OSError), match="lies outside"):
                    read(str(media / name))
        with pytest.raises(InputError, match="lies outside"), source.held(str(media / "a.jpg")):
            pass
        with pytest.raises(InputError, match="lies outside"):
            images.create(runtime=None).open(str(media / "new"))
        found = {portrait.name: portrait.file for portrait in gallery._portraits(media)}
        assert {name: gallery._content(file) for name, file in found.items()} == {
            "a": b"",
            "new": b"",
        }
        with pytest.raises(InputError, match="lies outside"):
            corrections_file.read(media / "b.json")
        with pytest.raises(InputError, match="lies outside"):
            part_file.load(media / "a.csv", key="k")


def test_where_tables_of_a_gallery_are_read(lease: Lease, outside: Path, tmp_path: Path) -> None:
    (tmp_path / "media" / "actors.csv").symlink_to(outside / "a.csv")
    with (
        source.limited_to(str(tmp_path / "media")),
        pytest.raises(InputError, match="lies outside"),
    ):
        list(gallery._portraits(tmp_path / "media"))


def test_where_the_dashboard_reads_pages(lease: Lease, outside: Path, tmp_path: Path) -> None:
    plant_in(tmp_path / "media", outside)
    for name in ("a.csv", "new/a.csv"):
        with pytest.raises(OSError, match="lies outside"):
            pages.open_range(str(tmp_path / "media" / name), None, str(tmp_path / "media"))


def test_links_in_the_input_root_are_read(lease: Lease, tmp_path: Path) -> None:
    media = tmp_path / "media"
    (media / "deep").mkdir()
    (media / "deep" / "a.mp4").write_text("medium")
    (media / "link").symlink_to("deep")
    (media / "b.mp4").symlink_to("link/a.mp4")
    with source.limited_to(str(media)):
        with os.fdopen(source.open_listed(media / "b.mp4"), "rb") as file:
            assert file.read() == b"medium"
        assert source.names_in(str(media / "link")) == ["a.mp4"]
        with source.held(str(media / "b.mp4")) as path:
            shutil.rmtree(media / "deep")
            assert Path(path).read_bytes() == b"medium"
    assert not (media / "b.mp4").exists()
