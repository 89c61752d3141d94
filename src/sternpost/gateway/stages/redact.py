"""Blots out secrets in bytes that pass by, cut anywhere; which bytes those are is told it."""

from collections.abc import Iterable

_SHORTEST = 16  # shorter keys are names like `ollama`, which stand in honest text


class Redactor:
    """Replaces each secret by as many asterisks, so that lengths stay what was announced."""

    __slots__ = ("_secrets", "_tail")

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(secret.encode() for secret in secrets if len(secret) >= _SHORTEST)
        self._tail = b""

    def feed(self, chunk: bytes) -> bytes:
        """Return what is certain; what may be the beginning of a secret waits for the next bytes."""
        found = self.blot(self._tail + chunk if self._tail else chunk)
        held = max((_overlap(found, secret) for secret in self._secrets), default=0)
        self._tail = found[len(found) - held :]
        return found[: len(found) - held] if held else found

    def finish(self) -> bytes:
        rest, self._tail = self._tail, b""
        return rest

    def blot(self, text: bytes) -> bytes:
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, b"*" * len(secret))
        return text


def _overlap(text: bytes, secret: bytes) -> int:
    """Return how many of the last bytes are the beginning of the secret."""
    start = text.find(secret[:1], max(0, len(text) - len(secret) + 1))
    while start >= 0:
        if secret.startswith(text[start:]):
            return len(text) - start
        start = text.find(secret[:1], start + 1)
    return 0
