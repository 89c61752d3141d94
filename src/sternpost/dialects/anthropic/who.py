"""Reads who and which session `metadata.user_id` names, which Claude Code packs into one text.

Today it is JSON with `device_id`, `account_uuid` and `session_id`; up to 2.1.7x it was
`user_<device>_account_<uuid>_session_<uuid>`. The user is the same in every session, as limits, costs and the
provider's end user want it.
"""

from typing import Final, NamedTuple

import msgspec

_BEFORE_ACCOUNT: Final = "_account_"
_BEFORE_SESSION: Final = "_session_"


class _Packed(msgspec.Struct):
    session_id: str
    device_id: str = ""
    account_uuid: str = ""


_PACKED: Final = msgspec.json.Decoder(_Packed)


class Who(NamedTuple):
    user: str
    session: str = ""


def who(user_id: str) -> Who:
    """Return user and session; a text of any other form is the user's name as it stands."""
    if user_id.startswith("{"):
        try:
            packed = _PACKED.decode(user_id)
        except msgspec.DecodeError:
            return Who(user_id)
        return Who(packed.account_uuid or packed.device_id, packed.session_id)
    if user_id.startswith("user_") and _BEFORE_ACCOUNT in user_id and _BEFORE_SESSION in user_id:
        named, _, session = user_id.partition(_BEFORE_SESSION)
        device, _, account = named.removeprefix("user_").partition(_BEFORE_ACCOUNT)
        return Who(account or device, session)
    return Who(user_id)
