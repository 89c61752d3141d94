"""How judgements of a trace are sent."""

import logging

import pytest

import sternpost
from tests.unit.sdk.conftest import Intake, plain

EVENT = "gen_ai.evaluation.result"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, {"gen_ai.evaluation.score.value": 1.0, "gen_ai.evaluation.score.label": "true"}),
        (0.5, {"gen_ai.evaluation.score.value": 0.5}),
        (4, {"gen_ai.evaluation.score.value": 4.0}),
        ("helpful", {"gen_ai.evaluation.score.label": "helpful"}),
    ],
)
def test_feedback_is_an_evaluation_result_of_its_trace(intake: Intake, value, expected) -> None:
    sternpost.feedback(trace_id="a" * 32, span_id="b" * 16, value=value, comment="thanks", user_id="ada")

    span = intake.span(EVENT)
    facts = plain(span.attributes)
    assert span.start_time_unix_nano == span.end_time_unix_nano
    assert (facts["sternpost.target.trace_id"], facts["sternpost.target.span_id"]) == ("a" * 32, "b" * 16)
    assert (facts["sternpost.score.source"], facts["user.id"]) == ("user_feedback", "ada")
    assert span.events[0].name == EVENT
    assert plain(span.events[0].attributes) == {
        "gen_ai.evaluation.name": "user_feedback",
        "gen_ai.evaluation.explanation": "thanks",
        **expected,
    }


def test_a_score_inside_a_trace_judges_the_open_span(intake: Intake) -> None:
    with sternpost.trace("answer") as span:
        sternpost.score("has_citation", True)

    facts = intake.facts(EVENT)
    assert (facts["sternpost.target.trace_id"], facts["sternpost.target.span_id"]) == (
        span.trace_id,
        span.span_id,
    )
    assert facts["sternpost.score.source"] == "api"


@pytest.mark.parametrize(
    ("trace_id", "value"), [("", 1), ("xyz", 1), ("A" * 32, 1), ("a" * 32, float("nan"))]
)
def test_what_cannot_be_sent_is_said_and_breaks_nothing(
    intake: Intake, caplog: pytest.LogCaptureFixture, trace_id: str, value: float
) -> None:
    with caplog.at_level(logging.ERROR, "sternpost.sdk"):
        sternpost.feedback(trace_id=trace_id, value=value)

    assert sternpost.flush()
    assert intake.spans == []
    assert len(caplog.records) == 1
