"""Keeps secrets that were sent to a provider out of what it answers, cut anywhere; who sends is elsewhere."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

_SHORTEST: Final = 16  # shorter keys are names like `ollama`, which stand in honest text
_WORDS: Final = ("auth", "key", "token", "secret", "cookie")
_SCHEMES: Final = frozenset({"bearer", "basic", "token", "key", "apikey"})
_OF_THE_CALLER: Final = frozenset({"idempotency-key", "x-idempotency-key"})


class Secrets:
    """What must not come back from one provider, each as it may be written in an answer."""

    __slots__ = ("_bytes", "_texts", "only")

    def __init__(self, *secrets: str) -> None:
        long = dict.fromkeys(secret for secret in secrets if len(secret) >= _SHORTEST)
        # JSON may write a slash with a backslash before it (RFC 8259, section 7).
        self._texts = tuple(long) + tuple(one.replace("/", "\\/") for one in long if "/" in one)
        self._bytes = tuple(text.encode("utf-8", "replace") for text in self._texts)
        self.only = self._bytes[0] if len(self._bytes) == 1 else None  # as most have, for a quick look

    def __bool__(self) -> bool:
        return bool(self._bytes)

    def redact(self, text: bytes) -> bytes:
        """Replace each secret by as many asterisks, so that lengths stay what was announced."""
        for secret in self._bytes:
            if secret in text:
                text = text.replace(secret, b"*" * len(secret))
        return text

    def redact_headers(self, headers: dict[str, str]) -> dict[str, str]:
        whole = "\n".join(headers.values())
        for secret in self._texts:
            if secret in whole:
                break
        else:
            return headers
        return {
            name: self.redact(value.encode("latin-1", "replace")).decode("latin-1")
            for name, value in headers.items()
        }

    def held(self, text: bytes) -> int:
        """Return how many of the last bytes may be the beginning of a secret."""
        return max((_overlap(text, secret) for secret in self._bytes), default=0)


class Redactor:
    """The secrets of one stream of bytes."""

    __slots__ = ("_secrets", "_tail", "is_holding")

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._tail = b""
        self.is_holding = False  # bytes wait for the next ones

    def feed(self, chunk: bytes) -> bytes:
        """Return what is certain; what may be the beginning of a secret waits for the next bytes."""
        found = self._secrets.redact(self._tail + chunk if self.is_holding else chunk)
        held = self._secrets.held(found)
        self.is_holding = held > 0
        self._tail = found[len(found) - held :]
        return found[: len(found) - held] if held else found

    def finish(self) -> bytes:
        rest, self._tail = self._tail, b""
        self.is_holding = False
        return rest


def secrets_sent(headers: Mapping[str, str]) -> Secrets:
    """Return the secrets among the headers of a request: keys, tokens, and whatever is named like one."""
    return _made(
        tuple([value for name, value in headers.items() if _is_secret(name)])
    )  # faster than a generator


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    lower = name.lower()
    return lower not in _OF_THE_CALLER and any(word in lower for word in _WORDS)


@lru_cache(maxsize=512)
def _made(values: tuple[str, ...]) -> Secrets:
    return Secrets(*(_without_scheme(value) for value in values))


def _without_scheme(value: str) -> str:
    """A signature (`AWS4-HMAC-SHA256 Credential=...`) is not a secret: it is valid for this request alone."""
    scheme, _, rest = value.partition(" ")
    if scheme.startswith("AWS4-"):
        return ""
    return rest.strip() if scheme.lower() in _SCHEMES else value


def _overlap(text: bytes, secret: bytes) -> int:
    """Return how many of the last bytes are the beginning of the secret."""
    start = text.find(secret[:1], max(0, len(text) - len(secret) + 1))
    while start >= 0:
        if secret.startswith(text[start:]):
            return len(text) - start
        start = text.find(secret[:1], start + 1)
    return 0
