"""Plugs in the readers of the event log; parts write to it by themselves."""

from sternpost.assembly.part import Part, Plug, Serving
from sternpost.backends.event_log.cursors import SqlCursors
from sternpost.capabilities.events.service import EventService
from sternpost.capabilities.events.stream import EventStreams
from sternpost.contracts.key_scope import KeyScope


def _serve(open_: Serving) -> Part:
    from sternpost.capabilities.events.routes import router

    service = EventService(open_.log, SqlCursors(open_.tables, open_.clock))
    streams = EventStreams(service, open_.changes)
    return Part("events", routers=[router], services=[service, streams])


PLUG = Plug(
    name="events",
    summary="Changes, who made them, and their subscribers.",
    scopes={
        ("GET", "/api/events"): frozenset({KeyScope.KEYS_READ}),  # who changed what
        ("POST", "/api/events"): frozenset({KeyScope.KEYS_WRITE}),  # retry and replay
    },
    serve=_serve,
)
