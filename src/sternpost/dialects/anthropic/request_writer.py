"""Writes the internal request as Anthropic messages; what the model can't take is named as dropped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import ChatRequest, ReasoningRequest, ReplyFormat, ToolDefinition
from sternpost.contracts.message import Json, Message, TextPart, ToolCallPart
from sternpost.contracts.provider import ModelFacts, Quirks
from sternpost.dialects.anthropic import vertex
from sternpost.dialects.anthropic.names import EFFORT_BUDGETS
from sternpost.dialects.anthropic.turns import keep, write_turns
from sternpost.dialects.auto_cache import MOST_MARKS
from sternpost.dialects.claude.cache_control import Ttl, write_mark
from sternpost.dialects.claude.closed_schemas import closed
from sternpost.dialects.claude.efforts import (
    FORCED_CHOICE,
    LEAST_TOP_P,
    MIN_BUDGET,
    SPARE_EFFORT,
    adaptive_effort,
    unforced,
)
from sternpost.dialects.losses.requested import Ask, lost
from sternpost.dialects.pairing.client_tools import as_functions
from sternpost.dialects.pairing.identifiers import digest
from sternpost.dialects.pairing.tool_names import REPLY_TOOL, ToolNames
from sternpost.dialects.pairing.turns import Marks, arrange, can_think, marks_by_part
from sternpost.dialects.protocols import WrittenRequest

DEFAULT_MAX_TOKENS: Final = 4096
_TOOL_NAME: Final = 128
_ALWAYS: Final = frozenset({"model", "messages", "stream", "max_tokens"})
_REPLY_TOOL_TEXT: Final = "Give your whole answer as the input of this tool, and say nothing beside it."
_UNKNOWN: Final[tuple[Ask, ...]] = (
    "frequency_penalty",
    "image_url.detail",
    "logprobs",
    "modalities",
    "presence_penalty",
    "prompt_cache_key",
    "seed",
    "top_logprobs",
    "verbosity",
)
_CHOICES: Final = {"auto": "auto", "none": "none", "required": "any"}
_TIERS: Final = {"auto": "auto", "standard_only": "standard_only", "default": "standard_only"}


@dataclass(slots=True)
class _Draft:
    """One request being written."""

    request: ChatRequest
    facts: ModelFacts | None
    max_tokens: int
    body: dict[str, Json] = field(default_factory=dict[str, Json])
    dropped: list[str] = field(default_factory=list[str])
    names: ToolNames = field(init=False)

    can_think: bool = True  # whether the turns allow thinking within a budget
    is_reply_forced: bool = False  # the reply is to be the call of a tool, which thinking does not go with

    def __post_init__(self) -> None:
        self.names = ToolNames(_TOOL_NAME, client_tools=self.request.client_tools)

    def can(self, ability: str, *, if_unknown: bool) -> bool:
        """Of a model that only the price table names, nothing is known but its size."""
        is_known = self.facts is not None and self.facts.abilities
        return ability in self.facts.abilities if self.facts is not None and is_known else if_unknown

    def rejects(self, parameter: str) -> bool:
        return self.facts is not None and parameter in self.facts.rejects


def write_request(request: ChatRequest, *, quirks: Quirks, facts: ModelFacts | None) -> WrittenRequest:
    """Raises: BadRequest for what the dialect cannot express: several choices, audio, unpaired tools."""
    if request.choice_count != 1:
        raise BadRequest("n: this model gives one choice per call; send n=1 or leave it out.", param="n")
    request = as_functions(request)
    limit = facts.max_output_tokens if facts is not None else None
    draft = _Draft(request, facts, request.max_output_tokens or limit or DEFAULT_MAX_TOKENS)
    draft.dropped += [*request.unread, *lost(request, *_UNKNOWN)]
    if limit is not None and draft.max_tokens > limit:
        draft.max_tokens = limit
        draft.dropped.append("max_tokens (lowered to the model's limit)")
    _write_messages(draft)
    _write_tools(draft)
    _write_output(draft)
    _write_sampling(draft)
    _write_rest(draft)
    rejects = facts.rejects if facts is not None else ()
    draft.dropped += [n for n in rejects if n not in _ALWAYS and draft.body.pop(n, None) is not None]
    if quirks.is_vertex:
        draft.dropped += [name for name in draft.body.keys() - vertex.FIELDS if draft.body.pop(name)]
        del draft.body["model"]
        draft.body[vertex.VERSION_FIELD] = vertex.VERSION
    return WrittenRequest(
        msgspec.json.encode(draft.body), tuple(dict.fromkeys(draft.dropped)), draft.names.renamed
    )


def _write_messages(draft: _Draft) -> None:
    messages = [draft.names.rename(message) for message in draft.request.messages]
    draft.body["model"] = draft.request.model
    draft.body["max_tokens"] = draft.max_tokens
    marks = _kept_marks(draft, messages)
    system = _system_texts(messages, marks)
    if system:
        is_plain = len(system) == 1 and "cache_control" not in system[0]
        draft.body["system"] = system[0]["text"] if is_plain else system
    if _has_late_system(messages):
        draft.dropped.append("messages (a later system message was moved to the top)")
    turns = arrange(messages, keep, marks, draft.dropped)
    draft.body["messages"] = write_turns(turns, marks)
    draft.can_think = can_think(turns)
    if draft.request.is_stream:
        draft.body["stream"] = True


def _kept_marks(draft: _Draft, messages: Sequence[Message]) -> Marks:
    marks = draft.request.cache_marks
    if len(marks) > MOST_MARKS:
        draft.dropped.append(f"cache_control (the last {MOST_MARKS} were kept)")
    return marks_by_part(messages, marks[-MOST_MARKS:])


def _system_texts(messages: Sequence[Message], marks: Marks) -> list[dict[str, Json]]:
    return [
        {
            "type": "text",
            "text": part.content,
            **(write_mark(marks[id(part)].ttl) if id(part) in marks else {}),
        }
        for message in messages
        if message.role == "system"
        for part in message.parts
        if isinstance(part, TextPart) and part.content.strip()
    ]


def _has_late_system(messages: Sequence[Message]) -> bool:
    first_turn = next((i for i, message in enumerate(messages) if message.role != "system"), len(messages))
    return any(message.role == "system" for message in messages[first_turn:])


def _write_tools(draft: _Draft) -> None:
    request = draft.request
    if not request.tools:
        _declare_used_tools(draft)
        return
    tools: list[Json] = []
    marks: dict[int, Ttl] = {m.part: m.ttl for m in request.cache_marks[-MOST_MARKS:] if m.message == -1}
    for index, tool in enumerate(request.tools):
        written: dict[str, Json] = {"name": draft.names.write(tool.name)}
        if tool.description:
            written["description"] = tool.description
        written["input_schema"] = {"type": "object", **tool.parameters}
        if tool.is_strict:
            written |= _strict(draft, tool)
        if index in marks:
            written |= write_mark(marks[index])
        tools.append(written)
    draft.body["tools"] = tools
    choice = _write_choice(draft)
    if choice:
        draft.body["tool_choice"] = choice


def _declare_used_tools(draft: _Draft) -> None:
    """Declare the tools the history calls, and forbid them: the API takes no history of undeclared tools."""
    calls = (part for message in draft.request.messages for part in message.parts)
    used = dict.fromkeys(draft.names.write(part.name) for part in calls if isinstance(part, ToolCallPart))
    if used:
        draft.body["tools"] = [{"name": name, "input_schema": {"type": "object"}} for name in used]
        draft.body["tool_choice"] = {"type": "none"}


def _strict(draft: _Draft, tool: ToolDefinition) -> dict[str, Json]:
    if draft.can("json_schema", if_unknown=False):
        return {"input_schema": closed({"type": "object", **tool.parameters}, []), "strict": True}
    draft.dropped.append("tools.strict")
    return {}


def _write_choice(draft: _Draft) -> dict[str, Json]:
    request = draft.request
    choice: dict[str, Json] = {}
    if request.tool_choice is not None:
        if request.tool_choice.mode == "named":
            choice = {"type": "tool", "name": draft.names.write(request.tool_choice.name)}
        else:
            choice = {"type": _CHOICES[request.tool_choice.mode]}
    if request.takes_parallel_tools is False and choice.get("type") != "none":
        choice = (choice or {"type": "auto"}) | {"disable_parallel_tool_use": True}
    return choice


def _write_output(draft: _Draft) -> None:
    """Thinking, effort and the form of the reply."""
    config: dict[str, Json] = {}
    wanted = draft.request.reply_format
    needs_form = wanted is not None and wanted.kind != "text"
    if wanted is not None and wanted.kind == "json_schema" and draft.can("json_schema", if_unknown=True):
        told: list[str] = []
        config["format"] = {
            "type": "json_schema",
            "schema": closed(wanted.schema or {"type": "object"}, told),
        }
        draft.dropped += [f"response_format ({name} is told, not kept to)" for name in told]
    elif wanted is not None and needs_form:
        _force_reply_tool(draft, wanted)
    if draft.request.reasoning is not None:
        config |= _write_reasoning(draft, draft.request.reasoning)
    if config:
        draft.body["output_config"] = config


def _force_reply_tool(draft: _Draft, wanted: ReplyFormat) -> None:
    """Offer a tool whose input is the reply, and demand a call; thinking does not go with that.

    The call is turned back into the reply's text (`tool_names`).
    """
    if draft.request.tool_choice is not None and draft.request.tool_choice.mode == "named":
        draft.dropped.append("response_format")  # this reply is to be that call
        return
    draft.is_reply_forced = not draft.rejects(FORCED_CHOICE)
    offered = draft.body.get("tools")
    others = list(offered) if isinstance(offered, list) and draft.request.tools else []
    schema: Json = {"type": "object", **(wanted.schema or {})}
    tool: Json = {"name": REPLY_TOOL, "description": _REPLY_TOOL_TEXT, "input_schema": schema}
    draft.body["tools"] = [*(offered if isinstance(offered, list) else ()), tool]
    is_free = bool(others) and (draft.request.tool_choice is None or draft.request.tool_choice.mode != "none")
    draft.body["tool_choice"] = {"type": "any"} if is_free else {"type": "tool", "name": REPLY_TOOL}
    if draft.rejects(FORCED_CHOICE):
        draft.body["tool_choice"] = {"type": "auto"}
        draft.dropped.append("response_format (asked for, not enforced)")
    draft.names.renamed[REPLY_TOOL] = ""


def _write_reasoning(draft: _Draft, ask: ReasoningRequest) -> dict[str, Json]:
    """The catalogue decides between adaptive thinking and a budget: each is a 400 on the other's models."""
    is_adaptive = draft.can("adaptive_thinking", if_unknown=False)
    if ask.effort == "none":
        return _write_no_thinking(draft, ask) if is_adaptive else {}
    # Adaptive thinking asks for no thinking in earlier turns. Source: docs, "Adaptive thinking".
    if draft.is_reply_forced or not (draft.can_think or is_adaptive):
        draft.dropped.append(ask.asked_as)
        return {}
    if is_adaptive:
        draft.body["thinking"] = {"type": "adaptive"}
        effort = adaptive_effort(ask, knows_xhigh=draft.can("xhigh_thinking", if_unknown=True))
        return {"effort": effort} if effort else {}
    budget = min(
        ask.budget_tokens or EFFORT_BUDGETS.get(ask.effort or "medium", EFFORT_BUDGETS["medium"]),
        draft.max_tokens - MIN_BUDGET,
    )
    if not draft.can("reasoning", if_unknown=False) or budget < MIN_BUDGET:
        draft.dropped.append(ask.asked_as)
        return {}
    draft.body["thinking"] = {"type": "enabled", "budget_tokens": budget}
    return {}


