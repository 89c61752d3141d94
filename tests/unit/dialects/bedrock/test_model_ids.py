"""What ids of models, profiles and ARNs say, and the prices they lead to."""

import pytest

from sternpost.base.errors import ProviderNotConfigured
from sternpost.base.ids import KeyId, ProjectId
from sternpost.capabilities.cost.service import open_price_book
from sternpost.contracts.call import Principal, Target
from sternpost.contracts.key_scope import ALL_SCOPES
from sternpost.contracts.provider import Catalog
from sternpost.contracts.usage import Usage
from sternpost.dialects.bedrock.model_ids import base_of, maker_of, without_arn
from sternpost.gateway.stages.route import choose
from sternpost.gateway.state.traffic import traffic_of
from sternpost.providers.configure import ProviderSetting, configure

HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"
PROFILE = f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{HAIKU}"
APPLICATION = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/ab12"
ME = Principal(ProjectId("p"), KeyId("k"), "me", scopes=ALL_SCOPES)


@pytest.mark.parametrize(
    ("model", "base", "maker"),
    [
        (HAIKU, HAIKU, "anthropic"),
        (f"global.{HAIKU}", HAIKU, "anthropic"),
        (f"apac.{HAIKU}", HAIKU, "anthropic"),
        (PROFILE, HAIKU, "anthropic"),
        (
            "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
            "amazon.nova-pro-v1:0",
            "amazon",
        ),
        (APPLICATION, APPLICATION, ""),
        ("us.deepseek.r1-v1:0", "deepseek.r1-v1:0", "deepseek"),
        ("sa.example", "sa.example", "sa"),  # no maker follows: it is no prefix
        ("plain", "plain", ""),
    ],
)
def test_an_id_tells_its_model_and_maker(model: str, base: str, maker: str) -> None:
    assert (base_of(model), maker_of(model)) == (base, maker)


def catalog(**deployments: str) -> Catalog:
    return configure(
        [ProviderSetting("bedrock", options={"region": "us-east-1"}, deployments=deployments)], {}
    )


@pytest.mark.parametrize("model", [HAIKU, f"us.{HAIKU}", f"jp.{HAIKU}", f"apac.{HAIKU}", PROFILE, "mine"])
def test_every_way_to_a_model_finds_its_facts(model: str) -> None:
    traffic = traffic_of(catalog(mine=f"eu.{HAIKU}"))
    planned = choose(f"bedrock/{model}", ME, traffic).targets[0]
    assert planned.target == Target("bedrock", model)
    assert planned.facts is not None
    assert planned.facts.max_output_tokens == 64_000


@pytest.mark.parametrize("environment", [{}, {"AWS_BEARER_TOKEN_BEDROCK": "key"}])
def test_a_missing_region_is_asked_for(environment: dict[str, str]) -> None:
    with pytest.raises(ProviderNotConfigured, match=r"add `bedrock: \{region: \.\.\.\}`"):
        choose(f"bedrock/{HAIKU}", ME, traffic_of(configure([], environment)))


def price_of(model: str) -> int | None:
    book = open_price_book(provider_aliases={"bedrock": "aws"})
    usage = Usage(in_fresh=1_000_000)
    cost = book.price(
        provider="bedrock", model=without_arn(model), fallback_model=model, usage=usage, started_ns=0
    )
    return cost.nanousd


@pytest.mark.parametrize(
    ("model", "dollars"),
    [
        (f"global.{HAIKU}", "1.0"),
        (HAIKU, "1.1"),
        (f"us.{HAIKU}", "1.1"),
        (f"eu.{HAIKU}", "1.1"),
        (f"jp.{HAIKU}", "1.1"),
        (PROFILE, "1.1"),
        ("us.anthropic.claude-opus-4-6-v1", "5.5"),
        ("global.anthropic.claude-opus-4-6-v1", "5.0"),
        ("apac.amazon.nova-lite-v1:0", "0.06"),
        (APPLICATION, None),
        ("us.somebody.unheard-of-v1:0", None),
    ],
)
def test_a_profile_has_the_price_of_its_region(model: str, dollars: str | None) -> None:
    nanousd = price_of(model)
    assert nanousd == (None if dollars is None else round(float(dollars) * 1e9))


def test_every_model_of_the_catalogue_has_a_price_but_the_one_that_only_profiles_serve() -> None:
    names = [facts.name for facts in catalog().models.values() if facts.provider == "bedrock"]
    assert [name for name in names if price_of(name) is None] == ["amazon.nova-2-lite-v1:0"]
