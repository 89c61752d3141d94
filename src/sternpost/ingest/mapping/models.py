"""Which model a span used, and what that cost; what a price is, is the price book's."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import msgspec

from sternpost.contracts.message import Json, Message
from sternpost.contracts.span import ModelUse
from sternpost.contracts.usage import Cost, CostStatus, Usage
from sternpost.ingest.mapping.attributes import Attributes
from sternpost.ingest.mapping.conversation import Conversation, our_finish_reason
from sternpost.ingest.mapping.money import Prices, read_cost
from sternpost.ingest.mapping.table import TABLE
from sternpost.ingest.mapping.times import first_token_ns
from sternpost.ingest.mapping.values import is_mapping
from sternpost.ingest.records import RawSpan

_MODEL_NAMES = ("model", "model_name", "modelId", "model_id")
_FROM_NAME = "provider_by_model"


def read_model(attributes: Attributes, talk: Conversation, raw: RawSpan, *, is_call: bool) -> ModelUse:
    """Read the model; one that only the request or the reply itself names counts for a call of a model."""
    reasons = attributes.texts("finish_reasons") or _reasons_of(talk.outputs)
    parameters = _parameters(attributes)
    asked, answered = attributes.text("request_model"), attributes.text("response_model")
    if not asked and is_call:
        asked = _named_in(parameters) or _named_in(talk.rest.get("input.rest"))
    if not answered and is_call:
        answered = _named_in(talk.rest.get("output.rest"))
    return ModelUse(
        provider=_provider(attributes) or _vendor_as_ours(answered or asked),
        request_model=asked,
        response_model=answered,
        response_id=attributes.text("response_id"),
        parameters=msgspec.json.encode(parameters, order="sorted").decode() if parameters else "",
        finish_reasons=tuple(our_finish_reason(reason) for reason in reasons) if any(reasons) else (),
        time_to_first_token_ns=first_token_ns(attributes, raw.events, raw.started_ns),
    )


def _reasons_of(messages: tuple[Message, ...]) -> tuple[str, ...]:
    return tuple(message.finish_reason or "" for message in messages)


def _named_in(value: Json) -> str:
    if not is_mapping(value):
        return ""
    return next((name for key in _MODEL_NAMES if isinstance(name := value.get(key), str) and name), "")


def _parameters(attributes: Attributes) -> dict[str, Json]:
    found: dict[str, Json] = {}
    whole = attributes.json("parameters")
    if is_mapping(whole):
        found.update(whole)
    for name, value in attributes.parameters():
        found.setdefault(name, value)
    return found


def read_price(
    attributes: Attributes, prices: Prices, model: ModelUse, usage: Usage | None, started_ns: int
) -> Cost | None:
    """Price what was used; the client's own cost is used where we have no price."""
    reported = read_cost(attributes)
    if usage is None and reported is None:
        return None
    cost = _priced(prices, _provider(attributes), model, usage, started_ns)
    if cost.status == CostStatus.UNKNOWN and reported is not None:
        return Cost(
            CostStatus.ESTIMATED, reported, price_version=cost.price_version, reason="client_reported"
        )
    return cost


def _provider(attributes: Attributes) -> str:
    """Return the provider as reported, in our spelling; "" if it was not."""
    provider = attributes.text("provider").lower()
    return TABLE.providers.get(provider, provider)


def _priced(prices: Prices, told: str, model: ModelUse, usage: Usage | None, started_ns: int) -> Cost:
    provider = TABLE.price_providers.get(told, told)
    cost = prices.price(
        provider=provider,
        model=bare_model(model.response_model),
        fallback_model=bare_model(model.request_model).removeprefix(f"{told}/"),
        usage=usage,
        started_ns=started_ns,
    )
    if cost.reason != "model_unmatched":
        return cost
    vendor, name = vendor_of(model.response_model or model.request_model)
    if not vendor or vendor == provider:
        return cost
    guessed = prices.price(
        provider=vendor, model=name, fallback_model=name, usage=usage, started_ns=started_ns
    )
    if guessed.status != CostStatus.COMPUTED:
        return cost if guessed.status == CostStatus.UNKNOWN else guessed
    return replace(guessed, status=CostStatus.ESTIMATED, reason=_FROM_NAME)


def bare_model(name: str) -> str:
    """Return a model's name without the folder that Google writes before it."""
    return name.removeprefix("models/")


@lru_cache(maxsize=4096)
def vendor_of(model: str) -> tuple[str, str]:
    """Return whose model it is by its name alone, and the name there; ("", "") when several may have it."""
    name = bare_model(model.strip())
    for mark in "/:":
        head, found, tail = name.partition(mark)
        if found and (vendor := TABLE.vendor_prefixes.get(head.lower())):
            return vendor, tail
    lowered = name.lower()
    vendor = next((vendor for start, vendor in TABLE.vendors.items() if lowered.startswith(start)), "")
    return vendor, name if vendor else ""


def _vendor_as_ours(model: str) -> str:
    """Return the provider that a model's name alone leads to; "" when several may serve it."""
    vendor, _ = vendor_of(model)
    return _OUR_NAMES.get(vendor, vendor)


_OUR_NAMES: Mapping[str, str] = {
    theirs: ours for ours, theirs in TABLE.price_providers.items() if ours != "vertex"
}
