"""What every provider's batch API comes down to, and the requests they share; each has a file of its own."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol, TypeVar

import msgspec

from sternpost.base.errors import UpstreamError, UpstreamRefused
from sternpost.base.threads import in_thread
from sternpost.capabilities.batches.provider_batches.targets import ProviderTarget
from sternpost.capabilities.batches.records import ProviderJob
from sternpost.contracts.upstream import UpstreamClient, UpstreamReply, UpstreamRequest
from sternpost.dialects.errors.failures import read_failure

_CONNECT_S = 10.0
_TOTAL_S = 3600.0  # a file of 200 MB over a slow line
_MAX_SMALL_BYTES = 5_000_000
_BLOCK = 262_144
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ProviderIds:
    batch_id: str
    file_id: str = ""


@dataclass(frozen=True, slots=True)
class ProviderProgress:
    """How far a provider is. `refusal`: why it would not run the batch at all."""

    is_ended: bool
    result_urls: tuple[str, ...] = ()
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class ProviderResult:
    """How one line ended there. `status` 0: it was not run, `code` says why."""

    number: int
    status: int
    body: bytes = b""  # an answer in the provider's dialect
    error_type: str = ""
    code: str = ""
    message: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class JobFile:
    """What is sent: a file of whole lines in the provider's form."""

    token: str  # names the job at the provider, so that a lost answer does not make two of it
    size_bytes: int
    file: BinaryIO


@dataclass(frozen=True, slots=True)
class LostJob:
    """A job that may be at the provider though no answer said so."""

    token: str
    since_ns: int  # not before; the provider's clock may differ
    others: frozenset[str]  # ids of batches there that are known to be others


class NotYetKnown(UpstreamError):
    """Whether a job arrived shows only later."""


class ProviderApi(Protocol):
    """Raises: UpstreamError, UpstreamRefused with the provider's status, anywhere."""

    def frame(self, lines: Iterator[tuple[int, str, bytes]], token: str) -> Iterator[bytes]:
        """Write a job's file; lines: number, path and body of each. token: names the job in each line."""
        ...

    async def submit(self, target: ProviderTarget, job: ProviderJob, sent: JobFile) -> ProviderIds: ...

    async def find(self, target: ProviderTarget, lost: LostJob) -> ProviderIds | None:
        """Look for a job that was sent when its answer was lost; None: it never arrived.

        Raises: NotYetKnown while that can't be told.
        """
        ...

    async def progress(self, target: ProviderTarget, job: ProviderJob) -> ProviderProgress: ...

    async def cancel(self, target: ProviderTarget, job: ProviderJob) -> None: ...

    def read_result(self, row: bytes) -> ProviderResult | None:
        """Read one row of a result file; None when it is not one of ours."""
        ...


@dataclass(slots=True)
class _Rows:
    """Cuts bytes that arrive in any pieces into rows."""

    rest: bytearray = field(default_factory=bytearray)

    def feed(self, chunk: bytes) -> list[bytes]:
        self.rest += chunk
        if b"\n" not in chunk:
            return []
        *rows, last = self.rest.split(b"\n")
        self.rest = bytearray(last)
        return [bytes(row) for row in rows]


@dataclass(frozen=True, slots=True)
class ProviderHttp:
    """Sends to one provider's API and classes its refusals."""

    client: UpstreamClient

    async def call(
        self,
        target: ProviderTarget,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        upload: AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """Ask and read a small answer. An upload is sent once, a body again when its connection was stale.

        Raises: UpstreamRefused, UpstreamError.
        """
        reply = await self._open(target, method, path, body=body, upload=upload, headers=headers)
        try:
            return await reply.read(_MAX_SMALL_BYTES)
        finally:
            reply.close()

    async def rows(self, target: ProviderTarget, path: str) -> AsyncGenerator[bytes, None]:
        """Read a result file row by row, as it arrives. Raises: UpstreamRefused, UpstreamError."""
        reply = await self._open(target, "GET", path)
        splitter = _Rows()
        try:
            async for chunk in reply.chunks():
                for row in splitter.feed(chunk):
                    yield row
            yield bytes(splitter.rest)
        finally:
            reply.close()

    async def _open(
        self,
        target: ProviderTarget,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        upload: AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> UpstreamReply:
        url = (
            path if path.startswith(("http://", "https://")) else target.provider.base_url.rstrip("/") + path
        )
        sent = {**target.headers, **(headers or {})}
        if not body and upload is None:
            sent.pop("content-type", None)
        reply = await self.client.send(
            UpstreamRequest(method, url, sent, body, _CONNECT_S, _TOTAL_S, upload=upload)
        )
        if 200 <= reply.status < 300:
            return reply
        try:
            words = await reply.read(_MAX_SMALL_BYTES)
        finally:
            reply.close()
        failure = read_failure(reply.status, reply.headers, words, 0.0)
        raise UpstreamRefused(
            failure.message,
            http_status=reply.status,
            wire_code=failure.code,
            error_type=failure.error_type,
            retry_after_s=failure.retry_after_s,
        )


async def stream_of(file: BinaryIO, before: bytes = b"", after: bytes = b"") -> AsyncIterator[bytes]:
    """Send a file between two pieces, block by block."""
    if before:
        yield before
    while block := await in_thread(file.read, _BLOCK):
        yield block
    if after:
        yield after


async def once(body: bytes) -> AsyncIterator[bytes]:
    """Send a body as an upload, which is never sent again by itself."""
    yield body


def line_id(token: str, number: int) -> str:
    """Name a line at a provider: the caller's own ids may be longer, or of other letters, than it takes.

    The longest is Anthropic's 64 letters, digits, hyphens and underscores.
    """
    return f"{token}-{number}"


def number_of(text: object) -> int | None:
    digits = text.rpartition("-")[2] if isinstance(text, str) else ""
    return int(digits) if digits.isdecimal() else None


def decode(body: bytes, kind: type[T]) -> T:
    """Read a small answer. Raises: UpstreamRefused."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UpstreamRefused(
            "the provider's batch API sent an answer that can't be read", http_status=502
        ) from error
