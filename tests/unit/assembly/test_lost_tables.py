"""Tables that are missing beside data of an earlier life of the folder are a loss, not a first start."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sternpost.assembly.local import make_key, make_new_tables
from sternpost.assembly.lost_tables import traces_of_use
from sternpost.assembly.tables import open_tables
from sternpost.base.errors import ConfigurationError
from sternpost.base.settings import Settings
from tests.support.postgres import empty_postgres_url

SIGNS = [
    "journal/w-1795881827534536316-2327/00000001.wlj",
    "journal/cursor.json",
    "engine/store/a0f/a0f1/20261128_1_1_1/data.bin",
    "blobs/p1/ab/abcd",
    "files/file_1",
    "background/one",
    "set-aside/one.msgpack",
    "tables.sqlite-wal",
]
NO_SIGNS = [
    "journal/reader.lock",
    "engine/store/a0f/a0f1/all_1_1_1/data.bin",
    "engine/config.xml",
    "jobs.sqlite",
    "sternpost.lock",
]


def put(home: Path, name: str) -> None:
    (home / name).parent.mkdir(parents=True, exist_ok=True)
    (home / name).write_bytes(b"x")


def test_a_folder_that_engine_and_worker_have_begun_is_still_a_new_one(tmp_path: Path) -> None:
    for name in NO_SIGNS:
        put(tmp_path, name)
    open_tables(Settings(home=tmp_path)).close()
    assert (tmp_path / "tables.sqlite").exists()


@pytest.mark.parametrize("state", ["missing", "empty"])
@pytest.mark.parametrize("sign", SIGNS)
def test_missing_tables_beside_data_end_the_start_and_nothing_is_made(
    tmp_path: Path, sign: str, state: str
) -> None:
    put(tmp_path, sign)
    if state == "empty":
        (tmp_path / "tables.sqlite").touch()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ConfigurationError, match=rf"tables\.sqlite' is {state}.*backup.*--new-tables"):
        open_tables(Settings(home=tmp_path))
    assert sorted(tmp_path.rglob("*")) == before


def test_a_start_that_was_cut_off_before_the_first_table_can_be_repeated(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "tables.sqlite")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")  # writes the head of the file and no table
    assert (tmp_path / "tables.sqlite").stat().st_size > 0
    open_tables(Settings(home=tmp_path)).close()


def test_tables_without_any_table_beside_data_are_lost_too(tmp_path: Path) -> None:
    put(tmp_path, "journal/cursor.json")
    with closing(sqlite3.connect(tmp_path / "tables.sqlite")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    with pytest.raises(ConfigurationError, match="is empty"):
        open_tables(Settings(home=tmp_path))


def test_an_empty_database_of_postgresql_beside_data_is_lost_too(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, tables_url=empty_postgres_url())
    put(tmp_path, "journal/cursor.json")
    with pytest.raises(ConfigurationError, match="STERNPOST_TABLES_URL has no tables"):
        open_tables(settings)
    make_new_tables(settings)
    open_tables(settings).close()


def test_new_tables_can_be_asked_for_and_existing_ones_are_never_replaced(tmp_path: Path) -> None:
    put(tmp_path, "journal/cursor.json")
    settings = Settings(home=tmp_path)
    make_new_tables(settings)
    with open_tables(settings).write() as connection:
        connection.exec_driver_sql("INSERT INTO projects (project_id, name, created_ns) VALUES ('p', 'p', 1)")
    make_new_tables(settings)
    with open_tables(settings).read() as connection:
        assert connection.exec_driver_sql("SELECT name FROM projects").scalar_one() == "p"


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE songs (name)", "CREATE TABLE alembic_version (version_num)"]
)
@pytest.mark.parametrize("has_data", [True, False])
def test_the_file_of_another_application_is_never_taken(
    tmp_path: Path, statement: str, has_data: bool
) -> None:
    if has_data:
        put(tmp_path, "journal/cursor.json")
    with closing(sqlite3.connect(tmp_path / "tables.sqlite")) as connection:
        connection.execute(statement)
    before = (tmp_path / "tables.sqlite").read_bytes()[100:]  # without the head, which says how it is written
    for open_them in (open_tables, make_new_tables):
        with pytest.raises(ConfigurationError, match="of another application"):
            open_them(Settings(home=tmp_path))
    assert (tmp_path / "tables.sqlite").read_bytes()[100:] == before


def test_commands_beside_lost_tables_say_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="holds no Sternpost yet"):
        make_key(Settings(home=tmp_path), "k")
    put(tmp_path, "journal/cursor.json")
    with pytest.raises(ConfigurationError, match="is missing"):
        make_key(Settings(home=tmp_path), "k")
    assert traces_of_use(tmp_path) == ["records in the journal"]
