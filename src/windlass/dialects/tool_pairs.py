"""Whether each tool call of a conversation is answered right behind it; it arranges no turns."""

from collections.abc import Sequence

from windlass.base.errors import BadRequest


def check_pairs(calls: Sequence[str], answers: Sequence[str]) -> None:
    """Compare the ids of a turn's calls with those of the results behind it. Raises: BadRequest."""
    for call in calls:
        if call not in answers:
            raise BadRequest(
                f"messages: the tool call {call[:64]!r} has no result; answer every call of an assistant"
                " message right behind it.",
                param="messages",
            )
    for answer in answers:
        if answer not in calls:
            raise BadRequest(
                f"messages: the tool result {answer[:64]!r} answers no call of the assistant message"
                " before it.",
                param="messages",
            )
