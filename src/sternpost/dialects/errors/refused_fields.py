"""What an error answer names as refused, and a request without it; it decides not whether to ask again.

The words are those of Anthropic, OpenAI, Google, Bedrock, Mistral, Groq, Fireworks, xAI, vLLM and SGLang for
a field that they do not know, or that a model does not take.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from sternpost.contracts.message import Json
from sternpost.dialects.json_text.raw_object import join_object, rewrite_object, split_object
from sternpost.dialects.protocols import Omission

_PATH: Final = r"(?P<path>[A-Za-z_][\w.\[\]-]*)"
_Q: Final = "[\"'`]"
_LOC: Final = rf"{_Q}loc{_Q}: ?[\[(]{_Q}body{_Q}, ?{_Q}(?P<path>\w+){_Q}[\])]"  # of pydantic
_KIND: Final = "(?:parameter|argument|field|property)"
_PATTERNS: Final = tuple(
    re.compile(words, re.IGNORECASE)
    for words in (
        r"Unknown name \\?\"(?P<path>\w+)\\?\"(?: at '(?P<at>[\w.\[\]]+)')?: Cannot find field",
        rf"extraneous key \[{_PATH}\] is not permitted",
        rf"Extra inputs are not permitted, field: '{_PATH}",
        rf"{_PATH}: Extra inputs are not permitted",
        rf"{_LOC},? ?{_Q}msg{_Q}: ?{_Q}Extra inputs",
        rf"{_Q}extra_forbidden{_Q}, ?{_LOC}",
        rf"(?:unsupported|unknown|unrecognized) (?:request )?{_KIND}s?(?: supplied)?:? {_Q}?{_PATH}",
        rf"unsupported value: {_Q}{_PATH}{_Q} (?:does not support|is not supported)",
        rf"argument not supported on this model: {_PATH}",
        rf"{_KIND} {_Q}{_PATH}{_Q} is (?:unsupported|not supported|not allowed)",
        rf"{_Q}{_PATH}{_Q} (?:is|are) (?:not supported|unsupported|deprecated|not permitted)",
    )
)
_BETAS: Final = re.compile(
    rf"Unexpected value\(s\) (.+?) for the {_Q}anthropic-beta{_Q} header", re.IGNORECASE
)
_ANY_BETA: Final = re.compile(r"invalid beta flag", re.IGNORECASE)
_INSTEAD: Final = re.compile(rf"\buse {_Q}(\w+){_Q} instead", re.IGNORECASE)
_CODES: Final = frozenset({"unsupported_parameter", "unknown_parameter", "unsupported_value"})
# Without these it is another request. Of the names within others, too.
_ESSENTIAL: Final = frozenset(
    {
        "model", "messages", "input", "contents", "system", "systeminstruction", "instructions",
        "stream", "maxtokens", "maxcompletiontokens", "maxoutputtokens", "tools", "toolconfig",
        "toolchoice", "functions", "functioncall", "n", "previousresponseid", "conversation", "prompt",
        "background", "responseformat", "text", "generationconfig", "inferenceconfig",
        "additionalmodelrequestfields", "anthropicversion", "options", "format", "jsonschema",
        "responseschema", "responsejsonschema", "responsemimetype", "role", "content", "parts", "type",
        "parameters", "inputschema", "parametersjsonschema", "function", "toolspec",
        "functiondeclarations", "toolcalls", "toolcallid", "calls", "arguments", "source", "imageurl",
        "schema", "required", "properties", "stop", "stopsequences",
    }
)  # fmt: skip
_LIMITS: Final = frozenset({"max_tokens", "max_completion_tokens", "max_output_tokens"})
_MOST_SEGMENTS: Final = 8
ALL_BETAS: Final = "*"
_BETA_FIELD: Final = "anthropic_beta"


def named_in(message: str, code: str, param: str | None) -> tuple[Omission, ...]:
    """Return what an error answer says can't be sent; nothing when it says anything else."""
    if found := _BETAS.search(message):
        return tuple(Omission(beta=word) for word in re.findall(r"[\"'`]([\w.-]+)[\"'`]", found[1]))
    if _ANY_BETA.search(message):
        return (Omission(beta=ALL_BETAS),)
    path = param if code in _CODES and param else _path_in(message)
    if not path:
        return ()
    instead = _INSTEAD.search(message)
    if path in _LIMITS:
        return (Omission(path, renamed=instead[1]),) if instead and instead[1] in _LIMITS else ()
    segments = _segments(path)
    return (Omission(path),) if segments and _plain(segments[-1]) not in _ESSENTIAL else ()


