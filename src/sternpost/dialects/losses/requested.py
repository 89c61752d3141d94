"""Names what a request asks for and a dialect has no field for, so that nothing is lost silently."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal, TypeAlias

from sternpost.contracts.chat import ChatRequest
from sternpost.contracts.message import BlobPart, FilePart, UriPart

Ask: TypeAlias = Literal[
    "cache_control",
    "frequency_penalty",
    "image_url.detail",
    "logprobs",
    "modalities",
    "presence_penalty",
    "prompt_cache_key",
    "seed",
    "stop",
    "top_k",
    "top_logprobs",
    "verbosity",
]


_OF_A_TOOL: Final = re.compile(r"tools\.\d+\.")


def folded(names: Iterable[str]) -> tuple[str, ...]:
    """Return names once each; a field that several tools lose is `tools.*.<field>`."""
    kept: dict[str, str] = {}  # by what is shown: the name that it was
    for name in names:
        each = _OF_A_TOOL.sub("tools.*.", name, count=1)
        kept[each] = name if kept.get(each, name) == name else each
    return tuple(kept.values())


_MEDIA: Final = (BlobPart, UriPart, FilePart)


def _has_detail(request: ChatRequest) -> bool:
    return any(
        isinstance(part, _MEDIA) and part.detail is not None
        for message in request.messages
        for part in message.parts
    )


_IS_ASKED: Final[Mapping[Ask, Callable[[ChatRequest], object]]] = {
    "cache_control": lambda request: request.cache_marks,
    "frequency_penalty": lambda request: request.frequency_penalty,  # 0 is what all others do
    "image_url.detail": _has_detail,
    "logprobs": lambda request: request.wants_logprobs,
    "modalities": lambda request: set(request.modalities) - {"text"},
    "presence_penalty": lambda request: request.presence_penalty,
    "prompt_cache_key": lambda request: request.cache_key,
    "seed": lambda request: request.seed is not None,
    "stop": lambda request: request.stop,
    "top_k": lambda request: request.top_k,
    "top_logprobs": lambda request: request.top_logprobs,
    "verbosity": lambda request: request.verbosity,
}


def lost(request: ChatRequest, *unknown: Ask) -> list[str]:
    """Return which of the fields that a dialect lacks were asked for, by the name callers know."""
    return [name for name in unknown if _IS_ASKED[name](request)]
