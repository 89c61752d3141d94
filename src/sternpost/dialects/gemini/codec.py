"""The Gemini codec: one place where the parts of the dialect meet the contract; no rules of its own."""

from collections.abc import Mapping
from urllib.parse import quote

from sternpost.contracts.call import Dialect
from sternpost.contracts.chat import ChatReply, ChatRequest
from sternpost.contracts.provider import STANDARD, AuthStyle, ModelFacts, Quirks
from sternpost.dialects.gemini import errors
from sternpost.dialects.gemini import reply as replies
from sternpost.dialects.gemini.request_writer import write_request
from sternpost.dialects.gemini.stream_reader import GeminiReader
from sternpost.dialects.protocols import ReplySummary, StreamReader, Traits, UpstreamFailure, WrittenRequest

_HEADERS: Mapping[str, str] = {}


def path_of(model: str, method: str) -> str:
    return f"/models/{quote(model.removeprefix('models/'), safe='')}:{method}"


_TRAITS = Traits(
    signs_tool_calls=True,
    repeats_version_in_path=True,
    key_parameters=frozenset(
        {"key", "access_token", "oauth_token"}
    ),  # cloud.google.com/apis/docs/system-parameters
)


class Gemini:
    """Implements `dialects.protocols.UpstreamCodec`."""

    @property
    def name(self) -> Dialect:
        return "gemini"

    @property
    def traits(self) -> Traits:
        return _TRAITS

    @property
    def auth(self) -> AuthStyle:
        return "x-goog-api-key"

    @property
    def forwarded_headers(self) -> tuple[str, ...]:
        return ()

    @property
    def models_path(self) -> str:
        return "/models"

    def write_request(
        self, request: ChatRequest, *, quirks: Quirks, facts: ModelFacts | None
    ) -> WrittenRequest:
        return write_request(request, quirks=quirks, facts=facts)

    def read_reply(self, body: bytes, quirks: Quirks = STANDARD) -> ChatReply:
        return replies.read_reply(body)

    def summarise(self, body: bytes, quirks: Quirks) -> ReplySummary:
        return replies.summarise(body)

    def open_reader(self, quirks: Quirks) -> StreamReader:
        return GeminiReader()

    def read_failure(
        self, status: int, headers: Mapping[str, str], body: bytes, now_s: float
    ) -> UpstreamFailure:
        return errors.read_failure(status, headers, body, now_s)

    def upstream_path(self, model: str, *, is_stream: bool, quirks: Quirks = STANDARD) -> str:
        """Ask for server-sent events: without `alt=sse` a stream is one JSON array in pieces."""
        return path_of(model, "streamGenerateContent?alt=sse" if is_stream else "generateContent")

    def upstream_headers(self) -> Mapping[str, str]:
        return _HEADERS
