"""Prometheus metrics of what is bounded: the disk's room for files and media, and slow reads."""

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sternpost.assembly.storage import StorageState
from sternpost.base.reads import ReadCounts


@dataclass(slots=True, eq=False)
class ResourceCollector(Collector):
    """`storage` is what was seen last; it is looked at before each scrape."""

    reads: ReadCounts
    storage: StorageState | None = None

    def collect(self) -> Iterator[Metric]:
        reads, storage = self.reads, self.storage
        yield GaugeMetricFamily("sternpost_reads_under_way", "Reads of traces under way.", reads.under_way)
        ended = CounterMetricFamily(
            "sternpost_reads_ended", "Reads ended before their answer.", labels=["why"]
        )
        ended.add_metric(["too_many"], reads.refused)
        ended.add_metric(["too_long"], reads.timed_out)
        ended.add_metric(["caller_left"], reads.left)
        yield ended
        if storage is None:
            return
        kept = GaugeMetricFamily("sternpost_storage_bytes", "What is kept on the disk.", labels=["kind"])
        kept.add_metric(["files"], storage.files_bytes)
        kept.add_metric(["media"], storage.media_bytes)
        yield kept
        yield GaugeMetricFamily("sternpost_storage_free_bytes", "Free space of the disk.", storage.free_bytes)
        yield GaugeMetricFamily(
            "sternpost_storage_floor_bytes", "Below this, files and media are refused.", storage.floor_bytes
        )
        yield CounterMetricFamily(
            "sternpost_media_not_kept", "Media kept by hash alone, for lack of room.", storage.media_refused
        )
