"""What the owner of a data folder may do on this machine without signing in: the tables are theirs."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from sternpost.assembly.config_file import find_config, load_config
from sternpost.assembly.environment import process_environment
from sternpost.assembly.lost_tables import is_tables_file_lost, traces_of_use
from sternpost.assembly.tables import open_tables
from sternpost.backends.event_log.sql import SqlEventLog
from sternpost.base.clock import SystemClock
from sternpost.base.errors import ConfigurationError
from sternpost.base.settings import Settings
from sternpost.capabilities.access.config import SECTION as ENVIRONMENTS
from sternpost.capabilities.access.rules import known_environments
from sternpost.capabilities.access.service import AccessService, access_service


@contextmanager
def open_access(settings: Settings) -> Generator[AccessService]:
    """Open keys and sign-in of a data folder; works while Sternpost runs.

    Raises: ConfigurationError when nothing was ever started on this folder.
    """
    is_new = not settings.tables_url and is_tables_file_lost(settings.home)
    if is_new and not traces_of_use(settings.home):
        raise ConfigurationError(
            f"{str(settings.home)!r} holds no Sternpost yet; start one with: sternpost up"
        )
    tables = open_tables(settings)
    try:
        log = SqlEventLog(tables, SystemClock())
        yield access_service(
            tables,
            log,
            session_days=settings.session_days,
            known_environments=lambda: _configured_environments(settings),
        )
    finally:
        tables.close()


def _configured_environments(settings: Settings) -> Sequence[str]:
    config = load_config(find_config(settings), process_environment()).config
    return known_environments(config.section(ENVIRONMENTS))


def make_new_tables(settings: Settings) -> None:
    """Make tables, though the data folder was in use before; those that are there stay."""
    open_tables(settings, may_be_lost=True).close()


def make_key(settings: Settings, name: str) -> str:
    """Make a key of the default project and return its secret."""
    with open_access(settings) as access:
        return access.create_key(name).key


def make_sign_in_link(settings: Settings, url: str) -> str:
    """Make a one-time link to the web UI at `url`."""
    with open_access(settings) as access:
        return sign_in_url(settings, url, access.create_sign_in_link().token)


def sign_in_url(settings: Settings, url: str, token: str) -> str:
    """Write the address a person opens to sign in."""
    return f"{settings.public_url.rstrip('/') or url}/sign-in?token={token}"


def owner_session(settings: Settings) -> str:
    """Begin a session for the owner of the data folder and return its token."""
    with open_access(settings) as access:
        return access.owner_session().token
