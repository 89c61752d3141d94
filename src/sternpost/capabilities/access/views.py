"""The JSON of access on the management API; not the rules behind it."""

from collections.abc import Iterable
from dataclasses import dataclass

from sternpost.base.clock import utc_text
from sternpost.capabilities.access.records import ApiKey, Caller, CreatedKey, Environment, KeyPage
from sternpost.contracts.key_scope import KeyScope


@dataclass(frozen=True, slots=True)
class KeyView:
    key_id: str
    name: str
    prefix: str
    project_id: str
    created_at: str
    last_used_at: str | None
    revoked_at: str | None
    expires_at: str | None
    models: list[str]
    scopes: list[KeyScope]
    environment: str


@dataclass(frozen=True, slots=True)
class CreatedKeyView(KeyView):
    key: str  # shown this once


@dataclass(frozen=True, slots=True)
class KeyPageView:
    items: list[KeyView]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class EnvironmentView:
    """An environment; `keys` counts those of the project that are not revoked."""

    name: str
    keys: int


@dataclass(frozen=True, slots=True)
class EnvironmentPageView:
    """All of them; there is never a next page."""

    items: list[EnvironmentView]
    next_cursor: None = None


@dataclass(frozen=True, slots=True)
class UserView:
    user_id: str
    name: str
    is_admin: bool


@dataclass(frozen=True, slots=True)
class SessionView:
    """Who is asking; `user` is null for a key, `csrf_token` then empty."""

    user: UserView | None
    project_id: str
    csrf_token: str
    project_name: str = ""


def key_view(key: ApiKey) -> KeyView:
    return KeyView(
        key_id=key.key_id,
        name=key.name,
        prefix=key.prefix,
        project_id=key.project_id,
        created_at=utc_text(key.created_ns),
        last_used_at=_time(key.last_used_ns),
        revoked_at=_time(key.revoked_ns),
        expires_at=_time(key.expires_ns),
        models=list(key.models),
        scopes=[scope for scope in KeyScope if scope in key.scopes],
        environment=key.environment,
    )


def created_key_view(created: CreatedKey) -> CreatedKeyView:
    shown = key_view(created.record)
    return CreatedKeyView(
        key_id=shown.key_id,
        name=shown.name,
        prefix=shown.prefix,
        project_id=shown.project_id,
        created_at=shown.created_at,
        last_used_at=shown.last_used_at,
        revoked_at=shown.revoked_at,
        expires_at=shown.expires_at,
        models=shown.models,
        scopes=shown.scopes,
        environment=shown.environment,
        key=created.key,
    )


def key_page_view(page: KeyPage) -> KeyPageView:
    return KeyPageView([key_view(key) for key in page.items], page.next_cursor)


def environment_page_view(environments: Iterable[Environment]) -> EnvironmentPageView:
    return EnvironmentPageView([EnvironmentView(one.name, one.keys) for one in environments])


def session_view(caller: Caller, project_name: str) -> SessionView:
    user = caller.user
    shown = None if user is None else UserView(user.user_id, user.name, user.is_admin)
    return SessionView(shown, caller.project_id, caller.csrf_token, project_name)


def _time(at_ns: int | None) -> str | None:
    return None if at_ns is None else utc_text(at_ns)
