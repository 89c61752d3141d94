"""`sternpost cost`: explain what a call cost, and show prices."""

import urllib.parse
from typing import Annotated, Any, cast

from sternpost.base.errors import BadRequest
from sternpost.cli.client import ApiClient, connect
from sternpost.cli.commands import Argument, Commands, Exit, echo
from sternpost.cli.options import Home, Json, settings_from
from sternpost.cli.output import print_facts, print_json, print_table, printable

app = Commands(help="Explain what a call cost, and show prices.")

_UNDECIDED = 3


@app.command()
def explain(
    span: Annotated[
        str,
        Argument(
            help="A span id; a trace id, a URL of the web UI or @last for a trace with one priced span."
        ),
    ],
    *,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Show line by line how the cost of a call came about.

    Ends with 3 when the cost is unknown: there is an explanation, and no amount.
    """
    client = connect(settings_from(home))
    trace_id, span_id = _resolve(client, span.strip())
    found = client.get(f"/api/cost/spans/{_quoted(span_id)}", {"trace_id": trace_id or None})
    if is_json:
        print_json(found)
    else:
        _print_explanation(cast("dict[str, Any]", found))
    if found["status"] == "unknown":
        raise Exit(_UNDECIDED)


@app.command()
def prices(
    model: Annotated[str, Argument(help="provider/model, e.g. openai/gpt-6.1-terra")],
    *,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Show the prices of one model that are in force now."""
    found = cast("dict[str, Any]", connect(settings_from(home)).get("/api/cost/prices", {"model": model}))
    if is_json:
        print_json(found)
        return
    print_facts({name: found[name] for name in ("model", "row", "step", "source", "price_version", "at")})
    conditions = found["rates"]
    parts = dict.fromkeys(part for one in conditions for part in one["rates_usd"])
    rows = [(part, *(one["rates_usd"].get(part) for one in conditions)) for part in parts]
    echo("\nUSD per million tokens; of a tool, per use")
    print_table(("class", *(one["condition"] for one in conditions)), rows, empty="no prices in force")


def _print_explanation(found: dict[str, Any]) -> None:
    echo(printable(f"{found['name']}  {found['started_at']}  span {found['span_id']}"))
    echo("")
    for line in found["lines"]:
        echo(f"  {printable(line['text'])}")
    echo(f"  {found['total']}" + (f"  ({found['status']})" if found["status"] else ""))
    facts = {fact["name"]: fact["text"] for fact in found["facts"]}
    if found["cache"]:
        facts["prompt cache"] = _cache_sentence(found["cache"])
    if found["today"]:
        facts["today"] = found["today"]["text"]
    if found["advice"]:
        facts["what to do"] = found["advice"]
    echo("")
    print_facts(facts)


def _cache_sentence(cache: dict[str, Any]) -> str:
    read, given, written = cache["read_tokens"], cache["input_tokens"], cache["written_tokens"]
    if not read and not written:
        return "not used"
    share = f" ({100 * cache['hit_rate']:.1f} %)" if cache["hit_rate"] is not None else ""
    sentence = f"{read:,} of {given:,} input tokens read from it{share}, {written:,} written"
    saved = cache["saved_usd"]
    if saved is None:
        return f"{sentence}; what it saved is not known"
    if saved.startswith("-"):
        return f"{sentence}; cost ${saved[1:]} more than fresh input, as writing to it has a price"
    return f"{sentence}; saved ${saved} against fresh input"


def _resolve(client: ApiClient, given: str) -> tuple[str, str]:
    """Return the trace, when it is known, and the span that was meant.

    Raises: BadRequest for a trace with no priced span, or with several.
    """
    url = urllib.parse.urlsplit(given)
    last = url.path.rstrip("/").rsplit("/", 1)[-1]
    if chosen := urllib.parse.parse_qs(url.query).get("span"):
        return last, chosen[0]
    if given == "@last":
        items = cast("list[dict[str, Any]]", client.get("/api/traces", {"limit": 1})["items"])
        last = str(items[0]["trace_id"]) if items else given
    if len(last) != 32:
        return "", last
    spans = cast("list[dict[str, Any]]", client.get(f"/api/traces/{_quoted(last)}")["spans"])
    priced = [one for one in spans if one["cost_status"]]
    if len(priced) == 1:
        return last, str(priced[0]["span_id"])
    listed = "; ".join(f"{one['span_id']} {one['name']}" for one in priced[:20])
    raise BadRequest(
        f"trace {last} has {len(priced)} spans with a cost"
        + (f"; explain one of them: {listed}" if listed else ", so there is none to explain")
    )


def _quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="")
