"""Whether a file found in the working folder is the user's own; files that were named are trusted."""

import os
import stat
from pathlib import Path

from sternpost.base.errors import ConfigurationError


def refuse_foreign(path: Path, remedy: str) -> None:
    """Refuse a file that somebody else may have written: it could send keys of the environment elsewhere.

    Source: the rule of OpenSSH's StrictModes. Raises: ConfigurationError, which ends with `remedy`.
    """
    real = path.resolve()
    why = _foreign(real, "it") or _foreign(real.parent, "its folder")
    if why:
        raise ConfigurationError(f"{str(path)!r} is not used: {why}; {remedy}")


def _foreign(path: Path, what: str) -> str:
    """Say who else may change a file or folder; "" when nobody can but the user and root."""
    found = path.stat()
    if found.st_uid not in (os.getuid(), 0):
        return f"{what} belongs to another user ({found.st_uid})"
    if found.st_mode & stat.S_IWOTH:
        return f"{what} can be written by everybody"
    if found.st_mode & stat.S_IWGRP and not _is_own_group(found.st_gid):
        return f"{what} can be written by the group {found.st_gid}"
    return ""


def _is_own_group(group: int) -> bool:
    """Many systems give each user a group of their own, and files that it may write (umask 002)."""
    import grp  # noqa: PLC0415  # not on Windows, where there is no such mode either
    import pwd  # noqa: PLC0415

    try:
        user, members = pwd.getpwuid(os.getuid()), grp.getgrgid(group).gr_mem
    except KeyError:
        return False
    name = user.pw_name
    return group == user.pw_gid and set(members) <= {name} and grp.getgrgid(group).gr_name == name
