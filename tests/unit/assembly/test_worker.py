"""What the worker does about tables that it finds at its start; its work is tested with whole processes."""

from pathlib import Path

import pytest

from sternpost.assembly.late import LateTables
from sternpost.assembly.tables import open_tables
from sternpost.assembly.worker import refuse_newer_tables
from sternpost.base.errors import NewerData
from sternpost.base.settings import Settings


def test_newer_tables_end_it(tmp_path: Path) -> None:
    tables = open_tables(Settings(home=tmp_path))
    with tables.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    tables.close()
    with pytest.raises(NewerData, match="schema version 9999"):
        refuse_newer_tables(LateTables(lambda: open_tables(Settings(home=tmp_path))))


@pytest.mark.parametrize("fault", ["damaged", "lost", "away"])
def test_the_journal_is_drained_whatever_else_is_wrong_with_them(
    tmp_path: Path, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    url = "postgresql://u:p@127.0.0.1:9/x" if fault == "away" else ""
    if fault == "damaged":
        (tmp_path / "tables.sqlite").write_bytes(b"no database at all" * 100)
    if fault == "lost":
        (tmp_path / "journal" / "w-1-1").mkdir(parents=True)
    tables = LateTables(lambda: open_tables(Settings(home=tmp_path, tables_url=url)))
    refuse_newer_tables(tables)
    assert "jobs and batches need the tables" in caplog.text
