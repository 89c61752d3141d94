"""Which codec speaks which dialect; the codecs themselves are in their own modules."""

from collections.abc import Callable, Mapping
from typing import Final

from windlass.contracts.call import Dialect
from windlass.dialects.anthropic.codec import AnthropicMessages
from windlass.dialects.anthropic.count_tokens import AnthropicCounter
from windlass.dialects.bedrock.codec import BedrockConverse
from windlass.dialects.bedrock.count_tokens import BedrockCounter
from windlass.dialects.bedrock.model_ids import base_of, without_arn
from windlass.dialects.cohere.codec import CohereChat
from windlass.dialects.cohere.embeddings import CohereEmbedder
from windlass.dialects.gemini.codec import Gemini
from windlass.dialects.gemini.count_tokens import GeminiCounter
from windlass.dialects.gemini.embeddings import GeminiEmbedder
from windlass.dialects.ollama.codec import OllamaChat
from windlass.dialects.ollama.embeddings import OllamaEmbedder
from windlass.dialects.openai_chat.codec import OpenAiChat
from windlass.dialects.openai_chat.embeddings import OpenAiEmbedder
from windlass.dialects.openai_responses.codec import OpenAiResponses
from windlass.dialects.openai_responses.count_tokens import ResponsesCounter
from windlass.dialects.protocols import CallersCounter, Codec, Embedder, TokenCounter, UpstreamCodec

CODECS: Final[Mapping[Dialect, Codec]] = {
    "openai_chat": OpenAiChat(),
    "anthropic": AnthropicMessages(),
    "openai_responses": OpenAiResponses(),
}
# What providers are spoken to in: the dialects above, and those no caller speaks to Windlass.
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
