"""One HTTP connection to the server's OTLP intake; not when or what to send."""

import gzip
import http.client
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from sternpost.sdk.otlp import read_rejection

Outcome: TypeAlias = Literal["taken", "away", "refused"]
_COMPRESS_BYTES = 4_000
_RETRYABLE = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Delivery:
    """`away`: keep the batch and try later. `refused`: it will never be taken."""

    outcome: Outcome
    reason: str = ""
    retry_after_s: float = 0.0
    is_broken: bool = False  # the connection, not the server's word


class Sender:
    """Posts batches to `<base>/v1/traces`, over one kept-alive connection. Used by one thread."""

    def __init__(self, base_url: str, api_key: str, *, timeout_s: float = 10.0) -> None:
        parts = urlsplit(base_url)
        self._is_tls = parts.scheme == "https"
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port
        self._path = parts.path.rstrip("/") + "/v1/traces"
        self._headers = {"authorization": f"Bearer {api_key}", "content-type": "application/x-protobuf"}
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection | None = None

    def send(self, batch: bytes) -> Delivery:
        """Send a batch; a connection that went stale is opened once again."""
        is_kept = self._connection is not None
        delivery = self._try(batch)
        if delivery.is_broken and is_kept:
            return self._try(batch)
        return delivery

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _try(self, batch: bytes) -> Delivery:
        try:
            return self._post(batch)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Delivery("away", f"{type(error).__name__}: {error}", is_broken=True)
        except ValueError:  # a key or path that can't stand in a header; it must not show in a log
            self.close()
            return Delivery("refused", "the base URL or the key can't be sent")

    def _post(self, batch: bytes) -> Delivery:
        headers, body = self._headers, batch
        if len(batch) > _COMPRESS_BYTES:
            headers, body = {**headers, "content-encoding": "gzip"}, gzip.compress(batch, 1)
        connection = self._open()
        connection.request("POST", self._path, body, headers)
        reply = connection.getresponse()
        content = reply.read(65_536)
        if reply.will_close:
            self.close()
        if reply.status == 200:
            rejected, why = read_rejection(content)
            return Delivery("taken", f"{rejected} spans were rejected: {why}" if rejected else "")
        reason = f"the server answered {reply.status}"
        if reply.status in _RETRYABLE:
            return Delivery("away", reason, _seconds(reply.headers.get("retry-after")))
        return Delivery("refused", reason)

    def _open(self) -> http.client.HTTPConnection:
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._is_tls else http.client.HTTPConnection
            self._connection = kind(self._host, self._port, timeout=self._timeout_s)
        return self._connection


def _seconds(retry_after: str | None) -> float:
    try:
        return min(max(float(retry_after or 0), 0.0), 60.0)
    except ValueError:
        return 0.0  # the date form; the exporter's own back-off is near enough
