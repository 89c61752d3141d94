"""What the worker needs to know of models and prices; its source is chosen in `assembly`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sternpost.capabilities.batches.records import BatchApi
from sternpost.contracts.call import CallRecord, Principal
from sternpost.contracts.provider import ModelFacts, Provider
from sternpost.contracts.usage import Cost, Usage
from sternpost.dialects.protocols import UpstreamCodec


@dataclass(frozen=True, slots=True)
class ProviderTarget:
    """A model at a provider that has its own batch API, asked in one dialect."""

    provider: Provider
    model: str
    api: BatchApi
    codec: UpstreamCodec
    facts: ModelFacts | None
    headers: Mapping[str, str]  # of every request to the provider


class Models(Protocol):
    def choose(self, url: str, model: str, principal: Principal) -> ProviderTarget | None:
        """Return where a line may be given to a provider; None: it goes through the gateway.

        Raises: ModelUnknown, PermissionRefused, ProviderNotConfigured.
        """
        ...

    def refuse_others(self, url: str, model: str, body: bytes, principal: Principal) -> None:
        """Look for other models that a line names. Raises: PermissionRefused, BadRequest."""
        ...

    def target(self, provider: str, model: str, url: str) -> ProviderTarget | None:
        """Return a provider that was chosen before; None: the configuration no longer has it."""
        ...


class PriceLine(Protocol):
    def __call__(
        self, target: ProviderTarget, answered_model: str, usage: Usage | None, started_ns: int
    ) -> Cost:
        """Price an answer at the batch rate in force when it was submitted."""
        ...


class KeepRecord(Protocol):
    async def __call__(self, record: CallRecord) -> None:
        """Write a record to the journal, synced. Raises: StoreError."""
        ...
