"""The frozen network's features of a dataset, as it is and changed at random."""

import io
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from analyzer.evaluation.datasets import Dataset
from analyzer.files import cache
from analyzer.files.atomic import atomic_write_bytes
from analyzer.files.hashing import sha256
from analyzer.training._augment import augment
from analyzer.types import F32, I64, U8, Progress, ProgressHook

_CHIPS = 512
_CHANGED = 3
"""Views of each picture that are changed at random."""


class Backbone(Protocol):
    """A describer that shows the features on which its heads stand."""

    provenance: Mapping[str, str]

    def features(self, images: U8) -> F32:
        """Return features (n, k) of chips (n, S, S, 3)."""
        ...


def views(
    dataset: Dataset,
    chips: U8,
    rows: I64,
    backbone: Backbone,
    *,
    seed: int,
    progress: ProgressHook,
) -> F32:
    """Return features (5, n, k) of some pictures: as they are, mirrored, and thrice changed.

    Those of pictures as they are, and mirrored, are rounded to float16, which is how they are
    cached on disk.

    Args:
        dataset: All pictures.
        chips: (N, S, S, 3) of the dataset.
        rows: (n,) the pictures that are asked for.
        backbone: The frozen network.
        seed: Seed of the changes.
        progress: Hook that is called with the pictures done.
    """
    key = [dataset.digest, *backbone.provenance.values()]
    name = sha256(["\n".join(key).encode()]).hexdigest()[:32]
    path = cache.path("features", f"{name}.npy")
    if not path.is_file():
        buffer = io.BytesIO()
        plain = _compute(chips, backbone, progress)
        np.save(buffer, plain.astype(np.float16))
        atomic_write_bytes(path, buffer.getvalue())
    changed = [_changed(chips, rows, backbone, [seed, i], progress) for i in range(_CHANGED)]
    return np.concatenate([np.load(path)[:, rows].astype(np.float32), np.stack(changed)])


def _compute(chips: U8, backbone: Backbone, progress: ProgressHook) -> F32:
    """Return features (2, n, k) of chips as they are, and mirrored."""
    parts = []
    for start in range(0, len(chips), _CHIPS):
        part = chips[start : start + _CHIPS]
        parts.append(np.stack([backbone.features(part), backbone.features(part[:, :, ::-1])]))
        progress(Progress(stage="features", done=start + len(part), total=len(chips)))
    return np.concatenate(parts, axis=1)


def _changed(
    chips: U8, rows: I64, backbone: Backbone, seed: Sequence[int], progress: ProgressHook
) -> F32:
    """Return features (n, k) of some chips, changed at random."""
    parts = []
    for start in range(0, len(rows), _CHIPS):
        part = rows[start : start + _CHIPS]
        changed = [augment(chips[row], np.random.default_rng([*seed, row]))[1] for row in part]
        parts.append(backbone.features(np.stack(changed)))
        progress(Progress(stage="features", done=start + len(part), total=len(rows)))
    return np.concatenate(parts)
