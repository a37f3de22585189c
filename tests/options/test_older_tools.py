"""Words of older tools among the options: on command lines, in Python, and not over the wire."""

import argparse

import pytest

from analyzer.errors import UsageError
from analyzer.options import AnalysisOptions, add_arguments
from analyzer.options.older_tools import ALIASES, own_options
from ina.server_options import server_parser


def parsed(*arguments: str) -> AnalysisOptions:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return AnalysisOptions.from_mapping(vars(parser.parse_args(arguments)))


@pytest.mark.parametrize(
    ("words", "own"),
    [
        (["--face_detector", "LibFaceDetection"], {"detector": "yunet"}),
        (["--face_detector", "OcvCnnFacedetector"], {"detector": "ssd"}),
        (["--face_detector", "LibFaceDetection:weights=y.onnx"],
         {"detector": "yunet:weights=y.onnx"}),
        (["--face-detection-confidence", "0.7"], {"min_conf": 0.7}),
        (["--face_detection_padding", "0.2"], {"detect_padding": 0.2}),
        (["--min_face_size_px", "30"], {"min_face_px": 30}),
        (["--min_face_size_percent", "0.1"], {"min_face_share": 0.1}),
        (["--classifier", "Resnet50FairFaceGRA"], {}),
        (["--classifier", "Vggface_LSVM_YTF"], {"attributes": ("sex",)}),
        (["--classifier", "Resnet50FairFaceGRA:embed=e.onnx,attributes=a.onnx"],
         {"describer": "onnx:embed=e.onnx,attributes=a.onnx"}),
        (["--engine", "preprocessed_image"], {"engine": "image", "detector": "whole"}),
    ],
)  # fmt: skip
def test_an_alias_is_its_own_option_with_a_note(words, own, capsys) -> None:
    assert parsed(*words) == AnalysisOptions(**own)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"note: {words[0].replace('-', '_').replace('__', '--', 1)} ")
    assert line.endswith("(docs/coming-from.md)")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--face_detector", "Nonesuch"], "choose from centerface"),
        (["--classifier", "Nonesuch"], "choose from Resnet50FairFaceGRA"),
        (["--min_face_size_px", "many"], "cannot be read as float"),
    ],
)
def test_a_wrong_value_is_told_with_the_right_ones(words, says, capsys) -> None:
    with pytest.raises(SystemExit) as stopped:
        parsed(*words)
    assert stopped.value.code == 2
    assert says in capsys.readouterr().err


def test_they_are_not_in_help_but_understood_by_the_server(capsys) -> None:
    parser = server_parser()
    shown = parser.format_help()
    assert "docs/coming-from.md" in shown
    assert [name for name in ALIASES if name in shown] == []
    args = parser.parse_args(["localhost", "a.csv", "--face_detection_confidence", "0.6"])
    assert args.min_conf == 0.6


def test_python_takes_them_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="bbox_expand_factor is bbox_expand"):
        options = AnalysisOptions.from_dict({"bbox_expand_factor": 0.3, "fps": 5})
    assert options == AnalysisOptions(bbox_expand=1.3, fps=5)
    with pytest.warns(UserWarning, match="is engine image with detector whole"):
        assert AnalysisOptions.from_dict({"engine": "preprocessed_image"}).detector == "whole"


@pytest.mark.parametrize(
    ("words", "own"),
    [
        ({"agr_method": "majority"}, {"aggregate": "vote"}),
        ({"agr_method": "median"}, {"aggregate": "median"}),
        ({"cluster_model": "hierarchical"}, {"clusterer": "agglomerative"}),
        ({"num_cpu": 2}, {"threads": 2}),
        ({"min_conf_cla": 0.9, "max_z_cla": 1, "min_sharpness_cla": 30}, {}),
        ({"store_visuals": True}, {}),
        ({"min_conf": 0.5, "face_detection_confidence": 0.7}, {"min_conf": 0.5}),
    ],
)
def test_words_of_python(words, own) -> None:
    assert own_options(words)[0] == own


def test_wrong_words_of_python() -> None:
    for words in ({"agr_method": "best"}, {"cluster_model": "dbscan"}, {"bbox_expand_factor": "x"}):
        with pytest.raises(UsageError):
            own_options(words)


def test_own_options_are_left_alone() -> None:
    options = AnalysisOptions(fps=5, detector="hog")
    assert AnalysisOptions.from_dict(options.to_dict()) == options
