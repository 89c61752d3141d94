import pytest

from sternpost.contracts.message import Json
from sternpost.contracts.usage import Usage
from sternpost.dialects.anthropic.usage import merge_usage, read_usage, write_usage


def test_the_cache_counts_beside_the_input_and_is_split_by_lifetime() -> None:
    usage = read_usage(
        {
            "input_tokens": 25,
            "cache_read_input_tokens": 100,
            "cache_creation_input_tokens": 30,
            "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
            "output_tokens": 15,
            "output_tokens_details": {"thinking_tokens": 6},
            "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0},
            "service_tier": "priority",
        }
    )
    assert usage == Usage(
        in_fresh=25,
        in_cache_read=100,
        in_cache_write_5m=10,
        in_cache_write_1h=20,
        out_text=9,  # 15 - 6
        out_reasoning=6,
        units={"web_search": 2},
        service_tier="priority",
    )


def test_cache_writes_without_a_split_are_five_minutes() -> None:
    usage = read_usage({"input_tokens": 1, "cache_creation_input_tokens": 30, "output_tokens": 1})
    assert usage is not None
    assert (usage.in_cache_write_5m, usage.in_cache_write_1h, usage.is_mismatch) == (30, 0, False)


@pytest.mark.parametrize(
    "values",
    [
        {"cache_creation_input_tokens": 30, "cache_creation": {"ephemeral_1h_input_tokens": 20}},
        {"output_tokens_details": {"thinking_tokens": 9}, "cache_creation_input_tokens": 30},
        {"cache_read_input_tokens": -1, "cache_creation_input_tokens": 30},
    ],
)
def test_counts_that_contradict_each_other_are_flagged(values: dict[str, Json]) -> None:
    usage = read_usage({"input_tokens": 1, "output_tokens": 1} | values)
    assert usage is not None
    assert usage.is_mismatch
    assert (usage.in_cache_read, usage.in_cache_write_5m) == (0, 30)


def test_a_later_count_replaces_the_earlier_and_keeps_what_it_does_not_repeat() -> None:
    seen: dict[str, Json] = {}
    merge_usage(seen, {"input_tokens": 5, "cache_creation_input_tokens": 7, "output_tokens": 1})
    merge_usage(seen, {"input_tokens": None, "cache_creation_input_tokens": 7, "output_tokens": 90})
    assert seen == {"input_tokens": 5, "cache_creation_input_tokens": 7, "output_tokens": 90}


def test_no_counts_is_no_usage_and_not_zero() -> None:
    assert read_usage({}) is None
    assert read_usage(None) is None
    assert read_usage({"input_tokens": None, "output_tokens": None}) is None
    assert read_usage({"input_tokens": 0, "output_tokens": 0, "cache_read_input_tokens": 0}) is None


def test_an_answer_to_nothing_is_flagged_and_a_prompt_from_the_cache_is_not() -> None:
    assert read_usage({"input_tokens": 0, "output_tokens": 5}) == Usage(out_text=5, is_mismatch=True)
    cached = read_usage({"input_tokens": 0, "cache_read_input_tokens": 9, "output_tokens": 5})
    assert cached == Usage(in_cache_read=9, out_text=5)


def test_buckets_survive_being_written_and_read() -> None:
    usage = Usage(
        in_fresh=3, in_cache_read=2, in_cache_write_5m=4, in_cache_write_1h=6, out_text=5, out_reasoning=1
    )
    assert read_usage(write_usage(usage)) == usage
