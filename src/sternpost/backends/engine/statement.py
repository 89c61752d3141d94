"""One request of ClickHouse's HTTP protocol as a value: statement, parameters, settings, rows to insert.

Pure: it does not run anything. Source: ClickHouse documentation, "HTTP Interface".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from typing import Literal, TypeAlias
from urllib.parse import parse_qsl

Lane: TypeAlias = Literal["read", "write", "control"]

DEFAULT_FORMAT = "TabSeparated"
_NOT_SETTINGS = frozenset(
    {
        "query",
        "query_id",
        "database",
        "default_database",
        "user",
        "password",
        "role",
        "quota_key",
        "session_id",
        "session_timeout",
        "session_check",
        "compress",
        "decompress",
        "buffer_size",
        "wait_end_of_query",
        "default_format",
        "client_protocol_version",
        "stacktrace",
    }
)
_READS = frozenset({"SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_TABLE = rb"(?:`[^`]*`|\w+)(?:\.(?:`[^`]*`|\w+))?"
_INSERT = re.compile(
    rb"\s*(INSERT\s+INTO\s+(?:TABLE\s+)?" + _TABLE + rb"\s*(?:\([^)]*\))?)(?:\s*(SETTINGS\s[^;\n]*?))?"
    rb"\s*FORMAT\s+(\w+)[ \t]*(?:\r?\n)?",
    re.IGNORECASE,
)
# An INSERT that names no plain table and columns: the engine would end the rows in it at an empty line.
_ROWS_IN_TEXT = re.compile(rb"\s*INSERT\b.*?\bFORMAT\s+\w+.*?\n\s*\n\s*\S", re.IGNORECASE | re.DOTALL)
_FORMAT_AT_END = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*\Z", re.IGNORECASE)
_KILL = re.compile(r"\s*KILL\s+QUERY\b", re.IGNORECASE)
_HEAD_BYTES = 65_536  # an INSERT's column list is shorter; what follows are rows, never searched


class NotAStatement(ValueError):
    """The request is not one that ClickHouse's HTTP protocol allows."""


@dataclass(frozen=True, slots=True)
class Context:
    """What holds around a statement."""

    query_id: str = ""
    database: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    settings: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Statement:
    """What one request asks for. `rows` is the body of an INSERT in `rows_format`, else None.

    `rows_settings` is the SETTINGS clause that stood between such an INSERT's table and its format.
    """

    sql: str
    lane: Lane
    output_format: str = DEFAULT_FORMAT
    context: Context = field(default_factory=Context)
    rows: bytes | None = None
    rows_format: str = ""
    rows_settings: str = ""


def read_statement(query_string: str, content_type: str, body: bytes) -> Statement:
    """Take a request apart.

    Raises: NotAStatement for an empty query, a name that is no identifier, SQL that is not UTF-8, or rows
    that can't be distinguished from their INSERT.
    """
    pairs = dict(parse_qsl(query_string, keep_blank_values=True))
    if content_type.startswith("multipart/form-data"):
        pairs |= _form_fields(content_type, body)
        body = b""
    head = pairs.get("query", "").encode()
    text = head + b"\n" + body if head and body else head or body
    context = _context(pairs)
    insert = _INSERT.match(text, 0, _HEAD_BYTES)
    if insert is not None:
        return Statement(
            sql=_decode(insert.group(1)).strip(),
            lane="write",
            context=context,
            rows=text[insert.end() :],
            rows_format=insert.group(3).decode(),
            rows_settings=_decode(insert.group(2) or b""),
        )
    if _ROWS_IN_TEXT.match(text):
        raise NotAStatement("An INSERT with rows names one table, then its columns, then FORMAT")
    sql = _decode(text).strip()
    if not sql:
        raise NotAStatement("Empty query")
    named = _FORMAT_AT_END.search(sql)
    output_format = named.group(1) if named else pairs.get("default_format") or DEFAULT_FORMAT
    if _KILL.match(sql):
        # The engine names its queries itself; the caller's id travels as `log_comment`.
        sql = re.sub(r"\bquery_id\b", "Settings['log_comment']", sql)
        return Statement(sql, "control", output_format, context)
    lane: Lane = "read" if sql.split(None, 1)[0].upper() in _READS else "write"
    return Statement(sql, lane, output_format, context)


def _context(pairs: Mapping[str, str]) -> Context:
    parameters: dict[str, str] = {}
    settings: dict[str, str] = {}
    for name, value in pairs.items():
        if not _NAME.fullmatch(name):
            raise NotAStatement(f"{name[:80]!r} is not the name of a setting or a parameter")
        if name.startswith("param_"):
            parameters[name] = value
        elif name not in _NOT_SETTINGS:
            settings[name] = value
    return Context(pairs.get("query_id", ""), pairs.get("database", ""), parameters, settings)


def _form_fields(content_type: str, body: bytes) -> dict[str, str]:
    form = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    fields: dict[str, str] = {}
    for part in form.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            fields[name] = _decode(content)
    return fields


def _decode(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise NotAStatement("the statement is not UTF-8") from None
