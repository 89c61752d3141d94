"""Requests to Bedrock as tests write them, checked against AWS's own description of the API."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import botocore.session
from botocore.model import Shape
from botocore.validate import ParamValidator

from sternpost.contracts.chat import ChatRequest
from sternpost.contracts.provider import STANDARD, ModelFacts
from sternpost.dialects.protocols import Codec, WrittenRequest
from sternpost.providers.catalog import load_catalog
from tests.unit.dialects.wire import ANTHROPIC, BEDROCK, OPENAI

CLAUDE = "anthropic.claude-haiku-4-5-20251001-v1:0"
NOVA = "amazon.nova-2-lite-v1:0"
FACTS = {facts.name: facts for facts in load_catalog()["bedrock"].models}


@cache
def _shape() -> Shape:
    service = botocore.session.get_session().get_service_model("bedrock-runtime")
    shape = service.operation_model("Converse").input_shape
    assert shape is not None
    return shape


def faults(body: dict[str, Any], model: str = CLAUDE) -> str:
    """Return what AWS's own model of `Converse` says against a body; "" when nothing."""
    return ParamValidator().validate({"modelId": model, **body}, _shape()).generate_report()


def written(
    codec: Codec, body: dict[str, Any], *, facts: ModelFacts | None = None, **changes: Any
) -> WrittenRequest:
    """Translate a caller's request; `changes` are made to the internal one."""
    request = replace(codec.read_request(json.dumps(body).encode()), **changes)
    return write(request, facts=facts)


def write(request: ChatRequest, *, facts: ModelFacts | None = None) -> WrittenRequest:
    made = BEDROCK.write_request(request, quirks=STANDARD, facts=facts)
    assert faults(json.loads(made.body)) == ""
    return made


def openai(
    *messages: dict[str, Any], model: str = CLAUDE, facts: ModelFacts | None = None, **more: Any
) -> Any:
    """Return the body and what was dropped for an OpenAI caller."""
    made = written(
        OPENAI, {"model": model, "messages": list(messages), **more}, facts=facts or FACTS.get(model)
    )
    return json.loads(made.body), made.dropped


def anthropic(
    *messages: dict[str, Any], model: str = CLAUDE, facts: ModelFacts | None = None, **more: Any
) -> Any:
    body = {"model": model, "max_tokens": 4096, "messages": list(messages), **more}
    made = written(ANTHROPIC, body, facts=facts or FACTS.get(model))
    return json.loads(made.body), made.dropped
