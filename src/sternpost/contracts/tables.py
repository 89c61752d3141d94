"""The relational store of settings and objects; its SQL belongs to each capability's `store.py`."""

from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy import Connection, MetaData

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Tables(Protocol):
    """Blocking; call it through `base.threads`."""

    def read(self) -> AbstractContextManager[Connection]:
        """Open a read transaction. Raises: StoreUnavailable."""
        ...

    def write(self) -> AbstractContextManager[Connection]:
        """Open a transaction that commits at the end of the block and rolls back on an error.

        SQLite begins IMMEDIATE, so a reader never has to upgrade. Raises: StoreUnavailable.
        """
        ...

    def migrate(self) -> None:
        """Bring the schema to this version. Raises: NewerData."""
        ...

    def ping(self) -> bool: ...

    def close(self) -> None: ...
