"""Prometheus metrics of the drain, which runs in the worker; what they say is what it reported last."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sternpost.capabilities.traces.writing.drain_report import read_report
from sternpost.capabilities.traces.writing.set_aside import FOLDER_NAME, count_set_aside


@dataclass(frozen=True, slots=True, eq=False)
class DrainCollector(Collector):
    home: Path

    def collect(self) -> Iterable[Metric]:
        report = read_report(self.home)
        yield GaugeMetricFamily(
            "sternpost_drain_is_storing",
            "1 while the store accepts spans.",
            int(report is None or report.is_store_up),
        )
        yield GaugeMetricFamily(
            "sternpost_records_set_aside",
            "Records that can't be stored, kept in files.",
            count_set_aside(self.home / FOLDER_NAME),
        )
        yield CounterMetricFamily(
            "sternpost_late_spans_dropped",
            "Spans of deleted traces that arrived late and were not stored, since the worker started.",
            0 if report is None else report.dropped,
        )
