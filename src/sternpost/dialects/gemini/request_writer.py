"""Writes the internal request for Gemini; what it or the model can't take is named as dropped.

Schemas go out in `parametersJsonSchema` and `responseJsonSchema`, which take JSON Schema with references and
unions, while `parameters` and `responseSchema` take a subset of OpenAPI's and answer 400 to all else.
Source: https://ai.google.dev/api/caching#FunctionDeclaration and
https://ai.google.dev/gemini-api/docs/structured-output.
"""

import re
from dataclasses import dataclass, field
from typing import Final

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.chat import ChatRequest, ReasoningRequest
from sternpost.contracts.message import Message, TextPart
from sternpost.contracts.provider import ModelFacts, Quirks
from sternpost.dialects.gemini import names as words
from sternpost.dialects.gemini.schemas import fitting, is_empty
from sternpost.dialects.gemini.turns import TurnWriter
from sternpost.dialects.losses.requested import lost
from sternpost.dialects.pairing.client_tools import as_functions
from sternpost.dialects.pairing.identifiers import digest
from sternpost.dialects.pairing.tool_names import ToolNames
from sternpost.dialects.protocols import WrittenRequest

_TOOL_NAME: Final = 64
_MAX_STOPS: Final = 5
_LABEL: Final = re.compile(r"[a-z0-9_-]{1,63}")
_SMALLEST_BUDGET: Final = 128  # of models that can't stop thinking


@dataclass(slots=True)
class _Draft:
    """One request being written."""

    request: ChatRequest
    quirks: Quirks
    facts: ModelFacts | None
    body: dict[str, object] = field(default_factory=dict[str, object])
    generation: dict[str, object] = field(default_factory=dict[str, object])
    dropped: list[str] = field(default_factory=list[str])
    names: ToolNames = field(init=False)

    def __post_init__(self) -> None:
        self.names = ToolNames(_TOOL_NAME, client_tools=self.request.client_tools)

    def can(self, ability: str, *, if_unknown: bool) -> bool:
        return if_unknown if self.facts is None else ability in self.facts.abilities


def write_request(request: ChatRequest, *, quirks: Quirks, facts: ModelFacts | None) -> WrittenRequest:
    """Raises: BadRequest for content this dialect cannot express."""
    draft = _Draft(as_functions(request), quirks, facts)
    draft.dropped += request.unread
    _write_contents(draft)
    _write_tools(draft)
    _write_limits(draft)
    _write_thinking(draft)
    _write_format(draft)
    _write_account(draft)
    _leave_rejected(draft)
    if draft.generation:
        draft.body["generationConfig"] = draft.generation
    return WrittenRequest(
        msgspec.json.encode(draft.body), tuple(dict.fromkeys(draft.dropped)), draft.names.renamed
    )


def _write_contents(draft: _Draft) -> None:
    """Write the turns; system texts have one place, before all of them."""
    messages = [draft.names.rename(message) for message in draft.request.messages]
    is_third = draft.can(words.BY_LEVEL, if_unknown=True)
    writer = TurnWriter(
        needs_signatures=is_third,
        takes_media_in_results=is_third,
        takes_ids=not draft.quirks.is_vertex,
        dropped=draft.dropped,
    )
    turns = writer.write(messages)
    system: list[object] = [{"text": text} for text in _system_texts(messages)]
    if not turns:  # the API wants a turn; a caller who sends nothing else means these texts
        draft.body["contents"] = [{"role": "user", "parts": system or [{"text": ""}]}]
        return
    if system:
        draft.body["systemInstruction"] = {"parts": system}
    first_turn = next((i for i, message in enumerate(messages) if message.role != "system"), 0)
    if any(message.role == "system" for message in messages[first_turn:]):
        draft.dropped.append("messages (a later system message was moved to the top)")
    draft.body["contents"] = [{"role": turn.role, "parts": turn.parts} for turn in turns]
    if draft.request.cache_marks:
        draft.dropped.append("cache_control")  # prefixes are cached without being asked


def _system_texts(messages: list[Message]) -> list[str]:
    parts = [part for message in messages if message.role == "system" for part in message.parts]
    if any(not isinstance(part, TextPart) for part in parts):
        raise BadRequest("This model's API takes text in system messages only.", param="messages")
    return [part.content for part in parts if isinstance(part, TextPart) and part.content]


def _write_tools(draft: _Draft) -> None:
    request = draft.request
    if not request.tools:
        return
    declarations: list[object] = []
    for tool in request.tools:
        written: dict[str, object] = {"name": draft.names.write(tool.name)}
        if tool.description:
            written["description"] = tool.description
        if not is_empty(tool.parameters):
            written["parametersJsonSchema"] = fitting(tool.parameters)
        if tool.is_strict:
            draft.dropped.append("tools.strict")
        declarations.append(written)
    draft.body["tools"] = [{"functionDeclarations": declarations}]
    if request.tool_choice is not None:
        config: dict[str, object] = {"mode": words.CHOICE_WRITTEN[request.tool_choice.mode]}
        if request.tool_choice.mode == "named":
            config["allowedFunctionNames"] = [draft.names.write(request.tool_choice.name)]
        draft.body["toolConfig"] = {"functionCallingConfig": config}
    if request.takes_parallel_tools is False:
        draft.dropped.append("parallel_tool_calls")


