"""chDB as values in, values out: opens the data folder, runs one statement; not how a request arrives.

One connection per statement (0.3 ms): settings and parameters set on it can't leak into the next one, and
connections of one process run side by side on the one engine.
"""

import fcntl
import importlib
import os
import re
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast
from uuid import uuid4

from sternpost.backends.engine.statement import Statement
from sternpost.base.errors import AlreadyRunning, ConfigurationError

_CODE = re.compile(r"Code: (\d+)\. DB::Exception: ")
_USUAL_QUERY_LENGTH = 50_000  # ClickHouse refuses statements above 262,144 bytes unless told otherwise
_UNKNOWN_CODE = 1001  # std::exception in ClickHouse's list
_NO_SPACE, _NO_MEMORY = 243, 173

# Caches bounded for a laptop, one pool of merges per core, no query logs (nothing reads them here).
# Source of the names: ClickHouse documentation, "Server settings".
_CONFIG = """<clickhouse>
  <timezone>UTC</timezone>
  <max_server_memory_usage>{memory_bytes}</max_server_memory_usage>
  <mark_cache_size>{mark_cache_bytes}</mark_cache_size>
  <primary_index_cache_size>{mark_cache_bytes}</primary_index_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <mmap_cache_size>0</mmap_cache_size>
  <query_condition_cache_size>8388608</query_condition_cache_size>
  <background_pool_size>{threads}</background_pool_size>
  <background_schedule_pool_size>2</background_schedule_pool_size>
  <background_common_pool_size>1</background_common_pool_size>
  <user_query_log remove="1"/>
</clickhouse>
"""


class EngineRefused(Exception):
    """The engine's own error, with ClickHouse's number for it and its full text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Limits:
    """What the engine may use. A single query gets at most two thirds of the memory."""

    memory_bytes: int
    threads: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a statement gave. `body` is in the statement's output format."""

    body: bytes = b""
    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    elapsed_s: float = 0.0


class _Result(Protocol):
    def bytes(self) -> bytes: ...
    def storage_rows_read(self) -> int: ...
    def storage_bytes_read(self) -> int: ...
    def rows_written(self) -> int: ...
    def bytes_written(self) -> int: ...
    def elapsed(self) -> float: ...


class _Connection(Protocol):
    def query(self, sql: str, output_format: str, /) -> _Result: ...
    def close(self) -> None: ...


class _Chdb(Protocol):
    def connect(self, target: str, /) -> _Connection: ...
    def set_signal_handlers_enabled(self, is_enabled: bool, /) -> None: ...


