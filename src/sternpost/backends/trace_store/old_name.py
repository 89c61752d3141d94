"""Takes over the database of an installation from before the rename (docs/decisions/0014).

Nothing else uses the old name.
"""

from sternpost.backends.trace_store.connections import DEFAULT_DATABASE, Driver
from sternpost.backends.trace_store.schema import load_migrations

_OLD = "windlass"
_VIEW = "CREATE MATERIALIZED VIEW IF NOT EXISTS "


def take_over_old_database(driver: Driver) -> None:
    """Rename the old database, if there is no new one, and recreate its views, which name their tables."""
    names = f"'{_OLD}', '{DEFAULT_DATABASE}'"
    find = f"SELECT arrayStringConcat(groupArray(name)) FROM system.databases WHERE name IN ({names})"  # noqa: S608
    if driver.command(find, use_database=False) != _OLD:
        return
    driver.command(f"RENAME DATABASE {_OLD} TO {DEFAULT_DATABASE}", use_database=False)
    applied = driver.command("SELECT max(version) FROM schema_migrations")
    made = [step for step in load_migrations() if step.version <= int(str(applied))]
    for statement in (statement for step in made for statement in step.statements):
        if statement.startswith(_VIEW):
            driver.command(f"DROP VIEW IF EXISTS {statement.removeprefix(_VIEW).split()[0]} SYNC")
            driver.command(statement)
