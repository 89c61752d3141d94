"""Cuts a request for many vectors into several, and joins what comes back; each dialect writes its own."""

import base64
import sys
from array import array
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, Final

import msgspec

from sternpost.contracts.usage import Usage, UsageSource
from sternpost.dialects.json_text.raw_object import UNREADABLE
from sternpost.dialects.protocols import RequestHead, Vectors

_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
_NUMBERS: Final = msgspec.json.Decoder(list[float])
# OpenAI takes 300,000 tokens in a request, and fewer than two bytes make a token of hardly any text. Source:
# https://platform.openai.com/docs/api-reference/embeddings/create.
_MOST_BYTES: Final = 600_000
_LEAST_BYTES: Final = 2  # of an input and its comma
_COUNTED: Final = tuple(field.name for field in fields(Usage) if field.name.startswith(("in_", "out_")))


class _Shown(msgspec.Struct):
    """What our dialects show, an OpenAI reply; its vectors are not looked into."""

    data: list[dict[str, msgspec.Raw]]
    model: Any = None
    usage: Any = None


_SHOWN: Final = msgspec.json.Decoder(_Shown)


def split(head: RequestHead, most: int) -> list[RequestHead]:
    """Return heads of at most `most` inputs and some 600 kB each, in order; the head itself if it fits.

    most: 0 for no limit.
    """
    size_bytes = memoryview(head.fields["input"]).nbytes
    if size_bytes <= _MOST_BYTES and (not most or size_bytes <= _LEAST_BYTES * most):
        return [head]
    inputs = inputs_of(head)
    groups = _groups(inputs, most or len(inputs))
    return [_part(head, group) for group in groups] if len(groups) > 1 else [head]


def inputs_of(head: RequestHead) -> list[msgspec.Raw]:
    """Return what a vector each is asked for; one text or the tokens of one are one input."""
    given = head.fields["input"]
    try:
        inputs = _LIST.decode(given)
    except msgspec.DecodeError:
        return [given]
    is_list = bool(inputs) and bytes(memoryview(inputs[0])[:1]) in {b'"', b"["}
    return inputs if is_list else [given]


def _groups(inputs: Sequence[msgspec.Raw], most: int) -> list[list[msgspec.Raw]]:
    groups: list[list[msgspec.Raw]] = []
    room = 0
    for given in inputs:
        size_bytes = memoryview(given).nbytes
        if not groups or len(groups[-1]) == most or size_bytes > room:
            groups.append([])
            room = _MOST_BYTES
        groups[-1].append(given)
        room -= size_bytes
    return groups


def _part(head: RequestHead, inputs: Sequence[msgspec.Raw]) -> RequestHead:
    fields = {**head.fields, "input": msgspec.Raw(msgspec.json.encode(inputs))}
    return replace(head, fields=fields, body=b"")


def join(parts: Sequence[Vectors]) -> Vectors:
    """Make one answer of several, in order; the vectors keep their bytes."""
    if len(parts) == 1:
        return parts[0]
    shown = [_SHOWN.decode(part.shown) for part in parts]
    items = [item for one in shown for item in _in_order(one.data)]
    numbered = [{**item, "index": index} for index, item in enumerate(items)]
    usage = _sum_of([part.summary.usage for part in parts])
    tokens = sum(_tokens_of(one.usage) for one in shown)
    answer: dict[str, Any] = {"object": "list", "data": numbered, "model": shown[0].model or ""}
    if usage is not None:
        answer["usage"] = {"prompt_tokens": tokens, "total_tokens": tokens}
    summary = replace(parts[0].summary, usage=usage)
    return Vectors(summary, len(numbered), parts[0].dimensions, msgspec.json.encode(answer))


def _in_order(items: Sequence[dict[str, msgspec.Raw]]) -> list[dict[str, msgspec.Raw]]:
    """Order vectors by the number a host gave them; without numbers they are in order."""
    try:
        return sorted(items, key=lambda item: msgspec.json.decode(item["index"], type=int))
    except (KeyError, *UNREADABLE):
        return list(items)


def _tokens_of(usage: object) -> int:
    total: object = usage.get("total_tokens") if isinstance(usage, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - JSON
    return total if isinstance(total, int) else 0


def as_base64(vector: msgspec.Raw) -> str:
    """Encode as OpenAI does: float32, little-endian. Raises: msgspec.DecodeError for what are no numbers."""
    numbers = array("f", _NUMBERS.decode(vector))
    if sys.byteorder == "big":
        numbers.byteswap()
    return base64.b64encode(numbers.tobytes()).decode()


def wants_base64(head: RequestHead) -> bool:
    return bytes(head.fields.get("encoding_format", b"")) == b'"base64"'


def _sum_of(usages: Sequence[Usage | None]) -> Usage | None:
    """Add counts up; without one of them nothing is known of the sum."""
    known = [usage for usage in usages if usage is not None]
    if len(known) < len(usages) or not known:
        return None
    counts: dict[str, int] = {name: sum(getattr(usage, name) for usage in known) for name in _COUNTED}
    is_estimate = any(usage.source is UsageSource.ESTIMATED for usage in known)
    return replace(
        known[0],
        **counts,
        source=UsageSource.ESTIMATED if is_estimate else known[0].source,
        is_mismatch=any(usage.is_mismatch for usage in known),
    )
