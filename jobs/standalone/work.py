"""A piece of work that no server hands out, and what names it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any

from joblist.model import JobSpec
from joblist.shard import Shard
from jobs.ledger import schema
from jobs.outputs.part_names import shard_name
from jobs.types import Bounds, Lease

JOB = 0
"""Number of every job outside a ledger; where two are at one destination, the later wins."""
CUT = 1


@dataclass(frozen=True)
class Work:
    """A job, or a shard of one."""

    spec: JobSpec
    options: Mapping[str, Any]
    digest: str
    """Of the options that change results."""
    bounds: Bounds = field(default_factory=Bounds)
    shard: Shard | None = None
    parts: tuple[str, ...] = ()
    """Files of all shards, to be put together."""
    private: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What else it needs, as in a lease."""

    @cached_property
    def name(self) -> str:
        """Names the work in journals: the same only if the same is to be done in the same way."""
        identity = [self.spec.to_dict(), self.digest, self.shard and asdict(self.shard)]
        return blake2b(json.dumps(identity, sort_keys=True).encode(), digest_size=16).hexdigest()

    @property
    def key(self) -> str:
        """Names it for those who count it once, whatever else is made of it; without a path."""
        identity = json.dumps([self.digest, self.spec.source_path, self.csv])
        return blake2b(identity.encode(), digest_size=16).hexdigest()

    @property
    def csv(self) -> str:
        """The file that marks its end."""
        return self.spec.dests["csv"]

    def slot(self, count: int) -> int:
        """Return which of so many tasks does it, by its destination alone."""
        return int.from_bytes(schema.job_key(self.csv), "big") % count

    def divided(self, shards: Sequence[Shard]) -> tuple[Work, list[Work]]:
        """Return what puts the parts together, and what makes each of them."""
        count = len(shards)
        files = tuple(shard_name(self.csv, JOB, CUT, n, count, ledger="") for n in range(count))
        makers = [
            replace(
                self,
                spec=JobSpec(source_path=self.spec.source_path, dests={"csv": file}),
                shard=shard,
            )
            for shard, file in zip(shards, files, strict=True)
        ]
        return replace(self, parts=files), makers

    def lease(self, token: int) -> Lease:
        """Return it as a lease."""
        return Lease(
            job=JOB,
            token=token,
            spec=self.spec,
            options=self.options,
            bounds=self.bounds,
            shard=self.shard,
            parts=self.parts,
            key=self.key,
            private=self.private,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what is its own; options and bounds are those of many."""
        shard = asdict(self.shard) if self.shard else None
        return {"spec": self.spec.to_dict(), "shard": shard, "parts": list(self.parts)}

    def like(self, plain: Mapping[str, Any]) -> Work:
        """Return the work that `to_dict` tells of, with the options and bounds of this one."""
        return replace(
            self,
            spec=JobSpec.from_dict(plain["spec"]),
            shard=Shard(**plain["shard"]) if plain["shard"] else None,
            parts=tuple(plain["parts"]),
        )
