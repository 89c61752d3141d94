"""Messages that arrived as log records are shown at their span."""

from sternpost.capabilities.traces.logged import LOGS_OF, with_logged_messages
from sternpost.capabilities.traces.records import Span
from sternpost.capabilities.traces.views import Message

ASKED: Message = {"role": "user", "parts": [{"type": "text", "content": "hi"}]}
TOLD: Message = {"role": "assistant", "parts": [{"type": "text", "content": "ho"}]}


def span(span_id: str, **changes: object) -> Span:
    empty = dict.fromkeys(Span.__slots__)
    fields = {
        "span_id": span_id,
        "started_at": "2026-11-20T12:00:00Z",
        "input": [],
        "output": [],
        "attributes": {},
    }
    return Span(**{**empty, **fields, **changes})  # type: ignore[arg-type]


def test_a_span_without_messages_shows_those_of_its_log_records() -> None:
    late = span("e2", started_at="2026-11-20T12:00:01Z", output=[TOLD], attributes={LOGS_OF: "a"})
    early = span("e1", input=[ASKED], attributes={LOGS_OF: "a"})
    call, *events = with_logged_messages([span("a"), late, early])
    assert (call.input, call.output, events) == ([ASKED], [TOLD], [late, early])


def test_a_span_keeps_its_own_messages() -> None:
    (call, _) = with_logged_messages(
        [span("a", input=[TOLD]), span("e", input=[ASKED], attributes={LOGS_OF: "a"})]
    )
    assert call.input == [TOLD]
