import pytest

from sternpost.contracts.message import Json
from sternpost.contracts.provider import STANDARD, Quirks
from sternpost.contracts.usage import Usage
from sternpost.dialects.openai_chat.usage import read_usage, write_usage


def test_cached_and_reasoning_tokens_are_taken_out_of_their_totals() -> None:
    usage = read_usage(
        {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "total_tokens": 150,
            "prompt_tokens_details": {
                "cached_tokens": 60,
                "cache_write_tokens": 10,
                "audio_tokens": 5,
                "image_tokens": 7,
            },
            "completion_tokens_details": {"reasoning_tokens": 20, "audio_tokens": 3},
        },
        STANDARD,
        "flex",
    )
    assert usage == Usage(
        in_fresh=18,  # 100 - 60 - 10 - 5 - 7
        in_cache_read=60,
        in_cache_write_5m=10,
        in_audio=5,
        in_image=7,
        out_text=27,  # 50 - 20 - 3
        out_reasoning=20,
        out_audio=3,
        service_tier="flex",
    )


@pytest.mark.parametrize(
    ("total", "quirk_inside", "text"),
    [
        (30, True, 6),  # 20 + 10: reasoning is inside, 10 - 4
        (34, True, 10),  # 20 + 10 + 4: the total proves that it is outside
        (None, True, 6),
        (None, False, 10),
    ],
)
def test_the_total_decides_whether_reasoning_is_inside(
    total: int | None, quirk_inside: bool, text: int
) -> None:
    values: dict[str, Json] = {
        "prompt_tokens": 20,
        "completion_tokens": 10,
        "total_tokens": total,
        "completion_tokens_details": {"reasoning_tokens": 4},
    }
    usage = read_usage(values, Quirks(is_reasoning_inside=quirk_inside))
    assert usage is not None
    assert (usage.out_text, usage.out_reasoning, usage.is_mismatch) == (text, 4, False)


def test_deepseek_hits_and_misses_are_the_cached_and_fresh_tokens() -> None:
    values: dict[str, Json] = {
        "prompt_tokens": 12,
        "completion_tokens": 9,
        "prompt_cache_hit_tokens": 4,
        "prompt_cache_miss_tokens": 8,
    }
    usage = read_usage(values, STANDARD)
    assert usage is not None
    assert (usage.in_fresh, usage.in_cache_read) == (8, 4)


@pytest.mark.parametrize(
    "values",
    [
        {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 9},
        {"prompt_tokens": 5, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 7}},
        {"prompt_tokens": 5, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": -1}},
        {"prompt_tokens": 5, "completion_tokens": 1, "completion_tokens_details": {"reasoning_tokens": 3}},
        {"prompt_tokens": 5, "completion_tokens": 1, "completion_tokens_details": {"audio_tokens": -1}},
    ],
)
def test_counts_that_contradict_each_other_stay_whole_and_are_flagged(values: dict[str, Json]) -> None:
    usage = read_usage(values, STANDARD)
    assert usage is not None
    assert usage.is_mismatch
    assert (usage.in_fresh, usage.in_cache_read, usage.out_text, usage.out_reasoning) == (5, 0, 1, 0)


def test_a_reported_cost_is_exact_money_where_the_host_reports_it() -> None:
    values: dict[str, Json] = {"prompt_tokens": 1, "completion_tokens": 1, "cost": 0.00014}
    reported = read_usage(values, Quirks(is_usage_cost_reported=True))
    assert reported is not None
    assert reported.reported_nanousd == 140_000
    unasked = read_usage(values, STANDARD)
    assert unasked is not None
    assert unasked.reported_nanousd is None


@pytest.mark.parametrize(
    "values",
    [
        None,
        {},
        {"cost": 1.0},
        {"prompt_tokens": None, "completion_tokens": None, "total_tokens": None},
        {"prompt_tokens": "7", "completion_tokens": "5"},
        {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    ],
)
def test_no_counts_is_no_usage_and_not_zero(values: dict[str, Json] | None) -> None:
    assert read_usage(values, STANDARD) is None


@pytest.mark.parametrize(
    ("details", "buckets"),
    [
        # 1,000 of the prompt: 300 of sound, of which the host says that 200 are among the 800 cached
        (
            {"cached_tokens": 800, "audio_tokens": 300, "cached_tokens_details": {"audio_tokens": 200}},
            (100, 800, 100, 0),
        ),
        # nothing said: sound counts as cached as far as the 700 of text do not suffice for the 800
        ({"cached_tokens": 800, "audio_tokens": 300}, (0, 800, 200, 0)),
        ({"cached_tokens": 900, "audio_tokens": 60, "image_tokens": 70}, (0, 900, 30, 70)),
        ({"text_tokens": 700, "audio_tokens": 300}, (700, 0, 300, 0)),
        ({"cached_tokens": 1000, "image_tokens": 400, "text_tokens": 600}, (0, 1000, 0, 0)),
    ],
)
def test_sound_and_pictures_that_were_cached_are_counted_once(
    details: dict[str, Json], buckets: tuple[int, int, int, int]
) -> None:
    values: dict[str, Json] = {
        "prompt_tokens": 1000,
        "completion_tokens": 5,
        "prompt_tokens_details": details,
    }
    usage = read_usage(values, STANDARD)
    assert usage is not None
    assert (usage.in_fresh, usage.in_cache_read, usage.in_audio, usage.in_image) == buckets
    assert (sum(buckets), usage.is_mismatch) == (1000, False)


@pytest.mark.parametrize(
    ("money", "nanousd"),
    [
        ({"cost_in_usd_ticks": 37_756_000}, 3_775_600),  # 10^-10 dollars each
        ({"cost_in_usd_ticks": 37_756_000, "cost": 9.0}, 3_775_600),  # exact beside a rounded one
        ({"estimated_cost": 3.09e-05}, 30_900),  # DeepInfra
        ({"cost": {"total_cost": 0.006}}, 6_000_000),  # Perplexity
    ],
)
def test_a_hosts_own_money_is_read_wherever_it_stands(money: dict[str, Json], nanousd: int) -> None:
    quirks = Quirks(is_usage_cost_reported=True)
    for counts in ({"prompt_tokens": 5, "completion_tokens": 7}, {}):
        usage = read_usage({**counts, **money}, quirks)
        assert usage is not None
        assert usage.reported_nanousd == nanousd


@pytest.mark.parametrize("asked", [None, 0, "7"])
def test_an_answer_to_nothing_is_flagged(asked: Json) -> None:
    usage = read_usage({"prompt_tokens": asked, "completion_tokens": 5}, STANDARD)
    assert usage == Usage(out_text=5, is_mismatch=True)


def test_money_that_a_host_reports_stands_without_counts() -> None:
    values: dict[str, Json] = {"prompt_tokens": 0, "completion_tokens": 0, "cost": 0.04}
    usage = read_usage(values, Quirks(is_usage_cost_reported=True))
    assert usage is not None
    assert usage.reported_nanousd == 40_000_000


def test_buckets_survive_being_written_and_read() -> None:
    usage = Usage(in_fresh=3, in_cache_read=2, in_cache_write_5m=4, out_text=5, out_reasoning=6)
    assert read_usage(write_usage(usage), STANDARD) == usage
