"""Trains the attribute branch of `analyzer.stages.describe.dlib_resnet` on labelled chips."""

import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from analyzer import registry
from analyzer.attributes.calibration import Calibration
from analyzer.errors import WeightsError
from analyzer.evaluation import attributes
from analyzer.evaluation.attributes import Predictions
from analyzer.evaluation.datasets import Dataset
from analyzer.files.atomic import atomic_write
from analyzer.inference.runtime import Runtime
from analyzer.options import ATTRIBUTES
from analyzer.stages.describe import _dlib_attributes, _dlib_dat
from analyzer.stages.describe._dlib_attributes import Attributes
from analyzer.training import _calibrate, _correct, _features, _identity_heads, _loss
from analyzer.training._fit import Fit, TrainingPictures
from analyzer.training._network import Branch, Trunk
from analyzer.training._tuning import SPLIT_SEED, Subset, split
from analyzer.types import I64, U8, Progress, ProgressHook
from analyzer.weights import catalogue, locate

SHIPPED = _dlib_attributes.SHIPPED
"""The branch that comes with this package."""
EPOCHS = 20
_CHIPS = 512
_COMMAND = "python -m analyzer train attributes --data DIR"
_MEASURED = ("tuning_figures", "calibration")
"""What of a file's metadata is measured on the tuning split."""


def train(
    dataset: Dataset,
    *,
    runtime: Runtime,
    out: Path = SHIPPED,
    start: Path | None = None,
    teachers: Sequence[Path] = (),
    seed: int = 0,
    epochs: int = EPOCHS,
    resume: bool = False,
    progress: ProgressHook = lambda _: None,
) -> dict[str, Any]:
    """Train a branch and write it to a file, with all that is to be known about it.

    A checkpoint stands beside the file after every epoch, and goes when the file is written.

    Args:
        dataset: Pictures to train on, a tenth of which is kept apart for calibration.
        runtime: Its device also trains; `auto` takes CUDA where torch has it.
        out: The file to write.
        start: File of a branch that is trained further; `None`: dlib's own stages are.
        teachers: Files of branches that this one also learns from.
        seed: Seed of the initial weights, the order and the changes of the pictures.
        epochs: Passes over the pictures.
        resume: Go on from the checkpoint of the same run, where there is one.
        progress: Hook that is called with the pictures read and the epochs done.

    Returns:
        `analyzer.evaluation.attributes.report` on the tuning split, of the branch in the file.
    """
    run = {"seed": str(seed), "epochs": str(epochs), "data_sha256": dataset.digest}
    run["split_seed"] = str(SPLIT_SEED)
    run["start_sha256"] = locate.sha256(start) if start else ""
    run["teachers_sha256"] = " ".join(map(locate.sha256, teachers))
    tuning, training = split(len(dataset))
    chips = _read(dataset, progress)
    pictures = _subset(dataset, chips, training)
    fit = _fit(pictures, start, teachers, seed, epochs, _device(runtime.device))
    checkpoint = out.with_name(out.name + ".checkpoint")
    if resume:
        fit.resume(checkpoint, run)
    while fit.epoch < epochs:
        fit.run_epoch(lambda done: progress(Progress(stage="train", done=done, total=epochs)))
        fit.save(checkpoint, run)
    heads = _identity(dataset, fit.pictures, start, runtime, seed, progress)
    branch = Attributes.rounded({**fit.average.module.cpu().export(), **heads})
    about = {**_about(run), **run}
    report = _finish(branch, out, about, Subset(dataset, tuning), runtime, progress)
    checkpoint.unlink()
    return report


