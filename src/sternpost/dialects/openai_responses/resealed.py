"""Takes out of a history what only the account that encrypted it can read; decides not when."""

import re
from dataclasses import replace
from typing import Any, Final

import msgspec

from sternpost.dialects.json_text.raw_object import join_object, split_object
from sternpost.dialects.protocols import RequestHead

DROPPED: Final = "reasoning.encrypted_content"
_CODE: Final = "invalid_encrypted_content"
_WORDS: Final = re.compile(
    r"encrypted content\b.*could not be (?:verified|decrypted)", re.IGNORECASE | re.DOTALL
)
_SEALED: Final = re.compile(rb'"encrypted_content"\s*:\s*"')
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])


class _Item(msgspec.Struct):
    type: Any = None
    id: Any = None
    encrypted_content: Any = None


_ITEM: Final = msgspec.json.Decoder(_Item)


def is_refused(code: str, message: str) -> bool:
    """Say whether an account could not read what another one encrypted; Azure gives no code at times."""
    return code == _CODE or _WORDS.search(message) is not None


def without_sealed(head: RequestHead) -> RequestHead | None:
    """Leave encrypted thoughts out of the input, and ids of items with them, as both are of another account.

    Returns None when there are none. What was said, called and answered stays.
    """
    given = head.fields.get("input")
    if given is None or not _SEALED.search(given):
        return None
    try:
        items = _ITEMS.decode(given)
        kept = [_nameless(item) for item in items if not _is_sealed(item)]
    except msgspec.DecodeError:
        return None
    if len(kept) == len(items):
        return None
    fields = {**head.fields, "input": msgspec.Raw(b"[" + b",".join(kept) + b"]")}
    return replace(head, fields=fields, body=b"")


def _is_sealed(item: msgspec.Raw) -> bool:
    read = _ITEM.decode(item)
    return read.type == "reasoning" and bool(read.encrypted_content)


def _nameless(item: msgspec.Raw) -> bytes:
    read = _ITEM.decode(item)
    if read.id is None or read.type == "item_reference":
        return bytes(item)
    fields = split_object(bytes(item))
    return join_object({name: value for name, value in fields.items() if name != "id"})
