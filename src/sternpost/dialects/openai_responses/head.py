"""Reads the head of a Responses request and edits it in place; the items stay unread."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Final

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.provider import ModelFacts, Quirks
from sternpost.dialects.json_text.raw_object import (
    is_null,
    join_object,
    read_flag,
    read_model,
    read_text_map,
    read_value,
    rewrite_object,
    split_object,
)
from sternpost.dialects.openai_chat.call_ids import fit_field
from sternpost.dialects.openai_chat.head import place_key
from sternpost.dialects.openai_responses.names import STORED_FIELDS
from sternpost.dialects.openai_responses.seal import ITEM_PREFIX
from sternpost.dialects.pairing.identifiers import ID_CHARS, shorten_fields, shortened
from sternpost.dialects.protocols import RequestHead, WrittenRequest

_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_FOREIGN = re.compile(rb'"id"\s*:\s*"' + ITEM_PREFIX.encode())
_LONG_ID: Final = re.compile(rb'"call_id"\s*:\s*"[^"]{%d}' % (ID_CHARS + 1))
_EMPTY = re.compile(rb'(?:\[\s*\]|"")\Z')
_ALWAYS: Final = frozenset({"model", "input", "stream"})


def read_head(body: bytes) -> RequestHead:
    """Check the structure only: model, input and stream, and what must be kept from an earlier call.

    Raises: BadRequest with `param`.
    """
    fields = split_object(body)
    model = read_model(fields)
    stored_field, stored_id = _read_stored(fields)
    _check_input(fields, is_optional=bool(stored_field))
    return RequestHead(
        model=model,
        is_stream=read_flag(fields, "stream"),
        wants_stream_usage=True,  # the terminal event always carries it
        end_user=_end_user(fields),
        metadata=read_text_map(fields["metadata"]) if "metadata" in fields else {},
        fields=fields,
        body=body,
        stored_field=stored_field,
        stored_id=stored_id,
    )


def _check_input(fields: Mapping[str, msgspec.Raw], *, is_optional: bool) -> None:
    raw = fields.get("input")
    if raw is None or is_null(raw):
        if is_optional:
            return
        raise BadRequest("input: send a text or an array of items.", param="input")
    if bytes(memoryview(raw)[:1]) not in (b"[", b'"'):
        raise BadRequest("input: must be a text or an array of items.", param="input")
    if _EMPTY.match(raw) and not is_optional:
        raise BadRequest("input: send at least one item.", param="input")


def _read_stored(fields: Mapping[str, msgspec.Raw]) -> tuple[str, str]:
    """Return the field that only a provider of this dialect can honour, and the id in it."""
    for name in STORED_FIELDS:
        value = read_value(fields.get(name))
        if not value:
            continue
        if name == "background":
            return (name, "") if read_flag(fields, name) else ("", "")
        inner: object = value.get("id") if isinstance(value, dict) else value  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - JSON
        if not isinstance(inner, str):
            raise BadRequest(f"{name}: must be an id.", param=name)
        return name, inner
    return "", ""


def _end_user(fields: Mapping[str, msgspec.Raw]) -> str:
    for name in ("user", "safety_identifier"):
        value = read_value(fields.get(name))
        if isinstance(value, str) and value:
            return value
    return ""


def edit(head: RequestHead, *, model: str, quirks: Quirks, facts: ModelFacts | None) -> WrittenRequest:
    """Change the model and drop what it rejects; every other value keeps its bytes and its place."""
    fields: dict[str, msgspec.Raw | bytes] = dict(head.fields)
    if model != head.model:
        fields["model"] = msgspec.json.encode(model)
    rejects = facts.rejects if facts is not None else ()
    dropped = [name for name in rejects if name not in _ALWAYS and fields.pop(name, None) is not None]
    items = fields.get("input")
    if items is not None and _FOREIGN.search(items):
        fields["input"] = _without_foreign(items, dropped)
    if quirks.refuses_long_ids:
        dropped += shorten_fields(fields)
        if items is not None:
            fields["input"] = _shortened(fields["input"])
    placed = place_key(fields, head, quirks)
    written = rewrite_object(head.body, head.fields, fields)
    return WrittenRequest(written, tuple(dict.fromkeys(dropped)), auto_cached=placed)


def _shortened(items: msgspec.Raw | bytes) -> msgspec.Raw | bytes:
    """Shorten the ids of calls and results that are longer than the host takes; every other byte stays."""
    if not _LONG_ID.search(items):
        return items
    kept: list[msgspec.Raw | bytes] = list(_ITEMS.decode(items))
    for index, item in enumerate(kept):
        if _LONG_ID.search(item):
            fields: dict[str, msgspec.Raw | bytes] = dict(split_object(bytes(item)))
            fit_field(fields, "call_id", partial(shortened, most=ID_CHARS))
            kept[index] = join_object(fields)
    return b"[" + b",".join(kept) + b"]"


class _ItemKind(msgspec.Struct):
    type: str = ""
    id: str | None = None


_ITEM: Final = msgspec.json.Decoder(_ItemKind)


def _without_foreign(items: msgspec.Raw | bytes, dropped: list[str]) -> bytes:
    """Take out thinking of another provider, from a translated answer; its ids are unknown here."""
    if bytes(memoryview(items)[:1]) != b"[":
        return bytes(items)
    kept = [item for item in _ITEMS.decode(items) if not _is_foreign(item)]
    dropped.append("reasoning")
    return b"[" + b",".join(kept) + b"]"


def _is_foreign(item: msgspec.Raw) -> bool:
    try:
        kind = _ITEM.decode(item)
    except msgspec.DecodeError:
        return False  # of a shape that only the provider can judge
    return kind.type == "reasoning" and (kind.id or "").startswith(ITEM_PREFIX)
