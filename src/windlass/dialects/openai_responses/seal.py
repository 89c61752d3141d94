"""Carries another provider's signed thinking inside `encrypted_content`, marked so that it is known again.

Content that is sealed here means nothing to OpenAI, and OpenAI's own means nothing elsewhere.
"""

import base64
import binascii
from typing import Final

import msgspec

from windlass.contracts.message import ReasoningPart
from windlass.dialects.origin_mark import MARK

ITEM_PREFIX: Final = "rs_windlass_"  # ids of reasoning items that no provider of this dialect made


class _Sealed(msgspec.Struct, omit_defaults=True):
    signature: str | None = None
    redacted: str | None = None


def seal(part: ReasoningPart) -> str | None:
    """Return what replays the thinking at its origin; None for thinking without a signature."""
    if part.signature is None and part.encrypted_content is None:
        return None
    packed = msgspec.json.encode(_Sealed(part.signature, part.encrypted_content))
    return MARK + base64.b64encode(packed).decode()


def unseal(text: str, content: str) -> ReasoningPart | None:
    """Return the thinking with its signature; None when the text was not sealed here."""
    if not text.startswith(MARK):
        return None
    try:
        sealed = msgspec.json.decode(base64.b64decode(text[len(MARK) :], validate=True), type=_Sealed)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return None
    return ReasoningPart(content, signature=sealed.signature, encrypted_content=sealed.redacted)
