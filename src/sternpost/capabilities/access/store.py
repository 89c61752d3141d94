"""The SQL of access; blocking, so a caller on the event loop goes through `base.threads`."""

import sqlalchemy as sa
from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, RowMapping, Table, Text
from sqlalchemy.exc import IntegrityError

from sternpost.base.ids import KeyId, ProjectId, UserId
from sternpost.capabilities.access import rules
from sternpost.capabilities.access.events import (
    FIRST_START,
    key_created,
    key_revoked,
    link_created,
    signed_in,
    signed_out,
)
from sternpost.capabilities.access.records import ApiKey, User
from sternpost.contracts.environment import DEFAULT_ENVIRONMENT
from sternpost.contracts.event_log import Actor, EventLog
from sternpost.contracts.tables import METADATA, Tables

projects = Table(
    "projects",
    METADATA,
    Column("project_id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("created_ns", BigInteger, nullable=False),
)
users = Table(
    "users",
    METADATA,
    Column("user_id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("is_admin", Boolean, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
)
api_keys = Table(
    "api_keys",
    METADATA,
    Column("key_id", Text, primary_key=True),
    Column("project_id", Text, ForeignKey("projects.project_id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("key_hash", Text, nullable=False, unique=True),
    Column("prefix", Text, nullable=False),
    Column("models", Text, nullable=False),  # one per line: names of models hold no line breaks
    Column("scopes", Text, nullable=False),  # separated by spaces
    Column("created_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger),
    Column("revoked_ns", BigInteger),
    Column("last_used_ns", BigInteger),
    Column("environment", Text, nullable=False, server_default=DEFAULT_ENVIRONMENT),
)
sign_in_links = Table(
    "sign_in_links",
    METADATA,
    Column("token_hash", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.user_id"), nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
    Column("used_ns", BigInteger),
    Index("ix_sign_in_links_expires_ns", "expires_ns"),
)
sessions = Table(
    "sessions",
    METADATA,
    Column("token_hash", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.user_id"), nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
    Column("revoked_ns", BigInteger),
    Index("ix_sessions_expires_ns", "expires_ns"),
)
# Counted changes of keys up to schema 0007, for the processes of that time; the event log says them now.
Table(
    "access_revisions",
    METADATA,
    Column("subject", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
)


class AccessStore:
    """`log` gets the event of each change, in its transaction."""

    def __init__(self, tables: Tables, log: EventLog) -> None:
        self._tables = tables
        self._log = log

    def add_first(self, project_id: ProjectId, user: User, key: ApiKey, project_name: str) -> bool:
        """Add the first project, admin and key together; False when a project is there already."""
        at_ns = key.created_ns
        try:
            with self._tables.write() as connection:
                if connection.execute(sa.select(projects.c.project_id).limit(1)).first() is not None:
                    return False
                project = {"project_id": project_id, "name": project_name, "created_ns": at_ns}
                connection.execute(projects.insert().values(**project))
                admin = {"user_id": user.user_id, "name": user.name, "is_admin": user.is_admin}
                connection.execute(users.insert().values(**admin, created_ns=at_ns))
                connection.execute(api_keys.insert().values(**_columns(key)))
                self._log.append(connection, key_created(key, FIRST_START))
        except IntegrityError:
            return False  # on PostgreSQL another machine may have been first in this very moment
        return True

    def first_project(self) -> ProjectId | None:
        query = sa.select(projects.c.project_id).order_by(projects.c.created_ns).limit(1)
        with self._tables.read() as connection:
            found = connection.execute(query).scalar_one_or_none()
        return None if found is None else ProjectId(found)

    def project_named(self, name: str) -> ProjectId | None:
        with self._tables.read() as connection:
            found = connection.execute(
                sa.select(projects.c.project_id).where(projects.c.name == name)
            ).scalar_one_or_none()
        return None if found is None else ProjectId(found)

    def project_name(self, project_id: ProjectId) -> str:
        query = sa.select(projects.c.name).where(projects.c.project_id == project_id)
        with self._tables.read() as connection:
            return connection.execute(query).scalar_one_or_none() or ""

    def first_admin(self) -> User | None:
        query = sa.select(users).where(users.c.is_admin).order_by(users.c.created_ns).limit(1)
        with self._tables.read() as connection:
            found = connection.execute(query).mappings().first()
        return None if found is None else _user(found)

    def add_key(self, key: ApiKey, actor: Actor) -> None:
        with self._tables.write() as connection:
            connection.execute(api_keys.insert().values(**_columns(key)))
            self._log.append(connection, key_created(key, actor))

    def revoke_key(
        self, key_id: KeyId, now_ns: int, project_id: ProjectId | None, actor: Actor
    ) -> ApiKey | None:
        """Revoke once and return the key; None when there is none (in the project, if one is given)."""
        chosen = [api_keys.c.key_id == key_id]
        if project_id is not None:
            chosen.append(api_keys.c.project_id == project_id)
        live = api_keys.update().where(*chosen, api_keys.c.revoked_ns.is_(None)).values(revoked_ns=now_ns)
        with self._tables.write() as connection:
            is_new = connection.execute(live).rowcount > 0
            row = connection.execute(sa.select(api_keys).where(*chosen)).mappings().first()
            found = None if row is None else _key(row)
            if found is not None and is_new:
                self._log.append(connection, key_revoked(found, actor))
        return found

    def keys_by_environment(self, project_id: ProjectId) -> dict[str, int]:
        """Count the keys of each environment that has any; revoked ones count as none."""
        live = sa.func.count(sa.case((api_keys.c.revoked_ns.is_(None), 1)))
        query = (
            sa.select(api_keys.c.environment, live)
            .where(api_keys.c.project_id == project_id)
            .group_by(api_keys.c.environment)
        )
        with self._tables.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def keys_before(
        self, cursor: str, limit: int, project_id: ProjectId | None, environment: str = ""
    ) -> tuple[ApiKey, ...]:
        """Return keys newest first, those before `cursor` (a key id; empty: from the newest)."""
        query = sa.select(api_keys).order_by(api_keys.c.key_id.desc()).limit(limit)
        if cursor:
            query = query.where(api_keys.c.key_id < cursor)
        if project_id is not None:
            query = query.where(api_keys.c.project_id == project_id)
        if environment:
            query = query.where(api_keys.c.environment == environment)
        with self._tables.read() as connection:
            return tuple(_key(row) for row in connection.execute(query).mappings())

    def all_keys(self) -> tuple[ApiKey, ...]:
        """Return every key, revoked ones too."""
        with self._tables.read() as connection:
            return tuple(_key(row) for row in connection.execute(sa.select(api_keys)).mappings())

    def key_by_hash(self, key_hash: str) -> ApiKey | None:
        with self._tables.read() as connection:
            found = (
                connection.execute(sa.select(api_keys).where(api_keys.c.key_hash == key_hash))
                .mappings()
                .first()
            )
        return None if found is None else _key(found)

    def key_by_id(self, key_id: KeyId) -> ApiKey | None:
        query = sa.select(api_keys).where(api_keys.c.key_id == key_id)
        with self._tables.read() as connection:
            found = connection.execute(query).mappings().first()
        return None if found is None else _key(found)

    def touch_keys(self, used: dict[KeyId, int]) -> None:
        """Set when keys were last used; that is no event, because nobody has to read it again."""
        with self._tables.write() as connection:
            for key_id, at_ns in used.items():
                connection.execute(
                    api_keys.update().where(api_keys.c.key_id == key_id).values(last_used_ns=at_ns)
                )

    def add_link(
        self, token_hash: str, user: User, now_ns: int, expires_ns: int, *, actor: Actor | None
    ) -> None:
        """actor: None for a link that is used at once by the owner of the data folder, which is no event."""
        row = {"token_hash": token_hash, "user_id": user.user_id, "created_ns": now_ns}
        with self._tables.write() as connection:
            connection.execute(sign_in_links.insert().values(**row, expires_ns=expires_ns))
            if actor is not None:
                self._log.append(connection, link_created(user, expires_ns, actor))

    def swap_link_for_session(
        self,
        link_hash: str,
        session_hash: str,
        now_ns: int,
        session_expires_ns: int,
        *,
        is_event: bool = True,
    ) -> User | None:
        """Use up a link and begin a session in one transaction; None when the link is not valid."""
        use = (
            sign_in_links.update()
            .where(
                sign_in_links.c.token_hash == link_hash,
                sign_in_links.c.used_ns.is_(None),
                sign_in_links.c.expires_ns > now_ns,
            )
            .values(used_ns=now_ns)
            .returning(sign_in_links.c.user_id)
        )
        with self._tables.write() as connection:
            user_id = connection.execute(use).scalar_one_or_none()
            if user_id is None:
                return None
            begun = {"token_hash": session_hash, "user_id": user_id, "created_ns": now_ns}
            connection.execute(sessions.insert().values(**begun, expires_ns=session_expires_ns))
            row = connection.execute(sa.select(users).where(users.c.user_id == user_id)).mappings().one()
            user = _user(row)
            if is_event:
                self._log.append(connection, signed_in(user, session_expires_ns))
        return user

    def live_session(self, token_hash: str, now_ns: int) -> tuple[User, int] | None:
        """Return who is signed in and until when."""
        query = (
            sa.select(users, sessions.c.expires_ns)
            .join(sessions, sessions.c.user_id == users.c.user_id)
            .where(
                sessions.c.token_hash == token_hash,
                sessions.c.revoked_ns.is_(None),
                sessions.c.expires_ns > now_ns,
            )
        )
        with self._tables.read() as connection:
            found = connection.execute(query).mappings().first()
        return None if found is None else (_user(found), found["expires_ns"])

    def end_session(self, token_hash: str, now_ns: int) -> None:
        ended = sessions.update().where(sessions.c.token_hash == token_hash, sessions.c.revoked_ns.is_(None))
        whose = (
            sa.select(users)
            .join(sessions, sessions.c.user_id == users.c.user_id)
            .where(sessions.c.token_hash == token_hash)
        )
        with self._tables.write() as connection:
            if not connection.execute(ended.values(revoked_ns=now_ns)).rowcount:
                return
            self._log.append(connection, signed_out(_user(connection.execute(whose).mappings().one())))

    def drop_expired(self, before_ns: int) -> int:
        """Delete links and sessions that ended before; return how many."""
        with self._tables.write() as connection:
            return sum(
                connection.execute(table.delete().where(table.c.expires_ns < before_ns)).rowcount
                for table in (sign_in_links, sessions)
            )


def _columns(key: ApiKey) -> dict[str, object]:
    return {
        "key_id": key.key_id,
        "project_id": key.project_id,
        "name": key.name,
        "key_hash": key.key_hash,
        "prefix": key.prefix,
        "models": "\n".join(key.models),
        "scopes": " ".join(sorted(key.scopes)),
        "created_ns": key.created_ns,
        "expires_ns": key.expires_ns,
        "revoked_ns": key.revoked_ns,
        "last_used_ns": key.last_used_ns,
        "environment": key.environment,
    }


def _key(fields: RowMapping) -> ApiKey:
    return ApiKey(
        key_id=KeyId(fields["key_id"]),
        project_id=ProjectId(fields["project_id"]),
        name=fields["name"],
        key_hash=fields["key_hash"],
        prefix=fields["prefix"],
        created_ns=fields["created_ns"],
        models=tuple(fields["models"].split("\n")) if fields["models"] else (),
        scopes=rules.known_scopes(fields["scopes"].split()),
        expires_ns=fields["expires_ns"],
        revoked_ns=fields["revoked_ns"],
        last_used_ns=fields["last_used_ns"],
        environment=fields["environment"],
    )


def _user(fields: RowMapping) -> User:
    return User(UserId(fields["user_id"]), fields["name"], bool(fields["is_admin"]))
