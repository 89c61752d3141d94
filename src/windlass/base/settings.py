"""What one installation is told from outside; read once, in `assembly`."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting of a process; each is `WINDLASS_<NAME>` in the environment."""

    home: Path
    host: str = "127.0.0.1"
    port: int = 4100
    config: Path | None = None
    clickhouse_url: str = ""  # empty: the embedded engine
    clickhouse_cluster: str = ""  # adds ON CLUSTER and replicated engines
    tables_url: str = ""  # empty: SQLite in the data folder
    log_level: str = "info"
    log_format: str = "text"  # text | json
    max_body_bytes: int = 50_000_000
    drain_s: float = 20.0
    engine_memory_bytes: int = 2_000_000_000
    engine_threads: int = 2
    query_timeout_s: float = 20.0
    journal_max_bytes: int = 20_000_000_000
    journal_min_free_bytes: int = 200_000_000
    journal_segment_bytes: int = 32_000_000
    trace_retention_days: int = 90
    session_days: int = 14
    public_url: str = ""  # how browsers reach the UI, when not at host:port
