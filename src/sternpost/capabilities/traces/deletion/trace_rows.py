"""The statements by which traces leave the trace store; in which order, `steps` knows.

Traces are chosen by a subquery, so that no id of a person stands in the engine's files: those of a deletion
by the table `deleted_traces`, those of a session or user that a person asks about by their spans.
"""

# ruff: noqa: S608  # only fixed text is joined; every value travels as a server-side parameter

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from sternpost.base.errors import BadRequest, StoreError
from sternpost.base.ids import ProjectId
from sternpost.base.money import NanoUsd
from sternpost.capabilities.traces.content import CONTENT_REFERENCE
from sternpost.capabilities.traces.deletion.records import Counts, Deletion, DeletionKind
from sternpost.capabilities.traces.deletion.rules import salt_of
from sternpost.capabilities.traces.filters.span_sql import IS_CALL, IS_TOLD, counted
from sternpost.capabilities.traces.media.extract import BLOB_REFERENCE
from sternpost.capabilities.traces.overview.figures import BUCKET_NS, HOUR_NS
from sternpost.capabilities.traces.writing.tombstones import day_of
from sternpost.contracts.trace_store import TraceStore

_LONG_S: Final = 300.0  # of a question that reads the whole store
_MOST_ROWS: Final = 2_000_000
_PART: Final = 50_000
_FEW: Final = 100  # messages that the index of the spans finds faster than a walk through their days
_DAY_NS: Final = 86_400_000_000_000
ROWS_OF_TRACES: Final = (
    "scores",
    "trace_sums",
    "spans",
    "trace_times",
)  # in their order; the last says what is left
TABLES: Final = (*ROWS_OF_TRACES, "content", "call_figures")

_IN_PROJECT: Final = "WHERE project_id = {project:String} AND"
_BY_SUBJECT: Final[Mapping[DeletionKind, str]] = {
    "trace": "(SELECT {subject:String})",
    "session": f"(SELECT trace_id FROM spans {_IN_PROJECT} session_id = {{subject:String}})",
    "user": f"(SELECT trace_id FROM spans {_IN_PROJECT} user_id = {{subject:String}})",
}
_BY_DELETION: Final = f"(SELECT trace_id FROM deleted_traces {_IN_PROJECT} deletion_id = {{deletion:String}})"
_COLUMN: Final = {"session": "session_id", "user": "user_id"}
_ITEMS: Final = "(SELECT item FROM deletion_items WHERE deletion_id = {deletion:String} AND kind = '%s')"
_REFERRED: Final = "arrayConcat(input_hashes, output_hashes)"
_LONG_VALUES: Final = (
    f"arrayMap(v -> substring(v, {len(CONTENT_REFERENCE) + 1}), "
    f"arrayFilter(v -> startsWith(v, '{CONTENT_REFERENCE}'), mapValues(attributes)))"
)
_MEDIA_IN_ATTRIBUTES: Final = (
    f"arrayFlatten(arrayMap(v -> extractAll(v, '{BLOB_REFERENCE}([0-9a-f]{{64}})'), mapValues(attributes)))"
)


@dataclass(frozen=True, slots=True)
class Found:
    """What would go. Times are 0 when nothing would."""

    counts: Counts
    first_ns: int = 0
    last_ns: int = 0

    @classmethod
    def nothing(cls) -> "Found":
        return cls(Counts())


