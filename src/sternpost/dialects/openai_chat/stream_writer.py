"""Writes events as an OpenAI stream; the terminal frames come with StreamEnd."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from sternpost.contracts.chat import (
    CitationSeen,
    Finish,
    LogprobsSeen,
    MediaSeen,
    RedactedThinking,
    RefusalDelta,
    SafetyResult,
    SafetySeen,
    StreamEnd,
    StreamEvent,
    StreamStart,
    TextDelta,
    ThinkingDelta,
    ThinkingSignature,
    ToolArguments,
    ToolStart,
    UsageSeen,
)
from sternpost.contracts.message import BlobPart, Json
from sternpost.contracts.usage import Usage
from sternpost.dialects.openai_chat.annotations import nested
from sternpost.dialects.openai_chat.errors import write_error_event
from sternpost.dialects.openai_chat.logprobs import write_logprobs
from sternpost.dialects.openai_chat.media import audio_piece, is_image, write_image
from sternpost.dialects.openai_chat.names import CUT_SHORT, FINISH_WRITTEN, TIERS
from sternpost.dialects.openai_chat.safety import write_safety
from sternpost.dialects.openai_chat.tap import DONE_FRAME
from sternpost.dialects.openai_chat.usage import write_usage
from sternpost.dialects.protocols import WireError

_TEXT = msgspec.json.encode
_ROLE: Final = b'{"role":"assistant","content":""}'


class OpenAiWriter:
    """Signed thinking goes out whole in the extension field `thinking_blocks`, so that it can be replayed.

    Entries of lists that grow over chunks carry an `index`: OpenAI's SDKs join them by it, or raise.
    """

    __slots__ = (
        "_counts",
        "_created_s",
        "_custom",
        "_head",
        "_id",
        "_shown",
        "_silent",
        "_thinking",
        "_usage",
        "_wants_usage",
    )

    def __init__(self, *, wants_usage: bool, created_s: int) -> None:
        self._wants_usage = wants_usage
        self._created_s = created_s
        self._usage: Usage | None = None
        self._thinking: list[str] = []
        self._shown = {0}  # choices whose role is written
        self._counts: Counter[tuple[str, int]] = Counter()  # entries so far, by list and choice
        self._silent: set[tuple[int, int]] = set()  # choice and index of calls without arguments so far
        self._custom: set[tuple[int, int]] = set()  # choice and index of calls that take a text
        self._head = b""
        self._begin(StreamStart("", ""))

    def _begin(self, start: StreamStart) -> None:
        created_s = start.created_s or self._created_s
        self._id = start.id
        head: dict[str, Json] = {
            "id": start.id,
            "object": "chat.completion.chunk",
            "created": created_s,
            "model": start.model,
        }
        self._head = b"data: " + _TEXT(head)[:-1]

    def write(self, event: StreamEvent) -> bytes:
        match event:
            case TextDelta(text, choice):
                return self._delta(b'{"content":' + _TEXT(text) + b"}", choice)
            case ToolArguments(index, text, choice):
                return self._arguments(index, text, choice)
            case ThinkingDelta(text, choice):
                self._thinking.append(text)
                return self._delta(b'{"reasoning_content":' + _TEXT(text) + b"}", choice)
            case RefusalDelta(text, choice):
                return self._delta(_TEXT({"refusal": text}), choice)
            case ToolStart():
                return self._tool_start(event)
            case _:
                return self._write_rare(event)

    def fail(self, error: WireError) -> bytes:
        return write_error_event(error)

    def _tool_start(self, start: ToolStart) -> bytes:
        if start.tool is not None and start.tool.kind == "custom":
            self._custom.add((start.choice, start.index))
            custom: Json = {"name": start.name, "input": ""}
            begun: Json = {"index": start.index, "id": start.id, "type": "custom", "custom": custom}
            return self._delta(_TEXT({"tool_calls": [begun]}), start.choice)
        self._silent.add((start.choice, start.index))
        function: dict[str, Json] = {"name": start.name, "arguments": ""}
        call: dict[str, Json] = {
            "index": start.index,
            "id": start.id,
            "type": "function",
            "function": function,
        }
        return self._delta(_TEXT({"tool_calls": [call]}), start.choice)

    def _arguments(self, index: int, text: str, choice: int) -> bytes:
        if text:
            self._silent.discard((choice, index))
        call: dict[str, Json] = {"index": index, "function": {"arguments": text}}
        if self._custom and (choice, index) in self._custom:
            call = {"index": index, "custom": {"input": text}}
        return self._delta(_TEXT({"tool_calls": [call]}), choice)

    def _write_rare(self, event: StreamEvent) -> bytes:
        match event:
            case StreamStart():
                self._begin(event)
                return self._delta(_ROLE)
            case ThinkingSignature(signature):
                thought = "".join(self._thinking)
                self._thinking.clear()
                return self._entry(
                    "thinking_blocks", {"type": "thinking", "thinking": thought, "signature": signature}
                )
            case RedactedThinking(sealed):
                return self._entry("thinking_blocks", {"type": "redacted_thinking", "data": sealed})
            case Finish():
                return self._finish(event)
            case UsageSeen(usage):
                self._usage = usage
                return b""
            case StreamEnd():
                return self._usage_chunk() + DONE_FRAME
            case _:
                return self._write_extra(event)

    def _write_extra(self, event: StreamEvent) -> bytes:
        match event:
            case MediaSeen(BlobPart("audio") as sound, choice):
                return self._delta(_TEXT({"audio": audio_piece(sound, self._id)}), choice)
            case MediaSeen(part, choice) if is_image(part):
                return self._entry("images", write_image(part), choice)
            case CitationSeen(citation):
                return self._entry("annotations", nested(citation), citation.choice)
            case LogprobsSeen(tokens, choice):
                logprobs: Json = {"content": write_logprobs(tokens), "refusal": None}
                told = b'"delta":{},"logprobs":' + _TEXT(logprobs) + b',"finish_reason":null'
                return self._choice(told, choice)
            case SafetySeen(results):
                return self._safety(results)
            case _:
                return b""

    def _safety(self, results: Sequence[SafetyResult]) -> bytes:
        on_reply, on_choice = write_safety(results)
        frames = b""
        if on_reply:
            frames = self._head + b',"choices":[],' + _TEXT(on_reply)[1:-1] + self._no_usage() + b"}\n\n"
        if on_choice:
            frames += self._choice(b'"delta":{},"finish_reason":null,' + _TEXT(on_choice)[1:-1])
        return frames

    def _entry(self, name: str, entry: Mapping[str, Json], choice: int = 0) -> bytes:
        index = self._counts[name, choice]
        self._counts[name, choice] += 1
        numbered: dict[str, Json] = {"index": index, **entry}
        return self._delta(_TEXT({name: [numbered]}), choice)

    def _delta(self, delta: bytes, choice: int = 0) -> bytes:
        begun = b"" if choice in self._shown else self._open(choice)
        return begun + self._choice(b'"delta":' + delta + b',"finish_reason":null', choice)

    def _open(self, choice: int) -> bytes:
        self._shown.add(choice)
        return self._delta(_ROLE, choice)

    def _choice(self, fields: bytes, choice: int = 0, more: bytes = b"") -> bytes:
        more += self._no_usage()
        return b'%b,"choices":[{"index":%d,%b}]%b}\n\n' % (self._head, choice, fields, more)

    def _no_usage(self) -> bytes:
        return b',"usage":null' if self._wants_usage else b""

    def _finish(self, finish: Finish) -> bytes:
        """Write the reason; before it `{}` for calls without arguments, since parsers can't read none."""
        choice, frames = finish.choice, b""
        if finish.reason not in CUT_SHORT:
            silent = sorted(index for of_choice, index in self._silent if of_choice == choice)
            frames = b"".join(self._arguments(index, "{}", choice) for index in silent)
        told = b'"delta":{},"finish_reason":' + _TEXT(FINISH_WRITTEN[finish.reason])
        return frames + self._choice(told, choice, self._tier())

    def _tier(self) -> bytes:
        """Say what the call was served as, once that is known."""
        tier = TIERS.get(self._usage.service_tier) if self._usage else None
        return b',"service_tier":' + _TEXT(tier) if tier else b""

    def _usage_chunk(self) -> bytes:
        if not self._wants_usage or self._usage is None:
            return b""
        return (
            self._head + self._tier() + b',"choices":[],"usage":' + _TEXT(write_usage(self._usage)) + b"}\n\n"
        )
