"""The codec of Ollama's own API: one place where its parts meet the contract; no rules of its own."""

from collections.abc import Mapping

from sternpost.contracts.call import Dialect
from sternpost.contracts.chat import ChatReply, ChatRequest
from sternpost.contracts.provider import STANDARD, AuthStyle, ModelFacts, Quirks
from sternpost.dialects.errors import failures
from sternpost.dialects.ollama import reply as replies
from sternpost.dialects.ollama.request_writer import write_request
from sternpost.dialects.ollama.stream_reader import OllamaReader
from sternpost.dialects.protocols import ReplySummary, StreamReader, Traits, UpstreamFailure, WrittenRequest

_HEADERS: Mapping[str, str] = {}

_TRAITS = Traits(streams_json_lines=True)


class OllamaChat:
    """Implements `dialects.protocols.UpstreamCodec`. Base URLs end before `/api`."""

    @property
    def name(self) -> Dialect:
        return "ollama"

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
        return "/api/tags"

    def write_request(
        self, request: ChatRequest, *, quirks: Quirks, facts: ModelFacts | None
    ) -> WrittenRequest:
        return write_request(request)

    def read_reply(self, body: bytes, quirks: Quirks = STANDARD) -> ChatReply:
        return replies.read_reply(body)

    def summarise(self, body: bytes, quirks: Quirks) -> ReplySummary:
        return replies.summarise(body)

    def open_reader(self, quirks: Quirks) -> StreamReader:
        return OllamaReader()

    def read_failure(
        self, status: int, headers: Mapping[str, str], body: bytes, now_s: float
    ) -> UpstreamFailure:
        return failures.read_failure(status, headers, body, now_s)

    def upstream_path(self, model: str, *, is_stream: bool, quirks: Quirks = STANDARD) -> str:
        return "/api/chat"

    def upstream_headers(self) -> Mapping[str, str]:
        return _HEADERS
