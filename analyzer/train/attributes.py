"""Trains sex, age and ethnicity heads on the frozen features of dlib's face ResNet."""

import json
import platform
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from analyzer import registry
from analyzer.attributes import SIZES
from analyzer.datasets import Dataset
from analyzer.describe import _dlib_heads
from analyzer.evaluate import Scores, score
from analyzer.runtime import Runtime
from analyzer.train import _features
from analyzer.types import F32, I64, Progress, ProgressHook

SHIPPED = _dlib_heads.SHIPPED
"""The heads that come with this package."""
HIDDEN = 512
BATCH = 512
TUNING_SHARE = 0.1
"""Share of the pictures that is not trained on, to see what the settings are worth."""
_INPUT_DROPOUT, _HIDDEN_DROPOUT = 0.1, 0.5
_LEARNING_RATE, _WEIGHT_DECAY = 2e-3, 1e-2


def train(
    dataset: Dataset,
    *,
    runtime: Runtime,
    out: Path = SHIPPED,
    seed: int = 0,
    epochs: int = 20,
    progress: ProgressHook = lambda _: None,
) -> Scores:
    """Train heads and write them to a file, with all that is to be known about them.

    Args:
        dataset: pictures to train on, a tenth of which is kept apart for tuning.
        runtime: its device also trains; ``auto`` takes CUDA where torch has it.
        out: the file to write.
        seed: of the split, the initial weights and the order of the pictures.
        epochs: passes over the pictures.
        progress: told of the features computed and the epochs done.

    Returns:
        Figures on the tuning split, of the heads as they stand in the file.
    """
    backbone = registry.load("describe", "dlib_resnet", runtime=runtime, attributes=())
    views = _features.views(dataset, backbone, progress=progress)
    tuning, training = _split(len(dataset), seed)
    labels = {name: torch.from_numpy(classes[training]) for name, classes in dataset.labels.items()}
    mean, scale = _statistics(views[:, training])
    inputs = torch.from_numpy((views[:, training] - mean) / scale)
    torch.manual_seed(seed)
    device = _device(runtime.device)
    network = _fit(inputs.to(device), _to(labels, device), epochs, progress)
    heads = _fold(network.cpu(), mean, scale)
    raw = _apply(heads, views[0, tuning])
    scores = score(raw, {name: classes[tuning] for name, classes in dataset.labels.items()})
    about = {"seed": str(seed), "epochs": str(epochs), "data_sha256": dataset.digest}
    _dlib_heads.save(heads, out, {**about, **_metadata(scores, backbone.provenance, about)})
    return scores


def _split(count: int, seed: int) -> tuple[I64, I64]:
    """Rows to tune on and rows to train on."""
    order = np.random.default_rng(seed).permutation(count)
    kept = round(TUNING_SHARE * count)
    return order[:kept], order[kept:]


def _statistics(views: F32) -> tuple[F32, F32]:
    """Mean and standard deviation (k,) of features (2, n, k); 1 where a feature is constant."""
    mean = views.mean(axis=(0, 1), dtype=np.float64)
    deviation = views.std(axis=(0, 1), dtype=np.float64)
    deviation[deviation < 1e-6] = 1
    return mean.astype(np.float32), deviation.astype(np.float32)


def _device(device: str) -> torch.device:
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(device)


def _to(labels: Mapping[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    return {name: classes.to(device) for name, classes in labels.items()}


def _network() -> nn.Sequential:
    return nn.Sequential(
        nn.Dropout(_INPUT_DROPOUT),
        nn.Linear(_dlib_heads.FEATURES, HIDDEN),
        nn.ReLU(),
        nn.Dropout(_HIDDEN_DROPOUT),
        nn.Linear(HIDDEN, sum(SIZES.values())),
    )


def _fit(
    inputs: Tensor, labels: Mapping[str, Tensor], epochs: int, progress: ProgressHook
) -> nn.Sequential:
    """Train on features (2, n, k), each time one of the two views of a picture at random."""
    network = _network().to(inputs.device)
    count = inputs.shape[1]
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=_WEIGHT_DECAY)
    batches = -(-count // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, _LEARNING_RATE, total_steps=epochs * batches
    )
    for epoch in range(epochs):
        for rows in torch.randperm(count, device=inputs.device).split(BATCH):
            view = torch.randint(2, (len(rows),), device=inputs.device)
            outputs = network(inputs[view, rows])
            optimizer.zero_grad()
            _loss(outputs, {name: classes[rows] for name, classes in labels.items()}).backward()
            optimizer.step()
            schedule.step()
        progress(Progress(stage="train", done=epoch + 1, total=epochs))
    return network.eval()


def _loss(outputs: Tensor, labels: Mapping[str, Tensor]) -> Tensor:
    """Sum of the cross entropies of all heads."""
    columns = dict(zip(SIZES, outputs.split(list(SIZES.values()), dim=1), strict=True))
    sex = functional.binary_cross_entropy_with_logits(columns["sex"][:, 0], labels["sex"].float())
    others = [
        functional.cross_entropy(columns[name], labels[name]) for name in ("age", "ethnicity")
    ]
    return sex + sum(others)


def _fold(network: nn.Sequential, mean: F32, scale: F32) -> _dlib_heads.Heads:
    """Heads that take features as they are: the standardisation goes into the hidden layer."""
    weights = {name: value.double().numpy() for name, value in network.state_dict().items()}
    hidden = weights["1.weight"] / scale
    tensors = {"hidden.weight": hidden, "hidden.bias": weights["1.bias"] - hidden @ mean}
    start = 0
    for name, size in SIZES.items():
        tensors[f"{name}.weight"] = weights["4.weight"][start : start + size]
        tensors[f"{name}.bias"] = weights["4.bias"][start : start + size]
        start += size
    # Through float16, so that the figures are those of the file.
    return _dlib_heads.Heads(
        {name: value.astype(np.float16).astype(np.float32) for name, value in tensors.items()}
    )


def _apply(heads: _dlib_heads.Heads, features: F32) -> dict[str, F32]:
    """Raw values {head: (n, k)} of features (n, 704)."""
    tensors = heads.tensors
    hidden = np.maximum(features @ tensors["hidden.weight"].T + tensors["hidden.bias"], 0)
    return {
        name: hidden @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"] for name in heads.names
    }


def _metadata(
    scores: Scores, backbone: Mapping[str, str], settings: Mapping[str, str]
) -> dict[str, str]:
    """What the file says about itself."""
    options = f"--seed {settings['seed']} --epochs {settings['epochs']}"
    return {
        "command": f"python -m analyzer train attributes --data DIR {options}",
        "data": "FairFace (Karkkainen and Joo, WACV 2021), CC BY 4.0",
        "backbone_sha256": next(iter(backbone.values())),
        "tuning_scores": json.dumps(scores.to_dict()),
        "versions": f"python {platform.python_version()}, torch {torch.__version__}, "
        f"numpy {np.__version__}",
    }
