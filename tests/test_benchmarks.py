import json

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import _machine, _media, describe, describers, detectors, identities, precision


def test_machine_is_told_in_json():
    machine = json.loads(json.dumps(_machine.describe()))
    assert machine["cores"] >= 1
    assert "numpy" in machine["versions"]


def test_unknown_benchmark_exits_with_2(capsys):
    with pytest.raises(SystemExit) as stopped:
        benchmarks.main(["nonesuch"])
    assert stopped.value.code == 2
    assert "describe" in capsys.readouterr().err


def test_figures_are_printed_and_written(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(describe, "_RUNS", 1)
    monkeypatch.setattr(describe, "_CHIPS", 2)
    path = tmp_path / "figures.json"
    assert benchmarks.main(["describe", "--json", str(path)]) == 0
    figures = json.loads(path.read_text(encoding="utf-8"))["results"]["describe"]
    assert figures["largest_embedding_difference"] < 1e-5
    assert "dlib_ms_per_face" in capsys.readouterr().out


def test_identities_are_looked_up(monkeypatch):
    monkeypatch.setattr(identities, "_IN_FILE", 5000)
    monkeypatch.setattr(identities, "_IN_SERVER", 500)
    figures = identities.run()
    assert figures["identities"] == 5000
    assert figures["look_up_ms_median"] > 0


def test_detectors_find_the_faces_of_the_sample(monkeypatch):
    monkeypatch.setattr(detectors, "_EVERY", 200)
    monkeypatch.setattr(detectors, "_SHRINK", (1, 2))
    monkeypatch.setenv("DETECTORS", "centerface whole")
    monkeypatch.delenv("FACES", raising=False)
    figures = detectors.run()
    assert figures["centerface_sample_1_1_found_share"] == 1
    assert figures["centerface_sample_1_2_found_share"] == 1
    assert figures["centerface_sample_1_1_false_boxes"] == 0
    assert figures["whole_sample_1_2_found_share"] == 0
    assert figures["whole_sample_1_2_false_boxes"] > 0


def test_describers_cost_time(monkeypatch):
    monkeypatch.setattr(describers, "_RUNS", 1)
    monkeypatch.setattr(describers, "_FACES", 2)
    monkeypatch.delenv("DESCRIBERS", raising=False)
    figures = describers.run()
    assert figures["dlib_resnet_align_ms_median"] > 0
    assert figures["dlib_resnet_describe_cpu_ms_median"] > 0


def test_precisions_find_the_same_in_the_sample(sample, monkeypatch):
    pytest.importorskip("openvino")
    monkeypatch.setenv("CLIP", str(sample / "sample.mp4"))
    monkeypatch.setenv("FILMS", str(sample))
    monkeypatch.setattr(_media, "STREET", sample / "missing.mp4")
    monkeypatch.setattr(precision, "_RUNS", 1)
    monkeypatch.setattr(precision, "_PICTURES", 3)
    monkeypatch.setattr(precision, "_RATES", (1,))
    figures = precision.run()
    assert figures["detect_fast_ms"] > 0
    assert figures["found_by_fast_percent"] == 100
    assert figures["extra_in_fast"] == 0
    assert figures["sample_1_fps_exact_persons"] == figures["sample_1_fps_fast_persons"] == 2
