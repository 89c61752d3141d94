"""What a broken stream is taken to have used."""

import json
from typing import Any

from sternpost.contracts.usage import Usage, UsageSource
from sternpost.dialects.protocols import ReplySummary
from sternpost.gateway.exchange import InboundCall
from sternpost.gateway.stages import partial, record, route
from tests.unit.gateway.conftest import ASK, KEYS, Gateway


def settled(gateway: Gateway, said: Usage | None, *deltas: dict[str, Any]) -> Usage | None:
    call = record.open_call(
        InboundCall("openai_chat", {}, json.dumps({"model": "m", "messages": ASK}).encode()), gateway.services
    )
    plan = route.choose("lab/m1", KEYS["sp-one"], gateway.services.traffic(), spoken="openai_chat")
    chunks = [json.dumps({"choices": [{"index": 0, "delta": delta}]}) for delta in deltas]
    received = "".join(f"data: {chunk}\n\n" for chunk in chunks).encode()
    return partial.settle(ReplySummary(usage=said), call, plan.targets[0], received).usage


async def test_what_was_received_is_counted_where_the_provider_had_not_said_it(gateway: Gateway) -> None:
    # "What is a forklift?" is 19 bytes, and 27 + 18 bytes were received, at 4.5 bytes a token, rounded up.
    expected = Usage(in_fresh=5, out_text=10, source=UsageSource.PARTIAL)
    deltas = {"reasoning_content": "x" * 27}, {"content": "y" * 18}
    assert settled(gateway, None, *deltas) == expected
    assert settled(gateway, Usage(in_fresh=5, out_text=1), *deltas) == expected


async def test_thinking_that_the_provider_counted_is_not_counted_again(gateway: Gateway) -> None:
    said = Usage(in_audio=30, out_text=4, out_reasoning=100)
    shown = settled(gateway, said, {"reasoning_content": "x" * 270}, {"content": "y" * 18})
    # 288 bytes are 64 tokens, and the provider had counted 104; the prompt was all sound.
    assert shown == Usage(in_audio=30, out_text=4, out_reasoning=100, source=UsageSource.PARTIAL)
