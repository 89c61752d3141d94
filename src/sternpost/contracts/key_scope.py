"""What a key may do, in a small closed set of words; which request needs which stands at each surface."""

from enum import StrEnum
from typing import Final


class KeyScope(StrEnum):
    """One thing that a key may do. A person who is signed in may do all of them."""

    CALLS = "calls"  # call models, list them
    FILES = "files"  # files, batches, and stored replies that other keys asked for
    PROVIDER_ACCOUNT = "provider:account"  # paths of a provider that are no call of a model
    TRACES_READ = "traces:read"
    TRACES_WRITE = "traces:write"
    TRACES_DELETE = "traces:delete"
    SCORES_WRITE = "scores:write"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"
    CONFIG_READ = "config:read"  # the configuration in force, without its secrets
    CONFIG_WRITE = "config:write"  # reload it


ALL_SCOPES: Final = frozenset(KeyScope)
