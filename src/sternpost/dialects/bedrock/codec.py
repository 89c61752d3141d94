"""The Bedrock codec: one place where the parts of the dialect meet the contract; no rules of its own."""

from collections.abc import Mapping

from sternpost.contracts.call import Dialect
from sternpost.contracts.chat import ChatReply, ChatRequest
from sternpost.contracts.provider import STANDARD, AuthStyle, ModelFacts, Quirks
from sternpost.dialects.bedrock import errors
from sternpost.dialects.bedrock import reply as replies
from sternpost.dialects.bedrock.model_ids import path_of
from sternpost.dialects.bedrock.request_writer import write_request
from sternpost.dialects.bedrock.stream_reader import BedrockReader
from sternpost.dialects.protocols import ReplySummary, StreamReader, Traits, UpstreamFailure, WrittenRequest

_TRAITS = Traits(signs_reasoning=True)


class BedrockConverse:
    """Implements `dialects.protocols.UpstreamCodec`."""

    @property
    def name(self) -> Dialect:
        return "bedrock"

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
        return ""  # models are listed at another host, with other rights

    def write_request(
        self, request: ChatRequest, *, quirks: Quirks, facts: ModelFacts | None
    ) -> WrittenRequest:
        return write_request(request, facts=facts)

    def read_reply(self, body: bytes, quirks: Quirks = STANDARD) -> ChatReply:
        return replies.read_reply(body)

    def summarise(self, body: bytes, quirks: Quirks) -> ReplySummary:
        return replies.summarise(body)

    def open_reader(self, quirks: Quirks) -> StreamReader:
        return BedrockReader()

    def read_failure(
        self, status: int, headers: Mapping[str, str], body: bytes, now_s: float
    ) -> UpstreamFailure:
        return errors.read_failure(status, headers, body, now_s)

    def upstream_path(self, model: str, *, is_stream: bool, quirks: Quirks = STANDARD) -> str:
        return path_of(model, "converse-stream" if is_stream else "converse")

    def upstream_headers(self) -> Mapping[str, str]:
        return {}
