"""Refuses other models that a body names beside `model`, to keys held to some models; changes nothing.

Hosts take lists of models to fall back to (OpenRouter's `models`), and models of tools, plugins and routers.
Which of their fields do is not for us to know, so every field is looked at whose name speaks of models, but
for what a caller writes freely: messages, schemas, metadata. A key without such limits costs nothing here.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, cast

import msgspec

from sternpost.base.errors import BadRequest, PermissionRefused
from sternpost.contracts.call import Principal
from sternpost.gateway.stages.route import covers
from sternpost.gateway.state.traffic import Plan

_WORDS: Final = re.compile(
    r".*(?:model|fallback).*|(?:adapter|deployment|engine|lora|preset)s?(?:[_-]?(?:id|name|path))?",
    re.IGNORECASE | re.DOTALL,
)
_SIGNS: Final = re.compile(rb"model|fallback|adapter|deployment|engine|lora|preset|\\u", re.IGNORECASE)
# What the caller writes freely, and what is looked at elsewhere.
_FREE: Final = frozenset(
    {
        "contents", "documents", "functions", "guided_json", "input", "instructions", "messages", "metadata",
        "model", "output_config", "output_format", "prompt", "query", "response_format", "stop",
        "structured_outputs", "system", "text", "texts", "user",
    }
)  # fmt: skip
_SCHEMAS: Final = frozenset({"function", "parameters", "input_schema", "inputschema", "schema"})
# Tools among the items of a Responses request, their type perhaps written with escapes.
_CLIENT_TOOLS: Final = re.compile(rb'"additional_tools"|\\u00[5-7]')
_PRESET: Final = "@preset/"  # of OpenRouter: settings kept there, in which models may be named
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])

_Pairs = list[tuple[str, object]]


class _Object:
    """A JSON object with every pair of it: of a key that comes twice, hosts read either."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: _Pairs) -> None:
        self.pairs = pairs


def names_models(field: str) -> bool:
    """Say whether the name of a field speaks of models."""
    return _WORDS.fullmatch(field) is not None


def check(fields: Mapping[str, msgspec.Raw | bytes], principal: Principal, plan: Plan) -> None:
    """Look for models in all fields but `model`. Raises: PermissionRefused that names field and model."""
    if not principal.models or _has_all(principal.models, plan):
        return
    if _PRESET in plan.asked:
        raise _refused("model", plan.asked, principal)
    for name, raw in fields.items():
        for model in _named_in(name, raw):
            if not _is_allowed(model, principal.models, plan):
                raise _refused(name, model, principal)


def _has_all(models: tuple[str, ...], plan: Plan) -> bool:
    return all(covers(models, f"{planned.provider.name}/*") for planned in plan.targets)


def _is_allowed(model: str, models: tuple[str, ...], plan: Plan) -> bool:
    """Whether a model may be had wherever the call may go; those of the plan may."""
    if model == plan.asked or any(model in (one.target.model, one.name) for one in plan.targets):
        return True
    return _PRESET not in model and all(
        covers(models, f"{planned.provider.name}/{model}") for planned in plan.targets
    )


def _refused(field: str, model: str, principal: Principal) -> PermissionRefused:
    return PermissionRefused(
        f"{field[:60]}: the key {principal.key_name!r} may not use {model[:200]!r}; it may use: "
        f"{', '.join(principal.models)}. Leave {field[:60]!r} out, or send another key"
    )


def _named_in(name: str, raw: msgspec.Raw | bytes) -> Iterator[str]:
    if name == "input":
        yield from _in_input(raw)
    elif name.lower() == "tools":
        if _SIGNS.search(raw):
            yield from _walk(_read(raw), is_named=False)
    elif name not in _FREE:
        is_named = names_models(name)
        first = bytes(memoryview(raw)[:1])
        if first in (b"{", b"[") or (first == b'"' and is_named):
            yield from _walk(_read(raw), is_named=is_named)


def _in_input(raw: msgspec.Raw | bytes) -> Iterator[str]:
    """Look into the tools that stand among the items of a Responses request."""
    if bytes(memoryview(raw)[:1]) != b"[" or not _CLIENT_TOOLS.search(raw):
        return
    for item in _ITEMS.decode(raw):
        found = _read(item)
        if isinstance(found, _Object) and ("type", "additional_tools") in found.pairs:
            yield from _walk(found, is_named=False)


def _walk(value: object, *, is_named: bool) -> Iterator[str]:
    """Return the texts below keys that speak of models; schemas are not entered."""
    if isinstance(value, _Object):
        for key, inner in value.pairs:
            if key.lower() not in _SCHEMAS:
                yield from _walk(inner, is_named=is_named or names_models(key))
    elif isinstance(value, list):
        for inner in cast("Sequence[object]", value):
            yield from _walk(inner, is_named=is_named)
    elif is_named and isinstance(value, str) and value:
        yield value


def _read(raw: msgspec.Raw | bytes) -> object:
    try:
        return json.loads(bytes(raw), object_pairs_hook=_Object)
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not valid JSON: a value can't be read.") from error
