"""The fields of chat messages that are read, or that mean nothing to another provider."""

from typing import Final

from sternpost.dialects.losses.inside import Kinds, Shape

_PART: Final = "messages.*.content.*"
_MARKED: Final = frozenset({"type", "cache_control"})


def _part(field: str, *inside: str) -> Shape:
    inner = Kinds({None: Shape(f"{_PART}.{field}", frozenset(inside))}) if inside else None
    return Shape(_PART, _MARKED | {field}, ((field, inner),) if inner is not None else ())


_CONTENT: Final = Kinds(
    {
        "text": _part("text"),
        "refusal": _part("refusal"),
        "image_url": _part("image_url", "url", "detail", "format"),
        "input_audio": _part("input_audio", "data", "format"),
        "file": _part("file", "file_data", "file_id", "filename", "format"),
    }
)
_SPOKEN: Final = frozenset({"role", "content", "cache_control"})
# `annotations` and the like are of a reply: clients send back what they got.
_REPLIED: Final = frozenset(
    {
        "refusal", "tool_calls", "function_call", "audio", "annotations", "images", "reasoning", "partial",
        "reasoning_content", "reasoning_details", "thinking_blocks", "prefix", "provider_specific_fields",
    }
)  # fmt: skip
_CALL: Final = "messages.*.tool_calls.*"
_FUNCTION: Final = Kinds({None: Shape(f"{_CALL}.function", frozenset({"name", "arguments"}))})
CALLS: Final = Kinds(
    {
        kind: Shape(
            _CALL, frozenset({"id", "type", "index", "function", "custom"}), (("function", _FUNCTION),)
        )
        for kind in (None, "function", "custom")
    }
)
_INSIDE: Final = (("content", _CONTENT),)
_ASKED: Final = Shape("messages.*", _SPOKEN, _INSIDE)
_TOLD: Final = Shape("messages.*", _SPOKEN | {"tool_call_id", "name"}, _INSIDE)

MESSAGES: Final = Kinds(
    {
        "system": _ASKED,
        "developer": _ASKED,
        "user": _ASKED,
        "assistant": Shape("messages.*", _SPOKEN | _REPLIED, (*_INSIDE, ("tool_calls", CALLS))),
        "tool": _TOLD,
        "function": _TOLD,
    },
    by="role",
)
_SCHEMA: Final = Kinds({None: Shape("response_format.json_schema", frozenset({"name", "schema", "strict"}))})
FORMAT: Final = Kinds(
    {"json_schema": Shape("response_format", frozenset({"type", "json_schema"}), (("json_schema", _SCHEMA),))}
)
_CHOSEN: Final = Kinds({None: Shape("tool_choice.function", frozenset({"name"}))})
CHOICE: Final = Kinds(
    {"function": Shape("tool_choice", frozenset({"type", "function"}), (("function", _CHOSEN),))}
)
