"""What an error answer says can't be sent is found in the words of each vendor, and taken out of the body."""

import json
from typing import Any

import pytest

from sternpost.dialects.errors.failures import read_failure
from sternpost.dialects.errors.refused_fields import named_in, told, without
from sternpost.dialects.protocols import Omission


def openai(message: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


def anthropic(message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": "invalid_request_error", "message": message}}


NAMED: list[tuple[dict[str, Any], str]] = [
    (anthropic("context_management: Extra inputs are not permitted"), "context_management"),
    (anthropic("tools.0.custom.x: Extra inputs are not permitted"), "tools.0.custom.x"),
    (anthropic("`temperature` is deprecated for this model."), "temperature"),
    (openai("Unsupported parameter: 'top_p' is not supported with this model.", "top_p",
            "unsupported_parameter"), "top_p"),
    (openai("Unsupported value: 'temperature' does not support 0.2 with this model. Only the default is"
            " supported.", "temperature", "unsupported_value"), "temperature"),
    (openai("Unknown parameter: 'foo'.", "foo", "unknown_parameter"), "foo"),
    (openai("Unrecognized request argument supplied: reasoning_effort"), "reasoning_effort"),
    (openai("property 'logit_bias' is unsupported"), "logit_bias"),
    (openai("Argument not supported on this model: presencePenalty"), "presencePenalty"),
    (openai("Extra inputs are not permitted, field: 'store', value: True"), "store"),
    (openai("unknown field `metadata`, expected one of `model`, `messages`"), "metadata"),
    ({"detail": [{"type": "extra_forbidden", "loc": ["body", "verbosity"],
                  "msg": "Extra inputs are not permitted", "input": "low"}]}, "verbosity"),
    ({"object": "error", "message": "[{'type': 'extra_forbidden', 'loc': ('body', 'store'), 'msg': 'Extra"
      " inputs are not permitted', 'input': True}]", "code": 400}, "store"),
    ({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": 'Invalid JSON payload received. Unknown'
      " name \"labels\": Cannot find field."}}, "labels"),
    ({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": 'Invalid JSON payload received. Unknown'
      " name \"seed\" at 'generation_config': Cannot find field."}}, "generation_config.seed"),
    ({"message": "The model returned the following errors: speed: Extra inputs are not permitted"}, "speed"),
    ({"message": "Malformed input request: #: extraneous key [output_config] is not permitted, please"
      " reformat your input and try again."}, "output_config"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "path"), NAMED, ids=[path for _, path in NAMED])
def test_the_field_that_is_refused_is_found_in_each_vendors_words(body: dict[str, Any], path: str) -> None:
    failure = read_failure(400, {}, json.dumps(body).encode(), 0.0)
    assert named_in(failure.message, failure.code, failure.param) == (Omission(path),)


@pytest.mark.parametrize(
    "message",
    [
        "messages: at least one message is required",
        "Unsupported parameter: 'messages' is not supported with this model.",
        "Unknown parameter: 'tools'.",
        "tools.0.custom.input_schema: Extra inputs are not permitted",
        "messages.0.content: Extra inputs are not permitted",
        "Unsupported parameter: 'max_tokens' is not supported with this model.",
        "temperature: Input should be less than or equal to 1",
        "Invalid value: 'purple'. Supported values are: 'low' and 'high'.",
        "model: claude-x",
        "",
    ],
)
def test_what_makes_the_request_what_it_is_is_never_left_out(message: str) -> None:
    assert named_in(message, "", None) == ()


def test_a_limit_is_told_under_the_name_that_the_answer_asks_for() -> None:
    words = "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    (omission,) = named_in(words, "unsupported_parameter", "max_tokens")
    body = without(b'{"model":"m","max_tokens":5,"messages":[]}', [omission])
    assert body == b'{"model":"m","max_completion_tokens":5,"messages":[]}'
    assert list(told([omission])) == ["max_tokens (sent as max_completion_tokens)"]


def test_betas_are_found_each_and_all() -> None:
    words = (
        "Unexpected value(s) `a-1`, `b-2` for the `anthropic-beta` header. Please consult our documentation."
    )
    assert named_in(words, "", None) == (Omission(beta="a-1"), Omission(beta="b-2"))
    assert named_in("invalid beta flag", "", None) == (Omission(beta="*"),)
    inside = b'{"additionalModelRequestFields":{"anthropic_beta":["a-1","c-3"]}}'
    kept = without(inside, [Omission(beta="a-1")])
    assert kept == b'{"additionalModelRequestFields":{"anthropic_beta":["c-3"]}}'
    assert without(inside, [Omission(beta="*")]) == b'{"additionalModelRequestFields":{}}'
    assert without(inside, [Omission(beta="d-4")]) is None


@pytest.mark.parametrize(
    ("body", "path", "left"),
    [
        ('{ "a": 1.0,  "b": 2 }', "b", '{ "a": 1.0 }'),
        ('{"a":1}', "b", None),
        (
            '{"output_config":{"effort":"low","format":{}}}',
            "output_config.effort",
            '{"output_config":{"format":{}}}',
        ),
        ('{"generationConfig":{"seed":1}}', "generation_config.seed", '{"generationConfig":{}}'),
        (
            '{"tools":[{"name":"a","x":1},{"name":"b","x":2}]}',
            "tools.0.custom.x",
            '{"tools":[{"name":"a"},{"name":"b"}]}',
        ),
        ('{"messages":[{"role":"user","name":"n"}]}', "messages[0].name", '{"messages":[{"role":"user"}]}'),
    ],
)
def test_a_field_is_taken_out_wherever_it_stands(body: str, path: str, left: str | None) -> None:
    assert without(body.encode(), [Omission(path)]) == (None if left is None else left.encode())
