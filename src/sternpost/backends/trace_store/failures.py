"""What ClickHouse's error numbers mean to our callers; not when they are raised.

Source: ClickHouse, src/Common/ErrorCodes.cpp.
"""

from clickhouse_connect.driver.exceptions import DataError, Error, ProgrammingError

from sternpost.base.errors import BadRequest, QueryTimedOut, RowsRefused, SternpostError, StoreUnavailable

_OUT_OF_TIME = {159: "it took too long", 160: "it would take too long", 394: "it was cancelled"}
_SIGN_IN = {192, 193, 194, 516}
# The server's own trouble: full, stopping, overloaded, read-only, without its peers.
_UNAVAILABLE = {
    28: "it can't write",
    74: "it can't read",
    75: "it can't write to its disk",
    76: "it can't open its files",
    173: "it has no memory",
    164: "it is read-only",
    202: "too many queries at once",
    209: "a peer did not answer",
    210: "the network failed",
    236: "it is stopping",
    242: "its table is read-only",
    60: "its tables are being made",  # the first seconds of a data folder, until the worker has migrated
    81: "its tables are being made",
    243: "its disk is full",
    252: "merges lag behind inserts, or one insert spans too many days",
    285: "too few replicas are up",
    319: "an insert may not have reached all replicas",
    999: "its keeper is unavailable",
}
# Bytes on the disk are not those that were written; some of a read may be whole, so a query is not at fault.
_DAMAGED = {32, 33, 39, 40, 107, 117, 226, 230, 246, 271, 432, 499}
_TOO_MUCH_MEMORY = 241
# std::exception, Poco's and others: what the system said, as the standard library has it.
_OF_THE_SYSTEM = {1000, 1001, 1002}
_NO_SPACE = ("No space left on device", "Disk quota exceeded")
# What an INSERT gets when its tables are not those of this version: nothing of it is the rows' fault.
_OTHER_SCHEMA = {10, 16, 20, 44, 47, 60, 81, 218, 497}
# What can only come from the values of the rows.
_OF_THE_ROWS = {6, 25, 26, 27, 38, 41, 69, 72, 128, 130, 131, 190, 321, 349, 407, 469, 691}
_TOO_MUCH = {158: "it reads too many rows", 396: "it gives too many rows", 241: "it needs too much memory"}
# Errors whose text speaks of the SQL alone and never quotes a stored value or a parameter.
_SPEAKS_OF_SQL = {16, 36, 42, 43, 46, 47, 50, 53, 62, 70, 115, 179, 215, 456}
_TEXT_LENGTH = 300


def needs_other_schema(error: Exception) -> bool:
    """Say whether a question failed as it would on the tables of an earlier version."""
    return isinstance(error, Error) and error.code in _OTHER_SCHEMA


def is_damage(error: Exception) -> bool:
    """Say whether what was read is not what was written."""
    return isinstance(error, Error) and error.code in _DAMAGED


def is_out_of_reach(error: Exception) -> bool:
    """Say whether the engine was not reached, or did not know us, so that a new address may help."""
    if isinstance(error, DataError | ProgrammingError):
        return False
    if isinstance(error, Error):
        return error.code is None or error.code in _SIGN_IN
    return True


def read_failure(error: Exception) -> SternpostError:
    """Name what stopped a query."""
    code = error.code if isinstance(error, Error) else None
    if code in _OUT_OF_TIME:
        return QueryTimedOut(f"the query was cancelled: {_OUT_OF_TIME[code]}; choose a shorter time range")
    if code in _TOO_MUCH:
        return BadRequest(f"the query was refused: {_TOO_MUCH[code]}; narrow its filters")
    return _failure(error, code)


def write_failure(error: Exception) -> SternpostError:
    """Name what stopped a statement that changes something; StoreUnavailable when it may succeed later."""
    code = error.code if isinstance(error, Error) else None
    if code in _OUT_OF_TIME or code == _TOO_MUCH_MEMORY:
        what = "has too little memory" if code == _TOO_MUCH_MEMORY else "is too busy"
        return StoreUnavailable(f"the trace store {what} to write; it will retry")
    return _failure(error, code)


def insert_failure(error: Exception) -> SternpostError:
    """Name what stopped an insert: RowsRefused when it is the rows, or may be."""
    code = error.code if isinstance(error, Error) else None
    is_missing = isinstance(error, ProgrammingError)  # the driver's, for a column it can't find
    if code in _OTHER_SCHEMA or is_missing:
        return StoreUnavailable(
            f"the trace store's tables are not those of this version (error {code or 'of the driver'}); "
            "rows wait until they are"
        )
    failure = write_failure(error)
    if isinstance(failure, BadRequest):
        is_certain = code in _OF_THE_ROWS or isinstance(error, DataError)
        return RowsRefused(failure.message.replace("the statement", "rows"), is_certain=is_certain)
    return failure


def _failure(error: Exception, code: int | None) -> SternpostError:
    if isinstance(error, DataError | ProgrammingError):
        return BadRequest(
            f"the trace store's driver refused the rows or the parameters ({type(error).__name__})"
        )
    if code is None:
        return StoreUnavailable("the trace store does not answer; calls go on and their traces arrive later")
    if code in _OF_THE_SYSTEM and any(words in str(error) for words in _NO_SPACE):
        return StoreUnavailable(f"the trace store is unavailable: {_UNAVAILABLE[243]}")
    if code in _SIGN_IN:
        return StoreUnavailable("the trace store refused the password; check STERNPOST_CLICKHOUSE_URL")
    if code in _UNAVAILABLE:
        return StoreUnavailable(f"the trace store is unavailable: {_UNAVAILABLE[code]}")
    if code in _DAMAGED:
        return StoreUnavailable(
            f"files of the trace store are damaged (error {code}); calls go on; restore its folder from a "
            "backup, or move the folder away to start with an empty one"
        )
    name = (error.name if isinstance(error, Error) else None) or "unnamed"
    detail = f": {_sql_part(str(error))}" if code in _SPEAKS_OF_SQL else ""
    return BadRequest(f"the trace store refused the statement with {code} {name}{detail}")


def _sql_part(text: str) -> str:
    _, _, said = text.rpartition("DB::Exception: ")
    return said.partition(" (for url ")[0][:_TEXT_LENGTH]