def _write_no_thinking(draft: _Draft, ask: ReasoningRequest) -> dict[str, Json]:
    """Newer models think unless told otherwise, and some can only be told to think little."""
    if draft.can("thinking_off", if_unknown=False):
        draft.body["thinking"] = {"type": "disabled"}
        return {}
    draft.dropped.append(ask.asked_as)
    return {"effort": SPARE_EFFORT}


def _write_sampling(draft: _Draft) -> None:
    """Sampling within the API's bounds; thinking allows neither temperature, top_k nor a forced tool."""
    request, body = draft.request, draft.body
    thinking = body.get("thinking")
    is_thinking = isinstance(thinking, Mapping) and thinking.get("type") != "disabled"
    sampling: dict[str, float | int | None] = {
        "temperature": request.temperature,
        "top_p": request.top_p if request.temperature is None else None,
        "top_k": request.top_k,
    }
    if request.top_p is not None and request.temperature is not None:
        draft.dropped.append("top_p")  # newer models refuse the two together
    for name, value in sampling.items():
        if value is None:
            continue
        if is_thinking and not (name == "top_p" and value >= LEAST_TOP_P):
            draft.dropped.append(name)
        else:
            body[name] = min(1.0, max(0.0, value)) if name == "temperature" else value
    if request.temperature is not None and request.temperature > 1 and not is_thinking:
        draft.dropped.append("temperature (lowered to 1)")
    choice = body.get("tool_choice")
    is_bound = is_thinking or draft.rejects(FORCED_CHOICE)
    if is_bound and isinstance(choice, Mapping) and choice.get("type") in ("any", "tool"):
        body["tool_choice"] = unforced(choice)
        draft.dropped.append("tool_choice")


def _write_rest(draft: _Draft) -> None:
    request, body = draft.request, draft.body
    stops: list[Json] = [text for text in request.stop if text.strip()]
    if stops:
        body["stop_sequences"] = stops
    if len(stops) < len(request.stop):
        draft.dropped.append("stop")  # the API refuses stop texts of white space only
    if request.end_user:
        # Anthropic asks for an opaque identifier; other dialects' callers put addresses and names here.
        body["metadata"] = {"user_id": digest(request.end_user)}
    if request.service_tier:
        tier = _TIERS.get(request.service_tier)
        if tier:
            body["service_tier"] = tier
        else:
            draft.dropped.append("service_tier")
