"""Token counts as OpenAI asks and answers them, in the shape of a Responses request.

Source: https://developers.openai.com/api/reference/resources/responses/subresources/input_tokens
"""

from dataclasses import replace
from typing import Final

import msgspec

from sternpost.contracts.chat import ChatRequest
from sternpost.contracts.provider import ModelFacts, Quirks
from sternpost.dialects.json_text.raw_object import join_object, split_object
from sternpost.dialects.openai_responses import head as heads
from sternpost.dialects.openai_responses.request_writer import write_request
from sternpost.dialects.protocols import FailureKind, RequestHead, WrittenRequest
from sternpost.dialects.usage.counts import read_input_tokens

_COUNTED: Final = (
    "model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "reasoning", "text",
    "truncation",
)  # fmt: skip


class ResponsesCounter:
    """Implements `dialects.protocols.CallersCounter`. Hosts of the dialect need not count: OpenAI does."""

    uncounted = frozenset[FailureKind]({"not_found"})
    counts_by_base_model = False

    def read_head(self, body: bytes) -> RequestHead:
        return heads.read_head(body)

    def path(self, model: str, quirks: Quirks) -> str:
        return "/responses/input_tokens"

    def edit(
        self, head: RequestHead, *, model: str, quirks: Quirks, facts: ModelFacts | None
    ) -> WrittenRequest:
        return heads.edit(head, model=model, quirks=quirks, facts=facts)

    def write(self, request: ChatRequest, *, quirks: Quirks, facts: ModelFacts | None) -> WrittenRequest:
        """Write what would be asked, without what only shapes the answer. Raises: BadRequest."""
        written = write_request(request, quirks=quirks, facts=facts)
        fields = split_object(written.body)
        return replace(written, body=join_object({name: fields[name] for name in _COUNTED if name in fields}))

    def read(self, body: bytes) -> int:
        """Raises: BadRequest when the body is no count."""
        return read_input_tokens(body)

    def show(self, tokens: int) -> bytes:
        return msgspec.json.encode({"object": "response.input_tokens", "input_tokens": tokens})
