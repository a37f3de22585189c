"""Trains the attribute branch of `analyzer.describe.dlib_resnet` on labelled chips."""

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from analyzer import evaluate, registry, weights
from analyzer.align import Aligner
from analyzer.attributes import SIZES
from analyzer.calibration import Calibration
from analyzer.datasets import Dataset
from analyzer.describe import Describer, _dlib_attributes, _dlib_dat
from analyzer.describe._dlib_attributes import Attributes, metadata
from analyzer.options import ATTRIBUTES
from analyzer.runtime import Runtime
from analyzer.train import _calibrate, _features, _identity_heads, _targets
from analyzer.train._fit import Fit, Pictures
from analyzer.train._network import Branch, Trunk
from analyzer.types import F32, F64, I64, U8, Progress, ProgressHook

SHIPPED = _dlib_attributes.SHIPPED
"""The branch that comes with this package."""
EPOCHS = 10
"""Passes of each of the two branches over the pictures."""
TUNING_SHARE = 0.1
"""Share of the pictures that is not trained on: for calibration, and for figures on the way."""
_CHIPS = 512


def train(
    dataset: Dataset,
    *,
    runtime: Runtime,
    out: Path = SHIPPED,
    seed: int = 0,
    epochs: int = EPOCHS,
    resume: bool = False,
    progress: ProgressHook = lambda _: None,
) -> dict[str, Any]:
    """Train a branch and write it to a file, with all that is to be known about it.

    A first branch is trained to the labels, and a second one from the start to the labels and to
    what the first one says. Beside the file stand a checkpoint after every epoch and the first
    branch, and go when the file is written.

    Args:
        dataset: pictures to train on, a tenth of which is kept apart for calibration.
        runtime: its device also trains; ``auto`` takes CUDA where torch has it.
        out: the file to write.
        seed: of the split, the initial weights, the order and the changes of the pictures.
        epochs: passes of each branch over the pictures.
        resume: go on from the checkpoint of the same run, where there is one.
        progress: told of the pictures read and the epochs done.

    Returns:
        `analyzer.evaluate.report` on the tuning split, of the branch as it stands in the file.
    """
    tuning, training = _split(len(dataset), seed)
    chips = _read(dataset, progress)
    known, held = _Part(dataset, chips, training), _Part(dataset, chips, tuning)
    labels = {head: torch.from_numpy(classes) for head, classes in known.labels.items()}
    views = _identity_features(dataset, runtime, progress)[:, training]
    lessons = _Lessons(
        chips=chips,
        rows=training,
        heads=_identity_heads.train(views, labels, seed),
        run={"seed": str(seed), "epochs": str(epochs), "data_sha256": dataset.digest},
        seed=seed,
        epochs=epochs,
        device=_device(runtime.device),
        out=out,
        resume=resume,
        progress=progress,
    )
    targets = _targets.of_labels(labels)
    teacher = lessons.teacher(targets)
    branch = lessons.branch(1, _targets.taught(targets, _said(teacher, known, runtime, progress)))
    about = _about(lessons.run)
    _dlib_attributes.save(branch, out, about)
    predictions = evaluate.predict(*_describer(out, runtime), held, progress=progress)
    calibration = _calibrate.calibrate(predictions)
    report = evaluate.report(predictions, calibration)
    _dlib_attributes.save(branch, out, {**about, **_measured(report, calibration)})
    lessons.clear()
    return report


@dataclass(frozen=True, kw_only=True)
class _Lessons:
    """What both branches of a run have in common."""

    chips: U8
    rows: I64
    heads: Mapping[str, F64]
    """The heads on dlib's own features: see `analyzer.train._identity_heads`."""
    run: Mapping[str, str]
    """What tells this run from others."""
    seed: int
    epochs: int
    device: str
    out: Path
    resume: bool
    progress: ProgressHook

    def teacher(self, targets: Mapping[str, Tensor]) -> Path:
        """The file of the first branch; trained unless a resumed run finds its own."""
        path = self._beside("teacher")
        found = self.resume and path.is_file() and self.run.items() <= metadata(path).items()
        if not found:
            _dlib_attributes.save(self.branch(0, targets), path, self.run)
        return path

    def branch(self, number: int, targets: Mapping[str, Tensor]) -> Attributes:
        """Train one branch, the first (0) or the second (1)."""
        network = _dlib_dat.read(weights.locate("dlib_resnet"))
        seed = int(np.random.SeedSequence([self.seed, number]).generate_state(1)[0])
        torch.manual_seed(seed)
        pictures = Pictures(self.chips, self.rows, targets)
        fit = Fit(Trunk(network), Branch(network), pictures, seed, self.epochs, self.device)
        checkpoint, run = self._beside("checkpoint"), {**self.run, "branch": str(number)}
        if self.resume:
            fit.resume(checkpoint, run)
        while fit.epoch < self.epochs:
            fit.run_epoch(lambda done: self._tell(number * self.epochs + done))
            fit.save(checkpoint, run)
        return Attributes.rounded({**fit.average.module.cpu().export(), **self.heads})

    def clear(self) -> None:
        """Remove what only a run that is not finished needs."""
        for name in ("teacher", "checkpoint"):
            self._beside(name).unlink()

    def _beside(self, name: str) -> Path:
        return self.out.with_name(f"{self.out.name}.{name}")

    def _tell(self, done: float) -> None:
        self.progress(Progress(stage="train", done=done, total=2 * self.epochs))


