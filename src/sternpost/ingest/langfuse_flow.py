"""The stories of Langfuse's own requests: events, scores and media in, journal records out."""

import hmac
import secrets
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import Final

import msgspec

from sternpost.base import json_size
from sternpost.base.clock import Clock
from sternpost.base.content_coding import decode
from sternpost.base.errors import BadRequest, KeyRefused, SternpostError, StoreError
from sternpost.base.ids import ContentHash, ProjectId
from sternpost.base.threads import INTAKE
from sternpost.capabilities.access.rules import refuse_without
from sternpost.contracts.blobs import Blob
from sternpost.contracts.call import Principal
from sternpost.contracts.key_scope import KeyScope
from sternpost.contracts.message import Json
from sternpost.contracts.score import Score
from sternpost.ingest.batch import Batch, map_spans, pack, payload_of
from sternpost.ingest.langfuse import Observations, read_events, read_score
from sternpost.ingest.mapping.media import apart_hash
from sternpost.ingest.mapping.money import Prices
from sternpost.ingest.mapping.spans import MappedSpan
from sternpost.ingest.mapping.values import as_text, is_list, is_mapping
from sternpost.ingest.otlp_reply import Signal
from sternpost.ingest.records import OtlpReply, Sender

_INLINE_BYTES: Final = 8_000
_JSON_LIMITS: Final = json_size.JsonLimits(fields=500_000, values=1_000_000)  # as of a batch of spans
_JSON: Final = {"content-type": "application/json"}
_PROBLEM: Final = {"content-type": "application/problem+json"}
_RETRY_AFTER_S: Final = "5"
_UPLOAD_NS: Final = 900 * 10**9
_TO_READ: Final = "read"  # in place of a digest
_ID_CHARACTERS: Final = 22  # of the digest in URL-safe base64: Langfuse's SDKs write this id into messages


@dataclass(frozen=True, slots=True)
class Upload:
    """A medium that its sender may now put; `token` is its leave."""

    media_id: str
    token: str


@dataclass(frozen=True, slots=True)
class ScoresTaken:
    """The status and the body that Langfuse answers."""

    status: int
    answer: Mapping[str, Json]


class _Leave(msgspec.Struct, array_like=True):
    """What a token says: which bytes may be put, by whom and until when."""

    project_id: str
    media_id: str
    mime_type: str
    digest: str
    until_ns: int


