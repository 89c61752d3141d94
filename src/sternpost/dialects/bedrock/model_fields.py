"""Writes what Converse has no field for, by the model's maker: thinking, top_k, betas.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html and
https://docs.aws.amazon.com/nova/latest/nova2-userguide/request-response-schema.html
"""

from collections.abc import Mapping
from typing import Final

from sternpost.contracts.chat import ReasoningRequest
from sternpost.contracts.message import Json
from sternpost.dialects.bedrock.draft import Draft
from sternpost.dialects.bedrock.names import BETAS, EFFORT_BUDGETS
from sternpost.dialects.claude.efforts import MIN_BUDGET, SPARE_EFFORT, adaptive_effort

_NOVA_EFFORTS: Final = {"minimal": "low", "low": "low", "medium": "medium"}
_GPT_EFFORTS: Final = {"minimal": "low", "low": "low", "medium": "medium"}


def write_thinking(draft: Draft) -> None:
    """Ask for thinking as the model's maker wants it; others have no way to be asked."""
    ask = draft.request.reasoning
    if ask is None:
        return
    if ask.effort == "none":
        _write_no_thinking(draft, ask)
    elif draft.is_claude:
        _write_claude(draft, ask)
    elif draft.maker == "amazon" and draft.can("reasoning", if_unknown="nova-2" in draft.model_id):
        effort = _NOVA_EFFORTS.get(_effort(ask), "high")
        draft.extra["reasoningConfig"] = {"type": "enabled", "maxReasoningEffort": effort}
        draft.is_thinking = True
    elif draft.maker == "openai":
        draft.extra["reasoning_effort"] = _GPT_EFFORTS.get(_effort(ask), "high")
    else:
        draft.dropped.append(ask.asked_as)


def _write_no_thinking(draft: Draft, ask: ReasoningRequest) -> None:
    """Newer Claudes think unless told otherwise, and some can only be told to think little."""
    if not (draft.is_claude and draft.can("adaptive_thinking", if_unknown=False)):
        return
    if draft.can("thinking_off", if_unknown=False):
        draft.extra["thinking"] = {"type": "disabled"}
    else:
        draft.dropped.append(ask.asked_as)
        _write_effort(draft, SPARE_EFFORT)


def _write_claude(draft: Draft, ask: ReasoningRequest) -> None:
    """The catalogue decides between adaptive thinking and a budget: each is a 400 on the other's models."""
    if draft.can("adaptive_thinking", if_unknown=ask.is_adaptive):
        draft.extra["thinking"] = {"type": "adaptive"}
        draft.is_thinking = True
        effort = adaptive_effort(ask, knows_xhigh=draft.can("xhigh_thinking", if_unknown=True))
        if effort:
            _write_effort(draft, effort)
        return
    if not draft.can_think:
        draft.dropped.append(ask.asked_as)
        return
    budget = ask.budget_tokens or EFFORT_BUDGETS.get(ask.effort or "medium", EFFORT_BUDGETS["medium"])
    limit = draft.max_tokens or (draft.facts.max_output_tokens if draft.facts is not None else None)
    if limit is not None:
        budget = min(budget, limit - MIN_BUDGET)
    is_known = draft.can("reasoning", if_unknown=ask.budget_tokens is not None)
    if not is_known or budget < MIN_BUDGET or (limit is None and budget > EFFORT_BUDGETS["high"]):
        draft.dropped.append(ask.asked_as)
        return
    draft.extra["thinking"] = {"type": "enabled", "budget_tokens": budget}
    draft.is_thinking = True


def _write_effort(draft: Draft, effort: str) -> None:
    draft.body["outputConfig"] = {**_object(draft.body.get("outputConfig")), "effort": effort}


def _effort(ask: ReasoningRequest) -> str:
    if ask.effort:
        return ask.effort
    budget = ask.budget_tokens or EFFORT_BUDGETS["medium"]
    return next((name for name in ("low", "medium") if budget <= EFFORT_BUDGETS[name]), "high")


def write_sampling_extras(draft: Draft) -> None:
    """Write `top_k` and, for OpenAI's models, what is theirs alone."""
    request = draft.request
    top_k = request.top_k
    if top_k is not None:
        if draft.rejects("top_k") or (draft.is_claude and draft.is_thinking):
            draft.dropped.append("top_k")
        elif draft.is_claude:
            draft.extra["top_k"] = top_k
        elif draft.maker == "amazon":
            draft.extra["inferenceConfig"] = {"topK": top_k}
        elif draft.maker == "cohere":
            draft.extra["k"] = top_k
        else:
            draft.dropped.append("top_k")
    others: dict[str, int | float | None] = {
        "seed": request.seed,
        "frequency_penalty": request.frequency_penalty,
        "presence_penalty": request.presence_penalty,
    }
    for name, value in others.items():
        if not value:
            continue
        if draft.maker == "openai" and not draft.rejects(name):
            draft.extra[name] = value
        else:
            draft.dropped.append(name)


def write_betas(draft: Draft) -> None:
    """Pass on the betas Bedrock documents, to Claude; the others are a 400 there."""
    asked = draft.request.betas
    if not asked:
        return
    known = [beta for beta in asked if draft.is_claude and beta in BETAS]
    if known:
        draft.extra["anthropic_beta"] = known
    draft.dropped += [f"anthropic-beta {beta[:64]}" for beta in asked if beta not in known]


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}
