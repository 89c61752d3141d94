"""Writes the internal request as Cohere's chat; what it can't take is named as dropped."""

import re
from dataclasses import dataclass, field
from typing import Final

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import ChatRequest
from sternpost.contracts.message import Json
from sternpost.contracts.provider import ModelFacts
from sternpost.dialects.cohere.parts import write_messages
from sternpost.dialects.pairing.client_tools import as_functions
from sternpost.dialects.pairing.tool_names import ToolNames
from sternpost.dialects.protocols import WrittenRequest

_TOOL_NAME: Final = 64
_REFUSED_IN_NAMES: Final = re.compile(r"[^a-zA-Z0-9_]|^(?=\d)")
_ALWAYS: Final = frozenset({"model", "messages", "stream"})
_MOST_STOPS: Final = 5
_MOST_K: Final = 500
_LEAST_P, _MOST_P = 0.01, 0.99
_BUDGETS: Final = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 24576}
# Fields of Cohere's own that callers of another dialect may send beside theirs.
EXTENSIONS: Final = ("safety_mode", "documents", "citation_options", "strict_tools", "priority", "thinking")


@dataclass(slots=True)
class _Draft:
    """One request being written."""

    request: ChatRequest
    facts: ModelFacts | None
    body: dict[str, Json] = field(default_factory=dict[str, Json])
    dropped: list[str] = field(default_factory=list[str])
    names: ToolNames = field(init=False)

    def __post_init__(self) -> None:
        clients = self.request.client_tools
        self.names = ToolNames(_TOOL_NAME, refused=_REFUSED_IN_NAMES, client_tools=clients)

    @property
    def can_think(self) -> bool:
        return self.facts is not None and "reasoning" in self.facts.abilities


def write_request(request: ChatRequest, *, facts: ModelFacts | None) -> WrittenRequest:
    """Raises: BadRequest for what Cohere cannot express: several choices, sound, documents as files."""
    if request.choice_count != 1:
        raise BadRequest("n: this model gives one choice per call; send n=1 or leave it out.", param="n")
    draft = _Draft(as_functions(request), facts)
    draft.dropped += [name for name in request.unread if name not in EXTENSIONS]
    messages = [draft.names.rename(message) for message in request.messages]
    draft.body["model"] = request.model
    draft.body["messages"] = list(write_messages(messages, can_think=draft.can_think, dropped=draft.dropped))
    if request.is_stream:
        draft.body["stream"] = True
    _write_tools(draft)
    _write_format(draft)
    _write_reasoning(draft)
    _write_sampling(draft)
    draft.body |= {name: request.extras[name] for name in EXTENSIONS if name in request.extras}
    _name_the_rest(draft)
    rejects = facts.rejects if facts is not None else ()
    draft.dropped += [n for n in rejects if n not in _ALWAYS and draft.body.pop(n, None) is not None]
    return WrittenRequest(
        msgspec.json.encode(draft.body), tuple(dict.fromkeys(draft.dropped)), draft.names.renamed
    )


def _write_tools(draft: _Draft) -> None:
    """Write tools and their choice. To name one tool is to offer it alone and require it."""
    request, choice = draft.request, draft.request.tool_choice
    offered = request.tools
    if choice is not None and choice.mode == "named":
        offered = tuple(tool for tool in offered if tool.name == choice.name)
    if not offered:
        return
    tools: list[Json] = []
    for tool in offered:
        function: dict[str, Json] = {"name": draft.names.write(tool.name)}
        if tool.description:
            function["description"] = tool.description
        function["parameters"] = tool.parameters or {"type": "object", "properties": {}}
        tools.append({"type": "function", "function": function})
    draft.body["tools"] = tools
    if choice is not None and choice.mode != "auto":
        draft.body["tool_choice"] = "NONE" if choice.mode == "none" else "REQUIRED"
    if all(tool.is_strict for tool in offered):
        draft.body["strict_tools"] = True
    elif any(tool.is_strict for tool in offered):
        draft.dropped.append("tools.strict")  # Cohere knows it for all tools or none
    if request.takes_parallel_tools is False:
        draft.dropped.append("parallel_tool_calls")


def _write_format(draft: _Draft) -> None:
    wanted = draft.request.reply_format
    if wanted is None or wanted.kind == "text":
        return
    if "tools" in draft.body or "documents" in draft.request.extras:
        draft.dropped.append("response_format")  # Cohere takes it with neither
        return
    written: dict[str, Json] = {"type": "json_object"}
    if wanted.kind == "json_schema":
        written["json_schema"] = wanted.schema or {"type": "object"}
    draft.body["response_format"] = written


def _write_reasoning(draft: _Draft) -> None:
    """Models that reason do so unless told otherwise; an effort becomes a budget of tokens."""
    ask = draft.request.reasoning
    if ask is None:
        return
    if not draft.can_think:
        if ask.effort != "none":
            draft.dropped.append(ask.asked_as)
        return
    if ask.effort == "none":
        draft.body["thinking"] = {"type": "disabled"}
        return
    budget = ask.budget_tokens or _BUDGETS.get(ask.effort or "")
    draft.body["thinking"] = {"type": "enabled"} | ({"token_budget": budget} if budget else {})


def _write_sampling(draft: _Draft) -> None:
    """Sampling within Cohere's bounds, each change named."""
    request = draft.request
    most_likely = _bounded(draft, "top_k", request.top_k, 0, _MOST_K)
    given: dict[str, Json] = {
        "max_tokens": request.max_output_tokens,
        "temperature": request.temperature,
        "p": _bounded(draft, "top_p", request.top_p, _LEAST_P, _MOST_P),
        "k": None if most_likely is None else int(most_likely),
        "seed": request.seed,
        "frequency_penalty": _bounded(draft, "frequency_penalty", request.frequency_penalty, 0.0, 1.0),
        "presence_penalty": _bounded(draft, "presence_penalty", request.presence_penalty, 0.0, 1.0),
        "stop_sequences": list(request.stop[:_MOST_STOPS]) or None,
        "logprobs": True if request.wants_logprobs else None,
    }
    draft.body |= {name: value for name, value in given.items() if value is not None}
    if len(request.stop) > _MOST_STOPS:
        draft.dropped.append(f"stop (only the first {_MOST_STOPS} of {len(request.stop)})")


def _bounded(draft: _Draft, name: str, value: float | None, least: float, most: float) -> float | None:
    if value is None:
        return None
    if value < least:
        draft.dropped.append(f"{name} (raised to {least:g})")
    if value > most:
        draft.dropped.append(f"{name} (lowered to {most:g})")
    return min(most, max(least, value))


def _name_the_rest(draft: _Draft) -> None:
    request = draft.request
    lost = {
        "user": request.end_user,
        "service_tier": request.service_tier if request.service_tier not in ("auto", "default") else None,
        "top_logprobs": request.top_logprobs,
        "cache_control": request.cache_marks,
        "prompt_cache_key": request.cache_key,
        "verbosity": request.verbosity,
        "modalities": [kind for kind in request.modalities if kind != "text"],
    }
    draft.dropped += [name for name, value in lost.items() if value]
