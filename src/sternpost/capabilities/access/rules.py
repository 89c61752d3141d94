"""What makes a key, a link or a session good; values in, values out."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from sternpost.base.errors import BadRequest
from sternpost.capabilities.access.records import ApiKey

KEY_START = "sp-"
KEY_STARTS = (KEY_START, "wl-")  # keys made before the rename keep working (docs/decisions/0014)
LINK_LIFE_NS = 15 * 60 * 1_000_000_000
_PREFIX_CHARACTERS = 10
_MAX_NAME_CHARACTERS = 100

KeyVerdict: TypeAlias = Literal["good", "revoked", "expired"]


@dataclass(frozen=True, slots=True)
class MintedKey:
    key: str
    key_hash: str
    prefix: str


def mint_key(entropy: bytes) -> MintedKey:
    """Write 32 random bytes as a key of 46 characters. A fast hash is enough: nobody guesses 256 bits."""
    key = KEY_START + token_text(entropy)
    return MintedKey(key, secret_hash(key), key[:_PREFIX_CHARACTERS])


def token_text(entropy: bytes) -> str:
    return urlsafe_b64encode(entropy).decode().rstrip("=")


def secret_hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def judge_key(key: ApiKey, now_ns: int) -> KeyVerdict:
    if key.revoked_ns is not None:
        return "revoked"
    if key.expires_ns is not None and now_ns >= key.expires_ns:
        return "expired"
    return "good"


def is_live(expires_ns: int, ended_ns: int | None, now_ns: int) -> bool:
    """Say whether a link or a session can still be used."""
    return ended_ns is None and now_ns < expires_ns


def csrf_token(session_token: str) -> str:
    """Derive what a form must send back; only who holds the cookie's value can make it."""
    return hmac.new(session_token.encode(), b"sternpost csrf", hashlib.sha256).hexdigest()


def is_same_secret(presented: str, expected: str) -> bool:
    return hmac.compare_digest(presented.encode("utf-8", "replace"), expected.encode())


def clean_name(name: str) -> str:
    """Trim a name that a person gives. Raises: BadRequest."""
    trimmed = " ".join(name.split())
    if not trimmed or len(trimmed) > _MAX_NAME_CHARACTERS or not trimmed.isprintable():
        raise BadRequest(
            f"a name has 1 to {_MAX_NAME_CHARACTERS} printable characters; send another", param="name"
        )
    return trimmed


def utc_text(at_ns: int) -> str:
    """Write a time as ISO 8601 in UTC to the microsecond."""
    seconds, rest = divmod(at_ns, 1_000_000_000)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
