"""Reads the head of an Anthropic request and edits it in place; the messages stay unread."""

from typing import Final

import msgspec

from windlass.base.errors import BadRequest
from windlass.contracts.dialect import RequestHead, WrittenRequest
from windlass.contracts.provider import ModelFacts
from windlass.dialects.raw_object import (
    check_messages,
    join_object,
    read_flag,
    read_model,
    read_text_map,
    read_value,
    split_object,
)

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
    return RequestHead(
        model=model,
        is_stream=read_flag(fields, "stream"),
        wants_stream_usage=True,  # the dialect has no way to ask: its events always carry usage
        end_user=metadata.pop("user_id", ""),
        metadata=metadata,
        fields=fields,
    )


def _check_max_tokens(fields: dict[str, msgspec.Raw]) -> None:
    if "max_tokens" not in fields:
        raise BadRequest("max_tokens: Field required", param="max_tokens")
    value = read_value(fields["max_tokens"])
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadRequest("max_tokens: Input should be a valid integer", param="max_tokens")
    if value < 1:
        raise BadRequest("max_tokens: Input should be greater than or equal to 1", param="max_tokens")


def edit(head: RequestHead, *, model: str, facts: ModelFacts | None) -> WrittenRequest:
    """Change the model and drop what it rejects; every other value keeps its bytes and its place."""
    fields: dict[str, msgspec.Raw | bytes] = dict(head.fields)
    if model != head.model:
        fields["model"] = msgspec.json.encode(model)
    rejects = facts.rejects if facts is not None else ()
    dropped = [name for name in rejects if name not in _ALWAYS and fields.pop(name, None) is not None]
    return WrittenRequest(join_object(fields), tuple(dropped))
