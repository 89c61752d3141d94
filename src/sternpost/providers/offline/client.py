"""The offline answerer as an upstream client in this process; no socket is opened."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from urllib.parse import urlsplit

from sternpost.base.errors import BodyTooLarge
from sternpost.base.threads import CALLS
from sternpost.contracts.upstream import UpstreamReply, UpstreamRequest
from sternpost.providers.offline.answer import STRENGTHS, answer
from sternpost.providers.offline.embedder import answer_embeddings
from sternpost.providers.offline.replies import (
    OfflineReply,
    fit,
    write_frames,
    write_models,
    write_refusal,
    write_reply,
)
from sternpost.providers.offline.requests import Refusal, read_request

_MAX_BODY_BYTES = 8_000_000
_INLINE_BYTES = 2_000  # about 0.5 ms of work; above it the event loop is kept free


class _Reply:
    """A finished reply; `chunks` hands it out piece by piece."""

    def __init__(self, status: int, content_type: str, pieces: Iterable[bytes]) -> None:
        self._status = status
        self._headers: Mapping[str, str] = {"content-type": content_type}
        self._pieces = iter(pieces)

    @property
    def status(self) -> int:
        return self._status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._headers

    async def read(self, max_bytes: int) -> bytes:
        body = b"".join(self._pieces)
        if len(body) > max_bytes:
            raise BodyTooLarge(f"the reply is larger than {max_bytes} bytes")
        return body

    async def chunks(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece

    def close(self) -> None:
        self._pieces = iter(())


class OfflineClient:
    """Answers chats, embeddings and `GET .../models` as an OpenAI-compatible host would."""

    async def send(self, request: UpstreamRequest) -> UpstreamReply:
        path = urlsplit(request.url).path
        if request.method == "GET" and path.endswith("/models"):
            return _Reply(200, "application/json", [write_models()])
        work = next((work for end, work in _WORK.items() if path.endswith(end)), None)
        if request.method != "POST" or work is None:
            refusal = Refusal(404, f"the offline answerer has no {request.method} {path!r}")
            return _Reply(404, "application/json", [write_refusal(refusal)])
        if len(request.body) > _INLINE_BYTES:
            return await CALLS.run(work, request.body)
        return work(request.body)

    async def close(self) -> None:
        """Nothing is held open."""


def _embeddings(body: bytes) -> _Reply:
    try:
        return _Reply(200, "application/json", [answer_embeddings(body)])
    except Refusal as refusal:
        return _Reply(refusal.status, "application/json", [write_refusal(refusal)])


def _reply(body: bytes) -> _Reply:
    try:
        reply = _answered(body)
    except Refusal as refusal:
        return _Reply(refusal.status, "application/json", [write_refusal(refusal)])
    if reply.request.is_stream:
        return _Reply(200, "text/event-stream; charset=utf-8", write_frames(reply))
    return _Reply(200, "application/json", [write_reply(reply)])


_WORK: Mapping[str, Callable[[bytes], _Reply]] = {"/chat/completions": _reply, "/embeddings": _embeddings}


def _answered(body: bytes) -> OfflineReply:
    if len(body) > _MAX_BODY_BYTES:
        raise Refusal(400, f"the body is larger than {_MAX_BODY_BYTES} bytes", code="context_length_exceeded")
    request = read_request(body)
    strength = STRENGTHS[request.model]
    return fit(request, answer(request.turns, strength, tools=request.tools, mode=request.tool_mode))
