"""The pure parts: names to targets, claims, waits, rests, trace context."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sternpost.base.errors import ModelUnknown, ProviderNotConfigured
from sternpost.base.ids import KeyId, ProjectId
from sternpost.contracts.call import Dialect, LimitEntry, Principal, Route, Target
from sternpost.contracts.key_scope import ALL_SCOPES
from sternpost.gateway.http.models import list_models
from sternpost.gateway.stages.admit import claims_of
from sternpost.gateway.stages.context import read_attributes, read_trace_parent
from sternpost.gateway.stages.route import choose
from sternpost.gateway.state.health import TargetHealth
from sternpost.gateway.state.retries import LONGEST_WAIT_S, RetryBudgets, wait_before_retry
from sternpost.gateway.state.traffic import Traffic, traffic_of
from sternpost.providers.configure import ProviderSetting, configure

ANYONE = Principal(ProjectId("prj"), KeyId("key_1"), "one", scopes=ALL_SCOPES)
TARGET = Target("lab", "m1")


def traffic(*limits: LimitEntry) -> Traffic:
    settings = [
        ProviderSetting("lab", "openai_chat", "http://h/v1", "k"),
        ProviderSetting("unset", "openai_chat", "http://h/v1", is_key_expected=True),
    ]
    routes = [Route("mixed", (Target("unset", "m1"), TARGET)), Route("gpt-5", (TARGET,))]
    return traffic_of(configure(settings, {"GROQ_API_KEY": "x"}), routes, limits)


def test_a_route_leaves_out_targets_of_providers_without_a_key() -> None:
    assert [planned.name for planned in choose("mixed", ANYONE, traffic()).targets] == ["lab/m1"]


def test_a_route_wins_over_a_model_of_the_same_name() -> None:
    assert choose("gpt-5", ANYONE, traffic()).targets[0].name == "lab/m1"


def test_a_bare_name_finds_its_only_owner_and_slashes_stay_in_the_model() -> None:
    assert choose("llama-3.1-8b-instant", ANYONE, traffic()).targets[0].name == "groq/llama-3.1-8b-instant"
    planned = choose("groq/openai/gpt-oss-120b", ANYONE, traffic()).targets[0]
    assert (planned.target.provider, planned.target.model) == ("groq", "openai/gpt-oss-120b")
    assert planned.facts is not None


@pytest.mark.parametrize(
    ("model", "spoken", "path"),
    [
        ("gpt-6.1-terra", "anthropic", "/responses"),
        ("gpt-6.1-terra", "openai_chat", "/chat/completions"),  # byte for byte, OpenAI's own refusal too
        ("gpt-5.1", "anthropic", "/chat/completions"),
    ],
)
def test_a_translated_call_goes_where_the_model_takes_tools(model: str, spoken: Dialect, path: str) -> None:
    openai = traffic_of(configure([], {"OPENAI_API_KEY": "x"}), [], [])
    assert choose(f"openai/{model}", ANYONE, openai, spoken=spoken).targets[0].whole_url.endswith(path)


@given(st.text(max_size=60))
def test_any_name_is_a_plan_or_a_refusal(name: str) -> None:
    try:
        plan = choose(name, ANYONE, traffic())
    except (ModelUnknown, ProviderNotConfigured):
        return
    assert plan.targets


def test_claims_name_every_scope_that_applies() -> None:
    limits = (
        LimitEntry("project", requests_per_minute=1),
        LimitEntry("key", name="one", concurrency=2),
        LimitEntry("key", name="other", concurrency=2),
        LimitEntry("user", requests_per_minute=3),
        LimitEntry("model", name="lab/m1", requests_per_minute=4, concurrency=5),
        LimitEntry("route", requests_per_minute=6),
    )
    plan = choose("mixed", ANYONE, traffic(*limits))
    counters = [claim.counter for claim, _ in claims_of(limits, ANYONE, "", plan)]
    assert counters == [
        "project/prj/rpm",
        "key/key_1/concurrency",
        "model/lab/m1/rpm",
        "model/lab/m1/concurrency",
        "route/mixed/rpm",
    ]
    assert "user/bea/rpm" in [claim.counter for claim, _ in claims_of(limits, ANYONE, "bea", plan)]


@given(st.integers(1, 50), st.none() | st.floats(0, 1000), st.floats(0, 1, exclude_max=True))
def test_a_wait_is_what_was_asked_or_bounded(number: int, asked: float | None, chance: float) -> None:
    wait_s = wait_before_retry(number, asked, chance)
    assert wait_s == asked if asked is not None else 0 <= wait_s <= LONGEST_WAIT_S


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 2)), max_size=300))
def test_a_retry_budget_holds_under_any_pattern(steps: list[tuple[bool, float]]) -> None:
    budgets, now_s, firsts, retries = RetryBudgets(), 0.0, 0, 0
    for is_first, passed_s in steps:
        now_s += passed_s
        if is_first:
            firsts += 1
            budgets.first_attempt("r", "p")
        else:
            retries += budgets.may_retry("r", "p", now_s)
    # The floor, what time refills of it (1 a second) and a tenth of the first tries.
    assert retries <= 10 + now_s + firsts * 0.1 + 1e-6


def test_a_rest_ends_and_one_call_probes() -> None:
    health = TargetHealth()
    health.failed(TARGET, "rate_limited", now_s=100, retry_after_s=7, is_unreachable=False)
    assert health.resting_cause(TARGET, 106.9) == "rate_limited"
    assert health.resting_cause(TARGET, 107.1) is None  # the probe
    assert health.resting_cause(TARGET, 107.2) == "rate_limited"  # the others wait for it
    health.answered(TARGET, 107.2)
    assert health.resting_cause(TARGET, 107.3) is None
    assert health.resting_cause(TARGET, 107.3) is None


def test_a_rest_is_lengthened_and_never_shortened() -> None:
    health = TargetHealth()
    health.failed(TARGET, "rate_limited", now_s=100, retry_after_s=60, is_unreachable=False)
    health.failed(TARGET, "rate_limited", now_s=101, retry_after_s=1, is_unreachable=False)
    assert health.resting_cause(TARGET, 159) == "rate_limited"


def test_a_rest_lasts_a_day_at_most() -> None:
    health = TargetHealth()
    health.failed(TARGET, "rate_limited", now_s=0, retry_after_s=1e12, is_unreachable=False)
    assert health.resting_cause(TARGET, 86_399) == "rate_limited"
    assert health.resting_cause(TARGET, 86_401) is None


def test_an_answer_that_was_on_its_way_ends_no_rest_the_provider_asked_for() -> None:
    health = TargetHealth()
    health.failed(TARGET, "rate_limited", now_s=100, retry_after_s=60, is_unreachable=False)
    health.answered(TARGET, 101)
    assert health.resting_cause(TARGET, 159) == "rate_limited"
    assert health.resting_cause(TARGET, 161) is None


def test_five_failures_in_a_row_rest_a_target_and_four_do_not() -> None:
    health = TargetHealth()
    for _ in range(4):
        health.failed(TARGET, "down", now_s=100, retry_after_s=None, is_unreachable=False)
    assert health.resting_cause(TARGET, 100) is None
    health.failed(TARGET, "down", now_s=100, retry_after_s=None, is_unreachable=False)
    assert health.resting_cause(TARGET, 104) == "down"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ],
)
def test_a_malformed_traceparent_begins_a_trace(header: str) -> None:
    parent = read_trace_parent({"traceparent": header})
    assert parent.span_id is None
    assert len(parent.trace_id) == 32


def test_headers_win_over_metadata_over_the_end_user() -> None:
    found = read_attributes({"x-sternpost-user": "header"}, {"user_id": "body", "run_id": "r"}, "end")
    assert (found.user_id, found.run_id) == ("header", "r")
    assert read_attributes({}, {"user_id": "body"}, "end").user_id == "body"
    assert read_attributes({}, {}, "end").user_id == "end"


@pytest.mark.parametrize(
    "name", ["x-claude-code-session-id", "session-id", "session_id", "x-session-id", "x-sternpost-session"]
)
def test_the_session_of_a_coding_agent_is_read_from_its_header(name: str) -> None:
    assert read_attributes({name: "s-1"}, {}, "").session_id == "s-1"
    assert read_attributes({name: "s-1", "x-sternpost-session": "own"}, {}, "").session_id == "own"
    assert (
        read_attributes({name: "s-1", "x-sternpost-session": "own"}, {"session_id": "m"}, "").session_id
        == "own"
    )


def test_the_list_of_models_says_which_one_its_provider_takes_away() -> None:
    known = traffic_of(configure([ProviderSetting("openai", api_key="k")], {}))
    principal = Principal(
        ProjectId("p"), KeyId("k"), "k", models=("openai/gpt-5", "openai/gpt-6-luna"), scopes=ALL_SCOPES
    )
    listed = {one["id"]: one for one in json.loads(list_models(principal, known, "openai_chat"))["data"]}
    assert listed["openai/gpt-5"]["shutdown_date"] == "2026-12-11"
    assert "shutdown_date" not in listed["openai/gpt-6-luna"]
