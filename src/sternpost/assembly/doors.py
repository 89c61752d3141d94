"""Opens who may come in, before any part: keys in memory, sign-in, and what a first start makes."""

from collections.abc import Callable, Sequence

from sternpost.assembly.part import Access, Needed
from sternpost.backends.model_client.worker_token import TokenReader, shared_secret
from sternpost.base.clock import Clock
from sternpost.base.settings import Settings
from sternpost.capabilities.access.browser import Site
from sternpost.capabilities.access.guard import Guard
from sternpost.capabilities.access.key_ring import KeyRing
from sternpost.capabilities.access.service import access_service
from sternpost.contracts.event_log import EventLog
from sternpost.contracts.tables import Tables


def open_access(
    settings: Settings,
    tables: Tables,
    log: EventLog,
    clock: Clock,
    *,
    needed: Needed,
    environments: Callable[[], Sequence[str]],
) -> Access:
    """Prepare the doors; blocking. No key is known before the follower of changes has loaded its snapshots.

    needed: which scopes a key needs for a method and a path. environments: those that are configured.
    Raises: StoreUnavailable.
    """
    service = access_service(
        tables, log, session_days=settings.session_days, clock=clock, known_environments=environments
    )
    first_start = service.ensure_first_start()
    key_ring = KeyRing(service.store, clock, environments)
    guard = Guard(service, key_ring.check, needed, Site(settings.public_url, settings.port))
    secret = shared_secret(tables, clock.now_ns())
    tokens = TokenReader(secret, clock, key_ring.check, key_ring.refuse_ended)
    return Access(service, key_ring, guard, tokens.check, first_start)
