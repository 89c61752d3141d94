"""Which codec speaks which dialect; the codecs themselves are in their own modules."""

from collections.abc import Mapping
from typing import Final

from windlass.contracts.call import Dialect
from windlass.contracts.dialect import Codec, Embedder, UpstreamCodec
from windlass.dialects.anthropic.codec import AnthropicMessages
from windlass.dialects.cohere.codec import CohereChat
from windlass.dialects.cohere.embeddings import CohereEmbedder
from windlass.dialects.ollama.codec import OllamaChat
from windlass.dialects.ollama.embeddings import OllamaEmbedder
from windlass.dialects.openai_chat.codec import OpenAiChat
from windlass.dialects.openai_chat.embeddings import OpenAiEmbedder
from windlass.dialects.openai_responses.codec import OpenAiResponses

CODECS: Final[Mapping[Dialect, Codec]] = {
    "openai_chat": OpenAiChat(),
    "anthropic": AnthropicMessages(),
    "openai_responses": OpenAiResponses(),
}
# What providers are spoken to in: the dialects above, and those no caller speaks to Windlass.
UPSTREAM_CODECS: Final[Mapping[Dialect, UpstreamCodec]] = {
    **CODECS,
    "cohere": CohereChat(),
    "ollama": OllamaChat(),
}
EMBEDDERS: Final[Mapping[Dialect, Embedder]] = {
    "openai_chat": OpenAiEmbedder(),
    "cohere": CohereEmbedder(),
    "ollama": OllamaEmbedder(),
}
