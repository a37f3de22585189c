"""The training loop: shards of a batch side by side, a checkpoint after every epoch."""

import copy
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from analyzer.files.atomic import atomic_write
from analyzer.training import _loss
from analyzer.training._augment import augment
from analyzer.training._mix import Mix
from analyzer.training._network import Branch, Trunk
from analyzer.types import I64, U8

BATCH = 128
_SHARDS = 2
"""Parts of a batch, each in its own thread: on few cores that beats threads inside operators."""
_RATE, _HEAD_RATE, _STAGE_DECAY = 4e-4, 1.5e-3, 0.75
"""Peak learning rates of the last stage and of the heads; every earlier stage has less."""
_FURTHER = 0.5
"""Of these rates, for a branch that is trained further: it is to stay near what it knows."""
_WEIGHT_DECAY, _WARM_UP, _CLIP = 0.05, 0.08, 2.0
_AVERAGE = 0.998
"""Decay per step of the moving average of the weights, which is what is kept."""
_STANDARDIZE = 1024
_TAUGHT = 0.7
"""Weight of the teachers' opinions beside the labels."""
_UNMIXED = 0.25
"""Share of the epochs, at the end, in which no pictures are mixed."""


@dataclass(frozen=True)
class TrainingPictures:
    """What is trained on."""

    chips: U8
    """(N, S, S, 3)."""
    rows: I64
    """(n,) the chips that are trained on."""
    targets: Mapping[str, Tensor]
    """Head -> (n, k) distributions; see `_loss.targets`."""
    sex_weights: Tensor
    """(n, 1); see `_loss.sex_weights`."""

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: Any) -> U8:
        return self.chips[self.rows[i]]


@dataclass(frozen=True)
class _Shard:
    """A part of a batch: n pictures."""

    clean: U8
    """(n, S, S, 3) moved and mixed, for a teacher."""
    spoiled: U8
    """(n, S, S, 3) the same with all that spoils them."""
    targets: Mapping[str, Tensor]
    """Head -> (n, k) distributions."""
    sex_weights: Tensor
    """(n, 1)."""
    teacher: int
    """Number of the teacher that is asked."""
    seed: int
    """Of what is dropped of the layers."""


