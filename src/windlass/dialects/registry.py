"""Which codec speaks which dialect; the codecs themselves are in their own modules."""

from collections.abc import Mapping
from typing import Final

from windlass.contracts.call import Dialect
from windlass.contracts.dialect import Codec
from windlass.dialects.anthropic.codec import AnthropicMessages
from windlass.dialects.openai_chat.codec import OpenAiChat
from windlass.dialects.openai_responses.codec import OpenAiResponses

CODECS: Final[Mapping[Dialect, Codec]] = {
    "openai_chat": OpenAiChat(),
    "anthropic": AnthropicMessages(),
    "openai_responses": OpenAiResponses(),
}
