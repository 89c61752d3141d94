"""What an application or agent was given and gave back is kept whole, whichever emitter tells of it."""

import json

import pytest

from sternpost.contracts.span import SpanType
from tests.unit.ingest.test_mapping_rules import mapped

ASKED, SAID = "how warm? " + "very " * 5000, "21 degrees " + "indeed " * 5000
_MESSAGES = ([{"role": "user", "content": ASKED}], [{"role": "assistant", "content": SAID}])
_PARTS = (
    [{"role": "user", "parts": [{"type": "text", "content": ASKED}]}],
    [{"role": "assistant", "parts": [{"type": "text", "content": SAID}]}],
)


def _json(name: str, text: str) -> str:
    return json.dumps({name: text})


ENDS = {
    "openinference text": (
        {"openinference.span.kind": "CHAIN"},
        ("input.value", ASKED),
        ("output.value", SAID),
    ),
    "openinference json": (
        {"openinference.span.kind": "AGENT"},
        ("input.value", _json("question", ASKED)),
        ("output.value", _json("answer", SAID)),
    ),
    "langfuse": (
        {"langfuse.observation.type": "agent"},
        ("langfuse.observation.input", ASKED),
        ("langfuse.observation.output", SAID),
    ),
    "langfuse trace": ({}, ("langfuse.trace.input", ASKED), ("langfuse.trace.output", SAID)),
    "mlflow": (
        {"mlflow.spanType": '"AGENT"'},
        ("mlflow.spanInputs", _json("question", ASKED)),
        ("mlflow.spanOutputs", json.dumps(SAID)),
    ),
    "pydantic-ai": (
        {"gen_ai.operation.name": "invoke_agent"},
        ("pydantic_ai.all_messages", json.dumps([*_PARTS[0], *_PARTS[1]])),
        ("final_result", SAID),
    ),
    "opentelemetry": (
        {"gen_ai.operation.name": "invoke_agent"},
        ("gen_ai.input.messages", json.dumps(_PARTS[0])),
        ("gen_ai.output.messages", json.dumps(_PARTS[1])),
    ),
    "traceloop": (
        {"traceloop.span.kind": "workflow"},
        ("traceloop.entity.input", _json("inputs", ASKED)),
        ("traceloop.entity.output", _json("outputs", SAID)),
    ),
    "langsmith": (
        {"langsmith.span.kind": "chain"},
        ("gen_ai.prompt", json.dumps({"messages": _MESSAGES[0]})),
        ("gen_ai.completion", json.dumps({"messages": _MESSAGES[1]})),
    ),
    "langsmith inputs": (
        {"langsmith.span.kind": "chain"},
        ("langsmith.inputs", _json("input", ASKED)),
        ("langsmith.outputs", _json("output", SAID)),
    ),
    "vercel": (
        {"ai.operationId": "ai.generateText"},
        ("ai.prompt", json.dumps({"prompt": ASKED})),
        ("ai.response.text", SAID),
    ),
    "vercel 3": (
        {"ai.operationId": "ai.generateObject"},
        ("ai.prompt", json.dumps({"messages": _MESSAGES[0]})),
        ("ai.result.object", _json("degrees", SAID)),
    ),
    "genkit": (
        {"genkit:type": "flow"},
        ("genkit:input", json.dumps(ASKED)),
        ("genkit:output", json.dumps(SAID)),
    ),
    "agentops": ({}, ("agentops.entity.input", ASKED), ("agentops.entity.output", SAID)),
    "laminar": ({}, ("lmnr.span.input", json.dumps(_MESSAGES[0])), ("lmnr.span.output", json.dumps(SAID))),
    "braintrust": (
        {},
        ("braintrust.input_json", json.dumps(ASKED)),
        ("braintrust.output_json", json.dumps(SAID)),
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_both_ends_of_an_application_are_kept_whole(name: str) -> None:
    told, given, made = ENDS[name]
    found = mapped({**told, given[0]: given[1], made[0]: made[1]})
    assert found.span is not None
    assert found.span.type in (SpanType.CHAIN, SpanType.AGENT, SpanType.WORKFLOW)
    bodies = {content.hash: content.body.decode() for content in found.contents}
    assert ASKED.strip() in "".join(bodies[one] for one in found.span.input_hashes)
    assert SAID.strip() in "".join(bodies[one] for one in found.span.output_hashes)
    assert not {given[0], made[0]} & found.span.attributes.keys()


def test_what_langfuse_tells_of_the_trace_stays_beside_what_it_tells_of_the_span() -> None:
    told = {"langfuse.observation.input": "inner", "langfuse.trace.input": ASKED}
    found = mapped(told)
    assert found.span is not None
    assert found.span.attributes["langfuse.trace.input"].startswith("sternpost:content:")
