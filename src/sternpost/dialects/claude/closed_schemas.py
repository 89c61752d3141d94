"""Makes a JSON schema of another dialect one that Claude and Bedrock take for replies; checks nothing.

Sources: https://platform.claude.com/docs/en/build-with-claude/structured-outputs, on limitations, and
https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html: an object that does not say
`additionalProperties: false`, and limits of numbers, texts and arrays, are answered with 400. Limits are told
to the model in the description, as Anthropic's own SDKs do it.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from sternpost.contracts.message import Json

_OF_SCHEMAS: Final = frozenset({"properties", "$defs", "definitions"})
_SCHEMAS: Final = frozenset({"anyOf", "allOf", "oneOf", "prefixItems"})
_LIMITS: Final = frozenset(
    {
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
        "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties",
    }
)  # fmt: skip
_FORMATS: Final = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)
_NAMES: Final = {"oneOf": "anyOf"}  # the first is refused


def closed(schema: Mapping[str, Json], told: list[str]) -> dict[str, Json]:
    """Return the schema with every object closed; one that is open can't be asked for.

    told: gets the names of the limits that are told to the model instead of being kept to.
    """
    limits = {name: value for name, value in schema.items() if _is_limit(name, value)}
    written = {
        _NAMES.get(name, name): _inside(name, value, told)
        for name, value in schema.items()
        if name not in limits
    }
    if limits:
        told += limits
        words = ", ".join(f"{name}: {value}" for name, value in limits.items())
        description = schema.get("description")
        written["description"] = f"{description}\n\n{{{words}}}" if description else f"{{{words}}}"
    is_object = schema.get("type") == "object" or "properties" in schema
    return {**written, "additionalProperties": False} if is_object else written


def _is_limit(name: str, value: Json) -> bool:
    """Whether a member of a schema is no place for it: arrays may be asked not to be empty."""
    if name == "format":
        return not (isinstance(value, str) and value in _FORMATS)
    return name in _LIMITS and not (name == "minItems" and value in (0, 1))


def _inside(name: str, value: Json, told: list[str]) -> Json:
    if name in _OF_SCHEMAS and isinstance(value, Mapping):
        return {
            key: closed(inner, told) if isinstance(inner, Mapping) else inner for key, inner in value.items()
        }
    if name in _SCHEMAS and isinstance(value, Sequence) and not isinstance(value, str):
        return [closed(inner, told) if isinstance(inner, Mapping) else inner for inner in value]
    if name == "items" and isinstance(value, Mapping):
        return closed(value, told)
    return value
