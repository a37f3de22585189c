"""Looking at media as wholes, or in shards by processes on this machine."""

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from multiprocessing import get_context

from analyzer.errors import ResourceError
from analyzer.options import AnalysisOptions
from analyzer.pipeline.components import Components, load_components
from analyzer.pipeline.observe import observe_part
from analyzer.reports.part_file import Part
from analyzer.types import Progress, ProgressHook
from joblist.shard import Shard

_components: list[Components] = []
"""Of a process that looks at shards."""


class Look:
    """Looks at one medium after the other; a context manager.

    Args:
        components: loaded.
        shards: into which each medium is divided; ``None`` for wholes.
    """

    def __init__(self, components: Components, shards: Sequence[Shard] | None) -> None:
        self.components = components
        self._shards = shards
        self._pool: ProcessPoolExecutor | None = None
        self._stack = ExitStack()

    def __enter__(self) -> "Look":
        self._start()
        return self

    def _start(self) -> None:
        """Start the processes, if there are to be any."""
        if self._shards is None:
            return
        cores = self.components.runtime.threads or len(os.sched_getaffinity(0))
        workers = min(len(self._shards), cores)
        pool = ProcessPoolExecutor(
            workers,
            # Spawn: libraries with threads and CUDA do not survive a fork.
            mp_context=get_context("spawn"),
            initializer=_load,
            initargs=(self.components.options, max(1, cores // workers)),
        )
        self._pool = self._stack.enter_context(pool)

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def at(self, path: str | Sequence[str], progress: ProgressHook) -> list[Part]:
        """Look at a medium.

        Args:
            path: see `analyzer.pipeline.run.analyze`.
            progress: told of each step; of shards, when one is done.

        Raises:
            ResourceError: a process died, or memory or device gave out.
            InputError: the medium cannot be read.
        """
        if self._pool is None or self._shards is None:
            return [observe_part(path, components=self.components, progress=progress)]
        running = [self._pool.submit(_part, path, shard) for shard in self._shards]
        try:
            progress(Progress(stage="observe", done=0, total=len(running)))
            for number, part in enumerate(as_completed(running), start=1):
                part.result()
                progress(Progress(stage="observe", done=number, total=len(running)))
            return [part.result() for part in running]
        except BrokenProcessPool as error:
            self._start()
            raise ResourceError(f"{path}: a process died; try fewer --shards") from error
        finally:
            for part in running:
                part.cancel()


def _load(options: AnalysisOptions, threads: int) -> None:
    _components.append(load_components(options, threads=threads))


def _part(path: str | Sequence[str], shard: Shard) -> Part:
    return observe_part(path, components=_components[0], shard=shard)
