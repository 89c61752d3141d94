"""Plugs in traces and their media; the worker stores what the journal holds, and deletes."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from sternpost.assembly.journal import open_reader
from sternpost.assembly.part import Foundation, Loop, Part, PartState, Plug, Probe, Serving
from sternpost.capabilities.traces.deletion.store import DeletionStore
from sternpost.capabilities.traces.media.service import TraceMedia
from sternpost.capabilities.traces.service import Traces
from sternpost.capabilities.traces.writing.drain_report import drain_trouble, reporter
from sternpost.capabilities.traces.writing.retention import (
    delete_before_ns,
    drop_blobs_before,
    drop_traces_before,
)
from sternpost.capabilities.traces.writing.set_aside import FOLDER_NAME, SetAside
from sternpost.contracts.jobs import Job
from sternpost.contracts.key_scope import KeyScope
from sternpost.contracts.span_facts import SpanFact
from sternpost.gateway.services import GatewayServices
from sternpost.gateway.state.origins import ReplyOrigins

_DAY_NS = 86_400_000_000_000


def _serve(open_: Serving) -> Part:
    from sternpost.assembly.drain_metrics import DrainCollector
    from sternpost.capabilities.traces.deletion.routes import router as deletion_router
    from sternpost.capabilities.traces.deletion.service import Deletions
    from sternpost.capabilities.traces.media.routes import router as media_router
    from sternpost.capabilities.traces.routes import router

    home = open_.settings.home
    traces = Traces(
        open_.store,
        open_.journal,
        open_.clock,
        query_timeout_s=open_.settings.query_timeout_s,
        facts=open_.facts,
    )

    def find_origins(services: GatewayServices) -> GatewayServices:
        return replace(services, origins=ReplyOrigins(find_maker=traces.find_maker))

    return Part(
        "traces",
        routers=[router, media_router, deletion_router],
        services=[
            traces,
            TraceMedia(open_.blobs),
            Deletions(DeletionStore(open_.tables, open_.log), open_.store, open_.clock),
        ],
        probes=[Probe("drain", lambda: PartState(*drain_trouble(home)))],
        collectors=[DrainCollector(home)],
        gateway=find_origins,
    )


def _work(open_: Foundation) -> Part:
    from sternpost.capabilities.traces.deletion.jobs import delete_traces, open_tombstones
    from sternpost.capabilities.traces.deletion.steps import Around
    from sternpost.capabilities.traces.writing.drain import Drain
    from sternpost.capabilities.traces.writing.rollup import keep_call_figures
    from sternpost.capabilities.traces.writing.waiting_scores import keep_scores_settled

    reader = open_reader(open_.settings)
    aside = open_.settings.home / FOLDER_NAME
    deletions = DeletionStore(open_.tables, open_.log)
    left_out, looked_for = (open_tombstones(deletions, open_.store, open_.clock) for _ in range(2))
    drain = Drain(reader, open_.store, open_.blobs, aside=aside, clock=open_.clock, tombstones=left_out)
    around = Around(
        deletions, open_.store, open_.blobs, drain.turns, SetAside(aside), looked_for, open_.clock
    )
    drain.on_change = reporter(open_.settings.home)
    return Part(
        "traces",
        jobs=[Job("retention", _retention(open_), schedule="17 3 * * *")],
        loops=[
            Loop("drain", drain.run, needs_store=True, is_watched=True),
            Loop(
                "deletions",
                partial(delete_traces, around, retention_days=open_.settings.trace_retention_days),
                needs_store=True,
            ),
            Loop("figures", lambda stop: keep_call_figures(open_.store, stop), needs_store=True),
            Loop("scores", lambda stop: keep_scores_settled(open_.store, stop), needs_store=True),
        ],
        close=reader.close,
    )


def _retention(open_: Foundation) -> Callable[[int], None]:
    def delete_old(now_ns: int) -> None:
        before_ns = delete_before_ns(now_ns, open_.settings.trace_retention_days)
        if before_ns is not None:
            drop_traces_before(open_.store, before_ns)
            drop_blobs_before(open_.blobs, before_ns)
        open_.blobs.tidy(now_ns - _DAY_NS)

    return delete_old


_READS = frozenset({KeyScope.TRACES_READ})
_DELETES = frozenset({KeyScope.TRACES_DELETE})

PLUG = Plug(
    name="traces",
    summary="Traces, their media and scores, and the overview.",
    scopes={
        ("GET", "/api/traces"): _READS,
        ("POST", "/api/traces"): frozenset({KeyScope.SCORES_WRITE}),  # scores of a trace
        ("DELETE", "/api/traces"): _DELETES,
        ("DELETE", "/api/sessions"): _DELETES,
        ("DELETE", "/api/users"): _DELETES,
        ("GET", "/api/deletions"): _DELETES,
        ("GET", "/api/overview"): _READS,
        ("GET", "/api/blobs"): _READS,
    },
    facts=[
        SpanFact("caller", "text", "Who called, if not an application's key: `worker` or `session`."),
        SpanFact(
            "purpose",
            "text",
            "What a call of Sternpost itself is for: `batch`, `evaluator`, ...",
        ),
        SpanFact("budget", "text", "The budget that a call of Sternpost itself is charged to."),
    ],
    serve=_serve,
    work=_work,
)