class LangfuseIntake:
    """Takes what Langfuse's SDKs send beside OTLP; what it acknowledges is on disk."""

    def __init__(
        self,
        keep: Callable[[Batch], Awaitable[None]],
        prices: Prices,
        clock: Clock,
        *,
        max_body_bytes: int,
        secret: bytes = b"",
    ) -> None:
        """keep: makes a batch durable. secret: signs leaves to upload; all processes of a server share it."""
        self._keep = keep
        self._prices = prices
        self._clock = clock
        self._observations = Observations()
        self._max_body_bytes = max_body_bytes
        self._secret = secret or secrets.token_bytes(32)

    async def handle(self, signal: Signal, body: bytes, encoding: str, principal: Principal) -> OtlpReply:
        """Keep the events or scores of one request. Raises: as `take_events` and `take_scores` do."""
        if signal == "langfuse_scores":
            taken = await self.take_scores(body, principal, encoding)
            return OtlpReply(taken.status, _JSON, msgspec.json.encode(taken.answer))
        answer = await self.take_events(body, principal, encoding)
        return OtlpReply(207, _JSON, msgspec.json.encode(answer))

    async def take_events(self, body: bytes, principal: Principal, encoding: str = "") -> Mapping[str, Json]:
        """Keep a batch of events and return what Langfuse answers.

        Raises: BadRequest; EncodingRefused; BodyTooLarge; PermissionRefused; JournalFull.
        """
        # A packed body may unfold to megabytes, however small it is.
        if encoding or len(body) > _INLINE_BYTES:
            batch, answer = await INTAKE.run(self._map_events, body, encoding, principal)
        else:
            batch, answer = self._map_events(body, encoding, principal)
        await self._keep(batch)
        return answer

    def _read(self, body: bytes, encoding: str) -> Json:
        """Raises: BadRequest, EncodingRefused, BodyTooLarge."""
        text = decode(body, encoding, self._max_body_bytes)
        if not json_size.is_surely_small(text, _JSON_LIMITS):
            json_size.check(text, _JSON_LIMITS)
        return _decoded(text)

    def _map_events(
        self, body: bytes, encoding: str, principal: Principal
    ) -> tuple[Batch, Mapping[str, Json]]:
        listed = _as_object(self._read(body, encoding)).get("batch")
        if not is_list(listed):
            raise BadRequest("the body must be an object with a list `batch`")
        now_ns = self._clock.now_ns()
        sender = Sender(principal.project_id, principal.key_id)
        events = read_events(listed, sender, now_ns, self._observations)
        if events.spans:
            refuse_without(KeyScope.TRACES_WRITE, principal)
        if events.scores:
            refuse_without(KeyScope.SCORES_WRITE, principal)
        batch = map_spans(events.spans.values(), principal, now_ns, self._prices)
        scores = pack([MappedSpan(None, scores=tuple(events.scores))] if events.scores else [])
        answer: Mapping[str, Json] = {
            "successes": [{"id": id_, "status": 201} for id_ in events.accepted],
            "errors": [
                {"id": id_, "status": 400, "message": why, "error": "InvalidRequestError"}
                for id_, why in events.refused
            ],
        }
        return Batch(
            payloads=[*batch.payloads, *scores.payloads],
            span_count=batch.span_count,
            score_count=scores.score_count,
            rejected=batch.rejected,
        ), answer

    async def take_scores(self, body: bytes, principal: Principal, encoding: str = "") -> ScoresTaken:
        """Keep one score, or a list of them as newer SDKs send it; of a list each by itself.

        Raises: BadRequest, for a single one that can't be kept; EncodingRefused; BodyTooLarge; JournalFull.
        """
        refuse_without(KeyScope.SCORES_WRITE, principal)
        sender = Sender(principal.project_id, principal.key_id)
        is_large = encoding or len(body) > _INLINE_BYTES
        sent = await INTAKE.run(self._read, body, encoding) if is_large else self._read(body, encoding)
        now_ns = self._clock.now_ns()
        if not is_list(sent):
            score = read_score(_as_object(sent), sender, now_ns)
            await self._keep(pack([MappedSpan(None, scores=(score,))]))
            return ScoresTaken(200, {"id": as_text(_as_object(sent).get("id")) or score.score_id})
        scores: list[Score] = []
        errors: list[Json] = []
        for number, one in enumerate(sent):
            try:
                scores.append(read_score(_as_object(one), sender, now_ns))
            except BadRequest as error:
                id_ = as_text(one.get("id")) if is_mapping(one) else ""
                errors.append({"index": number, "id": id_, "status": 400, "message": error.message})
        if scores:
            await self._keep(pack([MappedSpan(None, scores=tuple(scores))]))
        return ScoresTaken(207, {"accepted": len(scores), "rejected": len(errors), "errors": errors})

    def open_upload(self, body: bytes, principal: Principal) -> Upload:
        """Say under which id a medium is kept, and give leave to put its bytes. Raises: BadRequest."""
        refuse_without(KeyScope.TRACES_WRITE, principal)
        fields = _object(body)
        digest, mime_type = as_text(fields.get("sha256Hash")), as_text(fields.get("contentType"))
        try:
            is_digest = len(b64decode(digest, validate=True)) == 32
        except ValueError:
            is_digest = False
        if not is_digest:
            raise BadRequest("`sha256Hash` must be the SHA-256 of the media in base64")
        media_id = urlsafe_b64encode(b64decode(digest)).decode()[:_ID_CHARACTERS]
        leave = _Leave(
            principal.project_id, media_id, mime_type[:100], digest, self._clock.now_ns() + _UPLOAD_NS
        )
        return Upload(media_id, self._signed(leave))

    def link_to_medium(self, media_id: str, mime_type: str, principal: Principal) -> tuple[str, int]:
        """Return a token with which anybody may read a medium for a while, and until when."""
        until_ns = self._clock.now_ns() + _UPLOAD_NS
        return self._signed(_Leave(principal.project_id, media_id, mime_type, _TO_READ, until_ns)), until_ns

    def linked_medium(self, token: str, media_id: str) -> tuple[ProjectId, ContentHash]:
        """Return where the medium of a link is kept. Raises: KeyRefused."""
        leave = self._leave_of(token)
        if leave.digest != _TO_READ or leave.media_id != media_id:
            raise KeyRefused("this address is not one to read this medium at")
        project_id = ProjectId(leave.project_id)
        return project_id, apart_hash(project_id, media_id)

    async def take_medium(self, token: str, content: bytes) -> None:
        """Keep the bytes of a medium. Raises: KeyRefused, BadRequest, JournalFull."""
        leave = self._leave_of(token)
        if b64encode(sha256(content).digest()).decode() != leave.digest:
            raise BadRequest("the bytes don't match the given SHA-256")
        project_id = ProjectId(leave.project_id)
        blob = Blob(project_id, apart_hash(project_id, leave.media_id), leave.mime_type, content)
        await self._keep(Batch([payload_of([MappedSpan(None, blobs=(blob,))])]))

    def _signed(self, leave: _Leave) -> str:
        words = urlsafe_b64encode(msgspec.msgpack.encode(leave)).decode().rstrip("=")
        return f"{words}.{hmac.new(self._secret, words.encode(), sha256).hexdigest()}"

    def _leave_of(self, token: str) -> _Leave:
        words, _, sign = token.partition(".")
        if not hmac.compare_digest(hmac.new(self._secret, words.encode(), sha256).hexdigest(), sign):
            raise KeyRefused("this upload URL is not from this server, or is from before its restart")
        packed = b64decode(words + "=" * (-len(words) % 4), altchars=b"-_")
        leave = msgspec.msgpack.decode(packed, type=_Leave)
        if leave.until_ns < self._clock.now_ns():
            raise KeyRefused("this upload URL has expired")
        return leave


def langfuse_refusal(error: SternpostError) -> OtlpReply:
    """Write an error as problem details that Langfuse's SDKs can read too."""
    told: Mapping[str, Json] = {
        "type": f"urn:sternpost:error:{error.code}",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "code": error.code,
        "detail": error.message,
        "message": error.message,
        "error": error.code,
    }
    headers = {**_PROBLEM, "retry-after": _RETRY_AFTER_S} if isinstance(error, StoreError) else _PROBLEM
    return OtlpReply(error.status, headers, msgspec.json.encode(told))


def _decoded(body: bytes) -> Json:
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise BadRequest("the body is not JSON") from None


def _object(body: bytes) -> Mapping[str, Json]:
    return _as_object(_decoded(body))


def _as_object(value: Json) -> Mapping[str, Json]:
    if not is_mapping(value):
        raise BadRequest("the body is not a JSON object")
    return value
