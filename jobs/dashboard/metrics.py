"""The state of the joblist as metrics, in the text form of Prometheus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ina_cli import libraries
from joblist.errors import UsageError

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def render(status: Mapping[str, Any]) -> bytes:
    """Return the metrics of a status of `Board.status`.

    Raises:
        UsageError: prometheus-client is not installed.
    """
    try:
        from prometheus_client import CollectorRegistry, generate_latest
    except ModuleNotFoundError as error:
        install = libraries.requirements("prometheus_client")
        raise UsageError(
            f"/metrics needs prometheus_client; install it with: pip install {install}"
        ) from error
    registry = CollectorRegistry()
    registry.register(_Collector(status))
    return generate_latest(registry)


class _Collector:
    """The metrics of one status; see `prometheus_client.registry.Collector`."""

    def __init__(self, status: Mapping[str, Any]) -> None:
        self._status = status

    def collect(self) -> Iterator[Any]:
        """Yield every metric, with its value now."""
        from prometheus_client.core import GaugeMetricFamily

        status, workers = self._status, self._status["workers"]
        jobs = GaugeMetricFamily("ina_jobs", "Jobs of the joblist by group", labels=["group"])
        for group, number in status["groups"].items():
            jobs.add_metric([group], number)
        yield jobs
        yield GaugeMetricFamily("ina_workers", "Workers that call", len(workers))
        busy = sum(bool(worker["jobs"]) for worker in workers)
        yield GaugeMetricFamily("ina_workers_busy", "Workers that have a job", busy)
        speeds = [job["speed"] or 0.0 for worker in workers for job in worker["jobs"]]
        text = "Seconds of media analysed a second, by all workers now"
        yield GaugeMetricFamily("ina_media_speed_ratio", text, sum(speeds))
        text = "1 if no jobs are handed out, whatever the reason"
        yield GaugeMetricFamily("ina_withheld", text, int(bool(status["withheld"])))
        text = "When this server began, seconds since 1970"
        yield GaugeMetricFamily("ina_start_time_seconds", text, status["began"])
        if status["left_s"] is not None:
            text = "Estimated seconds until every job is over; missing while unknown"
            yield GaugeMetricFamily("ina_time_left_seconds", text, status["left_s"])
