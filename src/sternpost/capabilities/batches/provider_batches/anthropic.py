"""Anthropic's message batches: one request with all lines, one result file.

Source: https://docs.anthropic.com/en/api/creating-message-batches and /retrieving-message-batch-results
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from sternpost.capabilities.batches.provider_batches.api import (
    JobFile,
    LostJob,
    NotYetKnown,
    ProviderHttp,
    ProviderIds,
    ProviderProgress,
    ProviderResult,
    decode,
    line_id,
    number_of,
    stream_of,
)
from sternpost.capabilities.batches.provider_batches.lines import as_raw
from sternpost.capabilities.batches.provider_batches.targets import ProviderTarget
from sternpost.capabilities.batches.records import ProviderJob

_PATH = "/messages/batches"
_CLOCKS_NS = 600 * 10**9  # how far the provider's clock may be behind ours
_STATUS: Final[Mapping[str, int]] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_NOT_RUN: Final[Mapping[str, tuple[str, str]]] = {
    "expired": ("batch_expired", "the provider did not run this line within its 24 hours"),
    "canceled": ("batch_cancelled", "the provider had not run this line when the batch was cancelled"),
}


class _Batch(msgspec.Struct):
    id: str
    processing_status: str = ""
    created_at: str = ""


class _Page(msgspec.Struct):
    data: list[_Batch]


class _Words(msgspec.Struct):
    type: Any = None
    message: Any = None


class _Error(msgspec.Struct):
    error: _Words | None = None


class _Result(msgspec.Struct):
    type: str = ""
    message: msgspec.Raw = msgspec.Raw()
    error: _Error | None = None


class _Row(msgspec.Struct):
    custom_id: Any = None
    result: _Result | None = None


@dataclass(frozen=True, slots=True)
class AnthropicBatches:
    """Implements `provider_api.ProviderApi`."""

    http: ProviderHttp

    def frame(self, lines: Iterator[tuple[int, str, bytes]], token: str) -> Iterator[bytes]:
        separator = b'{"requests":['
        for number, _, body in lines:
            row = {"custom_id": line_id(token, number), "params": as_raw(body)}
            yield separator + msgspec.json.encode(row)
            separator = b","
        yield b"]}"

    async def submit(self, target: ProviderTarget, job: ProviderJob, sent: JobFile) -> ProviderIds:
        headers = {"content-length": str(sent.size_bytes), "content-type": "application/json"}
        answer = await self.http.call(target, "POST", _PATH, upload=stream_of(sent.file), headers=headers)
        return ProviderIds(decode(answer, _Batch).id)

    async def find(self, target: ProviderTarget, lost: LostJob) -> ProviderIds | None:
        """Look into the results of later batches: only there stands which lines a batch has."""
        answer = await self.http.call(target, "GET", f"{_PATH}?limit=100")
        is_open = False
        for batch in decode(answer, _Page).data:
            if batch.id in lost.others or _made_ns(batch) < lost.since_ns - _CLOCKS_NS:
                continue
            if batch.processing_status != "ended":
                is_open = True
            elif await self._is_of(target, batch.id, lost.token):
                return ProviderIds(batch.id)
        if is_open:
            raise NotYetKnown("one of the batches running there may be this one, whose id was lost")
        return None

    async def _is_of(self, target: ProviderTarget, batch_id: str, token: str) -> bool:
        async with aclosing(self.http.rows(target, f"{_PATH}/{batch_id}/results")) as rows:
            async for row in rows:
                return f'"{token}-'.encode() in row
        return False

    async def progress(self, target: ProviderTarget, job: ProviderJob) -> ProviderProgress:
        batch = decode(await self.http.call(target, "GET", f"{_PATH}/{job.provider_batch_id}"), _Batch)
        # The documented path, not `results_url`: that names the provider's host, which may be behind a proxy.
        urls = (f"{_PATH}/{job.provider_batch_id}/results",)
        return ProviderProgress(batch.processing_status == "ended", urls)

    async def cancel(self, target: ProviderTarget, job: ProviderJob) -> None:
        await self.http.call(target, "POST", f"{_PATH}/{job.provider_batch_id}/cancel", body=b"{}")

    def read_result(self, row: bytes) -> ProviderResult | None:
        try:
            read = msgspec.json.decode(row, type=_Row)
        except (msgspec.DecodeError, RecursionError):
            return None
        number = number_of(read.custom_id)
        if number is None or read.result is None:
            return None
        result = read.result
        if result.type == "succeeded" and bytes(result.message):
            return ProviderResult(number, 200, bytes(result.message))
        if result.type in _NOT_RUN:
            code, message = _NOT_RUN[result.type]
            return ProviderResult(number, 0, code=code, message=message)
        words = result.error.error if result.error and result.error.error else _Words()
        kind = str(words.type or "api_error")
        return ProviderResult(
            number, _STATUS.get(kind, 500), error_type=kind, message=str(words.message or "no reason given")
        )


def _made_ns(batch: _Batch) -> float:
    """Return when a batch was made; one that does not say so counts as new."""
    try:
        return datetime.fromisoformat(batch.created_at).timestamp() * 1e9
    except ValueError:
        return math.inf