class EmbeddedEngine:
    """The one engine of this process; chDB can open one folder per process and must not be forked."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        """Open the folder, made when missing.

        Raises: AlreadyRunning when another process has it open; ConfigurationError when it can't be opened.
        """
        self._defaults = {
            "max_threads": str(limits.threads),
            "max_memory_usage": str(limits.memory_bytes * 2 // 3),
            "max_result_bytes": str(limits.memory_bytes // 4),
            "insert_deduplicate": "0",
        }
        self._connect = _load_chdb()
        self._target = _write_config(folder, limits)
        try:
            self._keeper = self._connect(self._target)
        except RuntimeError as error:
            raise _as_open_error(folder, error) from None

    def run(self, statement: Statement, tag: str = "") -> Outcome:
        """Run one statement to its end; blocking, from any thread.

        tag: what `cancel` ends it by. Raises: EngineRefused.
        """
        connection = self._connect(self._target)
        try:
            self._prepare(connection, statement, tag)
            if statement.rows is None:
                result = connection.query(statement.sql, statement.output_format)
                return _outcome(result, result.bytes())
            return _insert(connection, statement, statement.rows)
        except RuntimeError as error:
            raise _as_refusal(error) from None
        finally:
            connection.close()

    def cancel(self, tag: str) -> None:
        """End the statement that runs under `tag`, if it still does."""
        self.run(Statement(f"KILL QUERY WHERE Settings['log_comment'] = {_quoted(tag)} ASYNC", "control"))

    def cancel_reads(self) -> None:
        """End every SELECT, for a stop that must not wait for them."""
        self.run(Statement("KILL QUERY WHERE query_kind = 'Select' ASYNC", "control"))

    def close(self) -> None:
        """Finish what runs in the background and release the folder."""
        self._keeper.close()

    def _prepare(self, connection: _Connection, statement: Statement, tag: str) -> None:
        context = statement.context
        values = {**self._defaults, **context.settings, **context.parameters}
        values["log_comment"] = tag or str(uuid4())
        assignments = ", ".join(f"{name} = {_quoted(value)}" for name, value in values.items())
        if len(assignments) > _USUAL_QUERY_LENGTH:
            connection.query(f"SET max_query_size = {4 * len(assignments) + _USUAL_QUERY_LENGTH}", "Null")
        connection.query(f"SET {assignments}", "Null")
        if context.database:
            connection.query(f"USE {_identifier(context.database)}", "Null")


def _load_chdb() -> Callable[[str], _Connection]:
    # chDB imports pyarrow when it finds it, for results we never ask for: 40 MB and 0.5 s at each start.
    # None in sys.modules makes that import fail, which chDB allows (chdb/state/sqlitelike.py).
    cast("dict[str, object]", sys.modules).setdefault("pyarrow", None)
    # Loaded when an engine opens and nowhere else: 220 MB, and a process that has it must not fork.
    chdb = cast("_Chdb", importlib.import_module("chdb._chdb"))
    chdb.set_signal_handlers_enabled(False)
    return chdb.connect


def _write_config(folder: Path, limits: Limits) -> str:
    if set(str(folder)) & set("?&=%#"):
        raise ConfigurationError(f"the engine can't use the folder {str(folder)!r}: choose one without ?&=%#")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = folder / "config.xml"
    fields = {
        "memory_bytes": limits.memory_bytes,
        "mark_cache_bytes": limits.memory_bytes // 16,
        "threads": limits.threads,
    }
    config.write_text(_CONFIG.format_map(fields), encoding="utf-8")
    return f"{folder}?config-file={config}"


def _insert(connection: _Connection, statement: Statement, rows: bytes) -> Outcome:
    """Insert from a file, as one query that raises.

    chDB's streaming insert answers success for rows that were refused while they were written, and a query
    with the rows in its text ends at the first empty line (docs/decisions/0015-writes-that-are-known.md).
    """
    with _as_file(rows) as path:
        source = f"FROM INFILE {_quoted(path)} COMPRESSION 'none'"
        sql = f"{statement.sql} {source} {statement.rows_settings} FORMAT {statement.rows_format}"
        return _outcome(connection.query(sql, "Null"), b"")


@contextmanager
def _as_file(rows: bytes) -> Generator[str]:
    """Give bytes a path for the length of the block: in memory on Linux, else in the temporary folder.

    Raises: EngineRefused when there is no room for them.
    """
    try:
        handle, path = (
            _memory_file() if sys.platform == "linux" else tempfile.mkstemp(prefix="sternpost-rows-")
        )
    except OSError as error:
        raise EngineRefused(_NO_MEMORY, f"Code: {_NO_MEMORY}. DB::Exception: {error.strerror}") from None
    try:
        with os.fdopen(handle, "wb", buffering=0) as file:
            try:
                _write_all(file.fileno(), rows)
            except OSError as error:
                raise EngineRefused(
                    _NO_SPACE, f"Code: {_NO_SPACE}. DB::Exception: {error.strerror}"
                ) from None
            yield path
    finally:
        if sys.platform != "linux":
            Path(path).unlink()


def _memory_file() -> tuple[int, str]:
    handle = os.memfd_create("sternpost-rows")
    return handle, f"/proc/self/fd/{handle}"


def _write_all(handle: int, rows: bytes) -> None:
    view = memoryview(rows)
    while view:
        view = view[os.write(handle, view) :]


def _outcome(result: _Result, body: bytes) -> Outcome:
    return Outcome(
        body=body,
        read_rows=result.storage_rows_read(),
        read_bytes=result.storage_bytes_read(),
        written_rows=result.rows_written(),
        written_bytes=result.bytes_written(),
        elapsed_s=result.elapsed(),
    )


def _as_refusal(error: RuntimeError) -> EngineRefused:
    text = str(error)
    found = _CODE.search(text)
    if found is None:
        return EngineRefused(_UNKNOWN_CODE, f"Code: {_UNKNOWN_CODE}. DB::Exception: {text} (STD_EXCEPTION)")
    return EngineRefused(int(found.group(1)), text[found.start() :])


def _as_open_error(folder: Path, error: RuntimeError) -> ConfigurationError:
    if _is_locked(folder / "status"):
        return AlreadyRunning(
            f"another engine has {str(folder)!r} open; stop that Sternpost first, or start on another --home"
        )
    return ConfigurationError(
        f"the trace engine can't open {str(folder)!r} ({error}); restore it from a backup, "
        "or move it away to start with an empty one"
    )


def _is_locked(path: Path) -> bool:
    """Say whether another process holds the lock that ClickHouse takes on its folder's status file."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _identifier(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"
