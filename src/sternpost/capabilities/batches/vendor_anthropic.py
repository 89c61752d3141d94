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

from sternpost.capabilities.batches.records import VendorJob
from sternpost.capabilities.batches.targets import VendorTarget
from sternpost.capabilities.batches.vendor_api import (
    JobFile,
    LostJob,
    NotYetKnown,
    VendorHttp,
    VendorIds,
    VendorProgress,
    VendorResult,
    decode,
    line_id,
    number_of,
    stream_of,
)
from sternpost.capabilities.batches.vendor_lines import as_raw

_PATH = "/messages/batches"
_CLOCKS_NS = 600 * 10**9  # how far the vendor's clock may be behind ours
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
    """Implements `vendor_api.VendorApi`."""

    http: VendorHttp

    def frame(self, lines: Iterator[tuple[int, str, bytes]], token: str) -> Iterator[bytes]:
        separator = b'{"requests":['
        for number, _, body in lines:
            row = {"custom_id": line_id(token, number), "params": as_raw(body)}
            yield separator + msgspec.json.encode(row)
            separator = b","
        yield b"]}"

    async def submit(self, target: VendorTarget, job: VendorJob, sent: JobFile) -> VendorIds:
        headers = {"content-length": str(sent.size_bytes), "content-type": "application/json"}
        answer = await self.http.call(target, "POST", _PATH, upload=stream_of(sent.file), headers=headers)
        return VendorIds(decode(answer, _Batch).id)

    async def find(self, target: VendorTarget, lost: LostJob) -> VendorIds | None:
        """Look into the results of later batches: only there stands which lines a batch has."""
        answer = await self.http.call(target, "GET", f"{_PATH}?limit=100")
        is_open = False
        for batch in decode(answer, _Page).data:
            if batch.id in lost.others or _made_ns(batch) < lost.since_ns - _CLOCKS_NS:
                continue
            if batch.processing_status != "ended":
                is_open = True
            elif await self._is_of(target, batch.id, lost.token):
                return VendorIds(batch.id)
        if is_open:
            raise NotYetKnown("one of the batches running there may be this one, whose id was lost")
        return None

    async def _is_of(self, target: VendorTarget, batch_id: str, token: str) -> bool:
        async with aclosing(self.http.rows(target, f"{_PATH}/{batch_id}/results")) as rows:
            async for row in rows:
                return f'"{token}-'.encode() in row
        return False

    async def progress(self, target: VendorTarget, job: VendorJob) -> VendorProgress:
        batch = decode(await self.http.call(target, "GET", f"{_PATH}/{job.vendor_batch_id}"), _Batch)
        # The documented path, not `results_url`: that names the vendor's host, which may be behind a proxy.
        urls = (f"{_PATH}/{job.vendor_batch_id}/results",)
        return VendorProgress(batch.processing_status == "ended", urls)

    async def cancel(self, target: VendorTarget, job: VendorJob) -> None:
        await self.http.call(target, "POST", f"{_PATH}/{job.vendor_batch_id}/cancel", body=b"{}")

    def read_result(self, row: bytes) -> VendorResult | None:
        try:
            read = msgspec.json.decode(row, type=_Row)
        except (msgspec.DecodeError, RecursionError):
            return None
        number = number_of(read.custom_id)
        if number is None or read.result is None:
            return None
        result = read.result
        if result.type == "succeeded" and bytes(result.message):
            return VendorResult(number, 200, bytes(result.message))
        if result.type in _NOT_RUN:
            code, message = _NOT_RUN[result.type]
            return VendorResult(number, 0, code=code, message=message)
        words = result.error.error if result.error and result.error.error else _Words()
        kind = str(words.type or "api_error")
        return VendorResult(
            number, _STATUS.get(kind, 500), error_type=kind, message=str(words.message or "no reason given")
        )


def _made_ns(batch: _Batch) -> float:
    """Return when a batch was made; one that does not say so counts as new."""
    try:
        return datetime.fromisoformat(batch.created_at).timestamp() * 1e9
    except ValueError:
        return math.inf
