"""The intake process: maps and keeps the OTLP requests that `serve` hands it, until `serve` is gone.

It knows no key of a provider and opens no store: prices come in frames of their own, spans go to a journal
of its own, and who sends was checked by `serve`.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from sternpost.assembly.environment import load_settings, process_environment
from sternpost.assembly.journal import open_journal
from sternpost.assembly.logs import configure_logs
from sternpost.base.clock import SystemClock
from sternpost.base.collection import leave_out_of_collection
from sternpost.base.errors import SternpostError
from sternpost.capabilities.cost.config import PriceEntry
from sternpost.capabilities.cost.service import PriceBook
from sternpost.capabilities.cost.store import read_table
from sternpost.contracts.usage import Cost, Usage
from sternpost.ingest.flow import IntakeCounts, OtlpIntake
from sternpost.ingest.intake_pipe import Answer, Ask, Request, read_frame, write_frame
from sternpost.ingest.langfuse_flow import langfuse_refusal
from sternpost.ingest.otlp_reply import LANGFUSE, refused
from sternpost.ingest.records import OtlpReply

_NICE = 5  # calls and queries go before
_AT_ONCE = 64_000_000  # buffered of what `serve` sends, so that reading a large body wakes it seldom

logger = logging.getLogger(__name__)


class Hello(msgspec.Struct, frozen=True):
    """The first frame: what the environment doesn't say."""

    home: str
    overrides: Sequence[PriceEntry]
    provider_aliases: Mapping[str, str]


@dataclass(slots=True)
class _Prices:
    """The prices in force: those of the first frame, then those of each frame that brings others."""

    book: PriceBook

    def price(
        self, *, provider: str, model: str, fallback_model: str, usage: Usage | None, started_ns: int
    ) -> Cost:
        return self.book.price(
            provider=provider,
            model=model,
            fallback_model=fallback_model,
            usage=usage,
            started_ns=started_ns,
        )


def _book_of(hello: Hello) -> PriceBook:
    return PriceBook(*read_table(), hello.overrides, hello.provider_aliases)


def main() -> None:
    """Run on the socket whose number is the one argument."""
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
        signal.SIGHUP,
    ):  # a stop of everything: `serve` still finishes requests
        signal.signal(number, signal.SIG_IGN)
    os.nice(_NICE)
    asyncio.run(_run(socket.socket(fileno=int(sys.argv[1]))))


async def _run(line: socket.socket) -> None:
    reader, writer = await asyncio.open_unix_connection(sock=line, limit=_AT_ONCE)
    first = await read_frame(reader)
    if first is None:
        return
    hello = msgspec.msgpack.decode(first[0], type=Hello)
    settings = load_settings(process_environment(), home=Path(hello.home))
    configure_logs(settings, "intake")
    prices = _Prices(_book_of(hello))
    journal = open_journal(settings)
    try:
        intake = OtlpIntake(journal, prices, SystemClock(), max_body_bytes=settings.max_body_bytes)
        leave_out_of_collection()
        async with asyncio.TaskGroup() as group:
            while (frame := await read_frame(reader)) is not None:
                await _take(frame, intake, prices, writer, group)
        await _flush(writer)
    finally:
        journal.close()


async def _take(
    frame: tuple[bytes, bytes],
    intake: OtlpIntake,
    prices: _Prices,
    writer: asyncio.StreamWriter,
    group: asyncio.TaskGroup,
) -> None:
    """Begin with a request, or go over to other prices before the next one."""
    head, body = frame
    request = msgspec.msgpack.decode(head, type=Request)
    if request.ask is not None:
        group.create_task(_answer(intake, request.number, request.ask, body, writer))
        return
    prices.book = await asyncio.to_thread(_book_of, msgspec.msgpack.decode(body, type=Hello))
    write_frame(writer, msgspec.msgpack.encode(Answer(request.number, 200, {}, {})))


async def _answer(
    intake: OtlpIntake, number: int, ask: Ask, body: bytes, writer: asyncio.StreamWriter
) -> None:
    reply = await _handle(intake, ask, body)
    counts, intake.counts = intake.counts, IntakeCounts()
    answer = Answer(number, reply.status, reply.headers, asdict(counts))
    write_frame(writer, msgspec.msgpack.encode(answer), reply.body)


async def _handle(intake: OtlpIntake, ask: Ask, body: bytes) -> OtlpReply:
    try:
        if ask.signal in LANGFUSE:
            return await intake.handle_langfuse(
                ask.signal, content_encoding=ask.content_encoding, body=body, principal=ask.principal
            )
        return await intake.handle(
            content_type=ask.content_type,
            content_encoding=ask.content_encoding,
            body=body,
            principal=ask.principal,
            signal=ask.signal,
        )
    except Exception:  # the edge of one request: the others must not suffer
        logger.exception("a request of %d bytes can't be taken in", len(body))
        error = SternpostError("the request can't be taken in; the server's log says why")
        return langfuse_refusal(error) if ask.signal in LANGFUSE else refused(ask.content_type, error)


async def _flush(writer: asyncio.StreamWriter) -> None:
    try:
        await writer.drain()
    except ConnectionError:  # `serve` is gone: nobody waits for these answers
        return


if __name__ == "__main__":
    main()
