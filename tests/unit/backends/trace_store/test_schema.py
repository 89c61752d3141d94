import re

from sternpost.backends.trace_store.schema import load_migrations


def test_versions_count_up_from_one_without_a_gap() -> None:
    versions = [migration.version for migration in load_migrations()]

    assert versions == list(range(1, len(versions) + 1))


def test_one_machine_gets_plain_engines_and_no_cluster() -> None:
    text = "\n".join(statement for migration in load_migrations() for statement in migration.statements)

    assert "ON CLUSTER" not in text
    assert "Replicated" not in text
    assert "${" not in text
    assert "--" not in text


def test_a_cluster_gets_replicated_engines_on_all_its_machines() -> None:
    statements = [statement for migration in load_migrations("main") for statement in migration.statements]

    made = [statement for statement in statements if not statement.startswith("INSERT")]
    assert all("ON CLUSTER `main`" in statement for statement in made)
    engines = [found for statement in statements for found in re.findall(r"ENGINE = (\w+)", statement)]
    assert engines
    assert all(engine.startswith("Replicated") for engine in engines)


def test_every_table_is_fsynced_before_an_insert_is_acknowledged() -> None:
    statements = [statement for migration in load_migrations() for statement in migration.statements]
    tables = [statement for statement in statements if statement.startswith("CREATE TABLE")]

    assert tables
    assert all("fsync_after_insert = 1" in table and "fsync_part_directory = 1" in table for table in tables)
