"""Reads which tools a Responses request offers and which of them may be called; calls are in `call_items`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from sternpost.contracts.chat import ClientTool, ToolChoice, ToolDefinition
from sternpost.contracts.message import Json
from sternpost.dialects.json_text.fields import Fields
from sternpost.dialects.openai_responses.call_items import SEARCH, is_by_caller
from sternpost.dialects.pairing.client_tools import TEXT_SCHEMA, built_in, joined
from sternpost.dialects.pairing.tool_schemas import read_schema, unread_fields

ADDED: Final = "additional_tools"  # an item that offers more tools
FOUND: Final = "tool_search_output"  # and one that says which were found
_TOOL_FIELDS: Final = frozenset({"type", "name", "description", "parameters", "strict", "defer_loading"})
_CHOSEN: Final = frozenset(
    {"local_shell", "shell", "apply_patch", "computer", "computer_use_preview", SEARCH}
)


@dataclass(slots=True)
class Offer:
    """The tools of one request; of two with one name the later counts, since items add tools again."""

    tools: dict[str, ToolDefinition] = field(default_factory=dict[str, ToolDefinition])
    clients: dict[str, ClientTool] = field(default_factory=dict[str, ClientTool])
    unread: dict[str, None] = field(default_factory=dict[str, None])

    def add(self, owner: Fields, namespace: str = "") -> None:
        for tool in owner.items("tools"):
            self._add(tool, namespace)

    def _add(self, tool: Fields, namespace: str) -> None:
        kind = tool.text("type")
        match kind:
            case "function":
                self._add_function(tool, namespace)
            case "custom":
                client = ClientTool("custom", tool.need_text("name"), namespace, _format(tool))
                self._offer(_custom(tool, namespace), client)
            case "namespace":
                self.add(tool, tool.need_text("name"))
            case "tool_search" if is_by_caller(tool) and isinstance(tool.values.get("parameters"), Mapping):
                self._offer(_searching(tool), ClientTool(SEARCH, SEARCH))
            case "local_shell" | "shell" | "apply_patch" if _is_local(tool):
                definition = built_in(kind)
                if definition is not None:
                    self._offer(definition, ClientTool(kind, kind))
            case "computer" | "computer_use_preview":
                definition = built_in(kind)
                if definition is not None:
                    self._offer(_on_screen(tool, definition), ClientTool(kind, kind))
            case _:
                self.unread[f"tools.{str(kind)[:64]}"] = None

    def _add_function(self, tool: Fields, namespace: str) -> None:
        name = tool.need_text("name")
        schema = read_schema(tool, "parameters")
        definition = ToolDefinition(
            name=joined(namespace, name),
            description=tool.text("description") or "",
            parameters=schema.values,
            is_strict=tool.flag("strict"),
        )
        for unread in (*schema.named, *unread_fields(tool, _TOOL_FIELDS)):
            self.unread[unread] = None
        self._offer(definition, ClientTool("function", name, namespace) if namespace else None)

    def _offer(self, tool: ToolDefinition, client: ClientTool | None) -> None:
        self.tools[tool.name] = tool
        if client is not None:
            self.clients[tool.name] = client
        else:
            self.clients.pop(tool.name, None)


def read_offer(fields: Fields, *, adds: bool) -> Offer:
    """Read the tools of a request. adds: whether its items may add more."""
    offer = Offer()
    offer.add(fields)
    if adds and isinstance(fields.values.get("input"), list):
        for item in fields.items("input"):
            if item.values.get("type") in (ADDED, FOUND):
                offer.add(item)
    return offer


def _is_local(tool: Fields) -> bool:
    """Whether the caller runs it: a shell may be one at the provider."""
    environment = tool.values.get("environment")
    return not isinstance(environment, Mapping) or environment.get("type") == "local"


def _on_screen(tool: Fields, definition: ToolDefinition) -> ToolDefinition:
    """Tell a model how large the screen is, and of what."""
    width, height = tool.values.get("display_width"), tool.values.get("display_height")
    told = f" The screen is {width} pixels wide and {height} high." if width and height else ""
    system = f" It runs {tool.text('environment')}." if tool.text("environment") else ""
    return replace(definition, description=f"{definition.description}{told}{system}")


def _custom(tool: Fields, namespace: str) -> ToolDefinition:
    return ToolDefinition(
        joined(namespace, tool.need_text("name")), tool.text("description") or "", TEXT_SCHEMA
    )


def _searching(tool: Fields) -> ToolDefinition:
    return ToolDefinition(SEARCH, tool.text("description") or "", tool.need_child("parameters").values)


def _format(tool: Fields) -> Mapping[str, Json] | None:
    form = tool.child("format")
    return form.values if form is not None and form.values.get("type") == "grammar" else None


def read_choice(fields: Fields, offer: Offer) -> tuple[tuple[ToolDefinition, ...], ToolChoice | None, bool]:
    """Return the tools that may be called, which of them must be, and whether all of the choice was read."""
    tools = tuple(offer.tools.values())
    match fields.values.get("tool_choice"):
        case None:
            return tools, None, True
        case "auto":
            return tools, ToolChoice("auto"), True
        case "none":
            return tools, ToolChoice("none"), True
        case "required":
            return tools, ToolChoice("required"), True
        case {"type": "function" | "custom"}:
            choice = fields.need_child("tool_choice")
            name = joined(choice.text("namespace") or "", choice.need_text("name"))
            return tools, ToolChoice("named", name), True
        case {"type": "allowed_tools"}:
            allowed = fields.need_child("tool_choice")
            names = set(_allowed(allowed))
            mode = "required" if allowed.text("mode") == "required" else "auto"
            return tuple(tool for tool in tools if tool.name in names), ToolChoice(mode), True
        case {"type": str(kind)} if kind in _CHOSEN and kind in offer.tools:
            return tools, ToolChoice("named", kind), True
        case {"type": _}:  # a tool that runs at the provider
            return tools, None, False
        case _:
            raise fields.refuse("tool_choice", "auto, none, required or one tool")


def _allowed(allowed: Fields) -> Iterator[str]:
    for tool in allowed.items("tools"):
        yield joined(tool.text("namespace") or "", tool.text("name") or tool.text("type") or "")
