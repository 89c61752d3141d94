"""Reads the head of an Anthropic request and edits it in place; the messages stay unread."""

import re
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.provider import ModelFacts, Quirks
from sternpost.dialects.anthropic import attribution, vertex
from sternpost.dialects.anthropic.auto_marks import place
from sternpost.dialects.anthropic.relax import THOUGHTS, relax
from sternpost.dialects.anthropic.who import who
from sternpost.dialects.json_text.raw_object import (
    check_messages,
    is_null,
    join_object,
    read_flag,
    read_model,
    read_text_map,
    read_value,
    rewrite_object,
    split_object,
)
from sternpost.dialects.protocols import RequestHead, WrittenRequest
from sternpost.dialects.thinking.openai_mark import ORIGIN
from sternpost.dialects.thinking.origin_mark import MARK, is_marked
from sternpost.dialects.thinking.unread_thinking import THOUGHT

_UNSIGNED = re.compile(
    rb'"signature"\s*:\s*"(?:"|'
    + re.escape(MARK.encode())
    + rb')|"data"\s*:\s*"'
    + re.escape(ORIGIN.encode())
)
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_ALWAYS: Final = frozenset({"model", "messages", "stream", "max_tokens"})


def read_head(body: bytes) -> RequestHead:
    """Check the structure only: model, messages, max_tokens and stream.

    Raises: BadRequest with `param`.
    """
    fields = split_object(body)
    model = read_model(fields)
    _check_max_tokens(fields)
    check_messages(fields)
    metadata = read_text_map(fields["metadata"]) if "metadata" in fields else {}
    user, session = who(metadata.pop("user_id", ""))
    if session:
        metadata.setdefault("session_id", session)
    return RequestHead(
        model=model,
        is_stream=read_flag(fields, "stream"),
        wants_stream_usage=True,  # the dialect has no way to ask: its events always carry usage
        end_user=user,
        metadata=metadata,
        fields=fields,
        body=body,
    )


def _check_max_tokens(fields: dict[str, msgspec.Raw]) -> None:
    if "max_tokens" not in fields:
        raise BadRequest("max_tokens: Field required", param="max_tokens")
    value = read_value(fields["max_tokens"])
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadRequest("max_tokens: Input should be a valid integer", param="max_tokens")
    if value < 1:
        raise BadRequest("max_tokens: Input should be greater than or equal to 1", param="max_tokens")


def edit(head: RequestHead, *, model: str, quirks: Quirks, facts: ModelFacts | None) -> WrittenRequest:
    """Change the model and what it answers 400 to; every other value keeps its bytes and its place."""
    fields: dict[str, msgspec.Raw | bytes] = dict(head.fields)
    if model != head.model:
        fields["model"] = msgspec.json.encode(model)
    rejects = facts.rejects if facts is not None else ()
    dropped = [name for name in rejects if name not in _ALWAYS and fields.pop(name, None) is not None]
    messages, lost = fields["messages"], list[str]()
    if head.is_thoughtless:
        fields["messages"] = _without(THOUGHT, _is_thinking, messages, lost)
    elif _UNSIGNED.search(messages):  # of another host, which this API answers 400 to
        fields["messages"] = _without(_UNSIGNED, _is_unsigned, messages, lost)
    dropped += [*lost, *relax(fields, facts, is_thinking_lost=bool(lost))]
    if not quirks.is_anthropic:
        dropped += _leave_attribution(fields)
    placed = place(fields, head.auto_cache, facts) if head.auto_cache is not None else ()
    if quirks.is_vertex:
        dropped += _fit_vertex(fields)
        del fields["model"]
        fields.setdefault(vertex.VERSION_FIELD, msgspec.json.encode(vertex.VERSION))
    written = rewrite_object(head.body, head.fields, fields)
    return WrittenRequest(written, tuple(dict.fromkeys(dropped)), auto_cached=placed)


def _leave_attribution(fields: dict[str, msgspec.Raw | bytes]) -> Iterator[str]:
    """Take out the line that only Anthropic reads, and name it."""
    rest = attribution.without(fields.get("system"))
    if rest is None:
        return
    if rest:
        fields["system"] = rest
    else:
        del fields["system"]
    yield attribution.LEFT_OUT


def _fit_vertex(fields: dict[str, msgspec.Raw | bytes]) -> Iterator[str]:
    """Take out what Vertex AI refuses, and name it."""
    for name in [name for name in fields if name not in vertex.FIELDS]:
        if not is_null(fields.pop(name)):
            yield name
    raw = fields.get(vertex.BETA_FIELD)
    asked = read_value(msgspec.Raw(bytes(raw))) if raw is not None else None
    if isinstance(asked, list):
        words = [word for word in asked if isinstance(word, str)]  # pyright: ignore[reportUnknownVariableType] - JSON
        kept, refused = vertex.split_betas(words)
        fields[vertex.BETA_FIELD] = msgspec.json.encode(kept)
        yield from (f"anthropic-beta {beta[:64]}" for beta in refused)


class _BlockKind(msgspec.Struct):
    type: str = ""
    signature: str | None = None
    data: str | None = None


_BLOCK: Final = msgspec.json.Decoder(_BlockKind)


def _without(
    sign: re.Pattern[bytes],
    is_out: Callable[[msgspec.Raw], bool],
    messages: msgspec.Raw | bytes,
    dropped: list[str],
) -> bytes:
    """Take out blocks of thinking. sign: without which a message has none of them."""
    kept: list[msgspec.Raw | bytes] = []
    for item in _ITEMS.decode(messages):
        if not sign.search(item):
            kept.append(item)
            continue
        message: dict[str, msgspec.Raw | bytes] = dict(split_object(bytes(item)))
        blocks = _other_blocks(message.get("content"), is_out)
        if blocks is None:
            kept.append(item)
            continue
        dropped.append("thinking")
        if blocks:
            message["content"] = b"[" + b",".join(blocks) + b"]"
            kept.append(join_object(message))
    return b"[" + b",".join(kept) + b"]"


def _other_blocks(
    content: msgspec.Raw | bytes | None, is_out: Callable[[msgspec.Raw], bool]
) -> list[msgspec.Raw] | None:
    """Return the blocks that stay; None when all do."""
    if content is None or bytes(memoryview(content)[:1]) != b"[":
        return None
    blocks = _ITEMS.decode(content)
    kept = [block for block in blocks if not is_out(block)]
    return kept if len(kept) < len(blocks) else None


def _is_thinking(block: msgspec.Raw) -> bool:
    try:
        return _BLOCK.decode(block).type in THOUGHTS
    except msgspec.DecodeError:
        return False  # of a shape that only the provider can judge


def _is_unsigned(block: msgspec.Raw) -> bool:
    try:
        kind = _BLOCK.decode(block)
    except msgspec.DecodeError:
        return False  # of a shape that only the provider can judge
    if kind.type == "redacted_thinking":
        return (kind.data or "").startswith(ORIGIN)
    return kind.type == "thinking" and (kind.signature == "" or is_marked(kind.signature))