def _write_limits(draft: _Draft) -> None:
    request = draft.request
    if len(request.stop) > _MAX_STOPS:
        raise BadRequest(f"stop: this model takes at most {_MAX_STOPS} stop texts.", param="stop")
    given: dict[str, object] = {
        "maxOutputTokens": request.max_output_tokens,
        "temperature": request.temperature,
        "topP": request.top_p,
        "topK": request.top_k,
        "stopSequences": list(request.stop) or None,
        "candidateCount": request.choice_count if request.choice_count != 1 else None,
        "seed": request.seed,
        "frequencyPenalty": request.frequency_penalty or None,
        "presencePenalty": request.presence_penalty or None,
        "responseLogprobs": True if request.wants_logprobs else None,
        "logprobs": request.top_logprobs if request.wants_logprobs else None,
        "responseModalities": [name.upper() for name in request.modalities] or None,
    }
    draft.generation |= {name: value for name, value in given.items() if value is not None}


def _write_thinking(draft: _Draft) -> None:
    """Ask by level or by budget, never by both, which is a 400; only of a model known to think."""
    ask = draft.request.reasoning
    if ask is None:
        return
    if not draft.can("reasoning", if_unknown=False):
        if ask.effort != "none":
            draft.dropped.append(ask.asked_as)
        return
    by_level = draft.can(words.BY_LEVEL, if_unknown=False)
    config = _level(draft, ask) if by_level else _budget(draft, ask)
    if ask.effort != "none":
        config["includeThoughts"] = True
    draft.generation["thinkingConfig"] = config


def _level(draft: _Draft, ask: ReasoningRequest) -> dict[str, object]:
    """No effort and the least one are the lowest level that the model has."""
    effort = ask.effort or (None if ask.budget_tokens is None else _effort_of(ask.budget_tokens))
    if effort is None:
        return {}  # the model's own default
    if effort in ("none", "minimal") and draft.can(words.CAN_MINIMAL, if_unknown=False):
        return {"thinkingLevel": "minimal"}
    if effort == "xhigh" and draft.can(words.CAN_XHIGH, if_unknown=False):
        return {"thinkingLevel": "xhigh"}
    if effort == "none":
        draft.dropped.append(f"{ask.asked_as} (the model can't stop thinking)")
    return {"thinkingLevel": words.LEVELS.get(effort, "low" if effort == "none" else "high")}


def _effort_of(budget_tokens: int) -> str:
    return next((effort for effort, limit in words.BUDGETS.items() if budget_tokens <= limit), "high")


def _budget(draft: _Draft, ask: ReasoningRequest) -> dict[str, object]:
    if ask.effort == "none":
        can_stop = draft.can(words.CAN_STOP_THINKING, if_unknown=False)
        if not can_stop:
            draft.dropped.append(f"{ask.asked_as} (the model can't stop thinking)")
        return {"thinkingBudget": 0 if can_stop else _SMALLEST_BUDGET}
    if ask.budget_tokens is not None:
        return {"thinkingBudget": min(ask.budget_tokens, words.LARGEST_BUDGET)}
    return {"thinkingBudget": _budget_of(ask.effort, draft.request.max_output_tokens)}


def _budget_of(effort: str | None, max_output_tokens: int | None) -> int:
    """Return the budget for an effort; thoughts count as output, so they leave room for an answer."""
    budget = words.BUDGETS.get(effort or "", words.DYNAMIC_BUDGET)
    if max_output_tokens is None or budget == words.DYNAMIC_BUDGET:
        return budget
    return min(budget, max(max_output_tokens - words.ROOM_FOR_ANSWER, words.SMALLEST_BUDGET))


def _write_format(draft: _Draft) -> None:
    wanted = draft.request.reply_format
    if wanted is None or wanted.kind == "text":
        return
    if draft.request.tools and not draft.can(words.BY_LEVEL, if_unknown=True):
        draft.dropped.append("response_format")  # before the third generation a 400 beside tools
        return
    draft.generation["responseMimeType"] = "application/json"
    if wanted.kind == "json_schema" and wanted.schema:
        draft.generation["responseJsonSchema"] = fitting(wanted.schema)


def _write_account(draft: _Draft) -> None:
    """Who the call is for and how fast it is served: Vertex AI takes the one, the Gemini API the other."""
    request = draft.request
    tier = words.TIERS.get(request.service_tier or "")
    if draft.quirks.is_vertex:
        labels = {name: text for name, text in request.metadata.items() if _is_label(name, text)}
        if request.end_user:  # an opaque one: callers put addresses and names here
            labels["end_user"] = digest(request.end_user)
        if labels:
            draft.body["labels"] = labels
    elif tier:
        draft.body["serviceTier"] = tier
    if request.service_tier not in (None, "auto") and "serviceTier" not in draft.body:
        draft.dropped.append("service_tier")
    if request.end_user and not draft.quirks.is_vertex:
        draft.dropped.append("user")
    draft.dropped += lost(request, "prompt_cache_key", "verbosity")


def _is_label(name: str, text: str) -> bool:
    """Whether Google Cloud takes it; keys begin with a letter."""
    return bool(_LABEL.fullmatch(name) and name[0].isalpha() and _LABEL.fullmatch(text))


def _leave_rejected(draft: _Draft) -> None:
    """Leave out what the model answers 400 to; of several answers not one can be left out unseen."""
    for name in draft.facts.rejects if draft.facts is not None else ():
        if draft.generation.pop(name, None) is None:
            continue
        if name == "candidateCount":
            raise BadRequest("n: this model gives one choice per call; send n=1 or leave it out.", param="n")
        draft.dropped.append(name)
