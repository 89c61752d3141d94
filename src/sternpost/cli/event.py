"""`sternpost event`: list and follow changes, and what reacted to them."""

import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeAlias, cast
from urllib.parse import quote

from sternpost.cli.client import ApiClient, connect
from sternpost.cli.commands import Argument, Commands, Option, echo
from sternpost.cli.options import Environment, Home, Json, settings_from
from sternpost.cli.output import moment, note, print_json, print_table

app = Commands(help="List and follow changes, and what reacted to them.")

Kind: TypeAlias = Annotated[
    list[str] | None,
    Option(help="Only this kind, e.g. key.revoked; `key.` is all below it. May be repeated."),
]
Subject: TypeAlias = Annotated[str, Option(help="Only changes of the object with this id.")]

_COLUMNS = ("seq", "at", "kind", "subject", "by", "event")
_POLL_S = 1.0


@app.command("list")
def list_events(
    *,
    kind: Kind = None,
    subject: Subject = "",
    environment: Environment = None,
    limit: Annotated[int, Option(min=1, max=200)] = 20,
    cursor: Annotated[str, Option(help="The `next_cursor` of the page before.")] = "",
    home: Home = None,
    is_json: Json = False,
) -> None:
    """List the newest changes."""
    query = {"limit": limit, "cursor": cursor or None, **_chosen(kind, subject, environment)}
    page = connect(settings_from(home)).get("/api/events", query)
    if is_json:
        print_json(page)
        return
    rows = [_row(item) for item in cast("list[dict[str, Any]]", page["items"])]
    print_table(_COLUMNS, rows, empty="no changes match")
    if page["next_cursor"]:
        note(f"older ones follow: add --cursor {page['next_cursor']}")


@app.command()
def tail(
    *,
    kind: Kind = None,
    subject: Subject = "",
    environment: Environment = None,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Print changes as they happen, until Ctrl-C."""
    client = connect(settings_from(home))
    query = {"limit": 200, **_chosen(kind, subject, environment)}
    newest = _page(client, {**query, "limit": 1})["items"]
    seen = int(newest[0]["seq"]) if newest else 0
    if not is_json:
        note("waiting for changes; Ctrl-C ends it")
    while True:
        for item in _after(client, query, seen):
            seen = int(item["seq"])
            if is_json:
                print_json(item)
            else:
                echo("  ".join(str(cell) for cell in _row(item)))
        time.sleep(_POLL_S)


@app.command()
def subscribers(*, home: Home = None, is_json: Json = False) -> None:
    """Show how far each subscriber is, and which events it could not handle."""
    page = connect(settings_from(home)).get("/api/events/subscribers")
    if is_json:
        print_json(page)
        return
    rows = [
        (
            one["name"],
            one["seq"],
            moment(one["updated_at"]),
            failure["event_id"],
            failure["attempts"],
            failure["error"],
        )
        for one in cast("list[dict[str, Any]]", page["items"])
        for failure in _failures(one)
    ]
    columns = ("subscriber", "at", "since", "can't handle", "attempts", "error")
    print_table(columns, rows, empty="no subscribers")


@app.command()
def retry(
    event_id: Annotated[str, Argument(help="An event that was set aside after ten failures.")],
    *,
    subscriber: Annotated[str, Option(help="Only this subscriber.")] = "",
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Let subscribers handle an event again that they had set aside."""
    suffix = f"?subscriber={quote(subscriber, safe='')}" if subscriber else ""
    done = connect(settings_from(home)).post(f"/api/events/{quote(event_id, safe='')}/retry{suffix}")
    if is_json:
        print_json(done)
    else:
        echo(f"{done['subscribers']} subscribers handle {event_id} again; see: sternpost event subscribers")


@app.command()
def replay(
    subscriber: Annotated[str, Argument(help="A name that `sternpost event subscribers` shows.")],
    *,
    after: Annotated[int, Option(min=0, help="The `seq` after which to start; 0: from the first event.")],
    home: Home = None,
) -> None:
    """Let a subscriber handle again everything that came after an event."""
    client = connect(settings_from(home))
    client.post(f"/api/events/subscribers/{quote(subscriber, safe='')}/replay", {"after": after})
    echo(f"{subscriber} begins again after {after}")


def _chosen(kind: list[str] | None, subject: str, environment: str | None) -> dict[str, object | None]:
    return {"kind": kind, "subject": subject or None, "environment": environment}


def _page(client: ApiClient, query: Mapping[str, object | None]) -> dict[str, Any]:
    return client.get("/api/events", query)


def _after(client: ApiClient, query: Mapping[str, object | None], seen: int) -> Sequence[dict[str, Any]]:
    """Return what came after an event, oldest first, however many pages that are."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = _page(client, {**query, "cursor": cursor})
        fresh = [item for item in page["items"] if item["seq"] > seen]
        found += fresh
        cursor = page["next_cursor"]
        if len(fresh) < len(page["items"]) or cursor is None:
            return found[::-1]


def _failures(subscriber: dict[str, Any]) -> Sequence[dict[str, Any]]:
    """Return what it could not handle, or one empty row when there is nothing."""
    failing = [subscriber["failing"]] if subscriber["failing"] else []
    nothing = {"event_id": "", "attempts": "", "error": ""}
    return [*failing, *subscriber["set_aside"]] or [nothing]


def _row(item: dict[str, Any]) -> tuple[object, ...]:
    actor = item["actor"]
    by = actor["name"] or actor["id"] or actor["kind"]
    return item["seq"], moment(item["at"]), item["kind"], item["subject"], by, item["event_id"]
