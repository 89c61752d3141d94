"""Claude Code packs user and session into `metadata.user_id`; a name that others put there stays as it is."""

import json

import pytest

from tests.unit.dialects.wire import ANTHROPIC, anthropic_head

DEVICE, ACCOUNT, SESSION = "e" * 64, "b7c1ab5e-4c2c-4f0a", "2141b5eb-ee8a-4b0f"


def packed(account: str) -> str:
    return json.dumps({"device_id": DEVICE, "account_uuid": account, "session_id": SESSION})


@pytest.mark.parametrize(
    ("user_id", "user", "session"),
    [
        (packed(""), DEVICE, SESSION),
        (packed(ACCOUNT), ACCOUNT, SESSION),
        (f"user_{DEVICE}_account_{ACCOUNT}_session_{SESSION}", ACCOUNT, SESSION),
        (f"user_{DEVICE}_account__session_{SESSION}", DEVICE, SESSION),
        ("user_of_a_session_club", "user_of_a_session_club", ""),
        ("ada", "ada", ""),
        ("ada_session_1", "ada_session_1", ""),
        ('{"device_id": "d"}', '{"device_id": "d"}', ""),
        ("{not JSON", "{not JSON", ""),
        ("", "", ""),
    ],
)
def test_user_and_session_are_told_apart(user_id: str, user: str, session: str) -> None:
    head = anthropic_head(metadata={"user_id": user_id})
    assert (head.end_user, head.metadata.get("session_id", "")) == (user, session)
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    request = ANTHROPIC.read_request(json.dumps(body | {"metadata": {"user_id": user_id}}).encode())
    assert (request.end_user or "") == user


def test_a_session_in_the_metadata_is_not_overwritten() -> None:
    head = anthropic_head(metadata={"user_id": packed(""), "session_id": "mine"})
    assert head.metadata["session_id"] == "mine"
