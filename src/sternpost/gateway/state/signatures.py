"""Signatures that a provider put on its tool calls, for callers who lose them; kept in this process alone."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from sternpost.base.ids import ProjectId
from sternpost.contracts.message import Message, Part, ReasoningPart, ToolCallPart

_MAX_CALLS = 20_000  # at some 1 kB each
_MAX_LENGTH = 100_000  # of one signature


@dataclass(slots=True)
class CallSignatures:
    """Tool-call id -> the sealed signature of its call. The one longest unused is forgotten first."""

    max_calls: int = _MAX_CALLS
    _known: OrderedDict[tuple[ProjectId, str], str] = field(
        default_factory=OrderedDict[tuple[ProjectId, str], str]
    )

    def remember(self, project: ProjectId, signatures: Mapping[str, str]) -> None:
        for call_id, signature in signatures.items():
            if len(signature) > _MAX_LENGTH:
                continue
            self._known[project, call_id] = signature
            self._known.move_to_end((project, call_id))
        while len(self._known) > self.max_calls:
            self._known.popitem(last=False)

    def restore(self, project: ProjectId, messages: Iterable[Message]) -> tuple[Message, ...]:
        """Put back what the caller lost: a thought without words in front of the call it belongs to."""
        return tuple(
            replace(message, parts=tuple(self._restored(project, message.parts)))
            if message.role == "assistant" and self._known
            else message
            for message in messages
        )

    def _restored(self, project: ProjectId, parts: tuple[Part, ...]) -> Iterator[Part]:
        kept = {part.signature for part in parts if isinstance(part, ReasoningPart)}
        for part in parts:
            key = (project, part.id or "") if isinstance(part, ToolCallPart) else None
            signature = self._known.get(key) if key is not None else None
            if key is not None and signature is not None:
                with suppress(KeyError):  # forgotten meanwhile: long requests are written in a thread
                    self._known.move_to_end(key)
            if signature is not None and signature not in kept:
                yield ReasoningPart(signature=signature)
            yield part
