"""Whether a data folder was in use before, so that missing tables are a loss and not a first start.

Only things count that nobody makes before the tables are there: what `engine` and `worker` make at a start
says nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sternpost.base.errors import ConfigurationError
from sternpost.base.settings import Settings

# What lies where, as patterns below the data folder. A part of the engine that begins with a day holds spans.
_SIGNS: Final[Mapping[str, tuple[str, ...]]] = {
    "records in the journal": ("journal/w-*", "journal/cursor.json", "journal/bad/*", "set-aside/*"),
    "traces": (f"engine/store/*/*/{'[0-9]' * 8}_*",),
    "media": ("blobs/*",),
    "files": ("files/*",),
    "replies in the background": ("background/*",),
}


def is_tables_file_lost(home: Path) -> bool:
    """Say whether the file of the tables is missing or empty."""
    path = home / "tables.sqlite"
    return not path.is_file() or path.stat().st_size == 0


def traces_of_use(home: Path) -> list[str]:
    """Return what is there of an earlier life of the folder, in words; [] for a new folder."""
    found = [name for name, patterns in _SIGNS.items() if any(any(home.glob(one)) for one in patterns)]
    if is_tables_file_lost(home) and (home / "tables.sqlite-wal").exists():
        found.append("the log of tables")
    return found


def refuse_new_tables(settings: Settings) -> None:
    """Raises: ConfigurationError, if the folder was in use: its keys and users must be somewhere."""
    found = traces_of_use(settings.home)
    if not found:
        return
    if settings.tables_url:
        lost = "the database of STERNPOST_TABLES_URL has no tables of Sternpost"
        back = "restore that database from a backup, or name the one that was used before"
    else:
        path = settings.home / "tables.sqlite"
        lost = f"{str(path)!r} is {'empty' if path.exists() else 'missing'}"
        back = (
            "put the data folder back from a backup, or set STERNPOST_TABLES_URL if the tables were in "
            "another database"
        )
    raise ConfigurationError(
        f"{lost}, but the data folder has {', '.join(found)} of an earlier Sternpost. New tables would "
        "be a new installation, whose keys could not read them. "
        f"So {back} (docs/how-to/run-in-production.md). "
        "To start with new tables anyway: sternpost up --new-tables"
    )
