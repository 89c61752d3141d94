"""The Anthropic codec: one place where the parts of the dialect meet the contract; no rules of its own."""

from collections.abc import Mapping

from sternpost.contracts.call import Dialect
from sternpost.contracts.chat import ChatReply, ChatRequest
from sternpost.contracts.provider import STANDARD, AuthStyle, ModelFacts, Quirks
from sternpost.dialects.anthropic import errors, vertex
from sternpost.dialects.anthropic import head as heads
from sternpost.dialects.anthropic import reply as replies
from sternpost.dialects.anthropic.request_reader import read_request
from sternpost.dialects.anthropic.request_writer import write_request
from sternpost.dialects.anthropic.stream_reader import AnthropicReader
from sternpost.dialects.anthropic.stream_writer import PING_FRAME, AnthropicWriter
from sternpost.dialects.anthropic.tap import AnthropicTap
from sternpost.dialects.errors import failures
from sternpost.dialects.protocols import (
    Relay,
    ReplySummary,
    RequestHead,
    StreamReader,
    StreamWriter,
    Traits,
    UpstreamFailure,
    WireError,
    WrittenRequest,
)

_HEADERS: Mapping[str, str] = {"anthropic-version": "2023-06-01"}

_TRAITS = Traits(signs_reasoning=True, has_betas=True, request_id_header=b"request-id")


class AnthropicMessages:
    """Implements `dialects.protocols.Codec`."""

    @property
    def name(self) -> Dialect:
        return "anthropic"

    @property
    def traits(self) -> Traits:
        return _TRAITS

    @property
    def auth(self) -> AuthStyle:
        return "x-api-key"

    @property
    def forwarded_headers(self) -> tuple[str, ...]:
        return ("anthropic-beta", "idempotency-key")

    @property
    def models_path(self) -> str:
        return "/models"

    def read_head(self, body: bytes) -> RequestHead:
        return heads.read_head(body)

    def edit(
        self, head: RequestHead, *, model: str, quirks: Quirks, facts: ModelFacts | None
    ) -> WrittenRequest:
        return heads.edit(head, model=model, quirks=quirks, facts=facts)

    def read_request(self, body: bytes) -> ChatRequest:
        return read_request(body)

    def write_request(
        self, request: ChatRequest, *, quirks: Quirks, facts: ModelFacts | None
    ) -> WrittenRequest:
        return write_request(request, quirks=quirks, facts=facts)

    def read_reply(self, body: bytes, quirks: Quirks = STANDARD) -> ChatReply:
        return replies.read_reply(body)

    def write_reply(self, reply: ChatReply, head: RequestHead | None = None) -> bytes:
        return replies.write_reply(reply)

    def summarise(self, body: bytes, quirks: Quirks) -> ReplySummary:
        return replies.summarise(body)

    def open_reader(self, quirks: Quirks) -> StreamReader:
        return AnthropicReader()

    def open_writer(self, head: RequestHead, *, created_s: int = 0) -> StreamWriter:
        return AnthropicWriter()

    def open_tap(self, head: RequestHead, quirks: Quirks) -> Relay:
        return AnthropicTap()

    def read_failure(
        self, status: int, headers: Mapping[str, str], body: bytes, now_s: float
    ) -> UpstreamFailure:
        return failures.read_failure(status, headers, body, now_s)

    def write_error(self, error: WireError) -> bytes:
        return errors.write_error(error)

    def keep_alive(self) -> bytes:
        return PING_FRAME

    def upstream_path(self, model: str, *, is_stream: bool, quirks: Quirks = STANDARD) -> str:
        return vertex.path_of(model, is_stream=is_stream) if quirks.is_vertex else "/messages"

    def upstream_headers(self) -> Mapping[str, str]:
        return _HEADERS
