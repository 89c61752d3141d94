"""Makes a JSON schema of another dialect one that Gemini takes; checks nothing.

Source: https://ai.google.dev/api/generate-content#GenerationConfig (responseJsonSchema): words it does not
know are left aside, but beside `$ref` any other word is a 400. Of what schemas are commonly written with it
does not know `const`, `allOf` and definitions outside of `$defs`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from sternpost.contracts.message import Json

_OF_SCHEMAS: Final = frozenset({"properties", "patternProperties", "$defs"})
_SCHEMAS: Final = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_SCHEMA: Final = frozenset({"items", "additionalProperties", "not"})
_DEFINITIONS: Final = ("$defs", "definitions")
_REFUSED: Final = re.compile(r"[^\w.-]")  # in pointers they would have to be escaped
_ASKING: Final = ("properties", "patternProperties", "$ref", "anyOf", "oneOf", "allOf")
_NOT_OF_ROOT: Final = frozenset({*_DEFINITIONS, "$schema"})


def fitting(schema: Mapping[str, Json]) -> dict[str, Json]:
    """Return the schema in the words that Gemini knows; what holds itself goes on doing so."""
    return _Schema(schema).written()


def is_empty(schema: Mapping[str, Json]) -> bool:
    """Whether a tool's schema asks for nothing: such a field is to be left out."""
    is_open = isinstance(schema.get("additionalProperties"), Mapping)
    return not is_open and not any(schema.get(name) for name in _ASKING)


@dataclass(slots=True)
class _Schema:
    """One schema being written. Whatever is referred to becomes a definition."""

    root: Mapping[str, Json]
    _definitions: dict[str, Json] = field(default_factory=dict[str, Json])
    _names: dict[str, str] = field(default_factory=dict[str, str])  # pointer -> name of its definition

    def written(self) -> dict[str, Json]:
        root = {name: value for name, value in self.root.items() if name not in _NOT_OF_ROOT}
        meant = self._find(str(root.get("$ref", "")))
        if isinstance(meant, Mapping) and meant is not self.root:  # a tool's has to be an object itself
            del root["$ref"]
            root = {**meant, **root}
        written = self._written(root)
        return written | {"$defs": self._definitions} if self._definitions else written

    def _written(self, schema: Mapping[str, Json]) -> dict[str, Json]:
        written = {name: self._inside(name, value) for name, value in schema.items()}
        if "const" in written:
            written = _with_enum(written)
        alone = written.get("allOf")
        if isinstance(alone, list) and len(alone) == 1 and isinstance(alone[0], dict):
            del written["allOf"]
            written = alone[0] | written
        if "$ref" in written and len(written) > 1 and "anyOf" not in written:
            written["anyOf"] = [{"$ref": written.pop("$ref")}]
        return written

    def _inside(self, name: str, value: Json) -> Json:
        if name == "$ref" and isinstance(value, str):
            return self._reference(value)
        if name in _OF_SCHEMAS and isinstance(value, Mapping):
            return {key: self._any(inner) for key, inner in value.items()}
        if name in _SCHEMAS and isinstance(value, list):
            return [self._any(inner) for inner in value]
        return self._any(value) if name in _SCHEMA else value

    def _any(self, value: Json) -> Json:
        return self._written(value) if isinstance(value, Mapping) else value

    def _reference(self, pointer: str) -> str:
        """Write what is pointed at as a definition, once, and return where it is."""
        found = self._find(pointer)
        if found is None or found is self.root:
            return pointer
        if pointer not in self._names:
            name = self._names[pointer] = self._new_name(pointer)
            self._definitions[name] = {}  # a schema that holds itself comes by here again
            self._definitions[name] = self._any(found)
        return f"#/$defs/{self._names[pointer]}"

    def _new_name(self, pointer: str) -> str:
        steps = pointer.removeprefix("#/").split("/")
        name = _REFUSED.sub("_", "_".join(steps[1:] if steps[0] in _DEFINITIONS else steps))
        while name in self._definitions:
            name += "_"
        return name

    def _find(self, pointer: str) -> Json:
        """Return the schema that a pointer into this one names; None for any other."""
        if not pointer.startswith("#"):
            return None
        found: Json = self.root
        for step in pointer.split("/")[1:]:
            key = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(found, Mapping):
                found = found.get(key)
            elif isinstance(found, list) and key.isdigit() and int(key) < len(found):
                found = found[int(key)]
            else:
                return None
        return found


def _with_enum(schema: Mapping[str, Json]) -> dict[str, Json]:
    """Say in other words that one value alone is meant; enumerations are of texts and numbers only."""
    written = dict(schema)
    match written.pop("const"):
        case None:
            return {**written, "type": "null"}
        case bool():
            return {"type": "boolean", **written}
        case str() as only:
            return {"type": "string", **written, "enum": [only]}
        case int() as only:
            return {"type": "integer", **written, "enum": [only]}
        case float() as only:
            return {"type": "number", **written, "enum": [only]}
        case _:
            return written
