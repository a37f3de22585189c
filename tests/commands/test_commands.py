import subprocess
import sys

import pytest

from analyzer.__main__ import main
from analyzer.errors import WeightsError
from analyzer.weights import catalogue, locate


def test_help_names_every_command():
    command = [sys.executable, "-m", "analyzer", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert all(name in shown for name in ("analyze", "evaluate", "models", "train"))


@pytest.mark.parametrize("arguments", [[], ["nonesuch"], ["models"], ["train", "attributes"]])
def test_wrong_usage_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_missing_data_is_one_line_and_exit_1(tmp_path, capsys):
    assert main(["evaluate", "attributes", "--data", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {tmp_path}: neither")
    assert error.count("\n") == 1


def test_unknown_describer_exits_with_2(tmp_path, capsys):
    arguments = ["evaluate", "attributes", "--data", str(tmp_path), "--describer", "nonesuch"]
    assert main(arguments) == 2
    assert "dlib_resnet" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (["--export", "csv,xlsx:pictures=3"], "write the name alone"),
        (["--shards", "0"], "1 to 1000"),
        (["--shards", "1001"], "1 to 1000"),
        (["--shard-minutes", "3"], "with --shards"),
        (["--shards", "3", "--shard_minutes", "0"], "more than 0"),
        (["--shards", "3", "--engine", "image"], "leave it out"),
        (["--shards", "3", "--shots", "none"], "leave out --shots none"),
        (["--shards", "3", "--detector", "precomputed:file=a.csv"], "those of whole media"),
    ],
)
def test_shards_that_make_no_sense_are_refused(arguments, cure, tmp_path, capsys):
    assert main(["analyze", "none.mp4", "-o", str(tmp_path), *arguments]) == 2
    assert cure in capsys.readouterr().err


def test_models_are_listed_with_their_licences(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["models", "list"]) == 0
    shown = capsys.readouterr().out
    for model in catalogue.MODELS.values():
        assert model.name in shown
        assert model.licence in shown
        assert model.source in shown


def test_models_verify_tells_the_good_from_the_bad(capsys, monkeypatch):
    assert main(["models", "verify"]) == 0
    real = locate.locate

    def altered(name):
        if name == "centerface":
            raise WeightsError("altered")
        return real(name)

    monkeypatch.setattr(locate, "locate", altered)
    assert main(["models", "verify"]) == 1
    shown = capsys.readouterr()
    assert shown.err == "centerface: altered\n"
    assert "dlib_resnet: " in shown.out
