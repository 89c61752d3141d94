"""Asks Gemini how many tokens a request has. Source: https://ai.google.dev/api/tokens and, for Vertex AI,
https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/count-tokens. Estimates nothing.
"""

from dataclasses import replace
from typing import Final

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import ChatRequest
from sternpost.contracts.provider import ModelFacts, Quirks
from sternpost.dialects.gemini.codec import path_of
from sternpost.dialects.gemini.request_writer import write_request
from sternpost.dialects.json_text.raw_object import UNREADABLE, join_object, split_object
from sternpost.dialects.protocols import FailureKind, WrittenRequest

_COUNTED: Final = ("contents", "systemInstruction", "tools", "generationConfig")  # by Vertex AI


class _Count(msgspec.Struct, rename="camel"):
    total_tokens: int


_COUNT: Final = msgspec.json.Decoder(_Count)


class GeminiCounter:
    """Implements `dialects.protocols.TokenCounter`."""

    uncounted = frozenset[FailureKind]()
    counts_by_base_model = False

    def path(self, model: str, quirks: Quirks) -> str:
        return path_of(model, "countTokens")

    def write(self, request: ChatRequest, *, quirks: Quirks, facts: ModelFacts | None) -> WrittenRequest:
        """Write what would be asked: the Gemini API takes it whole, Vertex AI the fields that count."""
        written = write_request(request, quirks=quirks, facts=facts)
        fields = split_object(written.body)
        if quirks.is_vertex:
            body = join_object({name: raw for name, raw in fields.items() if name in _COUNTED})
            return replace(written, body=body)
        name = msgspec.json.encode(f"models/{request.model.removeprefix('models/')}")
        body = join_object({"generateContentRequest": join_object({"model": name, **fields})})
        return replace(written, body=body)

    def read(self, body: bytes) -> int:
        """Raises: BadRequest when the body holds no count."""
        try:
            return _COUNT.decode(body).total_tokens
        except UNREADABLE as error:
            raise BadRequest("The provider's reply has no `totalTokens`.", param="totalTokens") from error
