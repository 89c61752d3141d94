"""Finds out what a dialect carries, by asking its codec once per ability; keeps no table by hand."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Literal, TypeAlias

from sternpost.base.errors import BadRequest
from sternpost.contracts.call import Dialect
from sternpost.contracts.chat import ChatRequest
from sternpost.contracts.provider import ModelFacts, Quirks
from sternpost.dialects.losses.probes import Probe
from sternpost.dialects.protocols import UpstreamCodec, WrittenRequest

# recorded: Sternpost reads it itself, and the trace has it. lost: neither carried nor named to the caller, a
# fault of the codec.
Support: TypeAlias = Literal["carried", "dropped", "refused", "recorded", "lost"]

# Of dialects that many vendors' models are asked in, a model that shows what the dialect can.
SHOWN_MODELS: Final[Mapping[Dialect, str]] = {"bedrock": "anthropic.claude-sonnet-4-5-20250929-v1:0"}
ABLE_QUIRKS: Final = Quirks(takes_prompt_cache_key=True)

ABLE: Final = ModelFacts(
    provider="any",
    name="any",
    context_tokens=1_000_000,
    max_output_tokens=64_000,
    abilities=(
        "tools",
        "vision",
        "audio",
        "audio_out",
        "video",
        "documents",
        "json_schema",
        "reasoning",
        "logprobs",
    ),
)


def support(
    codec: UpstreamCodec, probe: Probe, *, facts: ModelFacts | None = ABLE, quirks: Quirks = ABLE_QUIRKS
) -> Support:
    """Say what becomes of an ability on its way to a provider of this dialect.

    facts, quirks: of a model and host that can everything, which show what the dialect can.
    """
    try:
        written, base = (_write(codec, asked, facts, quirks) for asked in (probe.asked, probe.base))
    except BadRequest:
        return "refused"
    if set(written.dropped) - set(base.dropped):
        return "dropped"
    is_there = probe.marker in written.body if probe.marker else written.body != base.body
    if is_there:
        return "carried"
    return "recorded" if probe.is_recorded else "lost"


def _write(
    codec: UpstreamCodec, request: ChatRequest, facts: ModelFacts | None, quirks: Quirks
) -> WrittenRequest:
    asked = replace(request, model=SHOWN_MODELS.get(codec.name, request.model))
    return codec.write_request(asked, quirks=quirks, facts=facts)
