"""A batch comes to its end with each line answered once, wherever the worker is killed.

The queue's own code runs here without DBOS, which hands groups over and no more; the fake provider stands
where the gateway answers, so that each call it gets can be counted.
"""

import json
from collections import Counter
from pathlib import Path

from sqlalchemy import text

from sternpost.assembly.batches import batch_service, batch_work
from sternpost.assembly.blobs import open_blobs
from sternpost.assembly.in_force import InForce, in_force
from sternpost.assembly.journal import open_journal
from sternpost.assembly.late import LateJournal
from sternpost.assembly.part import Foundation
from sternpost.assembly.trace_engine import open_trace_store
from sternpost.backends.event_log.sql import SqlEventLog
from sternpost.backends.work_queue.group_work import GroupWork
from sternpost.backends.work_queue.groups import SqlGroups
from sternpost.base.clock import SystemClock
from sternpost.base.ids import KeyId, ProjectId
from sternpost.base.settings import Settings
from sternpost.base.threads import in_thread
from sternpost.capabilities.batches.service import BatchService, blocks_of
from sternpost.contracts.call import Principal
from sternpost.contracts.event_log import EventFilter
from sternpost.contracts.tables import Tables
from tests.support.crossings import kill_between_steps
from tests.support.fake_provider import FakeProvider

CLOCK = SystemClock()
PROJECT = ProjectId("p1")
CALLER = Principal(PROJECT, KeyId("key_1"), "app")
LINES = 2


async def run_worker(opened: Foundation) -> None:
    """Do what is due until nothing is, as a worker does that was just started."""
    work = batch_work(opened)
    kinds = {kind.name: kind for kind in work.kinds()}
    groups = SqlGroups(opened.tables, CLOCK, "w1")
    await in_thread(groups.hand_over_again)
    doing = GroupWork(groups, kinds, CLOCK, at_once=4, on_change=lambda: None)
    try:
        while True:
            refs = await in_thread(groups.take, 9)
            for ref in refs:
                await doing.run(ref)
            ended = await in_thread(groups.ended)
            for job in ended:
                on_end = kinds[job.kind].on_end
                if on_end is not None:
                    await in_thread(on_end, job)
                await in_thread(groups.mark_told, job)
            if not refs and not ended:
                return
    finally:
        await work.close()


def foundation(settings: Settings, in_force: InForce, tables: Tables) -> Foundation:
    return Foundation(
        settings=settings,
        environment={},
        clock=CLOCK,
        in_force=in_force,
        tables=tables,
        log=SqlEventLog(tables, CLOCK),
        journal=LateJournal(lambda: open_journal(settings)),
        store=open_trace_store(settings),
        blobs=open_blobs(settings),
    )


def line(number: int) -> bytes:
    body = {"model": "lab/m1", "messages": [{"role": "user", "content": f"Say {number}."}]}
    return json.dumps({"custom_id": f"c{number}", "url": "/v1/chat/completions", "body": body}).encode()


def submit(service: BatchService) -> None:
    body = service.bodies.begin()
    body.write(b"\n".join(line(number) for number in range(LINES)))
    file = service.keep_file(CALLER, body, "in.jsonl")
    service.create_batch(
        CALLER, endpoint="/v1/chat/completions", window="24h", file_id=file.file_id, metadata={}
    )


async def test_a_batch_survives_a_kill_between_any_two_of_its_steps(
    tmp_path: Path, provider: FakeProvider
) -> None:
    config = tmp_path / "sternpost.yaml"
    config.write_text(
        f'providers: {{lab: {{dialect: openai_chat, base_url: "{provider.url}/v1", api_key: x}}}}\n'
        "batches: {concurrency: 1}\n"
    )
    settings = Settings(home=tmp_path, config=config, gateway_url=provider.url)
    read_once = in_force(settings, {})

    def service(tables: Tables) -> BatchService:
        return batch_service(settings, read_once, tables, CLOCK)

    def prepare(tables: Tables) -> None:
        with tables.write() as connection:
            connection.execute(text("INSERT INTO projects VALUES ('p1', 'p1', 1)"))
        submit(service(tables))
        provider.reset()

    async def cross(tables: Tables) -> None:
        await run_worker(foundation(settings, read_once, tables))

    def check(tables: Tables) -> None:
        (batch,) = service(tables).list_batches(PROJECT, after="", limit=9).items
        assert (batch.status, batch.completed, batch.failed) == ("completed", LINES, 0)
        assert batch.output_file_id is not None
        _, file = service(tables).open_file(batch.output_file_id, PROJECT)
        rows = [json.loads(row)["custom_id"] for row in b"".join(blocks_of(file)).splitlines()]
        assert rows == [f"c{number}" for number in range(LINES)]
        told = SqlEventLog(tables, CLOCK).after(0, EventFilter(), limit=9)
        assert [event.kind for event in told] == ["batch.accepted", "batch.ended"]
        asked = Counter(one["body"] for one in provider.requests() if "Say" in str(one["body"]))
        assert len(asked) == LINES
        assert asked.total() <= LINES + 1  # what was under way at the kill, at most one, was asked again
        provider.reset()

    assert await kill_between_steps(tmp_path / "runs", prepare, cross, check) > 2 * 15
