"""Brings finished spans to the server from a thread of its own; keeps them in a file while it is away.

Never raises into the application and never loses in silence: each change of state is logged once.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, TypeAlias

from sternpost.sdk.otlp import encode_batch
from sternpost.sdk.records import AttributeValue, FinishedSpan
from sternpost.sdk.sender import Delivery, Sender
from sternpost.sdk.spill import Spill

_LOGGER = logging.getLogger("sternpost.sdk")
_MAX_SPANS, _MAX_BYTES = 20_000, 64_000_000  # of the queue in memory
_BATCH_SPANS, _BATCH_BYTES = 512, 4_000_000
_INTERVAL_S = 0.5
_MAX_BACK_OFF_S = 30.0

State: TypeAlias = Literal["new", "taken", "away", "refused"]


class Exporter:
    """A bounded queue and the thread that empties it; `put` may be called from any thread."""

    def __init__(
        self, sender: Sender, spill: Spill, rest: Spill, resource: Mapping[str, AttributeValue], version: str
    ) -> None:
        self._sender = sender
        self._spill = spill
        self._rest = rest  # where `close` puts what the thread could not finish
        self._resource = {**resource, "sternpost.client_id": os.urandom(8).hex()}
        self._version = version
        self._queue: deque[FinishedSpan] = deque()
        self._queued_bytes = 0
        self._sequence = 0
        self._dropped = 0
        self._in_flight = b""
        self._is_hurried = self._is_closing = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._state: State = "new"
        self._retry_at = 0.0
        self._failures = 0

    def put(self, span: FinishedSpan) -> None:
        """Queue a span; when the queue is full it is dropped, counted and said once."""
        with self._changed:
            self._sequence += 1  # also for a dropped span: the server sees the gap
            if self._is_closing:
                self._drop("a span ended after the exporter was closed")
                return
            if len(self._queue) >= _MAX_SPANS or self._queued_bytes + span.size_bytes > _MAX_BYTES:
                self._drop("the queue of spans is full; spans are dropped until the server takes them")
                return
            sequenced = {**span.attributes, "sternpost.client_seq": self._sequence}
            self._queue.append(replace(span, attributes=sequenced))
            self._queued_bytes += span.size_bytes
            if self._thread is None:
                self._start_thread()
            if len(self._queue) >= _BATCH_SPANS:
                self._changed.notify_all()

    def _drop(self, reason: str) -> None:
        self._dropped += 1
        if self._dropped == 1:
            _LOGGER.error(reason)

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._run, name="sternpost-export", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter is ending; the next process sends the file
            self._rescue()
            return
        self._thread = thread

    def flush(self, timeout_s: float) -> bool:
        """Send what is queued now; True when the server has taken everything."""
        until = time.monotonic() + timeout_s
        with self._changed:
            if self._thread is None:
                return True
            self._is_hurried = True
            self._changed.notify_all()
            while self._is_hurried and self._thread.is_alive() and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
            return not self._is_hurried and self._state in ("new", "taken") and self._dropped == 0

    def close(self, timeout_s: float) -> None:
        """Send what is left; what can't be sent in time goes to a file for the next process."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        if self._thread is None:
            return
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            self._rescue()

    def _rescue(self) -> None:
        with self._changed:
            left = [self._in_flight] if self._in_flight else []
            while batch := self._take_batch():
                left.append(encode_batch(self._resource, self._version, batch))
        is_kept = all(self._rest.keep(batch) for batch in left)
        self._rest.release()
        if not is_kept:
            _LOGGER.error(
                "the server did not answer and %s can't be written: spans are lost", self._rest.path
            )

    def _run(self) -> None:
        try:
            if adopted := self._spill.adopt():
                _LOGGER.info("sending %d batches of spans that an earlier process left", adopted)
            while self._step():
                pass
        except Exception:  # the edge of the thread: the application must not be told by a crash
            _LOGGER.exception("the exporter of spans stopped; later spans are dropped")
        finally:
            self._sender.close()
            self._spill.release()

    def _step(self) -> bool:
        """Do one round: wait, send, keep. False when it is time to end."""
        with self._changed:
            if not self._queue and not self._is_hurried and not self._is_closing:
                self._changed.wait(_INTERVAL_S)
            elif len(self._queue) < _BATCH_SPANS and not self._is_hurried and not self._is_closing:
                self._changed.wait(_INTERVAL_S)  # let a batch gather
            batch = self._take_batch()
        if not self._spill.is_empty and (self._is_hurried or time.monotonic() >= self._retry_at):
            self._send_spilled()
        if batch:
            self._send(encode_batch(self._resource, self._version, batch))
        with self._changed:
            if not self._queue:
                self._is_hurried = False
                self._changed.notify_all()
            return bool(self._queue) or not self._is_closing

    def _take_batch(self) -> list[FinishedSpan]:
        batch: list[FinishedSpan] = []
        size = 0
        while self._queue and len(batch) < _BATCH_SPANS and size < _BATCH_BYTES:
            span = self._queue.popleft()
            size += span.size_bytes
            batch.append(span)
        self._queued_bytes -= size
        return batch

    def _send(self, batch: bytes) -> None:
        is_early = time.monotonic() < self._retry_at
        if self._state == "away" and (is_early or not self._spill.is_empty):  # behind what waits already
            self._keep(batch)
            return
        self._in_flight = batch
        delivery = self._sender.send(batch)
        self._in_flight = b""
        self._note(delivery)
        if delivery.outcome == "away":
            self._keep(batch)

    def _send_spilled(self) -> None:
        for batch in self._spill.batches():
            delivery = self._sender.send(batch)
            self._note(delivery)
            if delivery.outcome == "away":
                return  # what was taken is sent again later; span ids make that harmless
        self._spill.clear()

    def _keep(self, batch: bytes) -> None:
        if not self._spill.keep(batch):
            self._dropped += 1
            _LOGGER.error("%s is full or can't be written: a batch of spans is lost", self._spill.path)

    def _note(self, delivery: Delivery) -> None:
        """Remember how the server answered; log when that is news."""
        was, self._state = self._state, delivery.outcome
        if delivery.outcome == "away":
            self._failures += 1
            back_off_s = min(2.0 ** (self._failures - 1), _MAX_BACK_OFF_S)
            self._retry_at = time.monotonic() + max(delivery.retry_after_s, back_off_s)
            if was != "away":
                _LOGGER.warning(
                    "spans wait in %s until Sternpost is back: %s", self._spill.path, delivery.reason
                )
            return
        self._failures = 0
        if delivery.outcome == "refused":
            if was != "refused":
                _LOGGER.error(
                    "spans are lost: %s; check STERNPOST_BASE_URL and STERNPOST_API_KEY", delivery.reason
                )
            return
        if was in ("away", "refused") or self._dropped:
            _LOGGER.warning("Sternpost takes spans again; %d were dropped meanwhile", self._dropped)
            self._dropped = 0
        if delivery.reason:
            _LOGGER.warning("%s", delivery.reason)
