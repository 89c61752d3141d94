"""Plugs in keys and sign-in; what is open before any part, the check of a key, is `doors`'."""

from sternpost.assembly.part import Foundation, Part, Plug, Serving, Task
from sternpost.capabilities.access.jobs import prune_sign_ins
from sternpost.capabilities.access.service import access_service
from sternpost.contracts.event_log import Snapshot
from sternpost.contracts.jobs import Job
from sternpost.contracts.key_scope import KeyScope


def _serve(open_: Serving) -> Part:
    from sternpost.capabilities.access.browser import SignInAttempts
    from sternpost.capabilities.access.routes import environments, keys, sessions

    access = open_.access
    return Part(
        "access",
        routers=[keys, environments, sessions],
        services=[access.service, access.guard.site, SignInAttempts()],
        snapshots=[Snapshot("keys", ("key.",), access.key_ring.load)],
        tasks=[Task("key-use", access.key_ring.record_use)],
        close=access.key_ring.close,
    )


def _work(open_: Foundation) -> Part:
    service = access_service(
        open_.tables, open_.log, session_days=open_.settings.session_days, clock=open_.clock
    )

    def prune(_: int) -> None:
        prune_sign_ins(service)

    return Part("access", jobs=[Job("sign-ins", prune, schedule="27 3 * * *")])


PLUG = Plug(
    name="access",
    summary="Keys, and who is signed in.",
    scopes={
        ("GET", "/api/keys"): frozenset({KeyScope.KEYS_READ}),
        ("POST", "/api/keys"): frozenset({KeyScope.KEYS_WRITE}),
        ("GET", "/api/environments"): frozenset(),
        ("GET", "/api/session"): frozenset(),  # what any key may see
        ("DELETE", "/api/session"): frozenset(),
    },
    serve=_serve,
    work=_work,
)