class _Part:
    """Some pictures of a dataset."""

    def __init__(self, dataset: Dataset, chips: U8, rows: I64) -> None:
        self.labels: Mapping[str, I64] = {
            head: classes[rows] for head, classes in dataset.labels.items()
        }
        self.digest = dataset.digest
        self._chips, self._rows = chips, rows

    def __len__(self) -> int:
        return len(self._rows)

    def chips(self, start: int, stop: int) -> U8:
        return self._chips[self._rows[start:stop]]


def _split(count: int, seed: int) -> tuple[I64, I64]:
    """Rows to tune on and rows to train on."""
    order = np.random.default_rng(seed).permutation(count)
    kept = round(TUNING_SHARE * count)
    return order[:kept], order[kept:]


def _read(dataset: Dataset, progress: ProgressHook) -> U8:
    """All chips (n, S, S, 3), decoded once: 2.7 GB for 40,000."""
    parts = []
    for start in range(0, len(dataset), _CHIPS):
        parts.append(dataset.chips(start, start + _CHIPS))
        done = min(start + _CHIPS, len(dataset))
        progress(Progress(stage="read", done=done, total=len(dataset)))
    return np.concatenate(parts)


def _identity_features(dataset: Dataset, runtime: Runtime, progress: ProgressHook) -> F32:
    """Features (2, n, 704) of all pictures and their mirror images."""
    backbone = registry.load("describe", "dlib_resnet", runtime=runtime, attributes=())
    return _features.views(dataset, backbone, progress=progress)


def _device(device: str) -> str:
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device


def _describer(path: Path, runtime: Runtime, *, mirror: bool = False) -> tuple[Describer, Aligner]:
    """The describer of a file, as an analysis has it, and its aligner."""
    describer = registry.load(
        "describe",
        f"dlib_resnet:heads={path},mirror={str(mirror).lower()}",
        runtime=runtime,
        attributes=ATTRIBUTES,
    )
    return describer, registry.load("align", describer.aligner, runtime=runtime)


def _said(
    path: Path, pictures: Dataset, runtime: Runtime, progress: ProgressHook
) -> dict[str, Tensor]:
    """What the branch in a file says of pictures and their mirror images: {head: (n, k)}."""
    describer, _ = _describer(path, runtime, mirror=True)
    parts = []
    for start in range(0, len(pictures), _CHIPS):
        parts.append(describer.describe(pictures.chips(start, start + _CHIPS)).heads)
        done = min(start + _CHIPS, len(pictures))
        progress(Progress(stage="teach", done=done, total=len(pictures)))
    return {name: torch.from_numpy(np.concatenate([p[name] for p in parts])) for name in SIZES}


def _about(run: Mapping[str, str]) -> dict[str, str]:
    """What the file says about its making."""
    options = f"--seed {run['seed']} --epochs {run['epochs']}"
    return {
        "command": f"python -m analyzer train attributes --data DIR {options}",
        "data": "FairFace (Karkkainen and Joo, WACV 2021), CC BY 4.0",
        "licence": "weights MIT, as this package; made from FairFace, CC BY 4.0, by attribution",
        "backbone_sha256": weights.MODELS["dlib_resnet"].sha256,
        "versions": f"python {platform.python_version()}, torch {torch.__version__}, "
        f"numpy {np.__version__}",
    }


def _measured(report: Mapping[str, Any], calibration: Calibration) -> dict[str, str]:
    """What the file says about itself on the tuning split."""
    overall = {size: figures["overall"] for size, figures in report["sizes"].items()}
    return {"tuning_figures": json.dumps(overall), "calibration": calibration.to_json()}
