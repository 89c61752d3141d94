"""`sternpost batch`: submit, list, show and cancel batches."""

import json
from pathlib import Path
from typing import Annotated, Any, cast
from urllib.parse import quote

from sternpost.base.errors import BadRequest
from sternpost.cli.client import connect
from sternpost.cli.commands import Argument, Commands, Option, echo
from sternpost.cli.options import Environment, Home, Json, settings_from
from sternpost.cli.output import moment, note, print_facts, print_json, print_table
from sternpost.cli.own_command import own_command

app = Commands(help="Submit, list, show and cancel batches.")

_COLUMNS = ("batch", "status", "endpoint", "done", "failed", "of", "cost", "created")


@app.command("list")
def list_batches(
    *,
    limit: Annotated[int, Option(min=1, max=200)] = 20,
    environment: Environment = None,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """List the newest batches."""
    asked = {"limit": limit, "environment": environment}
    page = connect(settings_from(home)).get("/api/batches", asked)
    if is_json:
        print_json(page)
        return
    rows = [_row(item) for item in cast("list[dict[str, Any]]", page["items"])]
    print_table(_COLUMNS, rows, empty="no batches yet; start one with: sternpost batch submit FILE")


@app.command()
def show(batch_id: str, *, home: Home = None, is_json: Json = False) -> None:
    """Show one batch with the first lines that failed."""
    client = connect(settings_from(home))
    batch = client.get(f"/api/batches/{quote(batch_id, safe='')}")
    lines = client.get(f"/api/batches/{quote(batch_id, safe='')}/lines", {"state": "failed", "limit": 20})
    if is_json:
        print_json({**batch, "failed_lines": lines["items"]})
        return
    print_facts(_facts(batch))
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
        echo(f"{batch['batch_id']} is {batch['status']}")


@app.command()
def submit(
    file: Annotated[Path, Argument(help="A file with one request per line, as OpenAI's batches have it.")],
    *,
    endpoint: Annotated[
        str, Option(help="Which path every line asks for; empty: that of the first line.")
    ] = "",
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Upload a file of requests and start a batch of it."""
    chosen = endpoint or first_url(file)
    client = connect(settings_from(home))
    uploaded = client.upload("/v1/files", file, {"purpose": "batch"})
    asked = {"input_file_id": uploaded["id"], "endpoint": chosen, "completion_window": "24h"}
    batch = client.post("/v1/batches", asked)
    if is_json:
        print_json(batch)
        return
    echo(batch["id"])
    note(f"follow it with: {own_command('batch', 'show', str(batch['id']), home=settings_from(home).home)}")


def first_url(file: Path) -> str:
    """Return the endpoint of the first line. Raises: BadRequest for a file that is no batch."""
    try:
        with file.open("rb") as opened:
            line = next((line for line in opened if line.strip()), b"")
        if not line:
            raise BadRequest(f"{str(file)!r} is empty; write one request per line")
        return str(json.loads(line)["url"])
    except OSError as error:
        raise BadRequest(f"can't read {str(file)!r}: {error.strerror}") from None
    except ValueError:
        raise BadRequest(
            f"the first line of {str(file)!r} is not JSON; a batch has one JSON object per line (JSONL)"
        ) from None
    except (KeyError, TypeError):
        raise BadRequest(
            f"the first line of {str(file)!r} is not a request with a `url`; pass --endpoint"
        ) from None


def _facts(batch: dict[str, Any]) -> dict[str, object]:
    return {
        "batch": batch["batch_id"],
        "status": batch["status"],
        "endpoint": batch["endpoint"],
        "started by": batch["created_by"],
        "created": moment(batch["created_at"]),
        "ended": moment(batch["ended_at"]) or "-",
        **({"waits until": moment(batch["waits_until"])} if batch["waits_until"] else {}),
        **({"waits because": batch["waits_because"]} if batch["waits_because"] else {}),
        "lines": f"{batch['completed']} done, {batch['failed']} failed, of {batch['total']}",
        "cost": _cost(batch),
        **{name[:-8]: batch[name] for name in ("output_file_id", "error_file_id") if batch[name]},
    }


def _row(item: dict[str, Any]) -> tuple[object, ...]:
    return (
        item["batch_id"],
        item["status"],
        item["endpoint"],
        item["completed"],
        item["failed"],
        item["total"],
        _cost(item),
        moment(item["created_at"]),
    )


def _cost(item: dict[str, Any]) -> str:
    known = "unknown" if item["cost_usd"] is None else f"${item['cost_usd']}"
    unknown = item["unknown_costs"]
    return f"{known}, {unknown} unknown" if unknown and item["cost_usd"] is not None else known
