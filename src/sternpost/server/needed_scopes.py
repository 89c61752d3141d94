"""Which scopes a key needs for a request to the API, to files and to batches; the gateway knows its own."""

from collections.abc import Mapping
from typing import Final, TypeAlias

from sternpost.contracts.key_scope import KeyScope

Scopes: TypeAlias = frozenset[KeyScope]

_ANYTHING: Final[Scopes] = frozenset()  # what any key may see
_READS_TRACES: Final = frozenset({KeyScope.TRACES_READ})
_CALLS: Final = frozenset({KeyScope.CALLS})
_FILES: Final = frozenset({KeyScope.FILES})
_RUNS_BATCHES: Final = _FILES | _CALLS  # its lines are calls

# By the first word behind `/api/` and the method. What is not listed, no key may do: a new path has to say.
_API: Final[Mapping[tuple[str, str], Scopes]] = {
    ("GET", "batches"): _FILES,
    ("POST", "batches"): _FILES,  # cancels
    ("GET", "blobs"): _READS_TRACES,
    ("GET", "cost"): _READS_TRACES,
    ("GET", "events"): frozenset({KeyScope.KEYS_READ}),  # who changed what
    ("POST", "events"): frozenset({KeyScope.KEYS_WRITE}),  # retry and replay
    ("GET", "keys"): frozenset({KeyScope.KEYS_READ}),
    ("POST", "keys"): frozenset({KeyScope.KEYS_WRITE}),
    ("GET", "models"): _CALLS,
    ("GET", "overview"): _READS_TRACES,
    ("GET", "providers"): _CALLS,
    ("GET", "session"): _ANYTHING,
    ("DELETE", "session"): _ANYTHING,
    ("GET", "status"): _ANYTHING,
    ("GET", "traces"): _READS_TRACES,
    ("POST", "traces"): frozenset({KeyScope.SCORES_WRITE}),  # scores of a trace
}


def needed_by_api(method: str, path: str) -> Scopes | None:
    """Return what a request to `/api/...` needs; None: it is not for keys."""
    noun = path.removeprefix("/api/").partition("/")[0]
    return _API.get(("GET" if method == "HEAD" else method, noun))


def needed_by_files(method: str, path: str) -> Scopes | None:
    """Return what a request to `/v1/files` or `/v1/batches` needs."""
    return _RUNS_BATCHES if method == "POST" and path == "/v1/batches" else _FILES
