"""How the command line deletes traces: what it asks, how it follows a deletion; the work is the server's."""

import sys
import time
import urllib.parse
from typing import Any, cast

import click

from sternpost.base.errors import BadRequest, NotFound, StoreUnavailable
from sternpost.cli.client import ApiClient
from sternpost.cli.output import dollars, note, print_facts, print_json

_LOOK_S = 0.5
_PATIENCE_S = 60.0  # of a server that starts again meanwhile


def path_of(trace_id: str, *, session: str | None, user: str | None) -> str:
    """Return the path of what is to be deleted. Raises: BadRequest unless it is one thing."""
    given = {"traces": trace_id, "sessions": session or "", "users": user or ""}
    chosen = [(noun, one) for noun, one in given.items() if one]
    if len(chosen) != 1:
        raise BadRequest("say what to delete: a trace's id, or --session S, or --user U")
    noun, one = chosen[0]
    return f"/api/{noun}/{one if noun == 'traces' else urllib.parse.quote(one, safe='')}"


def print_preview(preview: dict[str, Any], *, is_json: bool) -> None:
    if is_json:
        print_json(preview)
    else:
        print_facts(_facts(preview))


def confirm(preview: dict[str, Any], *, is_sure: bool) -> None:
    """Ask a person. Raises: NotFound when there is nothing to delete, BadRequest when nobody can be asked."""
    if not preview["traces"]:
        raise NotFound(f"no trace of this {preview['kind']} is stored in this project")
    if is_sure:
        return
    if not sys.stdin.isatty():
        raise BadRequest("deleting can't be undone; add --yes to delete without being asked")
    for name, value in _facts(preview).items():
        note(f"{name}: {value}")
    if not click.confirm("Delete this for good?", err=True):
        raise click.exceptions.Exit(1)


def follow(client: ApiClient, begun: dict[str, object]) -> dict[str, Any]:
    """Wait until a deletion is done; the server goes on with it if the command is interrupted."""
    deletion = cast("dict[str, Any]", begun)
    note(f"deletion {deletion['deletion_id']} has begun; it goes on if you stop this command")
    told, last_answer_s = "", time.monotonic()
    while deletion["state"] != "done":
        if told != (told := f"{deletion['progress']:.0%} {deletion['error']}".strip()):
            note(told)
        time.sleep(_LOOK_S)
        try:
            deletion = cast("dict[str, Any]", client.get(f"/api/deletions/{deletion['deletion_id']}"))
            last_answer_s = time.monotonic()
        except StoreUnavailable:
            if time.monotonic() - last_answer_s > _PATIENCE_S:
                raise
    return deletion


def print_deletion(deletion: dict[str, Any], *, is_json: bool) -> None:
    if is_json:
        print_json(deletion)
        return
    counts = deletion["counts"]
    facts = {**_facts(counts), "messages": counts["messages"], "media": counts["media"]}
    print_facts({"deletion": deletion["deletion_id"], **facts})


def _facts(counts: dict[str, Any]) -> dict[str, object]:
    facts: dict[str, object] = {name: counts[name] for name in ("traces", "spans", "scores")}
    return {**facts, "cost": dollars(counts["cost_usd"])}
