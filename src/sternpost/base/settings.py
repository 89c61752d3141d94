"""What one installation is told from outside; read once, in `assembly`."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting of a process; each is `STERNPOST_<NAME>` in the environment."""

    home: Path  # the data folder; everything Sternpost keeps is in it
    host: str = "127.0.0.1"  # the address to listen on
    port: int = 4100  # the public port of gateway, API and web UI
    config: Path | None = None  # sternpost.yaml; unset: ./sternpost.yaml, then the data folder's
    clickhouse_url: str = ""  # https://user:password@host:8443/sternpost; unset: the embedded engine
    clickhouse_cluster: str = ""  # the cluster's name; adds ON CLUSTER and replicated tables
    tables_url: str = ""  # postgresql+psycopg://...; unset: SQLite in the data folder
    log_level: str = "info"  # debug, info, warning or error
    log_format: str = "text"  # text, or json for one object a line
    max_body_bytes: int = 50_000_000  # the largest request that is read
    max_file_bytes: int = 200_000_000  # the largest file that is taken at /v1/files
    max_connections: int = 0  # open connections of callers; 0: as many as the limit of open files allows
    allowed_hosts: str = ""  # more names that callers may use for this server, comma-separated; * for any
    gateway_url: str = ""  # where the worker sends lines of batches; unset: this machine's port
    drain_s: float = 20.0  # how long open calls may go on after a stop is asked for
    engine_memory_bytes: int = 2_000_000_000  # what queries of the embedded engine may use
    engine_threads: int = 2  # threads of one query
    query_timeout_s: float = 20.0  # when a query of the UI or the API is ended
    journal_max_bytes: int = 20_000_000_000  # records waiting for the trace store; more are refused
    journal_min_free_bytes: int = 200_000_000  # disk space the journal leaves free
    journal_segment_bytes: int = 32_000_000  # the size at which the journal begins a new file
    trace_retention_days: int = 90  # days after which traces are deleted; 0 keeps them for ever
    session_days: int = 14  # days a browser stays signed in
    public_url: str = ""  # how browsers reach Sternpost, when that is not http://host:port
