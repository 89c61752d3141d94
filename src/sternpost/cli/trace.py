"""`sternpost trace`: list, show, follow and delete traces."""

import time
import urllib.parse
from typing import Annotated, Any, cast

from sternpost.base.errors import StoreError
from sternpost.cli.client import ApiClient, connect
from sternpost.cli.commands import Argument, Commands, Option, echo
from sternpost.cli.media import part_words
from sternpost.cli.options import Environment, Home, Json, settings_from
from sternpost.cli.output import dollars, moment, note, print_facts, print_json, print_table, printable
from sternpost.cli.span_tree import in_tree_order
from sternpost.cli.trace_deletion import confirm, follow, path_of, print_deletion, print_preview
from sternpost.cli.trace_pages import read_trace

app = Commands(help="List, show, follow and delete traces.")

Filter = Annotated[str | None, Option("--filter", help='e.g. "status:error model:gpt-6.1-terra"')]
Since = Annotated[str | None, Option("--since", help="A time, or a period such as now-24h.")]
_MOST = 200
_SAID = 400  # characters of a message; --json has all
_COLUMNS = ("trace", "started", "name", "status", "duration", "tokens", "cost", "input")


@app.command("list")
def list_traces(
    *,
    where: Filter = None,
    environment: Environment = None,
    since: Since = None,
    cursor: Annotated[
        str | None, Option("--cursor", help="Continue where the previous output ended.")
    ] = None,
    limit: Annotated[int, Option(min=1, max=_MOST)] = 20,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """List the newest traces."""
    asked = {"limit": limit, "filter": where, "since": since, "cursor": cursor, "environment": environment}
    page = connect(settings_from(home)).get("/api/traces", asked)
    if is_json:
        print_json(page)
        return
    rows = [_row(item) for item in cast("list[dict[str, Any]]", page["items"])]
    until = page.get("searched_until")
    nothing = (
        "no trace matches"
        if where or since or environment
        else "no traces yet; point an SDK at Sternpost and make a call"
    )
    print_table(_COLUMNS, rows, empty="no trace matches so far" if until else nothing)
    if until:
        note(f"searched back to {moment(until)}; search further with --cursor {page['next_cursor']}")
    elif page.get("next_cursor"):
        more = (
            f"show them with --limit {min(_MOST, limit * 2)}" if limit < _MOST else "narrow them by --filter"
        )
        note(f"more traces follow; {more}")


@app.command()
def show(
    trace_id: Annotated[str, Argument(help="An id, a URL of the web UI, or @last.")],
    *,
    has_all: Annotated[
        bool, Option("--all", help="Show all spans of a trace that has more than 5,000.")
    ] = False,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Show one trace with its spans."""
    client = connect(settings_from(home))
    detail = read_trace(client, _resolve(client, trace_id), has_all=has_all)
    if is_json:
        print_json(detail)
        return
    trace = cast("dict[str, Any]", detail["trace"])
    print_facts(
        {
            "trace": trace["trace_id"],
            "name": trace["name"],
            "started": moment(trace["started_at"]),
            "duration": _duration(trace["duration_ms"]),
            "status": trace["status"],
            "environment": trace["environment"],
            "tokens": f"{trace['input_tokens'] or 0} in, {trace['output_tokens'] or 0} out",
            "cost": _cost(trace),
        }
    )
    tree = in_tree_order(cast("list[dict[str, Any]]", detail["spans"]))
    rows = [
        (
            "  " * depth + span["name"],
            span["type"],
            span["status"],
            _duration(span["duration_ms"]),
            _cost(span),
            span["error"] or "",
        )
        for depth, span in tree
    ]
    print_table(("span", "type", "status", "duration", "cost", "error"), rows, empty="no spans")
    for _, span in tree:
        _print_conversation(span)
    if detail.get("spans_cursor"):
        note(f"{trace['truncated_spans']} more spans follow; show them with --all")


@app.command()
def delete(
    trace_id: Annotated[str | None, Argument(help="An id, a URL of the web UI, or @last.")] = None,
    *,
    session: Annotated[str | None, Option(help="All traces of this session instead.")] = None,
    user: Annotated[str | None, Option(help="All traces of this end user instead.")] = None,
    is_dry_run: Annotated[bool, Option("--dry-run", help="Only count what would be deleted.")] = False,
    is_sure: Annotated[bool, Option("--yes", help="Do not ask.")] = False,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Delete a trace, or all traces of a session or an end user, for good."""
    client = connect(settings_from(home))
    path = path_of(_resolve(client, trace_id) if trace_id else "", session=session, user=user)
    preview = client.delete(path, {"dry_run": "true"})
    if is_dry_run:
        print_preview(preview, is_json=is_json)
        return
    confirm(preview, is_sure=is_sure)
    print_deletion(follow(client, client.delete(path)), is_json=is_json)


@app.command()
def tail(
    *, where: Filter = None, environment: Environment = None, home: Home = None, is_json: Json = False
) -> None:
    """Follow new traces until Ctrl-C."""
    client = connect(settings_from(home))
    seen: dict[str, None] = {}
    note("waiting for new traces; stop with Ctrl-C")
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    while True:
        asked: dict[str, object | None] = {
            "limit": 100,
            "filter": where,
            "since": since,
            "environment": environment,
        }
        page = _page_or_none(client, asked)
        fresh = [item for item in cast("list[dict[str, Any]]", page["items"]) if item["trace_id"] not in seen]
        for item in reversed(fresh):
            seen[item["trace_id"]] = None
            if is_json:
                print_json(item)
            else:
                echo("  ".join(printable(str(cell)) for cell in _row(item)))
        time.sleep(1)


def _print_conversation(span: dict[str, Any]) -> None:
    """Print what was said in a span, one line a message; media as what they are."""
    messages = [*span["input"], *span["output"]]
    beside = _beside_chat(span)
    if not messages and not beside:
        return
    echo(f"\n{printable(span['name'])}")
    for message in messages:
        words = " ".join(filter(None, (part_words(part) for part in message["parts"])))
        echo(f"  {message['role']}: {printable(words[:_SAID])}")
    if beside:
        echo(f"  {printable(beside)}")


def _beside_chat(span: dict[str, Any]) -> str:
    """Say where a call was passed on to, or what was counted; "" for all else."""
    attributes = cast("dict[str, str]", span["attributes"])
    if span["type"] != "gateway":
        return ""
    if counted := attributes.get("counted_tokens"):
        return f"{counted} tokens counted"
    path = attributes.get("url.path")
    if not path:
        return ""
    sizes = (
        f"{attributes.get('request_bytes', '0')} bytes sent, {attributes.get('reply_bytes', '0')} received"
    )
    return (
        f"{attributes.get('http.request.method', '')} {path}: {sizes}; bodies passed on are not kept".lstrip()
    )


def _page_or_none(client: ApiClient, query: dict[str, object | None]) -> dict[str, Any]:
    """Ask for traces; while Sternpost starts again there are none."""
    try:
        return client.get("/api/traces", query)
    except StoreError:
        return {"items": []}


def _resolve(client: ApiClient, given: str) -> str:
    if given == "@last":
        items = cast("list[dict[str, Any]]", client.get("/api/traces", {"limit": 1})["items"])
        return str(items[0]["trace_id"]) if items else given
    last_step = given.rstrip("/").rsplit("/", 1)[-1].partition("?")[0]
    return urllib.parse.quote(last_step, safe="")


def _row(item: dict[str, Any]) -> tuple[object, ...]:
    return (
        item["trace_id"],
        moment(item["started_at"]),
        item["name"],
        item["status"],
        _duration(item["duration_ms"]),
        (item["input_tokens"] or 0) + (item["output_tokens"] or 0),
        _cost(item),
        str(item["input_preview"] or "").replace("\n", " ")[:60],
    )


def _cost(item: dict[str, Any]) -> str:
    if item.get("cost_usd") is None:
        return str(item.get("cost_status") or "")
    return dollars(item["cost_usd"])


def _duration(duration_ms: float | None) -> str:
    if duration_ms is None:
        return ""
    if duration_ms >= 1000:
        return f"{duration_ms / 1000:.2f} s"
    return f"{duration_ms:.{2 if duration_ms < 10 else 1 if duration_ms < 100 else 0}f} ms"
