"""Finds out what a dialect carries, by asking its codec once per ability; keeps no table by hand."""

from typing import Final, Literal, TypeAlias

from windlass.base.errors import BadRequest
from windlass.contracts.chat import ChatRequest
from windlass.contracts.dialect import UpstreamCodec, WrittenRequest
from windlass.contracts.provider import STANDARD, ModelFacts
from windlass.dialects.probes import Probe

# lost: neither carried nor named to the caller, which is a fault of the codec
Support: TypeAlias = Literal["carried", "dropped", "refused", "lost"]

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


def support(codec: UpstreamCodec, probe: Probe, *, facts: ModelFacts | None = ABLE) -> Support:
    """Say what becomes of an ability on its way to a provider of this dialect.

    facts: of the model asked; a model that can everything shows what the dialect can.
    """
    try:
        written, base = _write(codec, probe.asked, facts), _write(codec, probe.base, facts)
    except BadRequest:
        return "refused"
    if set(written.dropped) - set(base.dropped):
        return "dropped"
    is_there = probe.marker in written.body if probe.marker else written.body != base.body
    return "carried" if is_there else "lost"


def _write(codec: UpstreamCodec, request: ChatRequest, facts: ModelFacts | None) -> WrittenRequest:
    return codec.write_request(request, quirks=STANDARD, facts=facts)
