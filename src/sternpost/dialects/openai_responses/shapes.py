"""The fields of input items that are read, or that mean nothing to another provider, such as their ids."""

from typing import Final

from sternpost.dialects.losses.inside import Kinds, Shape

_ITEM: Final = frozenset({"type", "id", "status"})
_REPLIED: Final = frozenset({"phase", "created_by", "agent"})  # of OpenAI's own items


def _contents(path: str) -> Kinds:
    said = Shape(path, frozenset({"type", "text", "annotations", "logprobs"}))
    files = {"type", "file_data", "file_id", "file_url", "filename", "detail"}
    return Kinds(
        {
            "input_text": said,
            "output_text": said,
            "refusal": Shape(path, frozenset({"type", "refusal"})),
            "input_image": Shape(path, frozenset({"type", "image_url", "file_id", "detail"})),
            "input_file": Shape(path, frozenset(files)),
        }
    )


def _item(*fields: str, inside: str = "") -> Shape:
    inner = ((inside, _contents(f"input.*.{inside}.*")),) if inside else ()
    return Shape("input.*", _ITEM | set(fields), inner)


_MESSAGE: Final = _item("role", "content", inside="content")
_RESULT: Final = _item("call_id", "output", "name", inside="output")
INPUT: Final = Kinds(
    {
        None: _MESSAGE,
        "message": _MESSAGE,
        "function_call": _item("call_id", "name", "namespace", "arguments"),
        "custom_tool_call": _item("call_id", "name", "namespace", "input"),
        "function_call_output": _RESULT,
        "custom_tool_call_output": _RESULT,
        "reasoning": _item("summary", "content", "encrypted_content"),
    }
)
FORMAT: Final = Kinds({"json_schema": Shape("text.format", frozenset({"type", "name", "schema", "strict"}))})
OUTPUT: Final = Kinds(
    {
        "message": Shape(
            "output.*",
            _ITEM | _REPLIED | {"role", "content"},
            (("content", _contents("output.*.content.*")),),
        ),
        "function_call": Shape("output.*", _ITEM | _REPLIED | {"call_id", "name", "namespace", "arguments"}),
    }
)
