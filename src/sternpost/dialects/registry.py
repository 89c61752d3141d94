"""One table of the dialects and of what does each of their jobs; the parts are in their own folders."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sternpost.contracts.call import Dialect
from sternpost.dialects.anthropic.codec import AnthropicMessages
from sternpost.dialects.anthropic.count_tokens import AnthropicCounter
from sternpost.dialects.bedrock.codec import BedrockConverse
from sternpost.dialects.bedrock.count_tokens import BedrockCounter
from sternpost.dialects.bedrock.model_ids import base_of, without_arn
from sternpost.dialects.cohere.codec import CohereChat
from sternpost.dialects.cohere.embeddings import CohereEmbedder
from sternpost.dialects.gemini.codec import Gemini
from sternpost.dialects.gemini.count_tokens import GeminiCounter
from sternpost.dialects.gemini.embeddings import GeminiEmbedder
from sternpost.dialects.ollama.codec import OllamaChat
from sternpost.dialects.ollama.embeddings import OllamaEmbedder
from sternpost.dialects.openai_chat.codec import OpenAiChat
from sternpost.dialects.openai_chat.embeddings import OpenAiEmbedder
from sternpost.dialects.openai_responses.codec import OpenAiResponses
from sternpost.dialects.openai_responses.count_tokens import ResponsesCounter
from sternpost.dialects.protocols import CallersCounter, Codec, Embedder, TokenCounter, UpstreamCodec


def _same(model: str) -> str:
    return model


@dataclass(frozen=True, slots=True)
class DialectParts:
    """A dialect that providers are spoken to in. Without `codec` no caller speaks it to Sternpost."""

    upstream: UpstreamCodec
    codec: Codec | None = None
    embedder: Embedder | None = None
    counter: TokenCounter | None = None  # asks a provider for a count
    callers_counter: CallersCounter | None = None  # and is asked by callers
    base_model: Callable[[str], str] = _same  # where a model has several ids: that of the model itself
    priced_model: Callable[[str], str] = _same  # and the one that has a price


def _spoken(
    codec: Codec, counter: CallersCounter | None = None, embedder: Embedder | None = None
) -> DialectParts:
    return DialectParts(codec, codec, embedder, counter, counter)


DIALECTS: Final[Mapping[Dialect, DialectParts]] = {
    "openai_chat": _spoken(OpenAiChat(), embedder=OpenAiEmbedder()),
    "anthropic": _spoken(AnthropicMessages(), AnthropicCounter()),
    "openai_responses": _spoken(OpenAiResponses(), ResponsesCounter()),
    "gemini": DialectParts(Gemini(), embedder=GeminiEmbedder(), counter=GeminiCounter()),
    "bedrock": DialectParts(
        BedrockConverse(), counter=BedrockCounter(), base_model=base_of, priced_model=without_arn
    ),
    "cohere": DialectParts(CohereChat(), embedder=CohereEmbedder()),
    "ollama": DialectParts(OllamaChat(), embedder=OllamaEmbedder()),
}

# The columns of the table, for who needs one.
CODECS: Final[Mapping[Dialect, Codec]] = {
    name: parts.codec for name, parts in DIALECTS.items() if parts.codec is not None
}
UPSTREAM_CODECS: Final[Mapping[Dialect, UpstreamCodec]] = {
    name: parts.upstream for name, parts in DIALECTS.items()
}
EMBEDDERS: Final[Mapping[Dialect, Embedder]] = {
    name: parts.embedder for name, parts in DIALECTS.items() if parts.embedder is not None
}
CALLERS_COUNTERS: Final[Mapping[Dialect, CallersCounter]] = {
    name: parts.callers_counter for name, parts in DIALECTS.items() if parts.callers_counter is not None
}
COUNTERS: Final[Mapping[Dialect, TokenCounter]] = {
    name: parts.counter for name, parts in DIALECTS.items() if parts.counter is not None
}
