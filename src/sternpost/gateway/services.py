"""Everything the flow of a call needs, handed over by `assembly`; nothing here is chosen or built."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sternpost.base.clock import Clock, SystemClock
from sternpost.contracts.call import CallRecord, Principal
from sternpost.contracts.counters import Counters
from sternpost.contracts.journal import Journal
from sternpost.contracts.upstream import UpstreamClient
from sternpost.contracts.usage import Cost, Usage
from sternpost.gateway.state.health import TargetHealth
from sternpost.gateway.state.origins import ReplyOrigins
from sternpost.gateway.state.retries import RetryBudgets
from sternpost.gateway.state.signatures import CallSignatures
from sternpost.gateway.state.traffic import Traffic


class CallObserver(Protocol):
    """Hears what happens to calls, for metrics; called on the event loop, so it never blocks."""

    def call_ended(self, record: CallRecord) -> None: ...

    def key_refused(self) -> None:
        """A call without a known key: it belongs to no project, so it is counted and not recorded."""
        ...

    def record_lost(self) -> None:
        """The journal refused a record; the call went on."""
        ...

    def retry_refused(self, route: str, provider: str) -> None:
        """A retry budget was empty."""
        ...


class PriceCall(Protocol):
    """The signature of `capabilities.cost.service.PriceBook.price`."""

    def __call__(
        self,
        *,
        provider: str,
        model: str,
        fallback_model: str,
        usage: Usage | None,
        started_ns: int,
        is_free: bool = False,
        processing: str = "",
    ) -> Cost: ...


class DeafObserver:
    """Hears nothing, for tests and tools without metrics."""

    def call_ended(self, record: CallRecord) -> None: ...

    def key_refused(self) -> None: ...

    def record_lost(self) -> None: ...

    def retry_refused(self, route: str, provider: str) -> None: ...


class FollowReply(Protocol):
    """The signature of `BackgroundReplies.follow`."""

    def __call__(self, call: CallRecord, reply_id: str) -> Awaitable[None] | None: ...


def _follow_nothing(call: CallRecord, reply_id: str) -> None: ...


@dataclass(slots=True)
class JournalWatch:
    """Whether the last record was refused, so that a change is logged once."""

    is_refusing: bool = False


@dataclass(frozen=True, slots=True)
class GatewayServices:
    """The services of a serving process, under one configuration; another makes another of it."""

    check_key: Callable[[str], Principal]  # Raises: KeyRefused
    traffic: Callable[[], Traffic]
    counters: Counters
    journal: Journal
    client: UpstreamClient
    price: PriceCall
    # By provider: those that are not reached, or not signed for, as all others are.
    clients: Mapping[str, UpstreamClient] = field(default_factory=dict[str, UpstreamClient])
    clock: Clock = field(default_factory=SystemClock)
    observer: CallObserver = field(default_factory=DeafObserver)
    health: TargetHealth = field(default_factory=TargetHealth)
    retries: RetryBudgets = field(default_factory=RetryBudgets)
    origins: ReplyOrigins = field(default_factory=ReplyOrigins)
    follow: FollowReply = _follow_nothing  # a reply that its provider makes in the background
    signatures: CallSignatures = field(default_factory=CallSignatures)
    journal_watch: JournalWatch = field(default_factory=JournalWatch)
    max_body_bytes: int = 50_000_000  # of a request
    max_reply_bytes: int = 100_000_000  # of an answer that is not streamed
    kept_bytes: int = 10_000_000  # of each body, on the record
    keep_alive_s: float = 15.0
