"""Identifiers longer than a target takes are shortened, the same way for both ends of a pair."""

import json
import re
from typing import Any

import pytest

from sternpost.contracts.call import Dialect
from sternpost.contracts.provider import STANDARD, Quirks
from sternpost.dialects.protocols import WrittenRequest
from sternpost.dialects.registry import CODECS, UPSTREAM_CODECS

LONG_ID = "toolu_" + "x" * 80
LONG_USER = json.dumps({"device": "e" * 64, "of": "a client that packs more than a name"})
OPENAI_HOST = Quirks(refuses_long_ids=True, takes_prompt_cache_key=True)
USER: dict[str, Any] = {"role": "user", "content": "hi"}
BY_CALLER: dict[Dialect, dict[str, Any]] = {
    "anthropic": {
        "max_tokens": 9,
        "metadata": {"user_id": LONG_USER},
        "messages": [
            USER,
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": LONG_ID, "name": "Bash", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": LONG_ID, "content": "x"}]},
        ],
    },
    "openai_chat": {
        "user": LONG_USER,
        "messages": [
            USER,
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": LONG_ID, "type": "function", "function": {"name": "Bash", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": LONG_ID, "content": "x"},
        ],
    },
    "openai_responses": {
        "user": LONG_USER,
        "input": [
            USER,
            {"type": "function_call", "call_id": LONG_ID, "name": "Bash", "arguments": "{}"},
            {"type": "function_call_output", "call_id": LONG_ID, "output": "x"},
        ],
    },
}  # fmt: skip
LIMITED: tuple[Dialect, ...] = ("openai_chat", "openai_responses", "bedrock")
IDS = re.compile(r'"(?:id|tool_call_id|call_id|toolUseId)":"([^"]*)"')


def written(caller: Dialect, target: Dialect, body: dict[str, Any]) -> WrittenRequest:
    """Write a body for a target; an edit where both speak one dialect."""
    sent, codec = json.dumps({"model": "m"} | body).encode(), CODECS[caller]
    if caller == target:
        return codec.edit(codec.read_head(sent), model="n", quirks=OPENAI_HOST, facts=None)
    return UPSTREAM_CODECS[target].write_request(codec.read_request(sent), quirks=OPENAI_HOST, facts=None)


@pytest.mark.parametrize("target", LIMITED)
@pytest.mark.parametrize("caller", sorted(BY_CALLER))
def test_a_call_and_its_result_share_one_id_that_fits(caller: Dialect, target: Dialect) -> None:
    body = json.dumps(json.loads(written(caller, target, BY_CALLER[caller]).body), separators=(",", ":"))
    ids = IDS.findall(body)
    assert len(ids) == 2
    assert ids[0] == ids[1] != LONG_ID
    assert len(ids[0]) <= 64


@pytest.mark.parametrize("target", LIMITED)
@pytest.mark.parametrize("caller", sorted(BY_CALLER))
def test_an_id_that_fits_stays_as_it_is(caller: Dialect, target: Dialect) -> None:
    short = json.loads(json.dumps(BY_CALLER[caller]).replace(LONG_ID, "call_1"))
    body = json.loads(written(caller, target, short).body)
    assert IDS.findall(json.dumps(body, separators=(",", ":"))) == ["call_1", "call_1"]


@pytest.mark.parametrize(("target", "path"), [
    ("openai_chat", ("user",)), ("openai_responses", ("user",)), ("bedrock", ("requestMetadata", "user")),
])  # fmt: skip
@pytest.mark.parametrize("caller", sorted(BY_CALLER))
def test_the_end_user_is_told_in_at_most_64_characters(
    caller: Dialect, target: Dialect, path: tuple[str, ...]
) -> None:
    found: Any = json.loads(written(caller, target, BY_CALLER[caller]).body)
    for name in path:
        found = found[name]
    assert re.fullmatch("[0-9a-f]{32}", found)
    again: Any = json.loads(written(caller, target, BY_CALLER[caller]).body)
    assert again[path[0]] == (found if len(path) == 1 else {path[1]: found})


def test_a_users_name_of_64_characters_is_kept_and_a_longer_one_is_named() -> None:
    for caller in ("openai_chat", "openai_responses"):
        fits = written(caller, caller, BY_CALLER[caller] | {"user": "u" * 64})
        assert json.loads(fits.body)["user"] == "u" * 64
        assert "user (shortened)" not in fits.dropped
    for caller, body in BY_CALLER.items():
        assert "user (shortened)" in written(caller, "openai_chat", body).dropped


def test_a_host_that_sets_no_limit_gets_the_callers_bytes() -> None:
    sent = json.dumps({"model": "m"} | BY_CALLER["openai_chat"]).encode()
    codec = CODECS["openai_chat"]
    assert codec.edit(codec.read_head(sent), model="m", quirks=STANDARD, facts=None).body == sent


def test_a_cache_key_and_metadata_are_cut_to_what_openai_takes() -> None:
    metadata = {"a": "v" * 600, "k" * 65: "x"} | {f"n{i}": "y" for i in range(20)}
    body = BY_CALLER["openai_chat"] | {"prompt_cache_key": "k" * 80, "metadata": metadata}
    sent = written("openai_chat", "openai_responses", body)
    told = json.loads(sent.body)
    assert len(told["prompt_cache_key"]) <= 64
    assert len(told["metadata"]) == 16
    assert len(told["metadata"]["a"]) <= 512
    assert {"metadata.a (shortened)", "metadata (16 of 22 were kept)"} <= set(sent.dropped)