def average(
    dataset: Dataset,
    paths: Sequence[Path],
    *,
    runtime: Runtime,
    out: Path = SHIPPED,
    progress: ProgressHook = lambda _: None,
) -> dict[str, Any]:
    """Write the mean of the weights of branches that were trained further from one file.

    Wortsman et al., "Model soups: averaging weights of multiple fine-tuned models improves accuracy
    without increasing inference time", ICML 2022.

    Args:
        dataset: Pictures of which the branches were trained on nine tenths.
        paths: The branches' files: of trainings with different seeds, from the same start.
        runtime: Where the mean runs.
        out: The file to write.
        progress: Hook that is called with the pictures described.

    Returns:
        As `train`.

    Raises:
        WeightsError: Files are no branches, of other pictures, of different starts or of none, or
            the same.
    """
    branches = [_dlib_attributes.load(path).tensors for path in paths]
    abouts = [_dlib_attributes.metadata(path) for path in paths]
    digests = list(map(locate.sha256, paths))
    # Files of older versions do not say where they started.
    starts = [about.get("start_sha256", "") for about in abouts]
    for i, path in enumerate(paths):
        _require_pictures(path, abouts[i], dataset)
        if not starts[i]:
            raise WeightsError(f"{path}: was not trained further (--start) from another file")
        if starts[i] != starts[0]:
            raise WeightsError(f"{path}: was not trained further from the same file as {paths[0]}")
        if digests[i] in digests[:i]:
            raise WeightsError(f"{path}: the same weights are named twice")
    mean = {k: np.mean([one[k] for one in branches], axis=0) for k in branches[0]}
    run = {"averaged_sha256": " ".join(digests), "split_seed": str(SPLIT_SEED)}
    about = {**abouts[0], "seed": " ".join(one["seed"] for one in abouts), **run}
    about["command"] = _COMMAND + " --average FILE" * len(paths)
    about = {key: text for key, text in about.items() if key not in _MEASURED}
    tuning, _ = split(len(dataset))
    return _finish(Attributes.rounded(mean), out, about, Subset(dataset, tuning), runtime, progress)


def calibrate(
    dataset: Dataset,
    path: Path,
    *,
    runtime: Runtime,
    out: Path | None = None,
    progress: ProgressHook = lambda _: None,
) -> dict[str, Any]:
    """Correct and calibrate a trained branch anew, on the pictures that it was not trained on.

    Args:
        dataset: Pictures of which the branch was trained on nine tenths.
        path: The branch's file.
        runtime: Where the branch runs.
        out: The file to write; `None`: the same one.
        progress: Hook that is called with the pictures described.

    Returns:
        As `train`.

    Raises:
        WeightsError: The file is no branch, or one of other pictures.
    """
    branch = _dlib_attributes.load(path)
    metadata = _dlib_attributes.metadata(path)
    about = {key: text for key, text in metadata.items() if key not in _MEASURED}
    _require_pictures(path, about, dataset)
    # Before there were teachers, the seed of the training was also that of the split.
    tuning, _ = split(len(dataset), int(about.get("split_seed", about["seed"])))
    return _finish(branch, out or path, about, Subset(dataset, tuning), runtime, progress)


def _require_pictures(path: Path, about: Mapping[str, str], dataset: Dataset) -> None:
    """Require that a file was trained on these pictures.

    Raises:
        WeightsError: It was trained on others.
    """
    if about.get("data_sha256") != dataset.digest:
        raise WeightsError(f"{path}: was trained on other pictures than these")


def _identity(
    dataset: Dataset,
    pictures: TrainingPictures,
    start: Path | None,
    runtime: Runtime,
    seed: int,
    progress: ProgressHook,
) -> dict[str, Any]:
    """Return the heads on dlib's own stages: those of the start, for these stages never change."""
    if start:
        tensors = _dlib_attributes.load(start).tensors
        return {name: values for name, values in tensors.items() if name.startswith("identity.")}
    backbone = registry.load("describe", "dlib_resnet", runtime=runtime, attributes=())
    rows = pictures.rows
    views = _features.views(dataset, pictures.chips, rows, backbone, seed=seed, progress=progress)
    return _identity_heads.train(views, pictures.targets, pictures.sex_weights, seed)


