"""Observation of what a lease asks for: a medium, a shard of it, or shards that others observed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analyzer.errors import AnalyzerError
from analyzer.files import source
from analyzer.pipeline.components import Components
from analyzer.pipeline.conclude import join
from analyzer.pipeline.observe import observe_part
from analyzer.reports import part_file
from analyzer.reports.part_file import Part
from analyzer.types import ProgressHook
from ina.progress import ProgressReporter
from jobs.errors import JobFailed
from jobs.types import Lease


class LeaseObserver:
    """Observes the medium of a lease; see `analyzer.workflows.observer.Observer`.

    Args:
        lease: Lease with the shard to observe, or with the part files of all shards.
        components: From `load_components`.
        reporter: Progress reporter, which is told the medium's duration.
    """

    def __init__(self, lease: Lease, components: Components, reporter: ProgressReporter) -> None:
        self._lease = lease
        self._components = components
        self._reporter = reporter

    def observe(self, path: str | Sequence[str], progress: ProgressHook | None) -> list[Part]:
        """Observe the medium, or join the part files of its shards.

        Raises:
            JobFailed: A part file is gone or damaged: its shard must be observed again.
            InputError: The medium cannot be read.
            ResourceError: Memory or device gave out.
        """
        if self._lease.parts:
            part = self._join(self._lease.parts)
        else:
            part = observe_part(
                path, components=self._components, shard=self._lease.shard, progress=progress
            )
        self._reporter.duration_s = part.info.duration_s
        return [part]

    def _join(self, files: Sequence[str]) -> Part:
        key = self._components.options.digest()
        try:
            with source.limited_to(self._lease.bounds.output_root):
                return join([part_file.load(Path(file), key=key) for file in files])
        except AnalyzerError as error:
            raise JobFailed("transient", f"{error}: its shards are done again") from error
