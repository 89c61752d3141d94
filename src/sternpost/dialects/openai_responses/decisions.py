"""Decisions, read for the trace: a state and typed questions in, probabilities out. Nothing is translated.

There are two spellings: OpenAI's and SGLang's (`input`, lists of questions and answers with names), and that
of OpenRouter and others (`state`, maps). Source: https://docs.sglang.io/docs/supported-models/decision_models.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from sternpost.contracts.chat import ChatReply, ChatRequest
from sternpost.contracts.message import Json, Message, Part, TextPart
from sternpost.dialects.json_text.fields import Fields, read_object
from sternpost.dialects.openai_responses.content import read_content

PATH: Final = "/v1/decisions"
_SAID: Final = frozenset({"name", "id", "type", "instructions"})
_PROBABILITIES: Final = ("probabilities", "distribution")


def read_request(body: bytes) -> ChatRequest:
    """Read what is to be judged, and then the questions. Raises: BadRequest."""
    fields = read_object(body)
    state = tuple(_state(fields))
    asked = TextPart("\n".join(_question(name, one) for name, one in _named(fields.values.get("questions"))))
    return ChatRequest(model=fields.need_text("model"), messages=(*state, Message("user", (asked,))))


def _state(fields: Fields) -> Iterator[Message]:
    name = "input" if fields.has("input") else "state"
    value = fields.values.get(name)
    if not isinstance(value, list) or not all(isinstance(item, dict) and "content" in item for item in value):
        yield Message("user", (TextPart(_text(value)),))
        return
    for item in fields.items(name):
        parts: tuple[Part, ...] = tuple(read_content(item))
        role = item.values.get("role")
        yield Message("assistant" if role == "assistant" else "system" if role == "system" else "user", parts)


def read_reply(body: bytes) -> ChatReply:
    """Read each answer as a line: what was chosen, and how likely each choice is. Raises: BadRequest."""
    fields = read_object(body)
    lines = [_answer(name, one) for name, one in _named(fields.values.get("answers"))]
    message = Message("assistant", (TextPart("\n".join(lines)),), finish_reason="end")
    return ChatReply(fields.text("id") or "", fields.text("model") or "", (message,), usage=None)


def _named(value: Json) -> Iterator[tuple[str, Mapping[str, Json]]]:
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield name, one if isinstance(one, Mapping) else {"": one}
    elif isinstance(value, list):
        for index, one in enumerate(value):
            if isinstance(one, Mapping):
                yield _text(one.get("name") or one.get("id") or index), one


def _question(name: str, asked: Mapping[str, Json]) -> str:
    kind = f" ({_text(asked['type'])})" if asked.get("type") else ""
    rest = {key: value for key, value in asked.items() if key not in _SAID and value is not None}
    told = f" {_text(rest)}" if rest else ""
    return f"{name}{kind}: {_text(asked.get('instructions', ''))}{told}"


def _answer(name: str, given: Mapping[str, Json]) -> str:
    pieces = [
        f"{key} {_text(value)}".strip()
        for key, value in given.items()
        if key not in (*_SAID, *_PROBABILITIES) and value is not None
    ]
    likely = next((given[key] for key in _PROBABILITIES if given.get(key)), None)
    shares = ", ".join(_shares(likely))
    return f"{name}: {', '.join(pieces)}{f' ({shares})' if shares else ''}"


def _shares(value: Json) -> Iterator[str]:
    if isinstance(value, Mapping):
        for choice, share in value.items():
            yield f"{choice} {_text(share)}"
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, Mapping):
                yield " ".join(_text(part) for part in item.values())
            else:
                yield _text(item)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
