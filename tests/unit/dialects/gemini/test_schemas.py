"""Schemas for Gemini: no reference beside other words, nothing that it does not know and could be told."""

from typing import Annotated, Any, Literal

import pytest
from google.genai import types
from pydantic import BaseModel, Field

from sternpost.dialects.gemini.schemas import fitting, is_empty

CITY: dict[str, Any] = {"type": "string"}


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]
    age: int = 0


class Node(BaseModel):
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    best: Dog | None = Field(None, description="The best of them")
    worst: Dog = Field(description="The worst of them")
    children: list["Node"] = []


def nodes(schema: Any) -> list[dict[str, Any]]:
    """Return every schema within one, and every map of them."""
    if isinstance(schema, list):
        return [found for item in schema for found in nodes(item)]
    inner = [found for value in schema.values() for found in nodes(value)] if isinstance(schema, dict) else []
    return [schema, *inner] if isinstance(schema, dict) else []


def test_a_model_of_pydantic_becomes_a_schema_without_what_gemini_refuses() -> None:
    written: Any = fitting(Node.model_json_schema())
    assert written["type"] == "object"  # and not a reference to itself
    assert written["properties"]["worst"] == {
        "description": "The worst of them",
        "anyOf": [{"$ref": "#/$defs/Dog"}],
    }
    assert written["$defs"]["Cat"]["properties"]["kind"]["enum"] == ["cat"]
    assert written["properties"]["children"]["items"] == {"$ref": "#/$defs/Node"}
    assert all(set(node) == {"$ref"} for node in nodes(written) if "$ref" in node)
    types.GenerateContentConfig(response_json_schema=written)


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ({"const": "a", "title": "A"}, {"type": "string", "title": "A", "enum": ["a"]}),
        ({"const": 3}, {"type": "integer", "enum": [3]}),
        ({"const": True}, {"type": "boolean"}),
        ({"const": None}, {"type": "null"}),
        ({"allOf": [CITY], "description": "d"}, {"type": "string", "description": "d"}),
        ({"type": ["string", "null"]}, {"type": ["string", "null"]}),
        ({"enum": [1, 2], "default": 1}, {"enum": [1, 2], "default": 1}),
        ({"properties": {"const": CITY}}, {"properties": {"const": CITY}}),
        ({"items": {"$ref": "#"}}, {"items": {"$ref": "#"}}),
        ({"items": {"$ref": "https://x.y/z"}}, {"items": {"$ref": "https://x.y/z"}}),
    ],
)
def test_one_schema_becomes_another(given: Any, written: Any) -> None:
    assert fitting({"$schema": "http://json-schema.org/draft-07/schema#", **given}) == written


def test_what_is_referred_to_becomes_a_definition_wherever_it_stood() -> None:
    """As zod-to-json-schema writes what is used twice, and pydantic 1 its definitions."""
    schema: Any = {
        "properties": {
            "from": {"type": "object", "properties": {"city": CITY}},
            "to": {"$ref": "#/properties/from"},
            "by": {"$ref": "#/definitions/A%20road"},
        },
        "definitions": {"A road": {"properties": {"next": {"$ref": "#/definitions/A%20road"}}}},
    }
    written: Any = fitting(schema)
    assert written["properties"]["to"] == {"$ref": "#/$defs/properties_from"}
    assert written["properties"]["by"] == {"$ref": "#/$defs/A_20road"}
    assert written["$defs"] == {
        "properties_from": {"type": "object", "properties": {"city": CITY}},
        "A_20road": {"properties": {"next": {"$ref": "#/$defs/A_20road"}}},
    }


def test_a_tool_that_takes_anything_has_a_schema() -> None:
    assert is_empty({"type": "object", "properties": {}, "additionalProperties": False})
    assert not is_empty({"type": "object", "additionalProperties": CITY})
    assert not is_empty({"type": "object", "anyOf": [{"required": ["a"]}, {"required": ["b"]}]})