class TraceRows:
    """Of one deletion, or of a question what one would remove. Blocking. Raises: StoreError."""

    def __init__(
        self,
        store: TraceStore,
        project_id: ProjectId,
        chosen: str,
        parameters: Mapping[str, object],
        *,
        timeout_s: float | None = _LONG_S,
    ) -> None:
        self._timeout_s = timeout_s
        self._store = store
        self._chosen = chosen
        self._parameters = {"project": project_id, **parameters}

    @classmethod
    def of(cls, store: TraceStore, deletion: Deletion) -> "TraceRows":
        return cls(store, deletion.project_id, _BY_DELETION, {"deletion": deletion.deletion_id})

    @classmethod
    def asked(cls, store: TraceStore, project_id: ProjectId, kind: DeletionKind, subject: str) -> "TraceRows":
        """Choose by what a person asks about; the queries may take as long as any other read."""
        return cls(store, project_id, _BY_SUBJECT[kind], {"subject": subject}, timeout_s=None)

    def count(self) -> Found:
        """Count traces, their spans and scores, and what was spent, each call once."""
        [(traces, first, last)] = self._ask(
            "SELECT uniqExact(trace_id), min(first_started_ns), max(last_started_ns) FROM trace_times "
            f"WHERE project_id = {{project:String}} AND trace_id IN {self._chosen}"
        )
        if not traces:
            return Found.nothing()
        within = (
            "project_id = {project:String} AND started_ns BETWEEN {first:Int64} AND {last:Int64} "
            f"AND trace_id IN {self._chosen}"
        )
        times = {"first": _int(first), "last": _int(last)}
        is_told = self._ask(f"SELECT 1 FROM spans WHERE {within} AND {IS_TOLD} LIMIT 1", times)
        is_counted = counted(within) if is_told else IS_CALL
        [(spans, cost)] = self._ask(
            f"SELECT count(), sumIf(cost_nanousd, {is_counted}) FROM spans FINAL WHERE {within}", times
        )
        [(scores,)] = self._ask(
            "SELECT uniqExact(score_id) FROM scores "
            f"WHERE project_id = {{project:String}} AND trace_id IN {self._chosen}"
        )
        counts = Counts(_int(traces), _int(spans), _int(scores), cost_nanousd=NanoUsd(_int(cost)))
        return Found(counts, _int(first), _int(last))

    def find(self, deletion: Deletion) -> None:
        """Write down which traces go."""
        day = {"day": day_of(deletion.created_ns)}
        if deletion.kind == "trace":
            self._run(
                "INSERT INTO deleted_traces "
                "SELECT {project:String}, {trace:String}, {deletion:String}, {day:UInt32}",
                {**day, "trace": deletion.subject},
            )
        else:
            column = _COLUMN[deletion.kind]
            self._run(
                "INSERT INTO deleted_traces "
                "SELECT DISTINCT project_id, trace_id, {deletion:String}, {day:UInt32} "
                "FROM spans WHERE project_id = {project:String} AND started_ns < {before:Int64} "
                f"AND {column} != '' "
                f"AND lower(hex(SHA256(concat({{salt:String}}, {column})))) = {{hash:String}}",
                {
                    **day,
                    "before": deletion.created_ns,
                    "hash": deletion.subject,
                    "salt": salt_of(deletion.project_id, deletion.kind),
                },
            )

    def find_buckets(self) -> None:
        """Write down in which five minutes of the overview something goes."""
        self._run(
            "INSERT INTO deletion_items SELECT DISTINCT {deletion:String}, 'bucket', "
            f"toString(started_ns - started_ns % {BUCKET_NS}) FROM spans "
            f"WHERE project_id = {{project:String}} AND trace_id IN {self._chosen}"
        )

    def find_messages(self) -> None:
        """Write down which messages the traces refer to, and which of them others refer to as well."""
        theirs = f"project_id = {{project:String}} AND trace_id IN {self._chosen}"
        for hashes in (_REFERRED, _LONG_VALUES):
            self._run(
                "INSERT INTO deletion_items SELECT DISTINCT {deletion:String}, 'candidate', "
                f"arrayJoin({hashes}) FROM spans WHERE {theirs}"
            )
        candidates = [str(row[0]) for row in self._ask(_ITEMS[1:-1] % "candidate", most=_FEW + 1)]
        if not candidates:
            return
        others = f"project_id = {{project:String}} AND trace_id NOT IN {self._chosen}"
        keep = "INSERT INTO deletion_items SELECT DISTINCT {deletion:String}, 'kept', hash FROM "
        among = f"WHERE hash IN {_ITEMS % 'candidate'}"
        if len(candidates) <= _FEW:
            found = f"{others} AND hasAny({_REFERRED}, {{few:Array(String)}})"
            self._run(
                f"{keep} (SELECT arrayJoin({_REFERRED}) AS hash FROM spans WHERE {found}) {among}",
                {"few": candidates},
            )
        else:
            for day in self._days():
                found = f"{others} AND started_ns >= {{low:Int64}} AND started_ns < {{high:Int64}}"
                self._run(
                    f"{keep} (SELECT arrayJoin({_REFERRED}) AS hash FROM spans WHERE {found}) {among}", day
                )
        self._keep_long_values(others, keep, among)

    def _keep_long_values(self, others: str, keep: str, among: str) -> None:
        """Attributes have no index: they are read only if a deleted trace had such a value."""
        theirs = f"project_id = {{project:String}} AND trace_id IN {self._chosen}"
        if not self._ask(f"SELECT 1 FROM spans WHERE {theirs} AND notEmpty({_LONG_VALUES}) LIMIT 1"):
            return
        for day in self._days():
            found = f"{others} AND started_ns >= {{low:Int64}} AND started_ns < {{high:Int64}}"
            self._run(
                f"{keep} (SELECT arrayJoin({_LONG_VALUES}) AS hash FROM spans WHERE {found}) {among}", day
            )

    def lone_messages(self) -> list[str]:
        """Return the messages that nothing else refers to."""
        rows = self._ask(
            f"SELECT item FROM {_ITEMS % 'candidate'} WHERE item NOT IN {_ITEMS % 'kept'} LIMIT {_MOST_ROWS}"
        )
        return [str(row[0]) for row in rows]

    def media_of(self) -> list[str]:
        """Return what may be a medium in those messages and in the traces' attributes."""
        lone = f"hash IN {_ITEMS % 'candidate'} AND hash NOT IN {_ITEMS % 'kept'}"
        rows = self._ask(
            "SELECT DISTINCT arrayJoin(extractAll(body, '[0-9a-f]{64}')) FROM content "
            f"WHERE project_id = {{project:String}} AND {lone} UNION DISTINCT "
            f"SELECT DISTINCT arrayJoin({_MEDIA_IN_ATTRIBUTES}) FROM spans "
            f"WHERE project_id = {{project:String}} AND trace_id IN {self._chosen}"
        )
        return [str(row[0]) for row in rows]

    def used_media(self, media: Sequence[str]) -> set[str]:
        """Return which of these media other messages, or other spans' attributes, refer to."""
        used: set[str] = set()
        lone = f"hash IN {_ITEMS % 'candidate'} AND hash NOT IN {_ITEMS % 'kept'}"
        for hash_ in media:
            if self._ask(
                "SELECT 1 FROM content WHERE project_id = {project:String} "
                f"AND hasAllTokens(body, {{medium:String}}) AND NOT ({lone}) LIMIT 1",
                {"medium": hash_},
            ):
                used.add(hash_)
        for day in self._days() if media else ():
            rows = self._ask(
                f"SELECT DISTINCT arrayJoin({_MEDIA_IN_ATTRIBUTES}) AS medium FROM spans "
                f"WHERE project_id = {{project:String}} AND trace_id NOT IN {self._chosen} "
                "AND started_ns >= {low:Int64} AND started_ns < {high:Int64}",
                day,
            )
            used |= {str(row[0]) for row in rows}
        return used

    def delete_messages(self, deletion: Deletion, hashes: Sequence[str]) -> None:
        """Have these messages deleted; `is_rewritten` says when they are."""
        for part in _parts(hashes):
            rows = [[deletion.deletion_id, "gone", hash_] for hash_ in part]
            self._store.insert("deletion_items", ("deletion_id", "kind", "item"), rows)
        self._mutate("content", f"hash IN {_ITEMS % 'gone'}")

    def delete_rows(self, table: str) -> None:
        """Have the rows of the traces in a table deleted; `is_rewritten` says when they are."""
        self._mutate(table, f"trace_id IN {self._chosen}")

    def delete_figures(self) -> None:
        """Have the sums of the hours in which something was deleted, or a call beside it, deleted."""
        hours = (
            f"(SELECT arrayJoin([at - {BUCKET_NS}, at, at + {BUCKET_NS}]) - "
            f"arrayJoin([at - {BUCKET_NS}, at, at + {BUCKET_NS}]) % {HOUR_NS} "
            f"FROM (SELECT toInt64(item) AS at FROM {_ITEMS % 'bucket'}))"
        )
        self._mutate("call_figures", f"bucket_ns - bucket_ns % {HOUR_NS} IN {hours}")

    def touch(self) -> None:
        """Note that those five minutes changed, so that the overview adds up their spans again."""
        self._run(
            "INSERT INTO spans_touched SELECT {project:String}, "
            "toYYYYMMDD(fromUnixTimestamp64Nano(toInt64(item), 'UTC')), toInt64(item), "
            f"toUnixTimestamp64Nano(now64(9)) FROM {_ITEMS % 'bucket'}"
        )

    def is_rewritten(self, table: str) -> bool:
        """Say whether what was asked of a table is done."""
        rows = self._ask(
            "SELECT count() FROM system.mutations WHERE NOT is_done AND database = currentDatabase() "
            "AND table = {table:String} AND position(command, {deletion:String}) > 0",
            {"table": table},
        )
        return rows[0][0] == 0

    def old_parts(self, before_s: int) -> int:
        """Count the files that still hold what was deleted: parts that others replaced before a time."""
        rows = self._ask(
            "SELECT count() FROM system.parts WHERE NOT active AND database = currentDatabase() "
            "AND table IN {tables:Array(String)} AND remove_time <= toDateTime({before:Int64})",
            {"tables": list(TABLES), "before": before_s},
        )
        return _int(rows[0][0])

    def clean(self) -> None:
        """Ask the engine to remove replaced files now; a server may refuse, and does it by itself later."""
        for table in TABLES:
            with suppress(StoreError, BadRequest):
                self._store.command(f"SYSTEM START CLEANUP {table}")

    def engine_now_s(self) -> int:
        return _int(self._ask("SELECT toInt64(toUnixTimestamp(now()))")[0][0])

    def forget(self, deletion: Deletion) -> None:
        """Drop what the deletion wrote down on its way."""
        self._store.command(f"ALTER TABLE deletion_items DROP PARTITION '{deletion.deletion_id}'")

    def _mutate(self, table: str, condition: str) -> None:
        # Not a lightweight DELETE: that one hides rows and leaves them in their files.
        self._run(
            f"ALTER TABLE {table} DELETE WHERE project_id = {{project:String}} AND {condition} "
            "SETTINGS mutations_sync = 0, allow_nondeterministic_mutations = 1"
        )

    def _days(self) -> Iterator[dict[str, object]]:
        rows = self._ask(
            f"SELECT DISTINCT bucket_ns - bucket_ns % {_DAY_NS} AS low FROM spans_touched "
            "WHERE project_id = {project:String} ORDER BY low DESC"
        )
        return ({"low": _int(row[0]), "high": _int(row[0]) + _DAY_NS} for row in rows)

    def _run(self, sql: str, parameters: Mapping[str, object] | None = None) -> None:
        self._store.command(sql, self._named(sql, parameters))

    def _ask(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, most: int = _MOST_ROWS
    ) -> Sequence[Sequence[object]]:
        asked = self._named(sql, parameters)
        return self._store.query(sql, asked, timeout_s=self._timeout_s, max_rows=most).rows

    def _named(self, sql: str, parameters: Mapping[str, object] | None) -> dict[str, object]:
        asked = {**self._parameters, **(parameters or {})}
        return {name: value for name, value in asked.items() if f"{{{name}:" in sql}


def again_found(store: TraceStore) -> list[str]:
    """Return the deletions of which there are spans in the store: another worker did not know of them yet."""
    rows = store.query(
        "SELECT DISTINCT deletion_id FROM deleted_traces WHERE (project_id, trace_id) IN "
        "(SELECT project_id, trace_id FROM trace_times "
        "WHERE trace_id IN (SELECT trace_id FROM deleted_traces))",
        timeout_s=_LONG_S,
    )
    return [str(row[0]) for row in rows.rows]


def _parts(items: Sequence[str]) -> Iterable[Sequence[str]]:
    return (items[at : at + _PART] for at in range(0, len(items), _PART))


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0
