"""Token counts as Anthropic asks and answers them.

Source: https://platform.claude.com/docs/en/api/messages-count-tokens
"""

from dataclasses import replace
from typing import Final

import msgspec

from sternpost.contracts.chat import ChatRequest
from sternpost.contracts.provider import STANDARD, ModelFacts, Quirks
from sternpost.dialects.anthropic import head as heads
from sternpost.dialects.anthropic import vertex
from sternpost.dialects.anthropic.request_writer import write_request
from sternpost.dialects.json_text.raw_object import check_messages, join_object, read_model, split_object
from sternpost.dialects.protocols import FailureKind, RequestHead, WrittenRequest
from sternpost.dialects.usage.counts import read_input_tokens

_PATH: Final = "/messages/count_tokens"
_COUNTED: Final = ("model", "messages", "system", "tools", "tool_choice", "thinking", "output_config")


class AnthropicCounter:
    """Implements `dialects.protocols.CallersCounter`."""

    uncounted = frozenset[FailureKind]()
    counts_by_base_model = False

    def read_head(self, body: bytes) -> RequestHead:
        """Check model and messages; a count has no `max_tokens`. Raises: BadRequest with `param`."""
        fields = split_object(body)
        model = read_model(fields)
        check_messages(fields)
        return RequestHead(
            model=model,
            is_stream=False,
            wants_stream_usage=False,
            end_user="",
            metadata={},
            fields=fields,
            body=body,
        )

    def path(self, model: str, quirks: Quirks) -> str:
        return vertex.COUNT_PATH if quirks.is_vertex else _PATH

    def edit(
        self, head: RequestHead, *, model: str, quirks: Quirks, facts: ModelFacts | None
    ) -> WrittenRequest:
        """Edit as a message is edited; Vertex AI, too, wants the model in the body of a count."""
        if quirks.is_vertex:
            head = replace(head, fields={**_version(), **head.fields}, body=b"")
        return heads.edit(head, model=model, quirks=STANDARD, facts=facts)

    def write(self, request: ChatRequest, *, quirks: Quirks, facts: ModelFacts | None) -> WrittenRequest:
        """Write what would be asked, without what only shapes the answer. Raises: BadRequest."""
        written = write_request(request, quirks=STANDARD, facts=facts)
        fields = split_object(written.body)
        counted = {name: fields[name] for name in _COUNTED if name in fields}
        return replace(written, body=join_object({**(_version() if quirks.is_vertex else {}), **counted}))

    def read(self, body: bytes) -> int:
        """Raises: BadRequest when the body is no count."""
        return read_input_tokens(body)

    def show(self, tokens: int) -> bytes:
        return msgspec.json.encode({"input_tokens": tokens})


def _version() -> dict[str, msgspec.Raw]:
    return {vertex.VERSION_FIELD: msgspec.Raw(msgspec.json.encode(vertex.VERSION))}
