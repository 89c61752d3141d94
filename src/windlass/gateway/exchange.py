"""What enters and leaves the flow: one request and one reply, in bytes; not how a server carries them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from windlass.contracts.call import Dialect

Headers: TypeAlias = list[tuple[bytes, bytes]]  # as ASGI wants them, names in lower case


@dataclass(slots=True)
class Stop:
    """Set before the task of a call is cancelled because Windlass stops: its caller still waits."""

    is_set: bool = False


@dataclass(frozen=True, slots=True)
class InboundCall:
    """A chat request. Whoever awaits the flow cancels that task when the caller leaves."""

    dialect: Dialect
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    is_too_large: bool = False  # the body was not read
    stop: Stop = field(default_factory=Stop)


class StreamBody(Protocol):
    """Whole frames, as they come. It owns the record and the lease of its call.

    Iterate to the end or call `aclose`, from the task that iterates; either settles the call, once.
    """

    @property
    def keep_alive(self) -> bytes:
        """A frame without meaning, for the writer to send after a silence."""
        ...

    def __aiter__(self) -> "StreamBody": ...

    async def __anext__(self) -> bytes: ...

    def interrupt(self, reason: str) -> None:
        """End soon, with the dialect's error event; the call is recorded as truncated."""
        ...

    async def aclose(self) -> None:
        """Say that nobody reads any more: the upstream is dropped, the call is recorded as cancelled."""
        ...


@dataclass(frozen=True, slots=True)
class OutboundReply:
    status: int
    headers: Headers
    body: bytes | StreamBody
