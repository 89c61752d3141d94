"""The typed shape of a Gemini answer, whole or one chunk of a stream; what nobody reads may be anything."""

from typing import Any

import msgspec

from sternpost.dialects.json_text.raw_object import UNREADABLE


class WireCall(msgspec.Struct, rename="camel"):
    name: str = ""
    id: str | None = None
    args: msgspec.Raw = msgspec.Raw()  # kept as the model wrote it


class WireBlob(msgspec.Struct, rename="camel"):
    mime_type: str = ""
    data: str = ""


class WireFile(msgspec.Struct, rename="camel"):
    mime_type: str = ""
    file_uri: str = ""


class WirePart(msgspec.Struct, rename="camel"):
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: WireCall | None = None
    inline_data: WireBlob | None = None
    file_data: WireFile | None = None
    executable_code: dict[str, Any] | None = None
    code_execution_result: dict[str, Any] | None = None


class WireContent(msgspec.Struct, rename="camel"):
    parts: list[WirePart] | None = None


class WireCandidate(msgspec.Struct, rename="camel"):
    content: WireContent | None = None
    finish_reason: str | None = None
    finish_message: Any = None
    index: int | None = None
    safety_ratings: Any = None
    citation_metadata: Any = None
    grounding_metadata: Any = None
    url_context_metadata: Any = None
    logprobs_result: Any = None


class WireAnswer(msgspec.Struct, rename="camel"):
    candidates: list[WireCandidate] | None = None
    prompt_feedback: dict[str, Any] | None = None
    usage_metadata: msgspec.Raw = msgspec.Raw()  # cumulative, so only the last one is read
    model_version: Any = None
    response_id: Any = None
    error: Any = None


_ANSWER = msgspec.json.Decoder(WireAnswer)
_COUNTS = msgspec.json.Decoder(dict[str, Any])
_ANSWERS = msgspec.json.Decoder(list[WireAnswer])


def decode_answer(payload: bytes) -> WireAnswer:
    """Decode one answer; an error may stand in an array of one.

    Raises: msgspec.DecodeError, RecursionError.
    """
    if payload[:1] != b"[":
        return _ANSWER.decode(payload)
    answers = _ANSWERS.decode(payload)
    return answers[0] if answers else WireAnswer()


def read_counts(raw: msgspec.Raw) -> dict[str, Any] | None:
    """Decode the counts of an answer; None when there are none."""
    try:
        return _COUNTS.decode(raw)
    except UNREADABLE:
        return None
