"""Gemini's counts as buckets that never overlap and add up to its own total."""

from hypothesis import given
from hypothesis import strategies as st

from sternpost.contracts.usage import Usage
from sternpost.dialects.gemini.usage import read_usage

COUNT = st.integers(0, 10**6)


def total_of(usage: Usage) -> int:
    taken = usage.in_fresh + usage.in_cache_read + usage.in_audio + usage.in_image
    return taken + usage.out_text + usage.out_reasoning + usage.out_audio + usage.out_image


@given(
    prompt=st.integers(1, 10**6),
    share=st.floats(0, 1),
    given=COUNT,
    thoughts=COUNT,
    tools=COUNT,
    audio=COUNT,
    image=COUNT,
)
def test_the_buckets_add_up_to_the_total(
    prompt: int, share: float, given: int, thoughts: int, tools: int, audio: int, image: int
) -> None:
    usage = read_usage(
        {
            "promptTokenCount": prompt,
            "cachedContentTokenCount": int(prompt * share),
            "candidatesTokenCount": given,
            "thoughtsTokenCount": thoughts,
            "toolUsePromptTokenCount": tools,
            "totalTokenCount": prompt + given + thoughts + tools,
            "promptTokensDetails": [
                {"modality": "AUDIO", "tokenCount": audio},
                {"modality": "IMAGE", "tokenCount": image},
            ],
        }
    )
    assert usage is not None
    assert usage.is_mismatch == (audio + image > prompt)
    assert total_of(usage) == prompt + given + thoughts + tools
    assert min(usage.in_fresh, usage.in_audio, usage.in_image, usage.out_text) >= 0


def test_counts_that_contradict_each_other_are_flagged() -> None:
    for values in (
        {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 9},
        {"promptTokenCount": 5, "cachedContentTokenCount": 6, "totalTokenCount": 5},
        {
            "promptTokenCount": 5,
            "candidatesTokenCount": 2,
            "totalTokenCount": 7,
            "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 3}],
        },
        {
            "promptTokenCount": 5,
            "totalTokenCount": 5,
            "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 6}],
        },
        {
            "promptTokenCount": 5,
            "totalTokenCount": 5,
            "cachedContentTokenCount": 3,
            "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 2}],
            "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 3}],
        },
        {"promptTokenCount": 5, "cachedContentTokenCount": -1},
        {"promptTokenCount": 0, "candidatesTokenCount": 2, "totalTokenCount": 2},
    ):
        usage = read_usage(values)
        assert usage is not None
        assert usage.is_mismatch


def test_without_counts_usage_is_unknown() -> None:
    assert read_usage(None) is None
    assert read_usage({}) is None
    assert read_usage({"trafficType": "ON_DEMAND"}) is None
    assert read_usage({"promptTokenCount": None, "totalTokenCount": 7}) is None
    assert read_usage({"promptTokenCount": 0, "candidatesTokenCount": 0, "totalTokenCount": 0}) is None


def test_the_tier_that_served_is_told() -> None:
    flex = read_usage({"promptTokenCount": 1, "totalTokenCount": 1, "trafficType": "ON_DEMAND_FLEX"})
    plain = read_usage({"promptTokenCount": 1, "totalTokenCount": 1, "trafficType": "ON_DEMAND"})
    assert flex is not None
    assert plain is not None
    assert (flex.service_tier, plain.service_tier) == ("flex", "")
