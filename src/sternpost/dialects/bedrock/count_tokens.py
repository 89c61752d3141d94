"""Token counts as Bedrock asks and answers them; which models can be counted for, only Bedrock knows.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html
"""

from dataclasses import replace

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import ChatRequest
from sternpost.contracts.message import Json
from sternpost.contracts.provider import ModelFacts, Quirks
from sternpost.dialects.bedrock.model_ids import base_of, path_of
from sternpost.dialects.bedrock.request_writer import write_request
from sternpost.dialects.json_text.fields import read_object
from sternpost.dialects.protocols import FailureKind, WrittenRequest

_COUNTED = ("messages", "system", "toolConfig")


class BedrockCounter:
    """Implements `dialects.protocols.TokenCounter`. Counting is a right of its own at AWS."""

    uncounted = frozenset[FailureKind]({"bad_request", "permission", "not_found"})
    counts_by_base_model = True

    def path(self, model: str, quirks: Quirks) -> str:
        """Return the path for the model itself: profiles are not counted for."""
        return path_of(base_of(model), "count-tokens")

    def write(self, request: ChatRequest, *, quirks: Quirks, facts: ModelFacts | None) -> WrittenRequest:
        """Write what Converse would be sent, without what only shapes the answer. Raises: BadRequest."""
        written = write_request(request, facts=facts)
        body = read_object(written.body).values
        counted: dict[str, Json] = {name: body[name] for name in _COUNTED if name in body}
        return replace(written, body=msgspec.json.encode({"input": {"converse": counted}}))

    def read(self, body: bytes) -> int:
        """Raises: BadRequest when the body is no count."""
        count = read_object(body).integer("inputTokens")
        if count is None:
            raise BadRequest("The provider's reply has no `inputTokens`.", param="inputTokens")
        return count
