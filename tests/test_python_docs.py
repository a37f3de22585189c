"""docs/python.md and docs/first_steps.ipynb, run as they stand."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import ROOT

PAGE = ROOT / "docs" / "python.md"
NOTEBOOK = ROOT / "docs" / "first_steps.ipynb"


def blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)


@pytest.mark.acceptance
@pytest.mark.timeout(300)
def test_the_page_does_what_it_says(
    sample: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = pytest.importorskip("skimage.data")
    image = pytest.importorskip("PIL.Image")
    monkeypatch.chdir(tmp_path)
    for name in ("film.mp4", "trailer.mp4"):
        shutil.copy(sample / "sample.mp4", name)
    for path in (Path("stills/a.png"), Path("stills/b.png"), Path("portraits/Ada.png")):
        path.parent.mkdir(exist_ok=True)
        image.fromarray(data.astronaut()).save(path)
    names: dict[str, Any] = {}
    for block in blocks():
        exec(compile(block, str(PAGE), "exec"), names)
    output = capsys.readouterr().out
    for block in blocks():
        for message in re.findall(r"print\(error.*  # (.+)$", block, re.M):
            assert message.removesuffix("...") in output
    assert {person.name for person in names["report"].persons} == {"Ada", None}
    written = {path.name for path in Path("results").iterdir()}
    assert written == {
        "film.csv",
        "film.characters.csv",
        "film.ass",
        "again.ass",
        "film.report.zip",
        "small.mp4",
    }


def test_the_notebook_is_shipped_clean() -> None:
    """Outputs would be of one machine, and so would paths."""
    text = NOTEBOOK.read_text(encoding="utf-8")
    cells = json.loads(text)["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert not re.search(r"[\"' (](/\w+){2,}|[A-Z]:\\\\", text)


def test_every_field_of_a_report_is_on_the_page() -> None:
    from dataclasses import fields

    from analyzer.types import MediaReport, Observations, Person

    text = PAGE.read_text(encoding="utf-8")
    inner = {"is_remembered", "corrections", "uncorrected", "identity_id"}
    inner |= {"cuts", "cut_frames", "span_s", "canvas"}
    for kind in (MediaReport, Observations, Person):
        missing = {f.name for f in fields(kind) if f"`{f.name}`" not in text}
        assert missing <= inner


@pytest.mark.acceptance
@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("default")
def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat", reason="pip install nbformat nbclient ipykernel")
    nbclient = pytest.importorskip("nbclient", reason="pip install nbclient ipykernel")
    pytest.importorskip("ipykernel", reason="pip install ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    client = nbclient.NotebookClient(
        notebook, timeout=100, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", ())]
    shown = [kind for out in outputs for kind in out.get("data", ())]
    assert shown.count("image/png") == 2
    assert shown.count("text/html") == 2
    assert (tmp_path / "results" / "sample.characters.csv").is_file()
