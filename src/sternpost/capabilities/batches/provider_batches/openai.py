"""OpenAI's batch API: a file, a batch of it, an output and an error file.

Source: https://platform.openai.com/docs/api-reference/batch and https://platform.openai.com/docs/guides/batch
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from sternpost.capabilities.batches.provider_batches.api import (
    JobFile,
    LostJob,
    ProviderHttp,
    ProviderIds,
    ProviderProgress,
    ProviderResult,
    decode,
    line_id,
    number_of,
    once,
    stream_of,
)
from sternpost.capabilities.batches.provider_batches.lines import as_raw
from sternpost.capabilities.batches.provider_batches.targets import ProviderTarget
from sternpost.capabilities.batches.records import ProviderJob

_ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
_TOKEN = "sternpost_job"  # noqa: S105 - the name of a metadata entry, no secret


class _Fault(msgspec.Struct):
    code: Any = None
    message: Any = None


class _Faults(msgspec.Struct):
    data: list[_Fault] | None = None


class _Batch(msgspec.Struct):
    id: str
    status: str = ""
    input_file_id: str | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None
    errors: _Faults | None = None
    metadata: dict[str, Any] | None = None


class _Page(msgspec.Struct):
    data: list[_Batch]


class _File(msgspec.Struct):
    id: str


class _Response(msgspec.Struct):
    body: msgspec.Raw = msgspec.Raw()
    status_code: int = 0
    request_id: str | None = None


class _Row(msgspec.Struct):
    custom_id: Any = None
    response: _Response | None = None
    error: _Fault | None = None


@dataclass(frozen=True, slots=True)
class OpenAiBatches:
    """Implements `provider_api.ProviderApi`."""

    http: ProviderHttp

    def frame(self, lines: Iterator[tuple[int, str, bytes]], token: str) -> Iterator[bytes]:
        for number, path, body in lines:
            row = {"custom_id": line_id(token, number), "method": "POST", "url": path, "body": as_raw(body)}
            yield msgspec.json.encode(row) + b"\n"

    async def submit(self, target: ProviderTarget, job: ProviderJob, sent: JobFile) -> ProviderIds:
        file_id = await self._send_file(target, sent)
        body = {
            "input_file_id": file_id,
            "endpoint": job.path,
            "completion_window": "24h",
            "metadata": {_TOKEN: sent.token},
        }
        sent_once = msgspec.json.encode(body)
        headers = {"content-length": str(len(sent_once)), "content-type": "application/json"}
        answer = await self.http.call(target, "POST", "/batches", upload=once(sent_once), headers=headers)
        return ProviderIds(decode(answer, _Batch).id, file_id)

    async def find(self, target: ProviderTarget, lost: LostJob) -> ProviderIds | None:
        page = decode(await self.http.call(target, "GET", "/batches?limit=100"), _Page)
        for batch in page.data:
            if (batch.metadata or {}).get(_TOKEN) == lost.token:
                return ProviderIds(batch.id, batch.input_file_id or "")
        return None

    async def progress(self, target: ProviderTarget, job: ProviderJob) -> ProviderProgress:
        batch = decode(await self.http.call(target, "GET", f"/batches/{job.provider_batch_id}"), _Batch)
        files = [one for one in (batch.output_file_id, batch.error_file_id) if one]
        faults = batch.errors.data if batch.errors and batch.errors.data else []
        refusal = "; ".join(str(one.message or one.code) for one in faults[:3])
        return ProviderProgress(
            is_ended=batch.status in _ENDED,
            result_urls=tuple(f"/files/{one}/content" for one in files),
            refusal=(refusal or "no reason given") if batch.status == "failed" else "",
        )

    async def cancel(self, target: ProviderTarget, job: ProviderJob) -> None:
        await self.http.call(target, "POST", f"/batches/{job.provider_batch_id}/cancel", body=b"{}")

    def read_result(self, row: bytes) -> ProviderResult | None:
        try:
            read = msgspec.json.decode(row, type=_Row)
        except (msgspec.DecodeError, RecursionError):
            return None
        number = number_of(read.custom_id)
        if number is None:
            return None
        if read.response is not None:
            request_id = read.response.request_id or ""
            return ProviderResult(
                number, read.response.status_code, bytes(read.response.body), request_id=request_id
            )
        fault = read.error or _Fault()
        return ProviderResult(number, 0, code=str(fault.code or ""), message=str(fault.message or ""))

    async def _send_file(self, target: ProviderTarget, sent: JobFile) -> str:
        boundary = f"sternpost-{os.urandom(16).hex()}"
        before = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{sent.token}.jsonl"\r\n'
            "Content-Type: application/jsonl\r\n\r\n"
        ).encode()
        after = f"\r\n--{boundary}--\r\n".encode()
        headers = {
            "content-type": f"multipart/form-data; boundary={boundary}",
            "content-length": str(len(before) + sent.size_bytes + len(after)),
        }
        upload = stream_of(sent.file, before, after)
        answer = await self.http.call(target, "POST", "/files", upload=upload, headers=headers)
        return decode(answer, _File).id
