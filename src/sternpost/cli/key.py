"""`sternpost key`: make, list and revoke API keys.

Needs sternpost[server].
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated

from sternpost.assembly.local import open_access
from sternpost.base.clock import SystemClock
from sternpost.base.errors import BadRequest
from sternpost.base.ids import KeyId
from sternpost.capabilities.access.rules import APPLICATION, PRESETS, scopes_named
from sternpost.capabilities.access.views import KeyView, created_key_view, key_page_view, key_view
from sternpost.cli.commands import Commands, Option, echo
from sternpost.cli.model import unserved
from sternpost.cli.options import Environment, Home, Json, settings_from
from sternpost.cli.output import moment, note, print_json, print_table
from sternpost.contracts.environment import DEFAULT_ENVIRONMENT
from sternpost.contracts.key_scope import KeyScope

_FROM_NOW = re.compile(r"(\d{1,5})([mhdw])")
_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}

app = Commands(help="Make, list and revoke API keys.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key belongs."""

    project: Annotated[str, Option(help="The project's name; empty: the default one.")] = ""
    environment: Annotated[
        str, Option(help="Where its application runs: development, staging, production or one of your own.")
    ] = DEFAULT_ENVIRONMENT


@app.command()
def create(
    *,
    name: Annotated[str, Option(help="What the key is for.")],
    place: Place,
    model: Annotated[list[str] | None, Option(help="Only this model or route; may be repeated.")] = None,
    scope: Annotated[
        list[str] | None,
        Option(
            help=f"What it may do: {', '.join(KeyScope)}; or several by a name: {', '.join(PRESETS)}."
            " May be repeated; application unless told."
        ),
    ] = None,
    expires: Annotated[
        str | None, Option(help="When it ends: in 30d or 12h, or at 2030-01-01T00:00:00Z.")
    ] = None,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """Make a key; its secret is shown this once."""
    scopes = scopes_named(scope) if scope else APPLICATION
    with open_access(settings_from(home)) as access:
        created = access.create_key(
            name,
            project=place.project,
            models=model or (),
            expires_ns=_nanoseconds(expires),
            scopes=scopes,
            environment=place.environment,
        )
    for sentence in unserved(model or (), home):
        note(f"warning: {sentence}")
    if is_json:
        print_json({"key": created.key, **asdict(created_key_view(created))})
        return
    echo(created.key)
    may = ", ".join(key_view(created.record).scopes)
    key = created.record
    note(f"key {key.key_id} for {key.name!r} in {key.environment}; it is shown only now; scopes: {may}")


@app.command("list")
def list_keys(
    *,
    limit: Annotated[int, Option(min=1, max=200)] = 50,
    environment: Environment = None,
    home: Home = None,
    is_json: Json = False,
) -> None:
    """List keys, newest first."""
    with open_access(settings_from(home)) as access:
        page = key_page_view(access.list_keys(limit=limit, environment=environment or ""))
    if is_json:
        print_json({"items": [asdict(item) for item in page.items], "next_cursor": page.next_cursor})
        return
    rows = [
        (
            item.key_id,
            item.name,
            item.environment,
            item.prefix + "...",
            item.created_at[:10],
            moment(item.last_used_at) or "never",
            (item.expires_at or "never")[:10],
            ", ".join(item.models) or "any",
            _scopes_text(item.scopes),
            _state(item),
        )
        for item in page.items
    ]
    columns = (
        "key",
        "name",
        "environment",
        "begins with",
        "made",
        "last used",
        "ends",
        "models",
        "scopes",
        "state",
    )
    print_table(columns, rows, empty="no keys")


@app.command()
def revoke(key_id: str, *, home: Home = None, is_json: Json = False) -> None:
    """Revoke a key; calls with it are refused within a second."""
    with open_access(settings_from(home)) as access:
        revoked = key_view(access.revoke_key(KeyId(key_id)))
    if is_json:
        print_json(asdict(revoked))
    else:
        echo(f"revoked {revoked.name!r} ({revoked.prefix}...)")


def _state(key: KeyView) -> str:
    if key.revoked_at:
        return "revoked"
    is_over = key.expires_at and datetime.fromisoformat(key.expires_at) <= datetime.now(UTC)
    return "expired" if is_over else "active"


def _scopes_text(scopes: Sequence[str]) -> str:
    """Name the preset where it is one."""
    names = (name for name, preset in PRESETS.items() if preset == frozenset(scopes))
    return next(names, " ".join(scopes))


def _nanoseconds(text: str | None) -> int | None:
    if text is None:
        return None
    if from_now := _FROM_NOW.fullmatch(text):
        seconds = int(from_now[1]) * _SECONDS[from_now[2]]
        return SystemClock().now_ns() + seconds * 1_000_000_000
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(
            f"--expires {text!r} is not a time; write e.g. 30d, 12h or 2030-01-01T00:00:00Z"
        ) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) * 1_000_000_000
