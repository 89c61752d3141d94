"""Makes a JSON schema of another dialect one that Anthropic takes for replies; checks nothing.

Source: https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs: an object that does not say
`additionalProperties: false` is answered with 400.
"""

from collections.abc import Mapping, Sequence

from windlass.contracts.message import Json


def closed(schema: Mapping[str, Json]) -> dict[str, Json]:
    """Return the schema with every object closed; one that is open can't be asked for."""
    written = {name: _inside(name, value) for name, value in schema.items()}
    is_object = schema.get("type") == "object" or "properties" in schema
    return {**written, "additionalProperties": False} if is_object else written


_OF_SCHEMAS = frozenset({"properties", "$defs", "definitions"})
_SCHEMAS = frozenset({"anyOf", "allOf", "oneOf", "prefixItems"})


def _inside(name: str, value: Json) -> Json:
    if name in _OF_SCHEMAS and isinstance(value, Mapping):
        return {key: closed(inner) if isinstance(inner, Mapping) else inner for key, inner in value.items()}
    if name in _SCHEMAS and isinstance(value, Sequence) and not isinstance(value, str):
        return [closed(inner) if isinstance(inner, Mapping) else inner for inner in value]
    if name == "items" and isinstance(value, Mapping):
        return closed(value)
    return value
