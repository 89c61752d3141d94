"""Streams of dialects that only providers speak: the same events however the network cuts them."""

import pytest

from sternpost.contracts.chat import Finish, StreamEnd, StreamEvent, StreamFault, ThinkingDelta, UsageSeen
from sternpost.contracts.provider import STANDARD
from sternpost.dialects.framing.assemble import read_stream_reply
from sternpost.dialects.framing.relay import open_relay
from sternpost.dialects.protocols import Codec, UpstreamCodec
from sternpost.dialects.registry import UPSTREAM_CODECS
from tests.unit.dialects.wire import ANTHROPIC, OPENAI, RESPONSES, fixture, head_for, pump, text_of, tools_of

COHERE = UPSTREAM_CODECS["cohere"]
OLLAMA = UPSTREAM_CODECS["ollama"]
STREAMS = (
    ("cohere/text.sse", COHERE),
    ("cohere/tools.sse", COHERE),
    ("ollama/thinking.ndjson", OLLAMA),
    ("ollama/tools.ndjson", OLLAMA),
)
every_stream = pytest.mark.parametrize(("name", "codec"), STREAMS)
every_caller = pytest.mark.parametrize("caller", [OPENAI, ANTHROPIC, RESPONSES], ids=lambda codec: codec.name)


def events_of(codec: UpstreamCodec, chunks: list[bytes]) -> list[StreamEvent]:
    reader = codec.open_reader(STANDARD)
    events = [event for chunk in chunks for event in reader.feed(chunk)]
    return [*events, *reader.finish()]


@every_stream
def test_a_stream_split_at_every_byte_reads_as_the_same_events(name: str, codec: UpstreamCodec) -> None:
    body = fixture(name)
    whole = events_of(codec, [body])
    for position in range(len(body) + 1):
        assert events_of(codec, [body[:position], body[position:]]) == whole, position
    assert events_of(codec, [body[i : i + 1] for i in range(len(body))]) == whole


@every_stream
@pytest.mark.parametrize("line_end", [b"\r\n", b"\r"])
def test_line_ends_change_no_event(name: str, codec: UpstreamCodec, line_end: bytes) -> None:
    body = fixture(name)
    other = body.replace(b"\n", line_end)
    if name.endswith(".ndjson") and line_end == b"\r":
        return  # lines of JSON end with a line feed
    assert events_of(codec, [other]) == events_of(codec, [body])


@every_stream
def test_a_stream_cut_before_its_marker_is_never_complete_and_never_malformed(
    name: str, codec: UpstreamCodec
) -> None:
    body = fixture(name)
    marker = max(body.find(b'{"type":"message-end"'), body.find(b'"done":true'))
    for end in range(marker):
        events = events_of(codec, [body[:end]])
        assert not [event for event in events if isinstance(event, StreamEnd | StreamFault)], end


@every_stream
@every_caller
def test_every_caller_sees_text_tools_thinking_finish_and_usage(
    name: str, codec: UpstreamCodec, caller: Codec
) -> None:
    body = fixture(name)
    crossed = pump(open_relay(codec, caller, head_for(caller), STANDARD), [body])
    first, last = events_of(codec, [body]), events_of(caller, [crossed])
    assert text_of(last) == text_of(first)
    assert tools_of(last) == tools_of(first)
    assert _thinking(last) == _thinking(first)
    assert [e.reason for e in last if isinstance(e, Finish)] == [
        e.reason for e in first if isinstance(e, Finish)
    ]
    assert isinstance(last[-1], StreamEnd)
    assert _tokens(last) == _tokens(first)


@every_stream
def test_a_record_cut_anywhere_reads_as_what_arrived(name: str, codec: UpstreamCodec) -> None:
    body = fixture(name)
    whole = read_stream_reply(codec, body)
    assert whole is not None
    for end in range(0, len(body), 3):
        cut = read_stream_reply(codec, body[:end])
        for part in cut.choices[0].parts if cut else ():
            assert len(repr(part)) <= len(repr(whole.choices[0].parts))


def _thinking(events: list[StreamEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, ThinkingDelta))


def _tokens(events: list[StreamEvent]) -> tuple[int, int, int]:
    usage = [event.usage for event in events if isinstance(event, UsageSeen)][-1]
    return usage.in_fresh, usage.in_cache_read, usage.out_text + usage.out_reasoning