class Fit:
    """A training run; all chance in it comes from the seed, the epoch and the row."""

    def __init__(
        self,
        trunk: Trunk,
        branch: Branch,
        teachers: Sequence[Branch],
        pictures: TrainingPictures,
        seed: int,
        epochs: int,
        device: str,
    ) -> None:
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
        self._device = torch.device(device)
        self._trunk = trunk.to(self._device).to(memory_format=torch.channels_last)
        self.branch = branch.to(self._device).to(memory_format=torch.channels_last)
        self._teachers = [
            teacher.to(self._device).to(memory_format=torch.channels_last) for teacher in teachers
        ]
        self.pictures, self._seed, self._epochs = pictures, seed, epochs
        self.epoch = 0
        self._steps = len(pictures) // BATCH
        groups = _groups(branch, _FURTHER if branch.trained else 1)
        self._optimizer = torch.optim.AdamW(groups, weight_decay=_WEIGHT_DECAY, fused=True)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimizer,
            [group["lr"] for group in self._optimizer.param_groups],
            total_steps=max(epochs * self._steps, 1),
            pct_start=_WARM_UP,
            cycle_momentum=False,
        )
        average: Any = get_ema_multi_avg_fn(_AVERAGE)
        self.average = AveragedModel(branch, multi_avg_fn=average)
        with torch.no_grad():
            x = self._activations(pictures[:_STANDARDIZE])
            branch.standardize(self._features(branch, x))

    def run_epoch(self, tell: Callable[[float], None]) -> None:
        """Pass once over the pictures; `tell` hears the epochs done, with their fraction."""
        random = np.random.default_rng([self._seed, self.epoch])
        order = random.permutation(len(self.pictures))[: self._steps * BATCH]
        parts = order.reshape(self._steps, _SHARDS, -1)
        replicas = [_replica(self.branch) for _ in range(_SHARDS)]
        with ThreadPoolExecutor(_SHARDS) as pool, ThreadPoolExecutor(_SHARDS) as ahead:
            for step, shards in enumerate(_made_ahead(ahead, self._shard, parts)):
                list(pool.map(self._backward, replicas, shards))
                self._update(replicas)
                tell(self.epoch + (step + 1) / self._steps)
        self.epoch += 1

    def _shard(self, rows: I64) -> "_Shard":
        """Change the pictures of some rows at random."""
        changed = [
            augment(self.pictures[row], np.random.default_rng([self._seed, self.epoch, row]))
            for row in rows
        ]
        moved, spoiled = (np.stack(chips) for chips in zip(*changed, strict=True))
        random = np.random.default_rng([self._seed, self.epoch, int(rows[0]), len(rows)])
        mix = Mix(random, len(rows), always_whole=self._near_end)
        targets = {k: v[torch.from_numpy(rows)] for k, v in self.pictures.targets.items()}
        clean = mix.chips(moved)
        return _Shard(
            clean=np.ascontiguousarray(clean[:, :, ::-1]) if random.random() < 0.5 else clean,
            spoiled=mix.chips(spoiled),
            targets={head: mix.targets(wanted) for head, wanted in targets.items()},
            sex_weights=mix.targets(self.pictures.sex_weights[torch.from_numpy(rows)]),
            teacher=int(random.integers(max(len(self._teachers), 1))),
            seed=hash((self._seed, self.epoch, int(rows[0]))),
        )

    def _backward(self, replica: Branch, shard: "_Shard") -> None:
        """Add the gradients of one shard."""
        torch.set_num_threads(1)
        chance = torch.Generator(self._device)
        chance.manual_seed(shard.seed)
        features = self._features(replica, self._activations(shard.spoiled))
        values = replica.heads(features, chance)
        targets = {head: wanted.to(self._device) for head, wanted in shard.targets.items()}
        weights = shard.sex_weights.to(self._device)
        loss = _loss.total(values, targets, weights)
        if self._teachers:
            taught = _loss.total(values, self._opinions(shard), weights)
            loss = (1 - _TAUGHT) * loss + _TAUGHT * taught
        (loss / _SHARDS).backward()

    def _opinions(self, shard: "_Shard") -> dict[str, Tensor]:
        """Return what one of the teachers says of the pictures before they were spoiled.

        They are otherwise the very ones that the branch sees (Beyer et al., "Knowledge
        distillation: A good teacher is patient and consistent", CVPR 2022); what spoils them is to
        change nothing (Xie et al., "Self-training with noisy student improves ImageNet
        classification", CVPR 2020). Half of the shards are shown to their teacher as mirror images,
        so that a branch learns to say without one what the teacher says with it. A cross entropy
        is linear in what is wanted, so over many shards one teacher and one view at random teach
        what the mean of all of them would, for less time.
        """
        teacher = self._teachers[shard.teacher]
        with torch.no_grad():
            x = self._activations(shard.clean)
            return _loss.opinions(teacher.heads(self._features(teacher, x)))

    @property
    def _near_end(self) -> bool:
        """Whether pictures are no longer mixed.

        He et al., "Data augmentation revisited: Rethinking the distribution gap between clean and
        augmented data", 2019.
        """
        return self.epoch >= (1 - _UNMIXED) * self._epochs

    def _activations(self, chips: U8) -> Tensor:
        """Return the frozen trunk's activations of chips (n, S, S, 3)."""
        with torch.no_grad(), torch.autocast(self._device.type, torch.bfloat16):
            return self._trunk(torch.from_numpy(chips).to(self._device))

    def _features(self, branch: Branch, x: Tensor) -> Tensor:
        """Return features (n, 1472) of the trunk's activations."""
        with torch.autocast(self._device.type, torch.bfloat16):
            return branch.features(x)

    def _update(self, replicas: list[Branch]) -> None:
        """Sum the shards' gradients, in their order, and take a step."""
        shards = [replica.parameters() for replica in replicas]
        for parameter, *parts in zip(self.branch.parameters(), *shards, strict=True):
            parameter.grad = parts[0].grad
            for part in parts[1:]:
                parameter.grad += part.grad
            for part in parts:
                part.grad = None
        torch.nn.utils.clip_grad_norm_(self.branch.parameters(), _CLIP)
        self._optimizer.step()
        self._schedule.step()
        self.average.update_parameters(self.branch)

    def save(self, path: Path, run: Mapping[str, str]) -> None:
        """Write all that `resume` needs, and what run it is of."""
        states = {name: thing.state_dict() for name, thing in self._things().items()}
        with atomic_write(path) as part:
            torch.save({"run": dict(run), "epoch": self.epoch, **states}, part)

    def resume(self, path: Path, run: Mapping[str, str]) -> bool:
        """Go on where a checkpoint of the same run stands; false where there is none."""
        if not path.is_file():
            return False
        saved = torch.load(path, map_location=self._device, weights_only=True)
        if saved["run"] != dict(run):
            return False
        for name, thing in self._things().items():
            thing.load_state_dict(saved[name])
        self.epoch = saved["epoch"]
        return True

    def _things(self) -> dict[str, Any]:
        return {
            "branch": self.branch,
            "average": self.average,
            "optimizer": self._optimizer,
            "schedule": self._schedule,
        }


def _made_ahead(
    pool: ThreadPoolExecutor, make: Callable[[I64], _Shard], parts: I64
) -> Iterator[list[_Shard]]:
    """Yield the shards (s,) of each step; those of the next one are made meanwhile.

    Args:
        pool: Threads that make them.
        make: Makes the shard of some rows.
        parts: (steps, s, n) rows.
    """
    coming: deque[list[Future[_Shard]]] = deque()
    for part in parts:
        coming.append([pool.submit(make, rows) for rows in part])
        if len(coming) > 1:
            yield [shard.result() for shard in coming.popleft()]
    for shards in coming:
        yield [shard.result() for shard in shards]


def _groups(branch: Branch, share: float) -> list[dict[str, Any]]:
    """Return parameters and their peak learning rates, of which this share is taken."""
    depth = len(branch.stages)
    groups = [
        {"params": list(stage.parameters()), "lr": share * _RATE * _STAGE_DECAY ** (depth - 1 - i)}
        for i, stage in enumerate(branch.stages)
    ]
    heads = [*branch.hidden.parameters(), *branch.outputs.parameters()]
    return [*groups, {"params": heads, "lr": share * _HEAD_RATE}]


def _replica(branch: Branch) -> Branch:
    """Return a copy that shares its parameters' memory, and has gradients of its own."""
    replica = copy.deepcopy(branch)
    for mine, shared in zip(replica.parameters(), branch.parameters(), strict=True):
        mine.data = shared.data
    return replica
