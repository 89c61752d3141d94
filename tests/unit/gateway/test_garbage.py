"""What a call leaves is freed when it ends: cycles would wait for full passes, which stop every stream."""

import asyncio
import gc
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from tests.support.polling import until
from tests.unit.gateway.conftest import ASK, Gateway

TARGETS = [
    "lab/m1",
    "labant/m1",
    "steady",  # one that can't be reached stands before one that answers
    "error-first",
    "lab/fault-500",
    "lab/fault-error-200",
    "lab/fault-cut",
    "nothing/m",
]


@contextmanager
def garbage() -> Generator[list[str]]:
    """Collect the names of our classes of which something was left that only a collection frees."""
    found: list[str] = []
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield found
        gc.collect()
        found += {
            type(one).__qualname__ for one in gc.garbage if type(one).__module__.startswith("sternpost.")
        }
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


@pytest.mark.parametrize("model", TARGETS)
async def test_nothing_of_a_call_waits_for_the_collector(gateway: Gateway, model: str) -> None:
    async def ask_all() -> None:
        for is_stream in (False, True):
            asked = {"model": model, "stream": is_stream, "messages": ASK}
            await gateway.post("/v1/chat/completions", asked)
            await gateway.post("/v1/messages", {**asked, "max_tokens": 9})
            await gateway.post("/v1/responses", {"model": model, "stream": is_stream, "input": "Hi"})

    await ask_all()
    with garbage() as found:
        await ask_all()
    assert found == []


async def test_nothing_of_what_stands_beside_chat_waits_either(gateway: Gateway) -> None:
    async def ask_all() -> None:
        for path, body in (
            ("embeddings", {"model": "vectors", "input": ["a", "b"]}),
            ("embeddings", {"model": "lab/fault-500", "input": "a"}),
            ("providers/lab/images/generations", {"model": "fault-500", "prompt": "A cat"}),
            ("providers/lab/chat/completions", {"model": "m1", "stream": True, "messages": ASK}),
            ("messages/count_tokens", {"model": "labant/m1", "messages": ASK}),
        ):
            await gateway.post(f"/v1/{path}", body)

    await ask_all()
    with garbage() as found:
        await ask_all()
    assert found == []


@pytest.mark.parametrize("model", ["stalls", "lab/fault-slow-first-token?seconds=5"])
async def test_nothing_of_a_stream_waits_whose_caller_left(gateway: Gateway, model: str) -> None:
    async def leave() -> None:
        ended, asked = gateway.ear.ended, len(gateway.provider.requests())
        caller = asyncio.create_task(gateway.chat(model, stream=True))
        await until(lambda: len(gateway.provider.requests()) > asked)
        caller.cancel()
        await until(lambda: gateway.ear.ended > ended)

    await leave()
    with garbage() as found:
        await leave()
    assert found == []


async def test_nothing_of_a_stream_waits_that_stalled(gateway: Gateway) -> None:
    await gateway.chat("stalls", stream=True)
    with garbage() as found:
        await gateway.chat("stalls", stream=True)
    assert found == []
