"""Messages to Gemini's turns: calls and results as parts, signatures on the part they came with.

Source: https://ai.google.dev/gemini-api/docs/function-calling and .../thought-signatures.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby
from typing import Final, Literal, TypeAlias

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.message import (
    BlobPart,
    Message,
    OtherPart,
    Part,
    ReasoningPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResponsePart,
)
from sternpost.dialects.gemini import signatures
from sternpost.dialects.gemini.parts import own_id, write_blob, write_part
from sternpost.dialects.gemini.signatures import UNSIGNED, signatures_in, unseal
from sternpost.dialects.json_text.raw_object import UNREADABLE
from sternpost.dialects.pairing.calls_seen import CallsSeen

# The third generation looks for media by this key of a result, and answers 400 to a JSON Schema that has it.
# Source: https://github.com/googleapis/python-genai/issues/2792.
_REFERENCE: Final = '"$ref"'
Written: TypeAlias = Mapping[str, object]  # with JSON of callers and models as the bytes it came in


@dataclass(slots=True)
class Turn:
    role: Literal["user", "model"]
    parts: list[Written] = field(default_factory=list[Written])


@dataclass(slots=True)
class TurnWriter:
    """Writes the turns of one request. Consecutive messages of one role become one turn: results must."""

    needs_signatures: bool  # the model answers 400 to a call without one
    takes_media_in_results: bool
    takes_ids: bool  # Vertex AI answers 400 to the id of a call and pairs by name and order
    dropped: list[str]
    _turns: list[Turn] = field(default_factory=list[Turn])
    _calls: CallsSeen = field(default_factory=CallsSeen)

    def write(self, messages: Iterable[Message]) -> list[Turn]:
        """Raises: BadRequest for content without a form here, and for a result whose call is unknown."""
        for role, group in groupby(messages, key=_role_of):
            parts = [message.parts for message in group]
            match role:
                case "user":
                    self._add("user", [write_part(part) for part in chain.from_iterable(parts)])
                case "assistant":
                    for said in parts:
                        self._add("model", self._said(said))
                case "tool":
                    self._add("user", self._results(chain.from_iterable(parts)))
                case "system":
                    continue
        return self._turns

    def _add(self, role: Literal["user", "model"], parts: Sequence[Written | None]) -> None:
        kept = [part for part in parts if part is not None]
        if not kept:
            return
        if not self._turns or self._turns[-1].role != role:
            self._turns.append(Turn(role))
        self._turns[-1].parts += kept

    def _said(self, parts: Sequence[Part]) -> list[Written]:
        if len(parts) == 1 and isinstance(parts[0], TextPart):  # most answers: nothing is signed
            return [{"text": parts[0].content}] if parts[0].content else []
        signed = signatures_in(parts)
        last_text = max((i for i, part in enumerate(parts) if _is_text(part)), default=-1)
        written: list[Written] = []
        is_first_call = True
        for index, part in enumerate(parts):
            match part:
                case ToolCallPart():
                    written.append(self._call(part, signed.get(part.id or ""), is_first=is_first_call))
                    is_first_call = False
                case ReasoningPart():
                    written += self._thought(part)
                case BlobPart():
                    written.append(_signed(write_blob(part), signed.pop(signatures.MEDIA, None)))
                case OtherPart(payload):
                    self.dropped.append(f"content.{str(payload.get('type', 'other'))[:64]}")
                case _:
                    place = signatures.TEXT if index == last_text else ""
                    written += _said_text(part, signed.get(place), index == last_text, signed)
        if last_text < 0 and (sealed := signed.get(signatures.AFTER_TEXT)):
            written.append({"text": "", "thoughtSignature": sealed})
        return written

    def _call(self, part: ToolCallPart, signature: str | None, *, is_first: bool) -> Written:
        self._calls.add(part)
        call: dict[str, object] = {"name": part.name, "args": arguments_of(part.arguments)}
        if self.takes_ids and (call_id := own_id(part.id)):
            call["id"] = call_id
        if signature is None and is_first and self.needs_signatures:
            signature = UNSIGNED
        return _signed({"functionCall": call}, signature)

    def _thought(self, part: ReasoningPart) -> list[Written]:
        """Give a signed thought back; the words of others are a summary that the API does not want."""
        signed = unseal(part.signature)
        if signed is None:
            self.dropped.append("thinking")
            return []
        if signed.place != signatures.THOUGHT:
            return []
        return [{"text": part.content, "thought": True, "thoughtSignature": signed.signature}]

    def _results(self, parts: Iterable[Part]) -> list[Written]:
        """Write results in the order of their calls, which is what pairs those without ids, media behind."""
        written: list[Written] = []
        beside: list[Written | None] = []
        for part in self._calls.in_order(parts):
            result = self._result(part)
            inside = [item for item in part.media if self._fits_in_result(item)]
            if inside:
                result["parts"] = [write_part(item) for item in inside]
            beside += [write_part(item) for item in part.media if item not in inside]
            written.append({"functionResponse": result})
        return [*written, *(part for part in beside if part is not None)]

    def _fits_in_result(self, media: Part) -> bool:
        """Whether a result may hold it: the Gemini API knows no files there."""
        return self.takes_media_in_results and isinstance(media, BlobPart)

    def _result(self, part: ToolResponsePart) -> dict[str, object]:
        name = self._calls.name_of(part.id)
        if name is None:
            raise BadRequest(
                f"messages: the tool result {(part.id or '')[:64]!r} answers no call of an assistant message"
                " before it.",
                param="messages",
            )
        result: dict[str, object] = {"name": name, "response": response_of(part)}
        if self.takes_ids and (call_id := own_id(part.id)):
            result["id"] = call_id
        return result


def _role_of(message: Message) -> Role:
    return message.role


def _is_text(part: Part) -> bool:
    return isinstance(part, TextPart) and bool(part.content)


def _said_text(part: Part, signature: str | None, is_last: bool, signed: Mapping[str, str]) -> list[Written]:
    text = write_part(part)
    written: list[Written] = []
    if text is not None:
        written.append(_signed(text, signature))
    if is_last and (sealed := signed.get(signatures.AFTER_TEXT)):
        written.append({"text": "", "thoughtSignature": sealed})
    return written


def _signed(part: Written, signature: str | None) -> Written:
    return part if signature is None else {**part, "thoughtSignature": signature}


def arguments_of(text: str) -> object:
    """Return the arguments as the model wrote them; what is no object is kept as text in one."""
    if text.strip() in ("", "null"):
        return {}
    found = _as_object(text)
    return {"arguments": text} if found is None else found


def response_of(part: ToolResponsePart) -> object:
    """Return a result as the object that the API demands."""
    response = part.response
    text = response if isinstance(response, str) else msgspec.json.encode(response).decode()
    if _REFERENCE in text:
        response = text
    elif isinstance(response, dict) and not part.is_error:
        return response
    elif not part.is_error and (found := _as_object(text)) is not None:
        return found
    return {"error" if part.is_error else "result": response}


def _as_object(text: str) -> msgspec.Raw | None:
    """Return a JSON object byte for byte; None for anything else."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        msgspec.json.decode(text)
    except UNREADABLE:
        return None
    return msgspec.Raw(text.encode())
