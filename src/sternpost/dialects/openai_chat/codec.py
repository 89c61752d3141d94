"""The OpenAI chat codec: one place where the parts of the dialect meet the contract; no rules of its own."""

from collections.abc import Mapping

from sternpost.contracts.call import Dialect
from sternpost.contracts.chat import ChatReply, ChatRequest
from sternpost.contracts.provider import STANDARD, AuthStyle, ModelFacts, Quirks
from sternpost.dialects.errors import failures
from sternpost.dialects.openai_chat import errors
from sternpost.dialects.openai_chat import head as heads
from sternpost.dialects.openai_chat import reply as replies
from sternpost.dialects.openai_chat.request_reader import read_request
from sternpost.dialects.openai_chat.request_writer import write_request
from sternpost.dialects.openai_chat.stream_reader import OpenAiReader
from sternpost.dialects.openai_chat.stream_writer import OpenAiWriter
from sternpost.dialects.openai_chat.tap import OpenAiTap
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

_HEADERS: Mapping[str, str] = {}

_TRAITS = Traits(
    is_openai=True,
    counts_elsewhere="openai_responses",
    takes_tools_elsewhere="openai_responses",
)


class OpenAiChat:
    """Implements `dialects.protocols.Codec`."""

    @property
    def name(self) -> Dialect:
        return "openai_chat"

    @property
    def traits(self) -> Traits:
        return _TRAITS

    @property
    def auth(self) -> AuthStyle:
        return "bearer"

    @property
    def forwarded_headers(self) -> tuple[str, ...]:
        return ("openai-beta", "idempotency-key")

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
        return replies.read_reply(body, quirks)

    def write_reply(self, reply: ChatReply, head: RequestHead | None = None) -> bytes:
        return replies.write_reply(reply)

    def summarise(self, body: bytes, quirks: Quirks) -> ReplySummary:
        return replies.summarise(body, quirks)

    def open_reader(self, quirks: Quirks) -> StreamReader:
        return OpenAiReader(quirks)

    def open_writer(self, head: RequestHead, *, created_s: int = 0) -> StreamWriter:
        return OpenAiWriter(wants_usage=head.wants_stream_usage, created_s=created_s)

    def open_tap(self, head: RequestHead, quirks: Quirks) -> Relay:
        return OpenAiTap(wants_usage=head.wants_stream_usage, quirks=quirks)

    def read_failure(
        self, status: int, headers: Mapping[str, str], body: bytes, now_s: float
    ) -> UpstreamFailure:
        return failures.read_failure(status, headers, body, now_s)

    def write_error(self, error: WireError) -> bytes:
        return errors.write_error(error)

    def keep_alive(self) -> bytes:
        return b": keep-alive\n\n"

    def upstream_path(self, model: str, *, is_stream: bool, quirks: Quirks = STANDARD) -> str:
        return "/chat/completions"

    def upstream_headers(self) -> Mapping[str, str]:
        return _HEADERS