def _finish(
    branch: Attributes,
    out: Path,
    about: Mapping[str, str],
    held: Subset,
    runtime: Runtime,
    progress: ProgressHook,
) -> dict[str, Any]:
    """Correct, calibrate and measure a trained branch on held pictures, and write its file."""
    # The file may be the one that is in use: it changes at the end only, and as a whole.
    with atomic_write(out) as part:
        _dlib_attributes.save(branch, part, about)
        (full,) = _predict(part, held, runtime, progress, sizes_px=attributes.SIZES_PX[:1])
        branch = _correct.correct(branch, full)
        _dlib_attributes.save(branch, part, about)
        predictions = _predict(part, held, runtime, progress)
        calibration = _calibrate.calibrate(predictions)
        report = attributes.report(predictions, calibration)
        _dlib_attributes.save(branch, part, {**about, **_measured(report, calibration)})
    return report


def _read(dataset: Dataset, progress: ProgressHook) -> U8:
    """Return all chips (n, S, S, 3), decoded once: 2.7 GB for 40,000."""
    parts = []
    for start in range(0, len(dataset), _CHIPS):
        parts.append(dataset.chips(start, start + _CHIPS))
        done = min(start + _CHIPS, len(dataset))
        progress(Progress(stage="read", done=done, total=len(dataset)))
    return np.concatenate(parts)


def _subset(dataset: Dataset, chips: U8, rows: I64) -> TrainingPictures:
    labels = {head: torch.from_numpy(classes[rows]) for head, classes in dataset.labels.items()}
    return TrainingPictures(chips, rows, _loss.targets(labels), _loss.sex_weights(labels))


def _fit(
    pictures: TrainingPictures,
    start: Path | None,
    teachers: Sequence[Path],
    seed: int,
    epochs: int,
    device: str,
) -> Fit:
    network = _dlib_dat.read(locate.locate("dlib_resnet"))
    taught = [Branch.of(network, _dlib_attributes.load(path)) for path in teachers]
    torch.manual_seed(seed)
    branch = Branch.of(network, _dlib_attributes.load(start)) if start else Branch(network)
    return Fit(Trunk(network), branch, taught, pictures, seed, epochs, device)


def _device(device: str) -> str:
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device


def _predict(
    path: Path,
    dataset: Dataset,
    runtime: Runtime,
    progress: ProgressHook,
    sizes_px: Sequence[int] = attributes.SIZES_PX,
) -> list[Predictions]:
    """Return the file's predictions for pictures, on the path of an analysis."""
    describer = registry.load(
        "describe", f"dlib_resnet:heads={path}", runtime=runtime, attributes=ATTRIBUTES
    )
    aligner = registry.load("align", describer.aligner, runtime=runtime)
    return attributes.predict(describer, aligner, dataset, sizes_px=sizes_px, progress=progress)


def _about(run: Mapping[str, str]) -> dict[str, str]:
    """Return the file's metadata about its making."""
    options = f"--seed {run['seed']} --epochs {run['epochs']}"
    if run["start_sha256"]:
        options += " --start FILE"
    if run["teachers_sha256"]:
        options += " --teacher FILE" * len(run["teachers_sha256"].split())
    return {
        "command": f"{_COMMAND} {options}",
        "data": "FairFace (Karkkainen and Joo, WACV 2021), CC BY 4.0",
        "licence": "weights MIT, as this package; made from FairFace, CC BY 4.0, by attribution",
        "backbone_sha256": catalogue.MODELS["dlib_resnet"].sha256,
        "versions": f"python {platform.python_version()}, torch {torch.__version__}, "
        f"numpy {np.__version__}",
    }


def _measured(report: Mapping[str, Any], calibration: Calibration) -> dict[str, str]:
    """Return the file's figures on the tuning split."""
    overall = {size: figures["overall"] for size, figures in report["sizes"].items()}
    texts = (json.dumps(overall), calibration.to_json())
    return dict(zip(_MEASURED, texts, strict=True))
