"""Plugs in the configuration in force: read again on request, or when its file changes."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Event as Stop

from sternpost.assembly.config_report import digests, read_report, write_report
from sternpost.assembly.part import Foundation, Loop, Part, PartState, Plug, Probe, Serving, Task
from sternpost.assembly.reloading import Readings
from sternpost.base.errors import StoreError
from sternpost.base.threads import in_thread
from sternpost.capabilities.configuration.events import WATCH
from sternpost.capabilities.configuration.records import ConfigurationState
from sternpost.capabilities.configuration.rules import trouble
from sternpost.capabilities.configuration.service import (
    APPLIED,
    ConfigurationDesk,
    ConfigurationService,
    Telling,
)
from sternpost.contracts.event_log import EventFilter, Snapshot
from sternpost.contracts.key_scope import KeyScope

logger = logging.getLogger(__name__)

_LOOK_S = 1.0  # at the file, and at the tables for what could not be told
_FOLLOW_S = 0.25
_APPLIED = EventFilter(kinds=(APPLIED,))


def _serve(open_: Serving) -> Part:
    from sternpost.capabilities.configuration.routes import router

    service = open_.configuration
    desk = ConfigurationDesk(service, open_.readings.digest_on_disk, partial(digests, open_))
    return Part(
        "configuration",
        routers=[router],
        services=[desk],
        snapshots=[Snapshot("configuration", (APPLIED,), service.follow)],
        tasks=[Task("configuration", lambda: _look_after(open_))],
        probes=[Probe("configuration", lambda: _state(open_), is_from_memory=True)],
    )


def _state(open_: Serving) -> PartState:
    """Say what is wrong here, in the worker, or with seeing what others applied."""
    report = read_report(open_.settings.home)
    in_worker = f"worker: {report.reason}" if report is not None and report.reason else ""
    seen = open_.changes.state("configuration")
    reason = trouble(open_.configuration.state()) or in_worker or seen.reason
    return PartState(not reason, reason)


async def _look_after(open_: Serving) -> None:
    """Tell late what could not be told, and read the file again when it is watched and has changed."""
    service, file = open_.configuration, _File(open_.readings)
    is_watched = open_.settings.config_watch == "on"
    while True:
        await asyncio.sleep(_LOOK_S)
        try:
            if service.is_untold:
                await in_thread(service.tell_late)
            if not file.has_changed():
                continue
            if is_watched:
                await in_thread(service.reload, WATCH)
            elif not service.state().is_as_applied:
                await in_thread(service.follow)
        except StoreError as error:
            logger.warning("the configuration that others applied can't be looked up: %s", error.message)
        except Exception:  # the edge of the task: if it ended, the file would be watched no more
            logger.exception("looking after the configuration failed; trying again")


@dataclass(slots=True)
class _File:
    """Whether the file has changed since the last look, and whoever writes it has come to an end."""

    readings: Readings
    _known: tuple[int, ...] = ()
    _seen: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        self._known = self._seen = self.readings.signature()

    def has_changed(self) -> bool:
        before, self._seen = self._seen, self.readings.signature()
        is_new = self._seen != self._known and self._seen == before
        if is_new:
            self._known = self._seen
        return is_new


def _work(open_: Foundation) -> Part:
    return Part("configuration", loops=[Loop("configuration", lambda stop: _follow(open_, stop))])


def _follow(open_: Foundation, stop: Stop) -> None:
    """Take over in the worker what is applied, and report what is in force there.

    Raises: ConfigurationError when nothing can be in force yet.
    """
    readings = Readings(open_.settings, open_.in_force)
    telling = Telling(open_.tables, open_.log, is_teller=False)
    service = ConfigurationService(readings.read, readings.current(), telling, open_.clock)
    seq, reported, file = -1, None, _File(readings)
    while True:
        with suppress(StoreError):  # the tables are away, which others say; they are asked again
            seq = _follow_once(open_, service, seq)
            if file.has_changed() and not service.state().is_as_applied:
                service.follow()
        reported = _report(open_, service, reported)
        if stop.wait(_FOLLOW_S):
            return


def _follow_once(open_: Foundation, service: ConfigurationService, seq: int) -> int:
    last = open_.log.last_seq()
    if seq < 0 or (last > seq and open_.log.after(seq, _APPLIED, limit=1)):
        service.follow()
    return last


def _report(
    open_: Foundation, service: ConfigurationService, reported: ConfigurationState | None
) -> ConfigurationState:
    state = service.state()
    if state is not reported:
        write_report(open_.settings.home, state)
    return state


PLUG = Plug(
    name="configuration",
    summary="The configuration in force, and reading it again.",
    scopes={
        ("GET", "/api/config"): frozenset({KeyScope.CONFIG_READ}),
        ("POST", "/api/config"): frozenset({KeyScope.CONFIG_WRITE}),
    },
    serve=_serve,
    work=_work,
)
