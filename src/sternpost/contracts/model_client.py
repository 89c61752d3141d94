"""How Sternpost's own parts call models: through the gateway, so that limits, prices and records are its own.

Who calls, for whom and what for is said once, in `CallFor`; the gateway writes it on the span of the call.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, TypeAlias

from sternpost.base.money import NanoUsd
from sternpost.contracts.call import Principal, Purpose
from sternpost.contracts.chat import ChatReply, ChatRequest, StreamEvent

# Whether a failed call is worth another try: never; when its wait is over, without a limit to the number of
# tries (a rate limit, a gateway that is away); a few times (the provider failed).
Retry: TypeAlias = Literal["never", "later", "again"]


# Carries what the worker says of a call, as a URL's query; from anybody else it is not believed.
FACTS_HEADER: Final = "x-sternpost-call-facts"


@dataclass(frozen=True, slots=True)
class CallFor:
    """Whose call it is and what it serves.

    `principal`: who asked for the work; for work of Sternpost's own one without a key, named after the part.
    """

    principal: Principal
    purpose: Purpose
    feature: str = ""
    budget: str = ""  # what the cost is counted under, e.g. the id of a run
    idempotency_key: str = ""
    facts: Mapping[str, str] = field(default_factory=dict[str, str])  # for the span; declared names only


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What the gateway says of a call beside its answer. `cost_nanousd` None: not known."""

    trace_id: str = ""
    request_id: str = ""
    cost_nanousd: NanoUsd | None = None


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    reply: ChatReply
    facts: CallFacts


@dataclass(frozen=True, slots=True)
class Embeddings:
    """One vector per text, in the order of the texts."""

    vectors: tuple[tuple[float, ...], ...]
    model: str
    input_tokens: int
    facts: CallFacts


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer as it came; `retry` says what an error is worth, `retry_after_s` what the answer asks for."""

    status: int
    body: bytes
    facts: CallFacts
    retry: Retry = "never"
    retry_after_s: float | None = None


class ModelClient(Protocol):
    """Raises, anywhere: ModelCallRefused, which another try would not change; ModelCallDelayed, which says
    when to try again; ModelCallFailed, which a few more attempts may help; BodyTooLarge for a huge answer."""

    async def chat(self, request: ChatRequest, call: CallFor) -> ChatAnswer: ...

    def stream(self, request: ChatRequest, call: CallFor) -> AsyncGenerator[StreamEvent]:
        """Yield events as they arrive. A stream that breaks raises ModelCallFailed."""
        ...

    async def embed(self, model: str, texts: Sequence[str], call: CallFor) -> Embeddings: ...

    async def count(self, request: ChatRequest, call: CallFor) -> int:
        """Return how many input tokens a request has; an estimate where the provider does not count."""
        ...

    async def raw(self, path: str, body: bytes, call: CallFor) -> RawAnswer:
        """Send a body as it is to a path of `/v1`. An error answer is returned, not raised.

        Raises: ModelCallDelayed when the gateway can't be reached, BodyTooLarge.
        """
        ...
