"""A plug declares the facts it records; that is all it takes for them to reach spans."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sternpost.assembly import parts
from sternpost.assembly.part import Plug
from sternpost.assembly.parts import traces
from sternpost.base.fact_values import read_facts
from sternpost.base.ids import KeyId, ProjectId
from sternpost.capabilities.traces.filters.grammar import AMOUNT_FIELDS, WORD_FIELDS
from sternpost.capabilities.traces.writing.mapping import spans_of_call
from sternpost.contracts.call import Principal
from sternpost.contracts.key_scope import ALL_SCOPES, KeyScope
from sternpost.contracts.model_client import FACTS_HEADER
from sternpost.contracts.span_facts import SpanFact
from sternpost.gateway.stages import authenticate
from sternpost.gateway.stages.record import OpenCall
from tests.unit.gateway.conftest import GatewayMaker, start_gateway

__all__ = ["start_gateway"]  # a fixture

DECLARED = """
from sternpost.assembly.part import Plug
from sternpost.contracts.span_facts import SpanFact

FACTS = [SpanFact("trial", "text", "The trial."), SpanFact("score", "number", "Its score.")]
PLUG = Plug("trials", "Trials.", {}, facts=FACTS)
"""
WORKER = Principal(ProjectId("prj"), KeyId("key_w"), "worker", scopes=ALL_SCOPES, source="worker")
APPLICATION = Principal(ProjectId("prj"), KeyId("key_1"), "one", scopes=ALL_SCOPES)


def _forget() -> None:
    for cached in (parts.plugs, parts.span_facts):
        cached.cache_clear()


@pytest.fixture
def declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "trials.py").write_text(DECLARED, encoding="utf-8")
    monkeypatch.setattr(parts, "__path__", [*parts.__path__, str(tmp_path)])
    _forget()
    yield
    sys.modules.pop(f"{parts.__name__}.trials", None)
    _forget()


@pytest.mark.usefixtures("declared")
@pytest.mark.parametrize(
    ("principal", "facts"),
    [(WORKER, {"trial": "t1", "score": 3, "caller": "worker"}), (APPLICATION, {})],
)
async def test_what_a_plug_declares_is_recorded(
    start_gateway: GatewayMaker, principal: Principal, facts: dict[str, object]
) -> None:
    gateway = await start_gateway(facts=parts.span_facts(), check_key=lambda _: principal)
    said = {FACTS_HEADER: "trial=t1&score=3.0&undeclared=x"}
    assert (await gateway.chat("lab/m1", headers=said)).status == 200
    span = spans_of_call(await gateway.wait_for_record(), 1).spans[0]
    assert read_facts(parts.span_facts(), span.attributes) == facts
    assert "undeclared" not in span.attributes


@pytest.mark.usefixtures("declared")
async def test_what_a_stage_decides_is_recorded(
    start_gateway: GatewayMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter = authenticate.enter

    def decide(call: OpenCall, needed: KeyScope) -> None:
        enter(call, needed)
        call.facts |= {"trial": "t2", "score": 0.5, "undeclared": True}

    monkeypatch.setattr(authenticate, "enter", decide)
    gateway = await start_gateway(facts=parts.span_facts())
    assert (await gateway.chat("lab/m1")).status == 200
    span = spans_of_call(await gateway.wait_for_record(), 1).spans[0]
    assert read_facts(parts.span_facts(), span.attributes) == {"trial": "t2", "score": 0.5}


def test_a_bad_declaration_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, fault in (("purpose", "declared twice"), ("Risk level", "can't name a fact")):
        plug = Plug("trials", "Trials.", {}, facts=[SpanFact(name, "text", "One more.")])
        monkeypatch.setattr(parts, "plugs", lambda plug=plug: (traces.PLUG, plug))
        with pytest.raises(ValueError, match=fault):
            parts.span_facts.__wrapped__()


def test_no_declared_fact_hides_a_field_of_the_filter() -> None:
    assert not set(parts.span_facts()) & (WORD_FIELDS | AMOUNT_FIELDS)
