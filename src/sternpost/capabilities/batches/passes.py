"""How the worker proves to the gateway whose line it sends; signed, short-lived, kept nowhere.

A pass carries the batch's project and key, so that limits, prices and traces are those of who submitted it.
Only a process that can read the tables knows the secret.
"""

import hashlib
import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from sternpost.base.clock import Clock
from sternpost.base.errors import KeyRefused
from sternpost.base.ids import KeyId, ProjectId
from sternpost.capabilities.batches.records import Batch
from sternpost.capabilities.batches.rules import PASS_START
from sternpost.capabilities.batches.tables import secrets
from sternpost.contracts.call import Principal
from sternpost.contracts.key_scope import KeyScope
from sternpost.contracts.tables import Tables

_NAME = "batch-passes"
_LINES_ARE = frozenset({KeyScope.CALLS})  # who submitted the batch could call
_LIFE_NS = 10 * 60 * 1_000_000_000


class _Claims(msgspec.Struct, frozen=True, array_like=True):
    project_id: str
    key_id: str
    key_name: str
    models: tuple[str, ...]
    expires_ns: int


def shared_secret(tables: Tables, now_ns: int) -> bytes:
    """Return the installation's secret; the first process that asks makes it. Raises: StoreUnavailable."""
    query = sa.select(secrets.c.secret).where(secrets.c.name == _NAME)
    with tables.read() as connection:
        found = connection.execute(query).scalar_one_or_none()
    if found is None:
        row = {"name": _NAME, "secret": os.urandom(32).hex(), "created_ns": now_ns}
        try:
            with tables.write() as connection:
                connection.execute(secrets.insert().values(**row))
        except IntegrityError:
            pass  # another process was first
        with tables.read() as connection:
            found = connection.execute(query).scalar_one()
    return bytes.fromhex(found)


class PassWriter:
    """The worker's end."""

    def __init__(self, secret: bytes, clock: Clock) -> None:
        self._secret = secret
        self._clock = clock

    def write(self, batch: Batch) -> str:
        """Make a pass that is good for ten minutes."""
        claims = _Claims(
            batch.project_id,
            batch.key_id,
            batch.key_name,
            batch.allowed_models,
            self._clock.now_ns() + _LIFE_NS,
        )
        text = urlsafe_b64encode(msgspec.json.encode(claims))
        return f"{PASS_START}{text.decode()}.{_signature(self._secret, text)}"


class PassReader:
    """The gateway's end: a `check_key` that knows passes beside keys.

    refuse_ended: raises KeyRefused for a key that was revoked or has expired; its batches end with it.
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
        if not presented.startswith(PASS_START):
            return self._check_key(presented)
        text, _, signature = presented[len(PASS_START) :].partition(".")
        encoded = text.encode("utf-8", "replace")
        if not hmac.compare_digest(
            signature.encode("utf-8", "replace"), _signature(self._secret, encoded).encode()
        ):
            raise KeyRefused("this pass was not made by the worker of this Sternpost; send a key")
        try:
            claims = msgspec.json.decode(urlsafe_b64decode(encoded), type=_Claims)
        except (msgspec.MsgspecError, Base64Error) as error:
            raise KeyRefused("this pass is of another version of Sternpost") from error
        if self._clock.now_ns() >= claims.expires_ns:
            raise KeyRefused("this pass is over; the worker's clock and the gateway's differ by minutes")
        if claims.key_id:
            self._refuse_ended(KeyId(claims.key_id))
        return Principal(
            ProjectId(claims.project_id), KeyId(claims.key_id), claims.key_name, claims.models, _LINES_ARE
        )


def _signature(secret: bytes, text: bytes) -> str:
    return hmac.new(secret, text, hashlib.sha256).hexdigest()
