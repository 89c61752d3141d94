"""Which codec speaks which dialect; the codecs themselves are in their own modules."""

from collections.abc import Callable, Mapping
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

CODECS: Final[Mapping[Dialect, Codec]] = {
    "openai_chat": OpenAiChat(),
    "anthropic": AnthropicMessages(),
    "openai_responses": OpenAiResponses(),
}
# What providers are spoken to in: the dialects above, and those no caller speaks to Sternpost.
UPSTREAM_CODECS: Final[Mapping[Dialect, UpstreamCodec]] = {
    **CODECS,
    "gemini": Gemini(),
    "bedrock": BedrockConverse(),
    "cohere": CohereChat(),
    "ollama": OllamaChat(),
}
# Where a model has several ids: an id -> that of the model itself.
BASE_MODELS: Final[Mapping[Dialect, Callable[[str], str]]] = {"bedrock": base_of}
PRICED_NAMES: Final[Mapping[Dialect, Callable[[str], str]]] = {"bedrock": without_arn}  # and the priced one
EMBEDDERS: Final[Mapping[Dialect, Embedder]] = {
    "openai_chat": OpenAiEmbedder(),
    "gemini": GeminiEmbedder(),
    "cohere": CohereEmbedder(),
    "ollama": OllamaEmbedder(),
}
# In which dialects callers ask for a count of tokens, and in which providers answer one.
CALLERS_COUNTERS: Final[Mapping[Dialect, CallersCounter]] = {
    "anthropic": AnthropicCounter(),
    "openai_responses": ResponsesCounter(),
}
COUNTERS: Final[Mapping[Dialect, TokenCounter]] = {
    **CALLERS_COUNTERS,
    "gemini": GeminiCounter(),
    "bedrock": BedrockCounter(),
}
