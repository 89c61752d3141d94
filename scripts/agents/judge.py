"""What must be true after an agent has done its task: the file, the streams, the warnings and the traces."""

import json
import re
from dataclasses import dataclass
from typing import Any

from scripts.agents.known import Agent
from scripts.agents.relay import Passed
from tests.support.fake_coder import AFTER, ANSWER
from tests.support.running import RunningSternpost

_ENDS = (b"data: [DONE]", b'"type":"response.completed"', b'"type":"message_stop"', b'"finishReason"')


@dataclass(frozen=True)
class Ran:
    code: int
    printed: str
    file: str
    passed: list[Passed]

    @property
    def calls(self) -> list[Passed]:
        return [one for one in self.passed if one.method == "POST"]


def wrong(agent: Agent, host: str, ran: Ran, own: RunningSternpost) -> list[str]:
    """Say what is not as it must be."""
    if ran.code or AFTER not in ran.file:
        return [f"ended with {ran.code}, the file says {ran.file!r}: {ran.printed[-600:]}"]
    found = [
        f"{one.method} {one.path}: {one.status} {one.answer[:300]!r}"
        for one in ran.passed
        if one.status >= 400
    ]
    found += [] if ANSWER in ran.printed else [f"the answer is not in {ran.printed[-300:]!r}"]
    found += [f"a stream without its end: {one.answer[-200:]!r}" for one in ran.calls if _is_cut(one)]
    may = () if host in agent.own_hosts else agent.losses
    named = {warning for one in ran.calls for warning in one.warnings}
    found += [f"warning {one}" for one in sorted(named) if not any(re.fullmatch(each, one) for each in may)]
    spans = [
        _recorded(own, one.answer_headers["x-sternpost-trace-id"]) for one in ran.calls if one.status == 200
    ]
    return (
        found
        + [fault for span in spans for fault in _faults(span)]
        + _session_faults(agent, spans)
        + _tools(agent, spans)
    )


def _is_cut(passed: Passed) -> bool:
    is_stream = passed.answer_headers.get("content-type", "").startswith("text/event-stream")
    return is_stream and not any(
        end in passed.answer.replace(b": ", b":").replace(b"data:", b"data: ") for end in _ENDS
    )


def _recorded(own: RunningSternpost, trace_id: str) -> dict[str, Any]:
    spans = [span for span in own.trace(trace_id)["spans"] if span["type"] == "gateway"]
    return spans[0] if len(spans) == 1 else {"faults": [f"{len(spans)} spans of one call"]}


def _faults(span: dict[str, Any]) -> list[str]:
    if "faults" in span:
        return span["faults"]
    said = json.dumps(span["input"])
    facts = (
        ("status", span["status"] == "ok"),
        ("cost", span["cost_status"] == "computed" and span["cost_nanousd"] > 0),
        ("tokens", bool(span["usage"]) and span["usage"].get("in_fresh", 0) > 0),
        ("output", bool(span["output"])),
        ("messages", any(message["role"] == "user" for message in span["input"])),
        ("parts read as JSON", '"type": "other"' not in said),
    )
    return [f"{span['name']}: {what} is wrong in its trace" for what, is_right in facts if not is_right]


def _session_faults(agent: Agent, spans: list[dict[str, Any]]) -> list[str]:
    sessions = {span["attributes"].get("session_id") for span in spans if "faults" not in span}
    is_right = len(sessions) == 1 and (None in sessions) is not agent.has_session
    return [] if is_right else [f"sessions of its calls: {sessions}"]


def _tools(agent: Agent, spans: list[dict[str, Any]]) -> list[str]:
    """The calls of tools and their results stand in the traces, as such."""
    parts = [
        part
        for span in spans
        for side in ("input", "output")
        for message in span.get(side, ())
        for part in message["parts"]
    ]
    kinds = {part["type"] for part in parts}
    is_right = not agent.has_tools or {"tool_call", "tool_call_response"} <= kinds
    return [] if is_right else [f"parts in its traces: {sorted(kinds)}"]
