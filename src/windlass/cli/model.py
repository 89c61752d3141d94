"""`windlass model`: the models and routes that callers can use."""

from typing import Annotated, Any, cast

import typer

from windlass.base.errors import NotFound
from windlass.cli.client import connect
from windlass.cli.options import Home, Json, settings_from
from windlass.cli.output import print_facts, print_json, print_table

app = typer.Typer(no_args_is_help=True, help="List the models and routes that callers can use.")


@app.command("list")
def list_models(
    *,
    is_all: Annotated[bool, typer.Option("--all", help="Also those whose provider has no key.")] = False,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """List models and routes."""
    items = _models(home)
    shown = [item for item in items if is_all or item["is_configured"]]
    if is_json:
        print_json({"items": shown})
        return
    rows = [
        (
            item["id"],
            "yes" if item["is_configured"] else "no key",
            item["context_tokens"],
            item["retires_on"],
            ", then ".join(item["targets"]) or ", ".join(item["abilities"]),
        )
        for item in shown
    ]
    print_table(
        ("model", "usable", "context_tokens", "retires_on", "abilities or targets"),
        rows,
        empty="no models; configure a provider first",
    )


@app.command()
def show(name: str, *, home: Home = None, is_json: Json = False) -> None:
    """Show what is known of one model."""
    found = next((item for item in _models(home) if item["id"] == name), None)
    if found is None:
        raise NotFound(f"no model {name!r}; list them with: windlass model list --all")
    if is_json:
        print_json(found)
    else:
        print_facts(found)


def _models(home: Home) -> list[dict[str, Any]]:
    client = connect(settings_from(home))
    items: list[dict[str, Any]] = []
    cursor: object = ""
    while cursor is not None:
        page = client.get("/api/models", {"limit": 1000, "cursor": cursor})
        items += cast("list[dict[str, Any]]", page["items"])
        cursor = page["next_cursor"]
    return items
