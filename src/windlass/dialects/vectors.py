"""Cuts a request for many vectors into several, and joins what comes back; each dialect writes its own."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, Final

import msgspec

from windlass.contracts.dialect import RequestHead, Vectors
from windlass.contracts.usage import Usage, UsageSource

_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
_COUNTED: Final = tuple(field.name for field in fields(Usage) if field.name.startswith(("in_", "out_")))


class _Shown(msgspec.Struct):
    """What our dialects show, an OpenAI reply; its vectors are not looked into."""

    data: list[dict[str, msgspec.Raw]]
    object: str = "list"
    model: str = ""
    usage: dict[str, Any] | None = None


_SHOWN: Final = msgspec.json.Decoder(_Shown)


def split(head: RequestHead, most: int) -> list[RequestHead]:
    """Return heads of at most `most` inputs each, in order; the head itself when it holds no more.

    most: 0 for no limit.
    """
    if not most:
        return [head]
    try:
        inputs = _LIST.decode(head.fields["input"])
    except msgspec.DecodeError:
        return [head]  # one text, or what the dialect says is wrong
    if len(inputs) <= most:
        return [head]
    return [_part(head, inputs[start : start + most]) for start in range(0, len(inputs), most)]


def _part(head: RequestHead, inputs: Sequence[msgspec.Raw]) -> RequestHead:
    fields = {**head.fields, "input": msgspec.Raw(msgspec.json.encode(inputs))}
    return replace(head, fields=fields, body=b"")


def join(parts: Sequence[Vectors]) -> Vectors:
    """Make one answer of several, in order; the vectors keep their bytes."""
    if len(parts) == 1:
        return parts[0]
    shown = [_SHOWN.decode(part.shown) for part in parts]
    items = [item for one in shown for item in one.data]
    numbered = [{**item, "index": index} for index, item in enumerate(items)]
    usage = _sum_of([part.summary.usage for part in parts])
    tokens = sum(one.usage.get("total_tokens", 0) for one in shown if one.usage)
    answer: dict[str, Any] = {"object": "list", "data": numbered, "model": shown[0].model}
    if usage is not None:
        answer["usage"] = {"prompt_tokens": tokens, "total_tokens": tokens}
    summary = replace(parts[0].summary, usage=usage)
    return Vectors(summary, len(numbered), parts[0].dimensions, msgspec.json.encode(answer))


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
