"""Carries signed thinking through dialects that are not its own, marked so that its origin is known again.

Another provider's travels inside `encrypted_content`; OpenAI's own travels as redacted thinking. Each means
nothing at the other. It encrypts nothing.
"""

import base64
import binascii
from typing import Final

import msgspec

from sternpost.contracts.message import ReasoningPart
from sternpost.dialects.thinking.openai_mark import ORIGIN
from sternpost.dialects.thinking.origin_mark import MARK

ITEM_PREFIX: Final = "rs_sternpost_"  # ids of reasoning items that no provider of this dialect made


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


def tag_origin(item_id: str, encrypted: str) -> str:
    """Return what this dialect encrypted in a form that other dialects carry as redacted thinking."""
    return f"{ORIGIN}{item_id}.{encrypted}"


def read_origin(text: str) -> tuple[str, str] | None:
    """Return (item id, encrypted content) of what `tag_origin` wrote; None for any other text."""
    if not text.startswith(ORIGIN):
        return None
    item_id, _, encrypted = text[len(ORIGIN) :].partition(".")
    return item_id, encrypted
