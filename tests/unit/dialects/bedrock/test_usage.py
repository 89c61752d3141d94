"""Bedrock's counts reduced to buckets."""

import pytest

from sternpost.contracts.message import Json
from sternpost.contracts.usage import Usage
from sternpost.dialects.bedrock.usage import read_usage


@pytest.mark.parametrize(
    "values",
    [
        None,
        {},
        {"inputTokens": None, "outputTokens": None, "totalTokens": None},
        {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0},
    ],
)
def test_no_counts_is_no_usage_and_not_zero(values: Json) -> None:
    assert read_usage(values) is None


@pytest.mark.parametrize(
    "values",
    [
        {"inputTokens": 0, "outputTokens": 5, "totalTokens": 5},
        {"inputTokens": 7, "outputTokens": 5, "totalTokens": 13},
        {"inputTokens": 7, "outputTokens": -5},
    ],
)
def test_counts_that_contradict_each_other_are_flagged(values: Json) -> None:
    usage = read_usage(values)
    assert usage is not None
    assert usage.is_mismatch


@pytest.mark.parametrize("total", [12, 32, None])
def test_a_total_may_count_the_cache_or_not(total: int | None) -> None:
    values: Json = {"inputTokens": 7, "outputTokens": 5, "cacheReadInputTokens": 20, "totalTokens": total}
    assert read_usage(values) == Usage(in_fresh=7, in_cache_read=20, out_text=5)
