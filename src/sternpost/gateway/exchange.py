"""What enters and leaves the flow: one request and one reply, in bytes; not how a server carries them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from sternpost.base.errors import BodyTooLarge, RequestError
from sternpost.contracts.call import Dialect, Operation, Principal

Headers: TypeAlias = list[tuple[bytes, bytes]]  # as ASGI wants them, names in lower case


@dataclass(slots=True)
class Stop:
    """Set before the task of a call is cancelled because Sternpost stops: its caller still waits."""

    is_set: bool = False


@dataclass(frozen=True, slots=True)
class InboundCall:
    """A request. Whoever awaits the flow cancels that task when the caller leaves."""

    dialect: Dialect
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    fault: RequestError | None = None  # why the body was not read
    operation: Operation = "chat"
    principal: Principal | None = None  # whose key it is, where that was asked before the body was read
    stop: Stop = field(default_factory=Stop)


class ReplyBroken(Exception):
    """The reply can't go on: its connection is to be closed without an end, so that the caller sees it."""


class Upload(Protocol):
    """A request's body that is still arriving. It ends early when the caller leaves or sends too much."""

    @property
    def size_bytes(self) -> int:
        """How much was read."""
        ...

    @property
    def is_too_large(self) -> bool: ...

    def __aiter__(self) -> "Upload": ...

    async def __anext__(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class PassThroughRequest:
    """What a pass-through call asks of a provider; path and query are as the caller escaped them."""

    method: str
    provider: str
    path: str  # behind the provider's base URL, with its first slash
    query: str
    body: bytes  # not the InboundCall's, because records do not keep it
    upload: Upload | None = None  # instead of `body`


class StreamBody(Protocol):
    """Whole frames, as they come. It owns the record and the lease of its call.

    Iterate to the end or call `aclose`, from the task that iterates; either settles the call, once.
    Raises: ReplyBroken where the shape of the reply has no way to say that it broke.
    """

    @property
    def keep_alive(self) -> bytes:
        """A frame without meaning, for the writer to send after a silence; empty: there is none."""
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


def too_large(max_bytes: int) -> BodyTooLarge:
    """Say that a body is over the limit."""
    return BodyTooLarge(
        f"the request is longer than {max_bytes} bytes; send less or raise STERNPOST_MAX_BODY_BYTES"
    )