def _path_in(message: str) -> str:
    for pattern in _PATTERNS:
        if found := pattern.search(message):
            at = found.groupdict().get("at")
            return f"{at}.{found['path']}" if at else found["path"].rstrip(".")
    return ""


def _segments(path: str) -> list[str]:
    return [segment for segment in re.split(r"[.\[\]]", path) if segment][:_MOST_SEGMENTS]


def _plain(name: str) -> str:
    """Return a name without what tells spellings apart: Google names fields in two ways."""
    return name.replace("_", "").lower()


def without(body: bytes, omissions: Sequence[Omission]) -> bytes | None:
    """Return a body without what is named; None when it has none of that."""
    changed = None
    for omission in omissions:
        shorter = (
            _without(changed or body, omission) if omission.path else _without_beta(changed or body, omission)
        )
        changed = shorter if shorter is not None else changed
    return changed


def _without(body: bytes, omission: Omission) -> bytes | None:
    segments = _segments(omission.path)
    if len(segments) > 1:
        return _without_inner(body, segments)
    fields = split_object(body)
    name = next((name for name in fields if _plain(name) == _plain(segments[0])), None)
    if name is None:
        return None
    new = omission.renamed
    if new and new not in fields:
        return join_object({new if key == name else key: raw for key, raw in fields.items()})
    return rewrite_object(body, fields, {key: raw for key, raw in fields.items() if key != name})


def _without_beta(body: bytes, omission: Omission) -> bytes | None:
    """Take a beta out of the body, where Bedrock, and at times Vertex AI, has it."""
    if _BETA_FIELD.encode() not in body:
        return None
    values: Json = msgspec.json.decode(body)
    holder = values.get("additionalModelRequestFields", values) if isinstance(values, dict) else None
    betas = holder.get(_BETA_FIELD) if isinstance(holder, dict) else None
    if not isinstance(holder, dict) or not isinstance(betas, list):
        return None
    kept = [beta for beta in betas if omission.beta not in (beta, ALL_BETAS)]
    if len(kept) == len(betas):
        return None
    holder[_BETA_FIELD] = kept
    if not kept:
        del holder[_BETA_FIELD]
    return msgspec.json.encode(values)


def _without_inner(body: bytes, segments: Sequence[str]) -> bytes | None:
    try:
        values: Json = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    return msgspec.json.encode(values) if _remove(values, segments) else None


def _remove(value: Json, segments: Sequence[str]) -> bool:
    """Remove a field in place. Of a list, from every item, since they are alike."""
    if not segments:
        return False
    first, rest = segments[0], segments[1:]
    if isinstance(value, list):
        inner = rest if first.isdigit() else segments
        return max([_remove(item, inner) for item in value], default=False)
    if not isinstance(value, dict):
        return False
    name = next((name for name in value if _plain(name) == _plain(first)), None)
    if name is None:
        return _remove(value, rest)  # it tells apart which kind of object it is
    if rest:
        return _remove(value[name], rest)
    del value[name]
    return True


def told(omissions: Sequence[Omission]) -> Iterator[str]:
    """Name what is left out, for the caller."""
    for omission in omissions:
        if omission.beta:
            yield f"anthropic-beta {omission.beta}"
        else:
            yield f"{omission.path} (sent as {omission.renamed})" if omission.renamed else omission.path
