"""Wire fixtures and the few ways tests feed them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sternpost.contracts.chat import StreamEvent, TextDelta, ToolArguments, ToolStart
from sternpost.contracts.provider import STANDARD, Quirks
from sternpost.dialects.framing.sse import FrameSplitter, payload_of
from sternpost.dialects.protocols import Codec, Relay, RequestHead, UpstreamCodec
from sternpost.dialects.registry import CODECS, UPSTREAM_CODECS
from tests.support import event_stream

FIXTURES = Path(__file__).parent / "fixtures"
OPENAI = CODECS["openai_chat"]
ANTHROPIC = CODECS["anthropic"]
RESPONSES = CODECS["openai_responses"]
BEDROCK = UPSTREAM_CODECS["bedrock"]
_BY_VENDOR = {"anthropic": ANTHROPIC, "responses": RESPONSES}
STREAMS: tuple[tuple[str, Codec], ...] = tuple(
    (path.name, _BY_VENDOR.get(path.name.partition("_")[0], OPENAI))
    for path in sorted(FIXTURES.glob("*.sse"))
)
WHOLE_STREAMS = tuple(
    (name, codec) for name, codec in STREAMS if not name.endswith(("_error.sse", "_overloaded.sse"))
)


def fixture(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


def openai_head(**fields: Any) -> RequestHead:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True} | fields
    return OPENAI.read_head(json.dumps(body).encode())


def anthropic_head(**fields: Any) -> RequestHead:
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], "stream": True}
    return ANTHROPIC.read_head(json.dumps(body | fields).encode())


def responses_head(**fields: Any) -> RequestHead:
    return RESPONSES.read_head(json.dumps({"model": "m", "input": "hi", "stream": True} | fields).encode())


def head_for(codec: Codec, *, wants_usage: bool = True) -> RequestHead:
    if codec is OPENAI:
        return openai_head(stream_options={"include_usage": wants_usage})
    return anthropic_head() if codec is ANTHROPIC else responses_head()


def pump(relay: Relay, chunks: Iterable[bytes]) -> bytes:
    """Carry a whole stream, its terminal frames included when it is complete."""
    frames = [relay.feed(chunk) for chunk in chunks]
    frames.append(relay.finish())
    return b"".join(frames) + (relay.closing() if relay.is_complete else b"")


def events_of(codec: UpstreamCodec, chunks: Iterable[bytes], quirks: Quirks = STANDARD) -> list[StreamEvent]:
    reader = codec.open_reader(quirks)
    events = [event for chunk in chunks for event in reader.feed(chunk)]
    return [*events, *reader.finish()]


def payloads(stream: bytes) -> list[Any]:
    """Decode every JSON payload of a stream."""
    texts = [payload_of(frame) for frame in FrameSplitter().feed(stream)]
    return [json.loads(text) for text in texts if text and text != b"[DONE]"]


def text_of(events: Iterable[StreamEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def tools_of(events: Iterable[StreamEvent]) -> dict[int, tuple[str, str, str]]:
    """Return (id, name, arguments) of each tool call."""
    tools: dict[int, tuple[str, str, str]] = {}
    for event in events:
        if isinstance(event, ToolStart):
            tools[event.index] = (event.id, event.name, "")
        elif isinstance(event, ToolArguments):
            call_id, name, arguments = tools[event.index]
            tools[event.index] = (call_id, name, arguments + event.text)
    return tools


def bedrock_stream(name: str) -> bytes:
    """Encode the events of a fixture as Bedrock's binary stream."""
    return event_stream.stream(*json.loads(fixture(name)))
