"""Names what a reply holds and the caller's dialect cannot express; it removes nothing."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from sternpost.contracts.call import Dialect
from sternpost.contracts.chat import (
    ChatReply,
    Finish,
    LogprobsSeen,
    MediaSeen,
    OtherSeen,
    SafetySeen,
    StreamEvent,
)
from sternpost.contracts.message import BlobPart, Json, Message, OtherPart, UriPart

_SHOWN: Final[Mapping[Dialect, frozenset[str]]] = {
    "openai_chat": frozenset({"audio", "image", "logprobs", "safety", "choices"}),
    "openai_responses": frozenset({"image", "logprobs"}),
    "anthropic": frozenset({"finish_reason.paused"}),
}


def unshown(reply: ChatReply, caller: Dialect) -> tuple[str, ...]:
    """Return what a whole answer loses on its way to a caller."""
    return missing(_held(reply), caller)


def unshown_event(event: StreamEvent) -> Iterator[str]:
    """Name what a piece of a stream holds beside text, thinking and calls."""
    match event:
        case MediaSeen(part):
            yield part.modality
        case LogprobsSeen():
            yield "logprobs"
        case SafetySeen():
            yield "safety"
        case OtherSeen(kind):
            yield kind
        case Finish(reason) if reason == "paused":
            yield "finish_reason.paused"
        case _:
            return


def missing(held: Iterable[str], caller: Dialect) -> tuple[str, ...]:
    """Return the warnings for what was held and the caller's dialect does not show."""
    shown = _SHOWN.get(caller, frozenset[str]())
    return tuple(dict.fromkeys(f"unshown:{name}" for name in held if name not in shown))


def fields_beside(values: Mapping[str, Json], known: frozenset[str]) -> Iterator[str]:
    """Name the fields of an answer that hold something and that nobody reads."""
    for name, value in values.items():
        if value and name not in known:
            yield name[:64]


def _held(reply: ChatReply) -> Iterator[str]:
    yield from reply.beside
    if any(reply.logprobs):
        yield "logprobs"
    if reply.safety:
        yield "safety"
    if len(reply.choices) > 1:
        yield "choices"
    for message in reply.choices:
        yield from _held_by(message)


def _held_by(message: Message) -> Iterator[str]:
    if message.finish_reason == "paused":
        yield "finish_reason.paused"
    for part in message.parts:
        if isinstance(part, BlobPart | UriPart):
            yield part.modality
        elif isinstance(part, OtherPart):
            yield f"content.{str(part.payload.get('type', 'other'))[:64]}"
