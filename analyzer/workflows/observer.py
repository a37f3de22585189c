"""Observers of a medium: as a whole, or in shards by processes on this machine."""

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from multiprocessing import get_context
from typing import Protocol

from analyzer.errors import ResourceError
from analyzer.options import AnalysisOptions
from analyzer.pipeline.components import Components, load_components
from analyzer.pipeline.observe import observe_part
from analyzer.reports.part_file import Part
from analyzer.types import ProgressHook
from analyzer.types.progress import report_progress
from joblist.shard import Shard

_components: list[Components] = []
"""The components of a process of a `ShardPool`."""


class Observer(Protocol):
    """Observes media, in one way or another."""

    def observe(self, path: str | Sequence[str], progress: ProgressHook | None) -> Sequence[Part]:
        """Observe a medium.

        Args:
            path: Path of a video; with the engine `image`, of a picture, a folder or a list.
            progress: Hook that is called at each step.

        Returns:
            All parts of the medium, in order of time.

        Raises:
            InputError: The medium cannot be read.
            ResourceError: Memory or device gave out.
        """
        ...


class WholeObserver:
    """An `Observer` that observes each medium as a whole, in this process."""

    def __init__(self, components: Components) -> None:
        self._components = components

    def observe(self, path: str | Sequence[str], progress: ProgressHook | None) -> list[Part]:
        """Observe a medium; see `Observer`."""
        return [observe_part(path, components=self._components, progress=progress)]


class ShardPool:
    """Processes, one for each shard of a medium; a context manager.

    Args:
        components: Components with the options and the threads to share.
        shards: Shards into which each medium is divided.
    """

    def __init__(self, components: Components, shards: Sequence[Shard]) -> None:
        self._shards = shards
        self._options = components.options
        self._cores = components.runtime.threads or len(os.sched_getaffinity(0))
        self._stack = ExitStack()
        self._pool = self._start()

    def __enter__(self) -> "ShardPool":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _start(self) -> ProcessPoolExecutor:
        """Start the processes."""
        workers = min(len(self._shards), self._cores)
        return self._stack.enter_context(
            ProcessPoolExecutor(
                workers,
                # Spawn: libraries with threads and CUDA do not survive a fork.
                mp_context=get_context("spawn"),
                initializer=_load,
                initargs=(self._options, max(1, self._cores // workers)),
            )
        )

    def observe(
        self,
        path: str | Sequence[str],
        progress: ProgressHook | None,
        segment: tuple[float | None, float | None],
    ) -> list[Part]:
        """Observe a medium; progress counts finished shards; see `Observer`.

        Args:
            path: Path of the medium.
            progress: Hook that is called at each step.
            segment: Start and stop of a segment of this medium, in seconds; `None`: see
                `Components.within`.
        """
        futures = [
            self._pool.submit(_observe_shard, path, shard, segment) for shard in self._shards
        ]
        try:
            report_progress(progress, "observe", 0, len(futures))
            for number, future in enumerate(as_completed(futures), start=1):
                future.result()
                report_progress(progress, "observe", number, len(futures))
            return [future.result() for future in futures]
        except BrokenProcessPool as error:
            self._pool = self._start()
            raise ResourceError(f"{path}: a process died; try fewer --shards") from error
        finally:
            for future in futures:
                future.cancel()


class PoolObserver:
    """An `Observer` that has the processes of a pool.

    Args:
        pool: The pool.
        components: Those of the pool, for the segment of the media.
    """

    def __init__(self, pool: ShardPool, components: Components) -> None:
        options = components.options
        self._pool = pool
        self._segment = (options.start, options.stop) if components.is_segment else (None, None)

    def observe(self, path: str | Sequence[str], progress: ProgressHook | None) -> list[Part]:
        """Observe a medium; see `Observer`."""
        return self._pool.observe(path, progress, self._segment)


def _load(options: AnalysisOptions, threads: int) -> None:
    _components.append(load_components(options, threads=threads))


def _observe_shard(
    path: str | Sequence[str], shard: Shard, segment: tuple[float | None, float | None]
) -> Part:
    return observe_part(path, components=_components[0].within(*segment), shard=shard)
