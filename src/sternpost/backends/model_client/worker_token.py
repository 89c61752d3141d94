"""How the worker proves to the gateway for whom it calls; signed, short-lived, kept nowhere.

A token carries a project and a key, so that limits, prices and traces are those of whoever requested the
work. Only a process that can read the tables knows the secret.
"""

import hashlib
import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable
from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Table, Text
from sqlalchemy.exc import IntegrityError

from sternpost.base.clock import Clock
from sternpost.base.errors import KeyRefused
from sternpost.base.ids import KeyId, ProjectId
from sternpost.contracts.call import Principal
from sternpost.contracts.environment import DEFAULT_ENVIRONMENT
from sternpost.contracts.key_scope import KeyScope
from sternpost.contracts.tables import METADATA, Tables

TOKEN_START: Final = "spw-"  # noqa: S105 - how worker tokens begin, where keys begin with sp-
SECRET_NAME: Final = "worker-tokens"  # noqa: S105 - the row's name
_MAY: Final = frozenset({KeyScope.CALLS})  # whoever asked for the work could call
_LIFE_NS: Final = 10 * 60 * 1_000_000_000

# What one process of Sternpost proves itself to another with.
secrets = Table(
    "internal_secrets",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("secret", Text, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
)


class _Claims(msgspec.Struct, frozen=True, array_like=True):
    project_id: str
    key_id: str
    key_name: str
    models: tuple[str, ...]
    expires_ns: int
    environment: str = DEFAULT_ENVIRONMENT


def shared_secret(tables: Tables, now_ns: int) -> bytes:
    """Return the installation's secret; the first process that asks makes it. Raises: StoreUnavailable."""
    query = sa.select(secrets.c.secret).where(secrets.c.name == SECRET_NAME)
    with tables.read() as connection:
        found = connection.execute(query).scalar_one_or_none()
    if found is None:
        row = {"name": SECRET_NAME, "secret": os.urandom(32).hex(), "created_ns": now_ns}
        try:
            with tables.write() as connection:
                connection.execute(secrets.insert().values(**row))
        except IntegrityError:
            pass  # another process was first
        with tables.read() as connection:
            found = connection.execute(query).scalar_one()
    return bytes.fromhex(found)


class TokenWriter:
    """The worker's end. find_secret: asked for at the first token; may raise StoreUnavailable."""

    def __init__(self, find_secret: Callable[[], bytes], clock: Clock) -> None:
        self._find_secret = find_secret
        self._clock = clock
        self._secret = b""

    def write(self, principal: Principal) -> str:
        """Make a token that is valid for ten minutes."""
        self._secret = self._secret or self._find_secret()
        claims = _Claims(
            principal.project_id,
            principal.key_id,
            principal.key_name,
            principal.models,
            self._clock.now_ns() + _LIFE_NS,
            principal.environment,
        )
        text = urlsafe_b64encode(msgspec.json.encode(claims))
        return f"{TOKEN_START}{text.decode()}.{_signature(self._secret, text)}"


class TokenReader:
    """The gateway's end: a `check_key` that knows worker tokens beside keys.

    refuse_ended: raises KeyRefused for a key that was revoked or has expired; its work ends with it.
    """

    def __init__(
        self,
        secret: bytes,
        clock: Clock,
        check_key: Callable[[str], Principal],
        refuse_ended: Callable[[KeyId], None],
    ) -> None:
        self._secret = secret
        self._clock = clock
        self._check_key = check_key
        self._refuse_ended = refuse_ended

    def check(self, presented: str) -> Principal:
        """Raises: KeyRefused."""
        if not presented.startswith(TOKEN_START):
            return self._check_key(presented)
        text, _, signature = presented[len(TOKEN_START) :].partition(".")
        encoded = text.encode("utf-8", "replace")
        if not hmac.compare_digest(
            signature.encode("utf-8", "replace"), _signature(self._secret, encoded).encode()
        ):
            raise KeyRefused("this token was not created by the worker of this Sternpost; send a key")
        try:
            claims = msgspec.json.decode(urlsafe_b64decode(encoded), type=_Claims)
        except (msgspec.MsgspecError, Base64Error) as error:
            raise KeyRefused("this token is of another version of Sternpost") from error
        if self._clock.now_ns() >= claims.expires_ns:
            raise KeyRefused(
                "this token has expired; the clocks of the worker and the gateway differ by minutes"
            )
        if claims.key_id:
            self._refuse_ended(KeyId(claims.key_id))
        return Principal(
            ProjectId(claims.project_id),
            KeyId(claims.key_id),
            claims.key_name,
            claims.models,
            _MAY,
            "worker",
            claims.environment,
        )


def _signature(secret: bytes, text: bytes) -> str:
    return hmac.new(secret, text, hashlib.sha256).hexdigest()
