"""The nouns of access; secrets appear here only at the moment they are made."""

from dataclasses import dataclass, field

from sternpost.base.ids import KeyId, ProjectId, UserId
from sternpost.contracts.call import Principal
from sternpost.contracts.environment import DEFAULT_ENVIRONMENT
from sternpost.contracts.event_log import Actor
from sternpost.contracts.key_scope import KeyScope


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept: its secret is known by hash alone. Times are UTC nanoseconds."""

    key_id: KeyId
    project_id: ProjectId
    name: str
    key_hash: str  # hex SHA-256 of the whole key
    prefix: str  # the first characters, for people to recognise it
    created_ns: int
    models: tuple[str, ...] = ()  # empty: every model and route
    scopes: frozenset[KeyScope] = frozenset()
    expires_ns: int | None = None
    revoked_ns: int | None = None
    last_used_ns: int | None = None
    environment: str = DEFAULT_ENVIRONMENT


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment of a project. `keys`: how many keys belong to it that are not revoked."""

    name: str
    keys: int


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """What a key may do, where, and until when."""

    scopes: frozenset[KeyScope]
    models: tuple[str, ...] = ()  # empty: every model and route
    expires_ns: int | None = None
    environment: str = DEFAULT_ENVIRONMENT


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new key with its secret, which is shown once and kept nowhere."""

    record: ApiKey
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyPage:
    items: tuple[ApiKey, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class User:
    user_id: UserId
    name: str
    is_admin: bool


@dataclass(frozen=True, slots=True)
class Link:
    """A one-time sign-in link."""

    token: str = field(repr=False)
    expires_ns: int = 0


@dataclass(frozen=True, slots=True)
class FirstStart:
    """What the first start made; printed once."""

    project_id: ProjectId
    key: CreatedKey
    link: Link


@dataclass(frozen=True, slots=True)
class Session:
    """A person who is signed in by a browser."""

    user: User
    project_id: ProjectId
    csrf_token: str = field(repr=False)
    expires_ns: int = 0


@dataclass(frozen=True, slots=True)
class StartedSession:
    session: Session
    token: str = field(repr=False)  # goes into the cookie


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request to the management API: a person by session, or a program by key."""

    project_id: ProjectId
    user: User | None = None
    key_id: KeyId | None = None
    key_name: str = ""
    models: tuple[str, ...] = ()  # that the key may use; empty: every one
    scopes: frozenset[KeyScope] = frozenset()
    csrf_token: str = field(default="", repr=False)
    environment: str = DEFAULT_ENVIRONMENT  # of the key

    @property
    def is_admin(self) -> bool:
        return self.user is not None and self.user.is_admin

    @property
    def principal(self) -> Principal:
        """The sender as the one whose work it is; the CLI and the web app have no key."""
        return Principal(
            self.project_id,
            self.key_id or KeyId(""),
            self.key_name or (self.user.name if self.user else ""),
            self.models,
            self.scopes,
            "key" if self.key_id else "session",
            self.environment,
        )

    @property
    def actor(self) -> Actor:
        """Who makes a change, for its event."""
        if self.user is not None:
            return Actor("user", self.user.user_id, self.user.name)
        return Actor("key", self.key_id or "", self.key_name)
