"""The frozen network's features of a dataset, computed once and cached on disk."""

import io
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from analyzer.evaluation.datasets import Dataset
from analyzer.files import cache
from analyzer.files.atomic import atomic_write_bytes
from analyzer.files.hashing import sha256
from analyzer.types import F32, U8, Progress, ProgressHook

_CHIPS = 512


class Backbone(Protocol):
    """A describer that shows the features on which its heads stand."""

    provenance: Mapping[str, str]

    def features(self, images: U8) -> F32:
        """Return features (n, k) of chips (n, S, S, 3)."""
        ...


def views(dataset: Dataset, backbone: Backbone, *, progress: ProgressHook) -> F32:
    """Return features (2, n, k) of all pictures: as they are, and mirrored.

    They are rounded to float16, which is how the cache holds them.
    """
    key = [dataset.digest, *backbone.provenance.values()]
    name = sha256(["\n".join(key).encode()]).hexdigest()[:32]
    path = cache.path("features", f"{name}.npy")
    if not path.is_file():
        buffer = io.BytesIO()
        np.save(buffer, _compute(dataset, backbone, progress).astype(np.float16))
        atomic_write_bytes(path, buffer.getvalue())
    return np.load(path).astype(np.float32)


def _compute(dataset: Dataset, backbone: Backbone, progress: ProgressHook) -> F32:
    parts = []
    for start in range(0, len(dataset), _CHIPS):
        chips = dataset.chips(start, start + _CHIPS)
        parts.append(np.stack([backbone.features(chips), backbone.features(chips[:, :, ::-1])]))
        done = min(start + _CHIPS, len(dataset))
        progress(Progress(stage="features", done=done, total=len(dataset)))
    return np.concatenate(parts, axis=1)
