"""`windlass batch`: submit, list, show and cancel batches."""

import json
from pathlib import Path
from typing import Annotated, Any, cast
from urllib.parse import quote

import typer

from windlass.base.errors import BadRequest
from windlass.cli.client import connect
from windlass.cli.options import Home, Json, settings_from
from windlass.cli.output import note, print_facts, print_json, print_table

app = typer.Typer(no_args_is_help=True, help="Submit, list, show and cancel batches.")

_COLUMNS = ("batch", "status", "endpoint", "done", "failed", "of", "cost", "created")


@app.command("list")
def list_batches(
    *, limit: Annotated[int, typer.Option(min=1, max=200)] = 20, home: Home = None, is_json: Json = False
) -> None:
    """List the newest batches."""
    page = connect(settings_from(home)).get("/api/batches", {"limit": limit})
    if is_json:
        print_json(page)
        return
    rows = [_row(item) for item in cast("list[dict[str, Any]]", page["items"])]
    print_table(_COLUMNS, rows, empty="no batches yet; start one with: windlass batch submit FILE")


@app.command()
def show(batch_id: str, *, home: Home = None, is_json: Json = False) -> None:
    """Show one batch with the first lines that failed."""
    client = connect(settings_from(home))
    batch = client.get(f"/api/batches/{quote(batch_id, safe='')}")
    lines = client.get(f"/api/batches/{quote(batch_id, safe='')}/lines", {"state": "failed", "limit": 20})
    if is_json:
        print_json({**batch, "failed_lines": lines["items"]})
        return
    names = ("batch_id", "status", "endpoint", "created_by", "created_at", "ended_at", "waits_until")
    print_facts({name: batch[name] or "-" for name in names})
    print_facts({"lines": f"{batch['completed']} done, {batch['failed']} failed, of {batch['total']}"})
    print_facts({"cost": _cost(batch)})
    for name in ("output_file_id", "error_file_id"):
        if batch[name]:
            print_facts({name: batch[name]})
    faults = [
        (one["line"], one["code"], one["message"]) for one in cast("list[dict[str, Any]]", batch["faults"])
    ]
    failed = [
        (one["number"], one["error_code"], one["error"] or one["state"])
        for one in cast("list[dict[str, Any]]", lines["items"])
    ]
    if faults or failed:
        print_table(("line", "code", "error"), faults or failed, empty="")


@app.command()
def cancel(batch_id: str, *, home: Home = None, is_json: Json = False) -> None:
    """End a batch early; what is done stays, what is under way is finished."""
    batch = connect(settings_from(home)).post(f"/api/batches/{quote(batch_id, safe='')}/cancel")
    if is_json:
        print_json(batch)
    else:
        typer.echo(f"{batch['batch_id']} is {batch['status']}")


@app.command()
def submit(
    file: Annotated[
        Path, typer.Argument(help="A file with one request per line, as OpenAI's batches have it.")
    ],
    *,
    endpoint: Annotated[
        str, typer.Option(help="Which path every line asks for; empty: that of the first line.")
    ] = "",
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Upload a file of requests and start a batch of it."""
    chosen = endpoint or _first_url(file)
    client = connect(settings_from(home))
    uploaded = client.upload("/v1/files", file, {"purpose": "batch"})
    asked = {"input_file_id": uploaded["id"], "endpoint": chosen, "completion_window": "24h"}
    batch = client.post("/v1/batches", asked)
    if is_json:
        print_json(batch)
        return
    typer.echo(batch["id"])
    note(f"follow it with: windlass batch show {batch['id']}")


def _first_url(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            first = json.loads(opened.readline())
        return str(first["url"])
    except OSError as error:
        raise BadRequest(f"can't read {str(file)!r}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise BadRequest("the first line is no request with a `url`; say --endpoint") from None


def _row(item: dict[str, Any]) -> tuple[object, ...]:
    return (
        item["batch_id"],
        item["status"],
        item["endpoint"],
        item["completed"],
        item["failed"],
        item["total"],
        _cost(item),
        str(item["created_at"])[:19].replace("T", " "),
    )


def _cost(item: dict[str, Any]) -> str:
    known = "unknown" if item["cost_usd"] is None else f"${item['cost_usd']}"
    unknown = item["unknown_costs"]
    return f"{known}, {unknown} unknown" if unknown and item["cost_usd"] is not None else known
