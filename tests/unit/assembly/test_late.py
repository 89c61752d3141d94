"""Tables and journals of a worker are opened at their first use, and again when that failed."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from sternpost.assembly.journal import open_journal, open_reader
from sternpost.assembly.late import LateJournal, LateTables
from sternpost.assembly.tables import open_tables
from sternpost.base.errors import StoreUnavailable
from sternpost.base.settings import Settings
from sternpost.contracts.tables import Tables


def test_tables_that_were_away_are_used_once_they_are_back(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    faults = iter([StoreUnavailable("the tables are away")])

    def open_() -> Tables:
        if (fault := next(faults, None)) is not None:
            raise fault
        return open_tables(settings)

    late = LateTables(open_)
    with pytest.raises(StoreUnavailable, match="away"), late.read():
        pass
    with late.read() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM alembic_version")).scalar_one() == 1
    assert late.ping()
    late.close()


def test_a_journal_nobody_writes_to_makes_no_file(tmp_path: Path) -> None:
    journal = LateJournal(lambda: open_journal(Settings(home=tmp_path)))
    assert journal.state().is_writable
    journal.close()
    assert not list(tmp_path.iterdir())


async def test_a_journal_is_opened_by_its_first_record(tmp_path: Path) -> None:
    journal = LateJournal(lambda: open_journal(Settings(home=tmp_path)))
    await journal.append(b"one record", "synced")
    journal.close()
    reader = open_reader(Settings(home=tmp_path))
    assert [one.payload for one in reader.read(max_records=9, max_bytes=999)] == [b"one record"]
    reader.close()
