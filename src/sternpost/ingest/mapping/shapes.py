"""The forms in which frameworks write a message, each as the plain `{role, content, ...}`; reads no part."""

from collections.abc import Mapping
from typing import Final

from sternpost.contracts.message import Json, Role
from sternpost.ingest.mapping.values import as_json, as_text, is_list, is_mapping

ROLES: Final[Mapping[str, Role]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "chatbot": "assistant",
    "tool": "tool",
    "function": "tool",
    "tool-call": "assistant",  # smolagents
    "tool-response": "tool",
    # LangChain's classes, as `type` or at the end of a constructor's `id`
    "systemmessage": "system",
    "systemmessagechunk": "system",
    "humanmessage": "user",
    "humanmessagechunk": "user",
    "aimessage": "assistant",
    "aimessagechunk": "assistant",
    "toolmessage": "tool",
    "functionmessage": "tool",
}
# LangChain's flat form has its role as `type`, beside these.
_FLAT_TYPES: Final = frozenset(
    {
        *("human", "ai", "system", "tool", "function", "chat"),
        *("HumanMessage", "AIMessage", "AIMessageChunk", "SystemMessage", "ToolMessage", "FunctionMessage"),
    }
)
_WRAPPED: Final = frozenset({"lc", "kwargs", "data", "kind", "_role"})
_RESPONSE_PARTS: Final = frozenset({"tool-return", "retry-prompt"})


def role_of(word: str, otherwise: Role) -> Role:
    return ROLES.get(word.rpartition(".")[2].lower(), otherwise)  # also the text of an enum, `Role.user`


def plain_shape(value: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return a message without its wrapping; what has none, or is no message, as it is."""
    if "role" in value and _WRAPPED.isdisjoint(value):
        return value
    for unwrap in (_constructor, _typed_data, _flat, _pydantic_ai, _haystack):
        found = unwrap(value)
        if found is not None:
            return found
    return value


def is_message(value: Mapping[str, Json]) -> bool:
    """Say whether an object without its wrapping is a message."""
    if "role" in value or "tool_calls" in value or is_mapping(value.get("message")):
        return True
    return is_list(value.get("parts")) or is_list(value.get("blocks"))


def _constructor(value: Mapping[str, Json]) -> Mapping[str, Json] | None:
    """LangChain's serialised objects: {"lc": 1, "type": "constructor", "id": [..., class], "kwargs": ...}."""
    kwargs = value.get("kwargs")
    if "lc" not in value or not is_mapping(kwargs):
        return None
    path = value.get("id")
    name = as_text(path[-1]) if is_list(path) and path else ""
    if name.lower() in ROLES and "role" not in kwargs:
        return {**kwargs, "role": name}
    return kwargs


def _typed_data(value: Mapping[str, Json]) -> Mapping[str, Json] | None:
    """LangChain's `messages_to_dict`: {"type": "ai", "data": {...}}."""
    inner = value.get("data")
    if not is_mapping(inner) or value.get("type") not in _FLAT_TYPES:
        return None
    return {"role": value["type"], **inner}


def _flat(value: Mapping[str, Json]) -> Mapping[str, Json] | None:
    """LangChain's `model_dump`: {"type": "human", "content": ...}."""
    if value.get("type") in _FLAT_TYPES and "content" in value and "role" not in value:
        return {**value, "role": value["type"]}
    return None


def _pydantic_ai(value: Mapping[str, Json]) -> Mapping[str, Json] | None:
    """pydantic-ai's ModelMessage: {"kind": "request" | "response", "parts": [{"part_kind": ...}]}."""
    parts = value.get("parts")
    if value.get("kind") not in ("request", "response") or not is_list(parts):
        return None
    if value["kind"] == "response":
        return {**value, "role": "assistant"}
    kinds = {as_text(part.get("part_kind")) for part in parts if is_mapping(part)}
    role = "system" if kinds == {"system-prompt"} else "tool" if kinds & _RESPONSE_PARTS else "user"
    return {**value, "role": role}


def _haystack(value: Mapping[str, Json]) -> Mapping[str, Json] | None:
    """Haystack before 2.9: {"_role": ..., "_content": [...]}."""
    if "_role" not in value:
        return None
    return {"role": value["_role"], "content": value.get("_content"), "name": value.get("_name")}


def class_name(value: Mapping[str, Json]) -> str:
    """Return the class of an object that LangChain serialised; "" for anything else."""
    path = value.get("id") if "lc" in value else None
    return as_text(path[-1]) if is_list(path) and path else ""


def decoded(value: Json) -> Json:
    """Decode JSON in text, and take an object out of its wrapping."""
    value = as_json(value)
    return plain_shape(value) if is_mapping(value) else value
