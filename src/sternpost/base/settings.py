"""The configuration of one installation; read once, in `assembly`.

A field's type carries what is allowed (`base.bounds`), and the comment behind it says what it means: both are
in the reference and in the error for a value that can't be used.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Annotated, get_type_hints

from sternpost.base.bounds import Bound, FilePath, Matching, OneOf, Seconds, Url, Whole

_KB, _MB, _GB, _TB, _PB = 10**3, 10**6, 10**9, 10**12, 10**15
_WEB = ("https", "http")
_SQL = ("postgresql", "postgresql+psycopg", "postgres", "sqlite")
_LEVELS = OneOf(("debug", "info", "warning", "error"))

# Named only where a field would not fit its line.
_Host = Annotated[str, Matching(r"[A-Za-z0-9._:%-]+", "a host name or IP address, without scheme or port")]
_File = Annotated[Path | None, FilePath()]
_Switch = Annotated[str, OneOf(("off", "on"))]
_ClickHouse = Annotated[str, Url(_WEB, "https://user:password@host:8443/sternpost")]
_Cluster = Annotated[str, Matching(r"[\w.{}-]+", "a name of letters, digits, dots, - and _")]
_Tables = Annotated[str, Url(_SQL, "postgresql://user:password@host:5432/database")]
_Public = Annotated[str, Url(_WEB, "https://sternpost.example.org", is_public=True)]
_Memory = Annotated[int, Whole(200 * _MB, _PB)]
_Queue = Annotated[int, Whole(_MB, _PB)]
_Free = Annotated[int, Whole(0, 1000 * _PB)]
_Share = Annotated[int, Whole(_MB, _PB, at_zero="no limit", is_zero_when_empty=True)]
_Segment = Annotated[int, Whole(64 * _KB, _GB)]
_Connections = Annotated[int, Whole(10, 1_000_000, at_zero="as many as the limit of open files allows")]
_Hosts = Annotated[
    str, Matching(r"[A-Za-z0-9._:\[\]*,-]+", "host names, comma-separated without spaces, or *")
]
_Days = Annotated[int, Whole(1, 36_500, at_zero="keeping them for ever", is_zero_when_empty=True)]


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting of a process; each is `STERNPOST_<NAME>` in the environment."""

    home: Annotated[Path, FilePath()]  # the data folder; everything Sternpost stores is in it
    host: _Host = "127.0.0.1"  # the address to listen on
    port: Annotated[int, Whole(0, 65_535)] = 4100  # the public port of gateway, API and web UI; 0: any free
    config: _File = None  # sternpost.yaml; unset: ./sternpost.yaml, then the data folder's
    config_watch: _Switch = "off"  # on: reload sternpost.yaml whenever it changes
    clickhouse_url: _ClickHouse = ""  # https://user:password@host:8443/sternpost; unset: the embedded engine
    clickhouse_cluster: _Cluster = ""  # the cluster's name; adds ON CLUSTER and replicated tables
    tables_url: _Tables = ""  # postgresql+psycopg://...; unset: SQLite in the data folder
    log_level: Annotated[str, _LEVELS] = "info"  # debug, info, warning or error
    log_format: Annotated[str, OneOf(("text", "json"))] = "text"  # text, or json for one object a line
    max_body_bytes: Annotated[int, Whole(_KB, 2 * _GB)] = 50_000_000  # the largest request that is read
    max_file_bytes: Annotated[int, Whole(_KB, _TB)] = 200_000_000  # the largest file accepted at /v1/files
    max_connections: _Connections = 0  # open connections of callers; 0: as the limit of open files allows
    allowed_hosts: _Hosts = ""  # more names that callers may use for this server, comma-separated; * for any
    gateway_url: _Public = ""  # where the worker sends lines of batches; unset: this machine's port
    drain_s: Annotated[float, Seconds(0, 86_400)] = 20.0  # how long open calls may continue after a stop
    engine_memory_bytes: _Memory = 2_000_000_000  # what queries of the embedded engine may use
    engine_threads: Annotated[int, Whole(1, 1024)] = 2  # threads of one query
    query_timeout_s: Annotated[float, Seconds(0.1, 3600)] = 20.0  # when a query of UI or API is cancelled
    reads_per_key: Annotated[int, Whole(1, 100)] = 3  # concurrent reads of traces, by key or session
    journal_max_bytes: _Queue = 20_000_000_000  # records waiting for the trace store; more are rejected
    journal_min_free_bytes: _Free = 200_000_000  # disk space the journal leaves free
    storage_min_free_bytes: _Free = 1_000_000_000  # disk space that files and media leave to the journal
    project_files_bytes: _Share = 10_000_000_000  # files that one project may keep; 0: any
    key_files_bytes: _Share = 5_000_000_000  # files that one key may keep; 0: any
    project_media_bytes: _Share = 20_000_000_000  # media of traces that one project may keep; 0: any
    journal_segment_bytes: _Segment = 32_000_000  # the size at which the journal starts a new file
    trace_retention_days: _Days = 90  # days after which traces are deleted; 0 or empty keeps them for ever
    session_days: Annotated[int, Whole(1, 3650)] = 14  # days a browser stays signed in
    public_url: _Public = ""  # how browsers reach Sternpost, if not at http://host:port


def bounds() -> Mapping[str, Bound]:
    """Return what each field allows, in order."""
    hints = get_type_hints(Settings, include_extras=True)
    return {field.name: hints[field.name].__metadata__[0] for field in fields(Settings)}


@cache
def meanings() -> Mapping[str, str]:
    """Return what each field means: the comment behind it. Empty where the source was not installed."""
    try:
        lines = inspect.getsource(Settings).splitlines()
    except OSError:
        return {}
    found: dict[str, str] = {}
    for line in lines:
        declared, _, comment = line.strip().partition("  # ")
        name, separator, _ = declared.partition(": ")
        if separator and comment and name.isidentifier():
            found[name] = comment
    return found
