"""One real engine for the tests of traces; each test works in a project of its own."""

from collections.abc import Iterator

import pytest

from sternpost.base.ids import ProjectId, new_id
from sternpost.contracts.trace_store import TraceStore
from tests.support.engine import running_trace_store


@pytest.fixture(scope="package")
def store() -> Iterator[TraceStore]:
    with running_trace_store() as running:
        yield running


@pytest.fixture
def project() -> ProjectId:
    return ProjectId(new_id("prj"))
