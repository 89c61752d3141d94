"""One real engine for the tests of traces; each test works in a project of its own."""

from collections.abc import Iterator

import pytest

from tests.support.engine import running_trace_store
from windlass.base.ids import ProjectId, new_id
from windlass.contracts.trace_store import TraceStore


@pytest.fixture(scope="package")
def store() -> Iterator[TraceStore]:
    with running_trace_store() as running:
        yield running


@pytest.fixture
def project() -> ProjectId:
    return ProjectId(new_id("prj"))
