import pytest

from sternpost.dialects.errors.failures import read_failure
from sternpost.dialects.errors.retry_after import read_duration, read_retry_after

NOW_S = 1_700_000_000.0  # 2023-11-14T22:13:20Z


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"Retry-After": "2.5"}, 2.5),
        ({"retry-after-ms": "100", "retry-after": "9"}, 0.1),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT"}, 30.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"x-ratelimit-reset-requests": "6m0s"}, 360.0),
        ({"x-ratelimit-reset-requests": "250ms", "x-ratelimit-reset-tokens": "1h2m3.5s"}, 3723.5),
        (
            {
                "x-ratelimit-reset-requests": "1s",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-tokens": "6m0s",
                "x-ratelimit-remaining-tokens": "900",
            },
            1.0,
        ),
        ({"anthropic-ratelimit-input-tokens-reset": "2023-11-14T22:14:20Z"}, 60.0),
        ({"retry-after": "1", "anthropic-ratelimit-tokens-reset": "2023-11-14T22:14:20Z"}, 1.0),
    ],
)
def test_every_form_of_a_wait_is_read(headers: dict[str, str], wait_s: float | None) -> None:
    assert read_retry_after(headers, NOW_S) == (None if wait_s is None else pytest.approx(wait_s))


def test_resets_of_limits_say_nothing_of_another_failure() -> None:
    """OpenAI and Anthropic send them with every answer."""
    headers = {"x-ratelimit-reset-tokens": "6m0s", "anthropic-ratelimit-tokens-reset": "2023-11-14T22:14:20Z"}
    assert read_retry_after(headers, NOW_S, is_limited=False) is None
    assert read_retry_after({**headers, "retry-after": "2"}, NOW_S, is_limited=False) == 2.0
    assert read_failure(500, headers, b"", NOW_S).retry_after_s is None
    assert read_failure(429, headers, b"", NOW_S).retry_after_s == 360.0


@pytest.mark.parametrize(("text", "seconds"), [("34s", 34.0), ("1m", 60.0), ("", None), ("5 apples", None)])
def test_go_durations_are_read(text: str, seconds: float | None) -> None:
    assert read_duration(text) == seconds
