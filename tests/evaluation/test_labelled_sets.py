"""Lists of labelled sets, the conditions under which they are analysed, and their table."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from analyzer.__main__ import main
from analyzer.errors import InputError
from analyzer.evaluation import conditions, figures_table, labelled_sets
from analyzer.evaluation.conditions import Condition
from tests.support import media
from tests.support.processes import ROOT

HEADER = "set,pictures,video,labels,synthetic,rates,gammas,crfs\n"
DOCUMENT = ROOT / "docs" / "clustering.md"


def listed(folder: Path, text: str) -> Path:
    path = folder / "sets.csv"
    path.write_text(HEADER + text, encoding="utf-8")
    return path


def test_each_combination_of_rates_gammas_and_compressions_is_a_condition(tmp_path):
    (one,) = labelled_sets.read(listed(tmp_path, 'a,,a.mp4,a.csv,,"1,all","0.7,1","source,18"\n'))
    assert [str(condition) for condition in one.conditions] == [
        *("1 fps, gamma 0.7", "1 fps, gamma 0.7, crf 18", "1 fps", "1 fps, crf 18"),
        *("every frame, gamma 0.7", "every frame, gamma 0.7, crf 18"),
        *("every frame", "every frame, crf 18"),
    ]
    assert one.video == tmp_path / "a.mp4" == one.missing


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no set"),
        ("a,,,,,,,\n", "line 2: give a name"),
        (",p,,,,,,\n", "line 2: give a name"),
        ("a,p,,,2x2,,,\n", "line 2: give a name"),
        ("a,,a.mp4,,,,,\n", "video with labels"),
        ("a,,a.mp4,a.csv,,fast,,\n", "line 2: rates cannot be read"),
        ("a,,a.mp4,a.csv,,,0,\n", "line 2: gammas cannot be read"),
        ("a,,a.mp4,a.csv,,,,52\n", "line 2: crfs cannot be read"),
        ("a,,,,0x3,,,\n", "line 2: synthetic cannot be read"),
    ],
)
def test_bad_lists_are_refused_with_their_line(text, reason, tmp_path):
    with pytest.raises(InputError, match=reason):
        labelled_sets.read(listed(tmp_path, text))


def test_other_columns_and_missing_files_are_refused(tmp_path):
    path = tmp_path / "sets.csv"
    with pytest.raises(InputError, match="No such file"):
        labelled_sets.read(path)
    path.write_text("set,video\n")
    with pytest.raises(InputError, match="columns must be set, pictures"):
        labelled_sets.read(path)


def brightness_of_video(path: Path) -> float:
    """Mean of the grey values of all pictures."""
    with av.open(str(path)) as container:
        pictures = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    return float(np.mean(pictures))


def test_variants_keep_the_times_and_change_the_light(tmp_path):
    source = media.video(tmp_path / "a.mp4", seconds=1)
    assert conditions.variant(source, Condition(fps=3), tmp_path) == source
    dark, bright, coarse = (
        conditions.variant(source, Condition(**facts), tmp_path)
        for facts in ({"gamma": 0.7}, {"gamma": 1.8}, {"crf": 32})
    )
    for path in (dark, bright, coarse):
        assert media.player_times(path) == pytest.approx(media.player_times(source), abs=1e-3)
    assert brightness_of_video(dark) < brightness_of_video(source) < brightness_of_video(bright)
    assert coarse.stat().st_size < dark.stat().st_size


def test_a_file_that_is_no_video_gives_no_variant(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_text("no video")
    with pytest.raises(InputError, match="no variant with every frame, crf 20 can be made"):
        conditions.variant(path, Condition(crf=20), tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def run(name: str, condition: str, clusterer: str, f1: float) -> dict[str, Any]:
    scores = {
        "persons": 2,
        "clusters": 2,
        "pairs": {"precision": 1.0, "recall": f1, "f1": f1},
        "bcubed": {"precision": 1.0, "recall": f1, "f1": f1},
        "nmi": f1,
    }
    facts = {"set": name, "condition": condition, "clusterer": clusterer, "threshold": 0.5}
    return {**facts, "grouped": 3, "labelled": 4, **scores, "all": scores}


def test_rows_of_measured_sets_replace_theirs_and_others_stay(tmp_path):
    path = tmp_path / "page.md"
    path.write_text(f"# Page\n\n{figures_table.BEGIN}\n{figures_table.END}\n\nEnd.\n")
    first = [run("a", "1 fps", "x", 1), run("a", "1 fps", "y", 1), run("b", "", "x", 0.5)]
    figures_table.write(path, {"threshold": 0.5, "runs": first})
    text = path.read_text()
    assert "| a | 1 fps | `x`, `y` | 3 of 4 | 2 | 2 | 1.000 |" in text
    assert text.startswith("# Page\n")
    assert text.endswith("\n\nEnd.\n")
    second = [run("c", "", "x", 0.25), run("a", "2 fps", "x", 0.75)]
    figures_table.write(path, {"threshold": 0.5, "runs": second})
    assert [row[:2] for row in figures_table.read(path)] == [["a", "2 fps"], ["b", ""], ["c", ""]]
    figures_table.write(path, {"threshold": 0.6, "runs": first})
    assert figures_table.read(path)[0][2] == "`x` 0.5, `y` 0.5"


def test_a_document_without_a_place_for_the_table_is_refused_before_anything_is_measured(
    tmp_path, capsys
):
    path = tmp_path / "page.md"
    path.write_text("# Page\n")
    arguments = ["evaluate", "clustering", "--synthetic", "2x2", "--write"]
    assert main([*arguments, str(path)]) == 1
    assert "no place for the table" in capsys.readouterr().err
    assert main([*arguments, str(tmp_path / "none.md")]) == 1


def test_sets_that_are_missing_are_left_out_with_a_warning(tmp_path, capsys):
    path = listed(tmp_path, "crowd,,,,3x4,,,\nfilm,,film.mp4,film.csv,,,,\n")
    page = tmp_path / "page.md"
    page.write_text(f"{figures_table.BEGIN}\n{figures_table.END}\n")
    arguments = ["evaluate", "clustering", "--sets", str(path), "--device", "cpu"]
    assert main([*arguments, "--write", str(page)]) == 0
    assert "film is left out" in capsys.readouterr().err
    (row,) = figures_table.read(page)
    assert row[:2] + row[3:7] == ["crowd", "", "12 of 12", "3", "3", "1.000"]
    assert main([*arguments, "--only", "film,crowd"]) == 0
    assert main([*arguments, "--only", "film"]) == 1
    assert main([*arguments, "--only", "opera"]) == 2
    assert main(["evaluate", "clustering", "--synthetic", "2x2", "--only", "a"]) == 2


def test_the_document_says_what_the_command_says_of_the_sample(sample, tmp_path):
    page = tmp_path / "page.md"
    page.write_bytes(DOCUMENT.read_bytes())
    (of_sample,) = [
        line
        for line in (ROOT / "media" / "sets.csv").read_text().splitlines()
        if line.startswith("sample,")
    ]
    (sample / "sets.csv").write_text(f"{HEADER}{of_sample}\n")
    arguments = ["evaluate", "clustering", "--sets", str(sample / "sets.csv"), "--device", "cpu"]
    assert main([*arguments, "--write", str(page)]) == 0
    assert page.read_text() == DOCUMENT.read_text()
