"""The events of access: who made or ended a key, signed in or out; facts only, never a secret or a hash."""

from typing import Final

from sternpost.base.clock import utc_text
from sternpost.base.ids import ProjectId
from sternpost.capabilities.access.records import ApiKey, User
from sternpost.contracts.event_log import Actor, NewEvent
from sternpost.contracts.events import Facts, KeyCreated, KeyRevoked, SignedIn, SignedOut, SignInLinkCreated

FIRST_START: Final = Actor("system", "first-start", "first start")
COMMAND_LINE: Final = Actor("system", "command-line", "command line")  # of who can read the data folder


def key_created(key: ApiKey, actor: Actor) -> NewEvent:
    return NewEvent(KeyCreated(after=_facts(key)), key.key_id, actor, key.project_id, key.environment)


def key_revoked(key: ApiKey, actor: Actor) -> NewEvent:
    after = _facts(key)
    body = KeyRevoked({**after, "revoked_at": None}, after)
    return NewEvent(body, key.key_id, actor, key.project_id, key.environment)


def link_created(user: User, expires_ns: int, actor: Actor) -> NewEvent:
    return NewEvent(SignInLinkCreated(utc_text(expires_ns)), user.user_id, actor, ProjectId(""))


def signed_in(user: User, expires_ns: int) -> NewEvent:
    return NewEvent(SignedIn(utc_text(expires_ns)), user.user_id, by(user), ProjectId(""))


def signed_out(user: User) -> NewEvent:
    return NewEvent(SignedOut(), user.user_id, by(user), ProjectId(""))


def by(user: User) -> Actor:
    return Actor("user", user.user_id, user.name)


def _facts(key: ApiKey) -> Facts:
    return {
        "name": key.name,
        "prefix": key.prefix,
        "models": list(key.models),
        "scopes": sorted(key.scopes),
        "environment": key.environment,
        "expires_at": None if key.expires_ns is None else utc_text(key.expires_ns),
        "revoked_at": None if key.revoked_ns is None else utc_text(key.revoked_ns),
    }
