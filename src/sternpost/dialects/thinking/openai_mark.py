"""The mark on OpenAI's encrypted thinking where other dialects carry it; who may read it decides on this."""

from typing import Final

from sternpost.contracts.message import Part, ReasoningPart

ORIGIN: Final = "sternpost.openai_responses."


def is_foreign(part: Part) -> bool:
    """Whether a thought was encrypted by OpenAI: whoever else is sent it answers 400."""
    if not isinstance(part, ReasoningPart) or part.encrypted_content is None:
        return False
    return part.encrypted_content.startswith(ORIGIN)
