"""What the list and the overview say at first sight: errors, tool calls, one row for a model."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from sternpost.backends.journal.segments import SegmentJournal
from sternpost.base.ids import ProjectId, new_span_id
from sternpost.capabilities.traces.content import preview
from sternpost.capabilities.traces.overview.model_names import filter_of
from sternpost.contracts.message import Message, TextPart, ToolCallPart
from sternpost.contracts.span import ModelUse, SpanBundle, SpanStatus, SpanType
from sternpost.contracts.trace_store import TraceStore
from tests.unit.capabilities.traces.calls import NOON, SECOND
from tests.unit.capabilities.traces.test_traces_api import Api, span

CALL = ToolCallPart("get_stock", '{"name": "forklift"}', "c1")


@pytest.fixture
async def api(store: TraceStore, project: ProjectId, tmp_path: Path) -> AsyncIterator[Api]:
    journal = SegmentJournal(tmp_path / "journal")
    api = Api(store, journal, project, tmp_path / "blobs")
    yield api
    await api.client.aclose()
    journal.close()


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        ((CALL,), 'get_stock({"name": "forklift"})'),
        ((CALL, replace(CALL, name="order", arguments="")), 'get_stock({"name": "forklift"}) order()'),
        ((TextPart("I look."), CALL), "I look."),
        ((replace(CALL, arguments=json.dumps({"text": "x" * 900})),), 'get_stock({"text": "' + "x" * 180),
    ],
)
def test_an_answer_that_is_only_tool_calls_is_previewed_by_them(
    parts: tuple[TextPart | ToolCallPart, ...], shown: str
) -> None:
    assert preview([Message("assistant", parts)]) == shown


async def test_a_failed_trace_shows_its_first_error(api: Api) -> None:
    root = span(api.project)
    inner = {"trace_id": root.trace_id, "parent_span_id": root.span_id, "status": SpanStatus.ERROR}
    first = span(api.project, **inner, ended_ns=NOON + SECOND, error="no stock\nTraceback: " + "x" * 900)
    later = span(api.project, **inner, span_id=new_span_id(), error="gave up")
    api.write(SpanBundle((root, first, later)))
    (item,) = (await api.get("/api/traces"))["items"]
    assert item["error_preview"].startswith("no stock Traceback: xx")
    assert len(item["error_preview"]) == 200


async def test_the_error_of_the_root_comes_first_and_a_good_trace_has_none(api: Api) -> None:
    root = span(api.project, status=SpanStatus.ERROR, error="all failed")
    inner = {"trace_id": root.trace_id, "parent_span_id": root.span_id, "status": SpanStatus.ERROR}
    api.write(SpanBundle((root, span(api.project, **inner, ended_ns=NOON + SECOND, error="one failed"))))
    api.write(SpanBundle((span(api.project, name="good"),)))
    found = {item["name"]: item["error_preview"] for item in (await api.get("/api/traces"))["items"]}
    assert found == {"answer": "all failed", "good": ""}


async def test_the_rows_of_one_model_are_one(api: Api) -> None:
    said = [
        ("openai", "gpt-5-mini", "gpt-5-mini-2025-08-07", SpanStatus.OK),
        ("openai", "gpt-5-mini", "", SpanStatus.ERROR),
        ("openai", "openai/gpt-5-mini", "", SpanStatus.ERROR),
        ("", "openai/gpt-5-mini", "", SpanStatus.ERROR),  # refused before a provider was chosen
        ("azure", "gpt-5-mini", "", SpanStatus.OK),
        ("", "mine", "", SpanStatus.OK),
        ("openrouter", "meta/llama-4", "", SpanStatus.OK),
    ]
    api.write(
        SpanBundle(
            tuple(
                span(
                    api.project, type=SpanType.LLM, status=status,
                    model=ModelUse(provider=provider, request_model=asked, response_model=answered),
                )
                for provider, asked, answered, status in said
            )
        )
    )  # fmt: skip
    view = await api.get("/api/overview", since="2026-11-20T12:00:00Z", until="2026-11-20T12:03:00Z")
    rows = {(one["provider"], one["model"]): (one["calls"], one["errors"]) for one in view["by_model"]}
    assert rows == {
        ("openai", "gpt-5-mini"): (4, 3),
        ("azure", "gpt-5-mini"): (1, 0),
        ("", "mine"): (1, 0),
        ("openrouter", "meta/llama-4"): (1, 0),
    }
    filters = {(one["provider"], one["model"]): one["filter"] for one in view["by_model"]}
    assert filters["azure", "gpt-5-mini"] == "model:gpt-5-mini provider:azure"
    assert len(await api.ids(filter=filters["openai", "gpt-5-mini"])) == 4
    assert len(await api.ids(filter=f"status:error {filters['openai', 'gpt-5-mini']}")) == 3


def test_a_filter_of_odd_names_can_be_read_again() -> None:
    assert filter_of([("", 'my "own" model'), ("lab", "m(1)")]) == (
        r'((model:"my \"own\" model") OR (model:"m(1)" provider:lab))'
    )
    assert filter_of([("openai", "")]) == ""
