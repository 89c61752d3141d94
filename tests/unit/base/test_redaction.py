"""Secrets are redacted from passing bytes, wherever those are split."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sternpost.base.redaction import Redactor, Secrets, secrets_sent

SECRET, OTHER = "sk-aab-aab-aac-0123456789", "sk-aab-zzzz-0123456789"


@given(
    text=st.lists(st.sampled_from([SECRET, OTHER, SECRET[:7], OTHER[:9], "s", "sk-", "a\n"]), max_size=12),
    cuts=st.lists(st.integers(0, 300), max_size=8),
)
def test_every_split_gives_the_same_bytes_without_a_secret(text: list[str], cuts: list[int]) -> None:
    whole = "".join(text).encode()
    redactor = Redactor(Secrets(SECRET, OTHER))
    borders = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    pieces = [redactor.feed(whole[a:b]) for a, b in itertools.pairwise(borders)]
    shown = b"".join([*pieces, redactor.finish()])

    expected = whole.replace(SECRET.encode(), b"*" * len(SECRET)).replace(OTHER.encode(), b"*" * len(OTHER))
    assert shown == expected


@pytest.mark.parametrize("name", ["", "ollama", "lm-studio"])
def test_a_key_that_is_a_plain_word_stays_in_honest_text(name: str) -> None:
    assert Redactor(Secrets(name)).feed(b"ollama lm-studio") == b"ollama lm-studio"


def test_a_frame_that_holds_no_beginning_of_a_secret_is_not_kept_waiting() -> None:
    assert Redactor(Secrets(SECRET)).feed(b"data: {}\n\n") == b"data: {}\n\n"


def test_a_key_is_found_as_json_may_write_it() -> None:
    secrets = Secrets("bedrock/key+0123456789")
    assert b"0123456789" not in secrets.redact(b'{"key": "bedrock\\/key+0123456789"}')
    assert b"0123456789" not in secrets.redact(b'{"key": "bedrock/key+0123456789"}')


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("authorization", f"Bearer {SECRET}"),
        ("Authorization", f"Basic {SECRET}"),
        ("x-api-key", SECRET),
        ("api-key", SECRET),
        ("x-goog-api-key", SECRET),
        ("X-Amz-Security-Token", SECRET),
        ("x-team-token", SECRET),
        ("cookie", f"session={SECRET}"),
    ],
)
def test_what_was_sent_as_a_key_is_redacted_and_nothing_else(header: str, value: str) -> None:
    sent = {header: value, "content-type": "application/json; charset=utf-8", "idempotency-key": OTHER}
    secrets = secrets_sent(sent)
    quoted = {"x-seen": value, "content-type": sent["content-type"], "x-again": OTHER}
    shown = secrets.redact_headers(quoted)
    assert SECRET not in shown["x-seen"]
    assert len(shown["x-seen"]) == len(value)
    assert shown | {"x-seen": value} == quoted


def test_a_signature_is_good_once_and_no_secret() -> None:
    assert not secrets_sent({"authorization": "AWS4-HMAC-SHA256 Credential=a, Signature=0123456789abcdef"})
