"""The schema of a tool's arguments under the names that callers write it; what it says is not its concern."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sternpost.contracts.message import Json
from sternpost.dialects.json_text.fields import Fields

# Of OpenAI, Anthropic, MCP and Google, which callers who speak to several vendors mix up.
_NAMES: Final = (
    "parameters", "input_schema", "inputSchema", "parametersJsonSchema", "parameters_json_schema", "schema",
)  # fmt: skip
_NO_SCHEMA: Final[Mapping[str, Json]] = {}
_SCHEMAS: Final = frozenset(_NAMES)


@dataclass(frozen=True, slots=True)
class Schema:
    values: Mapping[str, Json]
    named: tuple[str, ...] = ()  # says that it was found under another name


def read_schema(tool: Fields, name: str) -> Schema:
    """Read the schema under the dialect's own name, else under that of another, which is reported."""
    own = tool.child(name)
    if own is not None:
        return Schema(own.values)
    for other in _NAMES:
        value = tool.values.get(other)
        if isinstance(value, Mapping):
            inner = value.get("json")  # as Bedrock nests it
            schema = inner if isinstance(inner, Mapping) and len(value) == 1 else value
            return Schema(schema, (f"{tool.at(other)} (read as {name})",))
    return Schema(_NO_SCHEMA)


def unread_fields(tool: Fields, known: frozenset[str]) -> Iterator[str]:
    """Name what else a tool says, which no other dialect can be told; a schema is read under any name."""
    if not tool.values.keys() <= known:
        yield from tool.others(known | _SCHEMAS)
