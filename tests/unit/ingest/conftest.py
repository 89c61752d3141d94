from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.ingest.support import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "journal")
    yield desk
    desk.close()
