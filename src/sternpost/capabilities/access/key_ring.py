"""The keys in memory, for the path of a call; a database that is away neither refuses nor delays a call."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as LookUpTimeout
from hashlib import sha256
from typing import Literal

from sternpost.base.clock import Clock, SystemClock, utc_text
from sternpost.base.errors import KeyRefused, StoreError
from sternpost.base.ids import KeyId
from sternpost.base.threads import in_thread
from sternpost.capabilities.access import rules
from sternpost.capabilities.access.records import ApiKey
from sternpost.capabilities.access.store import AccessStore
from sternpost.contracts.call import Principal
from sternpost.contracts.environment import ENVIRONMENTS

logger = logging.getLogger(__name__)

_TOUCH_S = 60.0
_LOOK_UP_EVERY_S = 0.2
_LOOK_UP_WAIT_S = 0.05
_MAX_KEY_CHARACTERS = 200

_NO_END = 1 << 63


def _usual_environments() -> Collection[str]:
    return ENVIRONMENTS


class KeyRing:
    """Checks presented keys. `load` it at the start and after each change; keep `record_use` in a task."""

    def __init__(
        self,
        store: AccessStore,
        clock: Clock | None = None,
        environments: Callable[[], Collection[str]] = _usual_environments,
    ) -> None:
        """environments: those that a call may name; asked for with each `load`."""
        self._store = store
        self._clock = clock or SystemClock()
        self._environments = environments
        self._named = frozenset(ENVIRONMENTS)
        # By hash: whose key it is and until when it is good (0: revoked).
        self._entries: dict[bytes, tuple[Principal, int]] = {}
        self._keys: dict[bytes, ApiKey] = {}
        self._by_id: dict[KeyId, ApiKey] = {}
        self._used: dict[KeyId, int] = {}
        self._is_closed = False
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sternpost-key-look-up")
        self._look_up: Future[ApiKey | None] | None = None
        self._next_look_up_s = 0.0

    def check(self, presented: str) -> Principal:
        """Return whose key it is, in about a microsecond.

        An unknown key is looked up in the tables at most 5 times a second, for at most 50 ms, so that a key
        made a moment ago by another process works at once. Raises: KeyRefused.
        """
        entry = self._entries.get(sha256(presented.encode("utf-8", "replace")).digest())
        now_ns = self._clock.now_ns()
        if entry is None or now_ns >= entry[1]:
            entry = self._check_slowly(presented, now_ns)
        principal = entry[0]
        self._used[principal.key_id] = now_ns
        return principal

    def refuse_ended(self, key_id: KeyId) -> None:
        """Judge a key by its id, for work that was asked for with it. Raises: KeyRefused when it has ended.

        One that is not known here was made a moment ago.
        """
        key = self._by_id.get(key_id)
        if key is not None and (verdict := rules.judge_key(key, self._clock.now_ns())) != "good":
            raise KeyRefused(_refusal(key, verdict))

    def load(self) -> None:
        """Read all keys; blocking. Raises: StoreUnavailable, and the keys read before stay in use."""
        self._named = frozenset(self._environments())
        self._replace(self._store.all_keys())

    async def record_use(self) -> None:
        """Store once a minute when keys were last used, until cancelled."""
        while True:
            await asyncio.sleep(_TOUCH_S)
            try:
                await in_thread(self.flush)
            except (
                Exception
            ):  # the edge of the task: if it ended, the use of keys would no longer be recorded
                logger.exception("can't write down when keys were last used; trying again in a minute")

    def close(self) -> None:
        """Flush and stop looking up; blocking. Known keys are still checked."""
        self._is_closed = True
        self._pool.shutdown(cancel_futures=True)
        self.flush()

    def flush(self) -> None:
        """Write down when keys were last used; blocking."""
        used, self._used = self._used, {}
        if not used:
            return
        try:
            self._store.touch_keys(used)
        except StoreError as error:
            logger.warning("can't store when keys were last used: %s", error)

    def _replace(self, keys: Iterable[ApiKey]) -> None:
        self._keys = {bytes.fromhex(key.key_hash): key for key in keys}
        self._by_id = {key.key_id: key for key in self._keys.values()}
        self._entries = {digest: self._entry(key) for digest, key in self._keys.items()}

    def _check_slowly(self, presented: str, now_ns: int) -> tuple[Principal, int]:
        if not presented.startswith(rules.KEY_STARTS) or len(presented) > _MAX_KEY_CHARACTERS:
            raise KeyRefused(
                "this is not a Sternpost key: those begin with 'sp-'; put a provider's own key into "
                "sternpost.yaml; `sternpost key create --name NAME` creates one to send here"
            )
        digest = sha256(presented.encode("utf-8", "replace")).digest()
        key = self._keys.get(digest) or self._find(digest)
        if key is None:
            raise KeyRefused(
                f"the key that begins with {presented[:6]!r} is unknown; check that it was copied "
                "completely, or create one with `sternpost key create --name NAME`"
            )
        self._keys[digest] = key
        self._entries[digest] = self._entry(key)
        if (verdict := rules.judge_key(key, now_ns)) != "good":
            raise KeyRefused(_refusal(key, verdict))
        return self._entries[digest]

    def _entry(self, key: ApiKey) -> tuple[Principal, int]:
        principal = Principal(
            key.project_id,
            key.key_id,
            key.name,
            key.models,
            key.scopes,
            environment=key.environment,
            environments=self._named,
        )
        until_ns = _NO_END if key.expires_ns is None else key.expires_ns
        return principal, 0 if key.revoked_ns is not None else until_ns

    def _find(self, digest: bytes) -> ApiKey | None:
        """Look a key up, one at a time, so that an outage costs the calls no more than one wait."""
        now_s = time.monotonic()
        is_busy = self._look_up is not None and not self._look_up.done()
        if is_busy or now_s < self._next_look_up_s or self._is_closed:
            return None
        self._next_look_up_s = now_s + _LOOK_UP_EVERY_S
        self._look_up = self._pool.submit(self._store.key_by_hash, digest.hex())
        try:
            return self._look_up.result(_LOOK_UP_WAIT_S)
        except (LookUpTimeout, StoreError) as error:
            logger.info("an unknown key could not be looked up: %s", error or "the tables are slow")
            return None


def _refusal(key: ApiKey, verdict: Literal["revoked", "expired"]) -> str:
    at_ns = key.revoked_ns if verdict == "revoked" else key.expires_ns
    happened = "was revoked" if verdict == "revoked" else "expired"
    return (
        f"the key {key.name!r} ({key.prefix}...) {happened} at {utc_text(at_ns or 0)}; "
        "use another, or create one with `sternpost key create --name NAME`"
    )
