"""What the fake provider answers when it is asked for structured output; it checks no schema."""

import json
from typing import Any


def schema_of(request: dict[str, Any]) -> str:
    """Return the JSON schema that an answer must have, in whichever dialect it is asked for; else nothing.

    Sources: platform.openai.com/docs/guides/structured-outputs (`response_format`, `text.format`) and
    docs.claude.com/en/docs/build-with-claude/structured-outputs (`output_config.format`).
    """
    chat = (request.get("response_format") or {}).get("json_schema") or {}
    responses = (request.get("text") or {}).get("format") or {}
    anthropic = (request.get("output_config") or {}).get("format") or request.get("output_format") or {}
    schema = next((one["schema"] for one in (chat, responses, anthropic) if one.get("schema")), None)
    return json.dumps(schema) if schema else ""


def pieces_of(schema_json: str) -> list[str]:
    """Return an answer of that schema in pieces of nine characters."""
    schema = json.loads(schema_json)
    text = json.dumps(_example(schema, schema))
    return [text[at : at + 9] for at in range(0, len(text), 9)]


def _example(schema: dict[str, Any], root: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _example(root[schema["$ref"].split("/")[1]][schema["$ref"].split("/")[-1]], root)
    if "enum" in schema or "const" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return _example(options[0], root)
    if schema.get("type") == "object":
        return {name: _example(one, root) for name, one in schema.get("properties", {}).items()}
    if schema.get("type") == "array":
        return [_example(schema.get("items", {"type": "string"}), root)]
    return {"integer": 18, "number": 18.5, "boolean": True}.get(schema.get("type", ""), "Paris")
