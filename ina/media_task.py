"""The work of a worker's child: one medium, or one shard of it, after the other."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from analyzer import registry
from analyzer.errors import Incapable, MissingDependency, MissingPlugin, UsageError
from analyzer.files import source
from analyzer.gallery.folder import Galleries
from analyzer.identities import IdentityStore
from analyzer.identities.address import open_store
from analyzer.options import PLUGIN_OPTIONS, AnalysisOptions
from analyzer.pipeline.components import Components, load_components
from analyzer.reports import corrections_file, part_file
from analyzer.results import write
from analyzer.types import MediaReport
from analyzer.types.corrections import CorrectionsDocument
from analyzer.workflows.analyze import Request, analyze, exports_of
from ina.local_options import OVERRIDES
from ina.observer import LeaseObserver
from ina.progress import ProgressReporter
from ina.shared_store import require_machine
from ina.statistics import statistics
from jobs.errors import JobFailed
from jobs.outputs.publish import COMMIT_MARK
from jobs.types import Lease, PartPaths
from jobs.worker.child import Report

_LONG_STEPS = ("observe", "mp4")
"""Steps that take about as long as each other; all others are over soon."""


class MediaTask:
    """Analyses what leases ask for; components are loaded at the first one.

    Args:
        local: `threads`, and the worker's own `batch_size`, `device` and `backend`, or None;
            `allow_plugins`: whether modules and files that the options name are run.
    """

    def __init__(self, local: Mapping[str, Any]) -> None:
        self._threads = local["threads"]
        self._runs_foreign_code = local.get("allow_plugins", True)
        self._overrides = {name: local[name] for name in OVERRIDES if local.get(name) is not None}
        self._loaded: dict[str, tuple[Components, Galleries]] = {}
        self._logged: set[str] = set()
        self._store: IdentityStore | None = None
        self._report: Report = lambda _values: None

    def run(self, lease: Lease, parts: PartPaths, report: Report) -> Mapping[str, float]:
        """Write what the lease asks for; see `jobs.worker.child.Task`."""
        with source.limited_to(lease.bounds.input_root):
            options = self._options(lease)
            self._report = report
            store = self._identities(lease)
            loaded, galleries = self._components(options)
            components = loaded.within(lease.spec.start_s, lease.spec.stop_s)
            reporter = ProgressReporter(
                report,
                long_steps=[step for step in _LONG_STEPS if step == "observe" or step in parts],
                device=components.runtime.in_use(),
            )
            observer = LeaseObserver(lease, components, reporter)
            if lease.shard:
                (part,) = observer.observe(lease.source_path, reporter)
                part_file.save(part, parts["csv"], key=components.options.digest())
                return {}
            gallery = galleries.get(lease.spec.gallery, reporter) if lease.spec.gallery else None
            request = Request(
                path=lease.source_path,
                gallery=gallery,
                poster=lease.spec.poster_path,
                corrections=_corrections(lease),
                identities=store,
                call_key=lease.key,
            )
            media_report = analyze(
                request, components=components, observer=observer, progress=reporter
            )
            self._log(lease, [*(gallery.notes if gallery else ()), *media_report.notes])
            for name in parts.keys() - set(exports_of(media_report, list(parts))):
                del parts[name]
            self._export(lease, media_report, parts, reporter, components)
            poster_skipped = request.poster is not None and media_report.poster is None
            return statistics(
                media_report, poster_skipped=poster_skipped, files_failed=len(parts.faults)
            )

    def _export(
        self,
        lease: Lease,
        report: MediaReport,
        parts: PartPaths,
        reporter: ProgressReporter,
        components: Components,
    ) -> None:
        """Write all files; one that fails costs no other, unless it is the csv.

        Raises:
            JobFailed: The csv cannot be written.
        """
        for name in write.in_order(parts):
            exporter = registry.load("export", name, runtime=components.runtime)
            fault = write.fault_of(partial(exporter.write, report, parts[name], reporter))
            if fault and name == COMMIT_MARK:
                raise JobFailed("bug", f"csv: not written: {fault}")
            if fault:
                older = os.path.exists(lease.dests[name])
                fault += "; the file there is an older one" * older
                parts.give_up(name, fault)
                self._log(lease, [f"no {name}: {fault}"])

    def _options(self, lease: Lease) -> AnalysisOptions:
        """Return the options of a lease, with the worker's own.

        Raises:
            JobFailed: They name code that this worker must not run.
        """
        texts = {**lease.options, **self._overrides}
        for name in PLUGIN_OPTIONS:
            spec = str(texts.get(name) or "")
            if not self._runs_foreign_code and registry.is_foreign_code(spec):
                raise JobFailed(
                    "worker",
                    f"{name} {spec}: this worker runs no module or file that a server names: start "
                    "it with --allow_plugins, or install the plug-in as a package",
                )
        return AnalysisOptions.from_dict(texts)

    def _identities(self, lease: Lease) -> IdentityStore | None:
        """Return the store in which persons are remembered across media, where there is one.

        Raises:
            JobFailed: This worker cannot use the store, and so do no job.
        """
        shared = lease.private.get("identities")
        if shared and self._store is None:
            require_machine(shared["machine"])
            try:
                self._store = open_store(
                    shared["url"],
                    settings=None,
                    key=bytes.fromhex(shared["key"]) or None,
                    on_wait=self._report_waiting,
                )
            except (MissingDependency, UsageError) as error:
                raise JobFailed("worker", str(error)) from error
        return self._store

    def _report_waiting(self) -> None:
        self._report({"stage": "identities"})

    def _components(self, options: AnalysisOptions) -> tuple[Components, Galleries]:
        """Return the components that the options name; loaded where the last job had others."""
        if options.digest() not in self._loaded:
            self._loaded.clear()
            try:
                components = load_components(options, threads=self._threads)
            except (MissingPlugin, Incapable) as error:
                raise JobFailed("worker", str(error)) from error
            self._loaded[options.digest()] = components, Galleries(components)
        return self._loaded[options.digest()]

    def _log(self, lease: Lease, notes: Sequence[str]) -> None:
        """Log each note once."""
        for note in notes:
            if note not in self._logged:
                self._logged.add(note)
                logging.warning("%s: %s", lease.source_path, note)


def _corrections(lease: Lease) -> CorrectionsDocument | None:
    """Read the corrections of a job, which may lie beside the media or the results."""
    bounds = lease.bounds
    roots = (bounds.input_root, *filter(None, (bounds.output_root,)))
    with source.limited_to(*roots):
        return corrections_file.read_if_there(lease.spec.corrections)
