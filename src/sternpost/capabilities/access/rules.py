"""What makes a key, a link or a session valid, and what a key may do; values in, values out."""

import difflib
import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from sternpost.base.clock import utc_text
from sternpost.base.errors import BadRequest, ConfigurationError, PermissionRefused
from sternpost.capabilities.access.records import ApiKey, KeyLimits
from sternpost.contracts.call import Principal
from sternpost.contracts.environment import ENVIRONMENTS
from sternpost.contracts.key_scope import ALL_SCOPES, KeyScope

KEY_START = "sp-"
KEY_STARTS = (KEY_START, "wl-")  # keys made before the rename keep working (docs/decisions/0014)
LINK_LIFE_NS = 15 * 60 * 1_000_000_000
_PREFIX_CHARACTERS = 10
_MAX_NAME_CHARACTERS = 100
_ENVIRONMENT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")

# What an application needs: it calls models, and sends traces, scores and feedback without reading them.
APPLICATION: Final = frozenset({KeyScope.CALLS, KeyScope.TRACES_WRITE, KeyScope.SCORES_WRITE})
PRESETS: Final[Mapping[str, frozenset[KeyScope]]] = {
    "application": APPLICATION,
    "read-only": frozenset({KeyScope.TRACES_READ}),
    "admin": ALL_SCOPES,
}
# Of the key that the first start prints: for the person who installed Sternpost, to try everything but keys.
FIRST_KEY: Final = APPLICATION | {KeyScope.FILES, KeyScope.TRACES_READ}

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


def scopes_named(words: Iterable[str]) -> frozenset[KeyScope]:
    """Read scopes and names of presets as people write them. Raises: BadRequest that names the nearest."""
    found = frozenset[KeyScope]()
    for word in words:
        if word not in ALL_SCOPES and word not in PRESETS:
            near = difflib.get_close_matches(word, [*KeyScope, *PRESETS], n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"scopes are {', '.join(KeyScope)}"
            raise BadRequest(f"there is no scope {word[:60]!r}; {hint}", param="scopes")
        found |= PRESETS.get(word) or {KeyScope(word)}
    return found


def known_scopes(words: Iterable[str]) -> frozenset[KeyScope]:
    """Read scopes as they are kept; a word of a later version gives nothing."""
    return frozenset(KeyScope(word) for word in words if word in ALL_SCOPES)


def refuse_without(scope: KeyScope, principal: Principal) -> None:
    """Refuse what a key has no scope for. Raises: PermissionRefused."""
    if scope not in principal.scopes:
        raise PermissionRefused(
            f"the key {principal.key_name!r} lacks the scope {scope.value!r}, which this needs; create a"
            f" key that has it: `sternpost key create --name NAME --scope {scope.value}`"
        )


def refuse_wider(new: KeyLimits, own: KeyLimits) -> None:
    """Let a key make only keys that may do no more than it may. Raises: PermissionRefused."""
    if more := sorted(new.scopes - own.scopes):
        raise PermissionRefused(f"a key can't grant a scope that it does not have: {more[0]!r}")
    if new.environment != own.environment:
        raise PermissionRefused(f"a key can only create keys of its own environment, {own.environment!r}")
    if own.models and not (new.models and all(_is_within(name, own.models) for name in new.models)):
        raise PermissionRefused(
            "a key restricted to models can only create keys restricted to some of them: "
            + ", ".join(own.models)
        )
    if own.expires_ns is not None and (new.expires_ns is None or new.expires_ns > own.expires_ns):
        raise PermissionRefused(
            f"a key can't create one that outlives it; let the new one expire by {utc_text(own.expires_ns)}"
        )


def known_environments(configured: Iterable[str]) -> tuple[str, ...]:
    """Return the environments there are: the usual ones, then those of the configuration.

    Raises: ConfigurationError for what is no name of an environment.
    """
    found = dict.fromkeys((*ENVIRONMENTS, *configured))
    for name in found:
        if not _ENVIRONMENT_NAME.fullmatch(name):
            raise ConfigurationError(
                f"environments: {name[:60]!r} is not a valid name; use up to 40 lowercase letters, digits,"
                " '-' and '_'"
            )
    return tuple(found)


def refuse_unknown_environment(name: str, known: Collection[str]) -> None:
    """Raises: BadRequest that names the nearest environment."""
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}."
    raise BadRequest(
        f"there is no environment {name[:60]!r}; {hint} To add one, list it under `environments:` in"
        " sternpost.yaml",
        param="environment",
    )


def environment_of(principal: Principal, said: str) -> str:
    """Decide in which environment a call or a span counts: the one it names if that exists, else its key's.

    A name that does not exist would make an environment of every slip, and nobody would look there.
    """
    if not said:
        return principal.environment
    name = said.strip().lower()
    return name if name in principal.environments else principal.environment


def _is_within(name: str, models: tuple[str, ...]) -> bool:
    return any(name.startswith(entry[:-1]) if entry.endswith("*") else name == entry for entry in models)


def is_live(expires_ns: int, ended_ns: int | None, now_ns: int) -> bool:
    """Say whether a link or a session can still be used."""
    return ended_ns is None and now_ns < expires_ns


def csrf_token(session_token: str) -> str:
    """Derive what a form must send back; only the holder of the cookie's value can create it."""
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
