"""`sternpost provider`: list the providers and whether they are configured."""

from typing import Any, cast

from sternpost.cli.client import connect
from sternpost.cli.commands import Commands
from sternpost.cli.options import Home, Json, settings_from
from sternpost.cli.output import print_json, print_table

app = Commands(help="List the providers and whether they are configured.")


@app.command("list")
def list_providers(*, home: Home = None, is_json: Json = False) -> None:
    """List every provider of the catalogue and of sternpost.yaml."""
    page = connect(settings_from(home)).get("/api/providers", {"limit": 1000})
    if is_json:
        print_json(page)
        return
    rows = [
        (
            item["name"],
            item["title"],
            item["dialect"],
            _state(item),
        )
        for item in cast("list[dict[str, Any]]", page["items"])
    ]
    print_table(("provider", "title", "dialect", "configured"), rows, empty="no providers")


def _state(item: dict[str, Any]) -> str:
    if item["is_configured"]:
        return "yes"
    if item["fault"]:
        return f"no: {item['fault']}"
    if item["key_variable"]:
        return f"no, set {item['key_variable']}"
    return "no, name it in sternpost.yaml"
