"""What a model id of Bedrock says: its maker, its profile and the model behind it; asks nobody."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

# An id of an inference profile is a region's prefix before the model's id. Source:
# https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
_REGION: Final = re.compile(r"^(?:global|us|us-gov|eu|apac|jp|au|ca|in|sa|uk|il|me)\.(?=[a-z0-9-]+\.)")
# Of the ARNs these two end in an id; all others end in a name that says nothing of the model.
_NAMING_ARN: Final = re.compile(
    r"^arn:aws[\w-]*:bedrock:[^:]*:[^:]*:(?:inference-profile|foundation-model)/(.+)$"
)
# Where a maker's models take a mark of what to cache; all others take none. Source:
# https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
_CACHED: Final[Mapping[str, tuple[str, ...]]] = {
    "anthropic": ("tools", "system", "messages"),
    "amazon": ("system", "messages"),
}


def without_arn(model: str) -> str:
    """Return the id that an ARN of a system's inference profile or of a model ends in; others as they are."""
    found = _NAMING_ARN.match(model)
    return found[1] if found else model


def base_of(model: str) -> str:
    """Return the model's id without region and ARN; an application's profile stays what it is."""
    return _REGION.sub("", without_arn(model))


def maker_of(model: str) -> str:
    """Return who made a model (`anthropic`, `amazon`, ...); "" for an ARN that does not tell."""
    base = base_of(model)
    return "" if base.startswith("arn:") else base.partition(".")[0] if "." in base else ""


def cached_places(model: str) -> tuple[str, ...]:
    """Return where a model takes marks: behind tools, system texts or messages."""
    return _CACHED.get(maker_of(model), ())


def path_of(model: str, action: str) -> str:
    """Return the path of an action; an ARN's colons and slashes are escaped, as the signature wants them."""
    return f"/model/{quote(model, safe='')}/{action}"
