"""A long history of tools costs as much a turn as a short one."""

import gc
import json
import time

import pytest

from sternpost.contracts.provider import STANDARD, Quirks
from sternpost.dialects.protocols import UpstreamCodec
from sternpost.dialects.registry import UPSTREAM_CODECS
from tests.unit.dialects.wire import OPENAI


def history(turns: int) -> bytes:
    messages: list[object] = [{"role": "user", "content": "go on"}]
    for number in range(turns):
        call = {"id": f"call_{number}", "type": "function", "function": {"name": "look", "arguments": "{}"}}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"call_{number}", "content": "seen"})
    return json.dumps({"model": "m", "messages": messages}).encode()


@pytest.mark.parametrize(
    ("codec", "quirks"),
    [
        *(pytest.param(codec, STANDARD, id=name) for name, codec in UPSTREAM_CODECS.items()),
        pytest.param(OPENAI, Quirks(is_mistral=True, call_id_length=9), id="mistral"),
    ],
)
def test_twenty_times_the_turns_cost_about_twenty_times_as_much(codec: UpstreamCodec, quirks: Quirks) -> None:
    def cost_s(turns: int) -> float:
        request = OPENAI.read_request(history(turns))
        started = time.process_time()
        codec.write_request(request, quirks=quirks, facts=None)
        return time.process_time() - started

    gc.disable()
    try:
        small, large = min(cost_s(250) for _ in range(5)), min(cost_s(5_000) for _ in range(3))
    finally:
        gc.enable()
    assert large < 60 * small  # a step over all turns for each would cost 400 times
