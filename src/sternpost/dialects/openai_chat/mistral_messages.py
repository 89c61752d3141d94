"""Fits messages to Mistral, which answers 422 to fields it does not know and 400 to an order of its own.

Source: https://docs.mistral.ai/api/endpoint/chat, its errors `extra_forbidden` and
`invalid_request_message_order`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from sternpost.contracts.message import Json
from sternpost.dialects.json_text.fields import Fields
from sternpost.dialects.json_text.raw_object import is_null, join_object, read_value, split_object
from sternpost.dialects.openai_chat.parts import read_content, write_content

# What OpenAI and hosts that are like it answer with, and callers send back in their histories.
_ANSWERED: Final = ("refusal", "annotations", "audio", "images", "function_call", "reasoning_content",
                    "reasoning", "reasoning_details")  # fmt: skip
_ODD: Final = re.compile(rb'"(?:name|developer|' + "|".join(_ANSWERED).encode() + rb'|file|input_audio)"')
_OPENAI_MEDIA: Final = re.compile(rb'"(?:file|input_audio)"\s*:\s*\{')
_NOTHING: Final = frozenset({b"null", b"[]", b"{}", b'""'})
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])
# OpenAI's default is what Mistral calls standard; there is no other that both have.
TIERS: Final[Mapping[str, str]] = {
    "auto": "auto", "default": "standard_only", "standard": "standard_only", "standard_only": "standard_only",
}  # fmt: skip
BRIDGE: Final = "I have the results."
BRIDGED: Final = "messages (an assistant message was put behind tool results)"


def fit_raw(messages: msgspec.Raw | bytes, dropped: list[str]) -> msgspec.Raw | bytes:
    """Change the messages that do not fit; every other byte stays."""
    if not _ODD.search(messages):
        return messages
    items: list[msgspec.Raw | bytes] = list(_ITEMS.decode(messages))
    fitted = [_fit_item(item, dropped) if _ODD.search(item) else item for item in items]
    is_same = all(new is old for new, old in zip(fitted, items, strict=True))
    return messages if is_same else b"[" + b",".join(fitted) + b"]"


def _fit_item(item: msgspec.Raw | bytes, dropped: list[str]) -> msgspec.Raw | bytes:
    given = split_object(bytes(item))
    fields: dict[str, msgspec.Raw | bytes] = dict(given)
    if bytes(fields.get("role", b"")) == b'"developer"':
        fields["role"] = b'"system"'
    if is_null(fields.get("content")) and not is_null(given.get("refusal")):
        fields["content"] = given["refusal"]  # a refusal is what was said
    unknown = _ANSWERED if bytes(fields.get("role", b"")) == b'"tool"' else ("name", *_ANSWERED)
    for name in unknown:
        value = fields.pop(name, None)
        if value is not None and name != "refusal" and bytes(value) not in _NOTHING:
            dropped.append(f"messages.{name}")
    content = fields.get("content")
    if content is not None and _OPENAI_MEDIA.search(content) and bytes(content).startswith(b"["):
        fields["content"] = b"[" + b",".join(_fit_part(bytes(part)) for part in _ITEMS.decode(content)) + b"]"
    return item if fields == given else join_object(fields)


def _fit_part(part: bytes) -> bytes:
    """Write a document or a sound as Mistral does; what is no OpenAI's stays."""
    values: Json = msgspec.json.decode(part)
    if not isinstance(values, Mapping):
        return part
    if not any(isinstance(values.get(name), Mapping) for name in ("file", "input_audio")):
        return part
    read = tuple(read_content(Fields({"content": [values]}, "messages")))
    written = write_content(read, is_mistral=True)
    return msgspec.json.encode(written[0]) if isinstance(written, list) else part


def fit_tier(fields: dict[str, msgspec.Raw | bytes], dropped: list[str]) -> None:
    """Change the tier that is asked for into one that Mistral knows, or leave it out."""
    raw = fields.get("service_tier")
    if raw is None:
        return
    tier = TIERS.get(str(read_value(msgspec.Raw(bytes(raw)))))
    if tier is not None:
        fields["service_tier"] = msgspec.json.encode(tier)
        return
    del fields["service_tier"]
    if not is_null(raw):
        dropped.append("service_tier")


def bridged(messages: Iterable[Mapping[str, Json]], dropped: list[str]) -> Iterator[Json]:
    """Let an assistant speak between results and other words: the one after the other is a 400."""
    before: Json = None
    for message in messages:
        if before == "tool" and message["role"] in ("user", "system"):
            dropped.append(BRIDGED)
            yield {"role": "assistant", "content": BRIDGE}
        before = message["role"]
        yield message
