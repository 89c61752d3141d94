"""The Cohere codec: one place where the parts of the dialect meet the contract; no rules of its own."""

from collections.abc import Mapping
from dataclasses import replace

from sternpost.contracts.call import Dialect
from sternpost.contracts.chat import ChatReply, ChatRequest
from sternpost.contracts.provider import STANDARD, AuthStyle, ModelFacts, Quirks
from sternpost.dialects.cohere import reply as replies
from sternpost.dialects.cohere.request_writer import write_request
from sternpost.dialects.cohere.stream_reader import CohereReader
from sternpost.dialects.errors import failures
from sternpost.dialects.protocols import ReplySummary, StreamReader, Traits, UpstreamFailure, WrittenRequest

_HEADERS: Mapping[str, str] = {"x-client-name": "sternpost"}
_BLOCKED_WORD = 498  # https://docs.cohere.com/reference/errors: a text holds what is on a deny list

_TRAITS = Traits(has_rerank=True)


class CohereChat:
    """Implements `dialects.protocols.UpstreamCodec`. Base URLs end before `/v2`, as Cohere's SDKs want it."""

    @property
    def name(self) -> Dialect:
        return "cohere"

    @property
    def traits(self) -> Traits:
        return _TRAITS

    @property
    def auth(self) -> AuthStyle:
        return "bearer"

    @property
    def forwarded_headers(self) -> tuple[str, ...]:
        return ()

    @property
    def models_path(self) -> str:
        return "/v1/models"

    def write_request(
        self, request: ChatRequest, *, quirks: Quirks, facts: ModelFacts | None
    ) -> WrittenRequest:
        return write_request(request, facts=facts)

    def read_reply(self, body: bytes, quirks: Quirks = STANDARD) -> ChatReply:
        return replies.read_reply(body)

    def summarise(self, body: bytes, quirks: Quirks) -> ReplySummary:
        return replies.summarise(body)

    def open_reader(self, quirks: Quirks) -> StreamReader:
        return CohereReader()

    def read_failure(
        self, status: int, headers: Mapping[str, str], body: bytes, now_s: float
    ) -> UpstreamFailure:
        failure = failures.read_failure(status, headers, body, now_s)
        return replace(failure, kind="policy", status=400) if status == _BLOCKED_WORD else failure

    def upstream_path(self, model: str, *, is_stream: bool, quirks: Quirks = STANDARD) -> str:
        return "/v2/chat"

    def upstream_headers(self) -> Mapping[str, str]:
        return _HEADERS
