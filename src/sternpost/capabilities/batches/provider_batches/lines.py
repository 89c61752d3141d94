"""One line as a provider's batch takes it, and its answer as the line asked for it; sends nothing."""

from dataclasses import dataclass, replace

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.capabilities.batches.files.line_format import DIALECTS, Request
from sternpost.capabilities.batches.provider_batches.targets import ProviderTarget
from sternpost.contracts.usage import Usage
from sternpost.dialects.json_text.halves import without_halves
from sternpost.dialects.openai_chat import embeddings
from sternpost.dialects.pairing.tool_names import restore_reply
from sternpost.dialects.protocols import ReplySummary, RequestHead, WireError, WrittenRequest
from sternpost.dialects.registry import CODECS, EMBEDDERS

_EMBEDDINGS = "/v1/embeddings"
_BATCH_TIER = "batch"
_NO_SUMMARY = ReplySummary()


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """An answer in the line's dialect, and what is read of it for the price."""

    status: int
    body: bytes
    summary: ReplySummary = _NO_SUMMARY


def read_head(request: Request) -> RequestHead:
    """Raises: BadRequest."""
    if request.url == _EMBEDDINGS:
        return embeddings.read_head(request.body)
    return CODECS[DIALECTS[request.url]].read_head(request.body)


def write_body(request: Request, target: ProviderTarget) -> WrittenRequest:
    """Write the body for the provider: an edit of the line's bytes, or a translation. Raises: BadRequest."""
    head = read_head(request)
    if request.url == _EMBEDDINGS:
        return EMBEDDERS[target.provider.dialect].write(head, target.model, target.provider.quirks)
    codec = CODECS[DIALECTS[request.url]]
    quirks = target.provider.quirks
    if target.codec is codec:
        return codec.edit(head, model=target.model, quirks=quirks, facts=target.facts)
    chat = replace(codec.read_request(request.body), model=target.model)
    return target.codec.write_request(chat, quirks=quirks, facts=target.facts)


def read_answer(body: bytes, request: Request, target: ProviderTarget) -> ProviderAnswer:
    """Read an answer of the provider. Raises: BadRequest when it is none."""
    quirks = target.provider.quirks
    if request.url == _EMBEDDINGS:
        vectors = EMBEDDERS[target.provider.dialect].read(body, read_head(request), quirks)
        return ProviderAnswer(200, vectors.shown, _at_batch_tier(vectors.summary))
    codec = CODECS[DIALECTS[request.url]]
    readable = without_halves(body)
    summary = _at_batch_tier(target.codec.summarise(readable, quirks))
    if target.codec is codec:
        return ProviderAnswer(200, body, summary)
    reply = restore_reply(
        target.codec.read_reply(readable, quirks), write_body(request, target).renamed_tools
    )
    return ProviderAnswer(200, codec.write_reply(reply), summary)


def error_body(request: Request, *, status: int, error_type: str, code: str, message: str) -> bytes:
    """Write a provider's error in the line's dialect."""
    wire = WireError(status, code or error_type, message, error_type=error_type)
    return CODECS[DIALECTS[request.url]].write_error(wire)


def as_raw(body: bytes) -> msgspec.Raw:
    """Put JSON into a line unread; without line breaks, which would end it. Raises: BadRequest."""
    if b"\n" not in body and b"\r" not in body:
        return msgspec.Raw(body)
    try:
        return msgspec.Raw(msgspec.json.encode(msgspec.json.decode(body)))
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest("the body of the line is not JSON", param="body") from error


def _at_batch_tier(summary: ReplySummary) -> ReplySummary:
    """Say that a batch ran it: OpenAI's answers name the tier of the account, not the batch."""
    if summary.usage is None:
        return summary
    usage: Usage = replace(summary.usage, service_tier=_BATCH_TIER)
    return replace(summary, usage=usage)
