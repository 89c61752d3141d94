"""Serves the built web app from the wheel, compressed and cached; not the API it calls."""

import mimetypes
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
_SAFETY = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
}
# What SDKs add to their base URL; here they arrive when it lacks the /v1.
_SDK_PATHS = ("/chat/completions", "/responses", "/embeddings", "/completions")
_BASE_URL = "the base URL of an OpenAI SDK ends in /v1 here, e.g. http://127.0.0.1:4100/v1\n"
_MISSING = (
    "Sternpost runs, and its API answers, but this build has no web app.\n"
    "Install the wheel from the package index, or build it in a checkout with: make ui\n"
)


class WebApp:
    """An ASGI app for GET of the built files; every unknown path is the single page itself."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._files = frozenset(path for path in self._folder.rglob("*") if path.is_file())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(scope)(scope, receive, send)

    def _answer(self, scope: Scope) -> Response:
        if scope["method"] not in {"GET", "HEAD"}:
            says = _BASE_URL if str(scope["path"]).endswith(_SDK_PATHS) else "use GET\n"
            return PlainTextResponse(says, 405, {"allow": "GET, HEAD"})
        page = self._folder / "index.html"
        if page not in self._files:
            return PlainTextResponse(_MISSING, 200)
        asked = str(scope["path"]).lstrip("/")
        path = self._folder / asked
        if path not in self._files:  # a set look-up: no path outside the folder can match
            if asked.startswith("assets/"):  # a tab of an older version; the page would not be a script
                return PlainTextResponse("this file is of another version; reload the page\n", 404)
            path = page
        return self._file(path, Headers(scope=scope).get("accept-encoding", ""))

    def _file(self, path: Path, accepted: str) -> Response:
        is_hashed = path.parent.name == "assets"
        headers = {
            **_SAFETY,
            "cache-control": "public, max-age=31536000, immutable" if is_hashed else "no-cache",
            "vary": "accept-encoding",
        }
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        for encoding, suffix in _ENCODINGS:
            packed = path.with_name(path.name + suffix)
            if encoding in accepted and packed in self._files:
                return Response(
                    packed.read_bytes(), 200, {**headers, "content-encoding": encoding}, media_type
                )
        return Response(path.read_bytes(), 200, headers, media_type)
