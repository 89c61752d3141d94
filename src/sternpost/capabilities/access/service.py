"""The verbs of access, for the CLI, the API and the sign-in page; the hot path's view is `key_ring`."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sternpost.base.clock import Clock, SystemClock
from sternpost.base.errors import BadRequest, KeyRefused, NotFound, PermissionRefused, StoreError
from sternpost.base.ids import KeyId, ProjectId, UserId, new_id
from sternpost.capabilities.access import rules
from sternpost.capabilities.access.events import COMMAND_LINE
from sternpost.capabilities.access.records import (
    ApiKey,
    Caller,
    CreatedKey,
    Environment,
    FirstStart,
    KeyLimits,
    KeyPage,
    Link,
    Session,
    StartedSession,
    User,
)
from sternpost.capabilities.access.store import AccessStore
from sternpost.contracts.environment import DEFAULT_ENVIRONMENT, ENVIRONMENTS
from sternpost.contracts.event_log import Actor, EventLog
from sternpost.contracts.key_scope import KeyScope
from sternpost.contracts.tables import Tables

_DAY_NS = 86_400_000_000_000
_MAX_PAGE = 200
_LATEST_NS = 9_214_646_400_000_000_000  # 2262-01-01: columns hold 64 bits


def _random_32() -> bytes:
    return os.urandom(32)


def _usual_environments() -> Sequence[str]:
    return ENVIRONMENTS


@dataclass(frozen=True, slots=True)
class AccessService:
    """Blocking; on the event loop call it through `base.threads`. Raises: StoreUnavailable anywhere."""

    store: AccessStore
    clock: Clock = field(default_factory=SystemClock)
    session_days: int = 14
    entropy: Callable[[], bytes] = _random_32
    known_environments: Callable[[], Sequence[str]] = _usual_environments  # that the configuration names

    def ensure_first_start(self) -> FirstStart | None:
        """Make the project `default`, an admin, a key and a sign-in link; None when they were made before."""
        project_id = ProjectId(new_id("project"))
        admin = User(UserId(new_id("user")), "admin", is_admin=True)
        created = self._mint("first key", project_id, KeyLimits(rules.FIRST_KEY))
        if not self.store.add_first(project_id, admin, created.record, "default"):
            return None
        return FirstStart(project_id, created, self._link_for(admin))

    def create_key(
        self,
        name: str,
        *,
        project: str = "",
        models: Sequence[str] = (),
        expires_ns: int | None = None,
        scopes: frozenset[KeyScope] = rules.APPLICATION,
        environment: str = DEFAULT_ENVIRONMENT,
    ) -> CreatedKey:
        """Make a key as the owner of the data folder; `project` is a name, empty for the first.

        Raises: BadRequest, NotFound.
        """
        limits = KeyLimits(scopes, tuple(models), expires_ns, environment)
        return self._create(self._project(project), name, limits, COMMAND_LINE)

    def create_key_for(self, caller: Caller, name: str, limits: KeyLimits) -> CreatedKey:
        """Make a key in the caller's project, of a key with no more than it has.

        Raises: BadRequest, PermissionRefused.
        """
        if caller.key_id is not None:
            own = self.store.key_by_id(caller.key_id)
            if own is None:
                raise KeyRefused("the key no longer exists; sign in, or send another")
            rules.refuse_wider(limits, KeyLimits(own.scopes, own.models, own.expires_ns, own.environment))
        elif not caller.is_admin:
            raise PermissionRefused("only an admin can create keys; ask one, or use `sternpost key create`")
        return self._create(caller.project_id, name, limits, caller.actor)

    def _create(self, project_id: ProjectId, name: str, limits: KeyLimits, actor: Actor) -> CreatedKey:
        if limits.expires_ns is not None and limits.expires_ns <= self.clock.now_ns():
            raise BadRequest("a key can't expire in the past; choose a later time", param="expires_at")
        if limits.expires_ns is not None and limits.expires_ns >= _LATEST_NS:
            raise BadRequest(
                "expires_at is after the year 2261; leave it out for a key that does not expire",
                param="expires_at",
            )
        if any(not model.strip() or not model.isprintable() for model in limits.models):
            raise BadRequest("a model's name can't be empty or contain line breaks", param="models")
        if limits.environment not in ENVIRONMENTS:  # those need no look at the configuration
            rules.refuse_unknown_environment(limits.environment, self.known_environments())
        if not limits.scopes:
            raise BadRequest("a key without scopes can do nothing; give it at least one", param="scopes")
        created = self._mint(rules.clean_name(name), project_id, limits)
        self.store.add_key(created.record, actor)
        return created

    def environments(self, project_id: ProjectId) -> tuple[Environment, ...]:
        """Return the environments that are configured, then those that only keys of the project have."""
        counts = self.store.keys_by_environment(project_id)
        names = dict.fromkeys((*self.known_environments(), *sorted(counts)))
        return tuple(Environment(name, counts.get(name, 0)) for name in names)

    def list_keys(
        self,
        *,
        cursor: str = "",
        limit: int = 50,
        project_id: ProjectId | None = None,
        environment: str = "",
    ) -> KeyPage:
        """Return keys newest first, revoked ones too. Raises: BadRequest for a limit that is not 1 to 200."""
        if not 1 <= limit <= _MAX_PAGE:
            raise BadRequest(f"limit must be 1 to {_MAX_PAGE}", param="limit")
        found = self.store.keys_before(cursor, limit + 1, project_id, environment)
        page = found[:limit]
        return KeyPage(page, page[-1].key_id if len(found) > limit else None)

    def revoke_key(
        self, key_id: KeyId, *, project_id: ProjectId | None = None, actor: Actor = COMMAND_LINE
    ) -> ApiKey:
        """Revoke a key; revoking it again keeps the first time. Raises: NotFound."""
        revoked = self.store.revoke_key(key_id, self.clock.now_ns(), project_id, actor)
        if revoked is None:
            raise NotFound(f"there is no key {key_id!r}; `sternpost key list` shows the keys")
        return revoked

    def create_sign_in_link(self) -> Link:
        """Make a link that signs the admin in once, within 15 minutes."""
        admin = self.store.first_admin()
        if admin is None:
            raise NotFound("there is no admin yet; run `sternpost up` once to create one")
        return self._link_for(admin)

    def owner_session(self) -> StartedSession:
        """Begin a session for one command of the owner of the data folder; that is no event."""
        admin = self.store.first_admin()
        if admin is None:
            raise NotFound("there is no admin yet; run `sternpost up` once to create one")
        return self.redeem_sign_in_link(self._link_for(admin, actor=None).token, is_event=False)

    def redeem_sign_in_link(self, token: str, *, is_event: bool = True) -> StartedSession:
        """Use a link up and begin a session. Raises: KeyRefused."""
        session_token = rules.token_text(self.entropy())
        now_ns = self.clock.now_ns()
        expires_ns = now_ns + self.session_days * _DAY_NS
        user = self.store.swap_link_for_session(
            rules.secret_hash(token), rules.secret_hash(session_token), now_ns, expires_ns, is_event=is_event
        )
        if user is None:
            raise KeyRefused(
                "this sign-in link was already used or is older than 15 minutes; "
                "`sternpost sign-in` prints a new one"
            )
        return StartedSession(self._session(user, session_token, expires_ns), session_token)

    def session_of(self, token: str) -> Session | None:
        """Return the live session of a cookie's token."""
        found = self.store.live_session(rules.secret_hash(token), self.clock.now_ns())
        return None if found is None else self._session(found[0], token, found[1])

    def sign_out(self, token: str) -> None:
        self.store.end_session(rules.secret_hash(token), self.clock.now_ns())

    def project_name(self, project_id: ProjectId) -> str:
        return self.store.project_name(project_id)

    def _session(self, user: User, token: str, expires_ns: int) -> Session:
        return Session(user, self._project(""), rules.csrf_token(token), expires_ns)

    def _project(self, name: str) -> ProjectId:
        found = self.store.project_named(name) if name else self.store.first_project()
        if found is not None:
            return found
        if name:
            raise NotFound(f"there is no project {name!r}; leave it out for the default one")
        raise StoreError("there is no project yet; run `sternpost up` once to create it")

    def _mint(self, name: str, project_id: ProjectId, limits: KeyLimits) -> CreatedKey:
        minted = rules.mint_key(self.entropy())
        record = ApiKey(
            key_id=KeyId(new_id("key")),
            project_id=project_id,
            name=name,
            key_hash=minted.key_hash,
            prefix=minted.prefix,
            created_ns=self.clock.now_ns(),
            models=limits.models,
            scopes=limits.scopes,
            expires_ns=limits.expires_ns,
            environment=limits.environment,
        )
        return CreatedKey(record, minted.key)

    def _link_for(self, user: User, *, actor: Actor | None = COMMAND_LINE) -> Link:
        token = rules.token_text(self.entropy())
        now_ns = self.clock.now_ns()
        expires_ns = now_ns + rules.LINK_LIFE_NS
        self.store.add_link(rules.secret_hash(token), user, now_ns, expires_ns, actor=actor)
        return Link(token, expires_ns)


def access_service(
    tables: Tables,
    log: EventLog,
    *,
    session_days: int = 14,
    clock: Clock | None = None,
    known_environments: Callable[[], Sequence[str]] = _usual_environments,
) -> AccessService:
    store = AccessStore(tables, log)
    return AccessService(store, clock or SystemClock(), session_days, known_environments=known_environments)
