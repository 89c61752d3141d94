"""`sternpost model`: list the models and routes that callers can use."""

import difflib
from collections.abc import Collection
from typing import Annotated, Any, cast

from sternpost.base.errors import NotFound, SternpostError
from sternpost.cli.client import connect
from sternpost.cli.commands import Commands, Option
from sternpost.cli.options import Home, Json, settings_from
from sternpost.cli.output import print_facts, print_json, print_table

app = Commands(help="List the models and routes that callers can use.")


@app.command("list")
def list_models(
    *,
    is_all: Annotated[bool, Option("--all", help="Include models whose provider has no key.")] = False,
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
    found = find_model(name, _models(home))
    if is_json:
        print_json(found)
    else:
        print_facts({label: _words(value) for label, value in found.items()})


def find_model(name: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the model of that name; a bare one is found when one usable provider has it, as in a call."""
    by_id = {str(item["id"]): item for item in items}
    if name in by_id:
        return by_id[name]
    bare = [one for one in by_id.values() if one["id"] == f"{one['provider']}/{name}"]
    owners = [one for one in bare if one["is_configured"]] or bare
    if len(owners) == 1:
        return owners[0]
    near = [str(one["id"]) for one in owners] or difflib.get_close_matches(name, by_id, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(near[:3])}?" if near else "list them with: sternpost model list --all"
    raise NotFound(f"no model {name!r}; {hint}")


def unserved(names: Collection[str], home: Home) -> list[str]:
    """Return a sentence for each name of a key's allow-list that stands for nothing in the running Sternpost.

    Empty when none runs, or it does not answer: then nobody can say.
    """
    if not names:
        return []
    try:
        ids = [str(item["id"]) for item in _models(home)]
        page = connect(settings_from(home)).get("/api/providers", {"limit": 1000})
    except SternpostError:
        return []
    providers = [str(item["name"]) for item in cast("list[dict[str, Any]]", page["items"])]
    return [_no_server_of(name, ids) for name in names if not is_served(name, ids, providers)]


def is_served(name: str, ids: Collection[str], providers: Collection[str]) -> bool:
    """Say whether a name of an allow-list can match a call; providers serve what nobody listed, too."""
    if name.endswith("*"):
        begin = name[:-1]
        known = (*ids, *(f"{provider}/" for provider in providers))
        return any(one.startswith(begin) for one in known) or is_served(begin, ids, providers)
    provider, slash, _ = name.partition("/")
    if slash:
        return provider in providers
    return name in ids or any(f"{one}/{name}" in ids for one in providers)


def _no_server_of(name: str, ids: Collection[str]) -> str:
    near = difflib.get_close_matches(name, ids, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else "list what there is with: sternpost model list"
    return f"nothing serves {name!r} so far; {hint}"


def _words(value: object) -> object:
    """Write a fact as people do; what is not known is a dash."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, cast("list[object]", value))) or "-"
    return "-" if value is None or value == "" else value


def _models(home: Home) -> list[dict[str, Any]]:
    client = connect(settings_from(home))
    items: list[dict[str, Any]] = []
    cursor: object = ""
    while cursor is not None:
        page = client.get("/api/models", {"limit": 1000, "cursor": cursor})
        items += cast("list[dict[str, Any]]", page["items"])
        cursor = page["next_cursor"]
    return items
