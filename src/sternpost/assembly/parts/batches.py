"""Plugs in files and batches, for OpenAI's SDKs and for the API; the worker runs their lines."""

from sternpost.assembly.batches import batch_service
from sternpost.assembly.part import Foundation, OpenAiPaths, Part, Plug, Serving
from sternpost.contracts.jobs import Job
from sternpost.contracts.key_scope import KeyScope

_FILES_PATH, _BATCHES_PATH = "/v1/files", "/v1/batches"


def _serve(open_: Serving) -> Part:
    from sternpost.capabilities.batches.openai_routes import batches, files
    from sternpost.capabilities.batches.routes import router

    service = batch_service(open_.settings, open_.in_force, open_.tables, open_.clock)

    return Part(
        "batches",
        routers=[router],
        services=[service],
        openai=[
            OpenAiPaths(files, _FILES_PATH, is_streamed=True),  # a file flows to the disk as it comes
            OpenAiPaths(batches, _BATCHES_PATH),
        ],
    )


def _work(open_: Foundation) -> Part:
    from sternpost.assembly.batches import batch_work
    from sternpost.capabilities.batches.jobs import prune_files
    from sternpost.loop.revoked_key_cancels_batches import revoked_key_cancels_batches

    service = batch_service(open_.settings, open_.in_force, open_.tables, open_.clock)

    def prune(_: int) -> None:
        prune_files(service)

    return Part(
        "batches",
        jobs=[Job("files", prune, schedule="7 * * * *")],
        work=batch_work(open_).kinds(),
        subscribers=[revoked_key_cancels_batches(service)],
    )


_FILES = frozenset({KeyScope.FILES})

PLUG = Plug(
    name="batches",
    summary="Batches of calls, and the progress of their lines.",
    scopes={
        ("GET", "/api/batches"): _FILES,
        ("POST", "/api/batches"): _FILES,  # cancels
        ("POST", _BATCHES_PATH): _FILES | {KeyScope.CALLS},  # its lines are calls
        ("POST", f"{_BATCHES_PATH}/"): _FILES,
        ("*", _BATCHES_PATH): _FILES,
        ("*", _FILES_PATH): _FILES,
    },
    serve=_serve,
    work=_work,
)
