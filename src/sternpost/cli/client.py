"""How commands talk to the running Sternpost: HTTP on its port, with a key or as the folder's owner."""

import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sternpost.assembly.environment import process_environment
from sternpost.base.errors import (
    BadRequest,
    BodyTooLarge,
    Conflict,
    KeyRefused,
    NotFound,
    ServerNotInstalled,
    SternpostError,
    StoreUnavailable,
)
from sternpost.base.settings import Settings
from sternpost.capabilities.access.browser import host_cookie, port_cookie
from sternpost.cli.extra import NEEDS_SERVER, is_server_installed
from sternpost.cli.own_command import own_command
from sternpost.server.instance import running_address

_TIMEOUT_S = 30.0
_BLOCK = 262_144
_OWNER_NEEDS_NO_KEY = (
    ". This command sent the key in STERNPOST_API_KEY; without that variable, the owner of the data folder"
    " needs no key on this machine"
)


@dataclass(frozen=True, slots=True)
class ApiClient:
    """One server and the credential to use there."""

    base_url: str
    headers: Mapping[str, str]

    def get(self, path: str, query: Mapping[str, object | None] | None = None) -> dict[str, object]:
        """Fetch one JSON object; a list in the query is a parameter given several times.

        Raises: StoreUnavailable when nothing answers; NotFound, KeyRefused, BadRequest as the server says.
        """
        given = {name: value for name, value in (query or {}).items() if value is not None}
        return self._ask("GET", path + (f"?{urllib.parse.urlencode(given, doseq=True)}" if given else ""))

    def post(self, path: str, body: object = None) -> dict[str, object]:
        """Change something. Raises: as `get`."""
        encoded = None if body is None else json.dumps(body).encode()
        return self._ask("POST", path, encoded, {"content-type": "application/json"})

    def delete(self, path: str, query: Mapping[str, object | None] | None = None) -> dict[str, object]:
        """Delete something, or ask what that would be. Raises: as `get`."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        return self._ask("DELETE", path + (f"?{urllib.parse.urlencode(given)}" if given else ""))

    def upload(self, path: str, file: Path, fields: Mapping[str, str]) -> dict[str, object]:
        """Send a form with a file, which is read as it is sent. Raises: as `get`."""
        boundary = f"sternpost-{os.urandom(16).hex()}"
        form = _Form(boundary, file, fields)
        headers = {
            "content-type": f"multipart/form-data; boundary={boundary}",
            "content-length": str(form.size_bytes),
        }
        return self._ask("POST", path, form, headers)

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, object]:
        sent = {**self.headers, **(headers or {})}
        if method != "GET" and "cookie" in sent:
            sent["x-sternpost-csrf"] = str(self.get("/api/session")["csrf_token"])
        request = urllib.request.Request(  # noqa: S310  # http(s) by construction
            self.base_url + path, data=body, headers=sent, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as reply:  # noqa: S310
                return cast("dict[str, object]", json.loads(reply.read() or b"{}"))  # 204 has no body
        except urllib.error.HTTPError as error:
            raised = _as_error(error)
            if error.code == 403 and "authorization" in sent:
                raised.message += _OWNER_NEEDS_NO_KEY
            raise raised from None
        except OSError as error:
            raise StoreUnavailable(
                f"nothing answers at {self.base_url} ({error.__class__.__name__}); start it: sternpost up"
            ) from None


@dataclass(frozen=True, slots=True)
class _Form:
    """A multipart form (RFC 7578) whose file is read when it is iterated over."""

    boundary: str
    file: Path
    fields: Mapping[str, str]

    @property
    def size_bytes(self) -> int:
        return len(self._head()) + self.file.stat().st_size + len(self._foot())

    def __iter__(self) -> Iterator[bytes]:
        yield self._head()
        with self.file.open("rb") as opened:
            while block := opened.read(_BLOCK):
                yield block
        yield self._foot()

    def _head(self) -> bytes:
        parts = [
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in self.fields.items()
        ]
        name = self.file.name.replace('"', "%22").replace("\r", "").replace("\n", "")
        parts.append(
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        )
        return "".join(parts).encode()

    def _foot(self) -> bytes:
        return f"\r\n--{self.boundary}--\r\n".encode()


def connect(settings: Settings) -> ApiClient:
    """Choose the server and the credential.

    STERNPOST_API_KEY (and STERNPOST_BASE_URL) when set; else whoever can read the data folder is its owner.
    Raises: StoreUnavailable when no Sternpost runs on the folder.
    """
    environment = process_environment()
    key = environment.get("STERNPOST_API_KEY")
    address = running_address(settings.home)
    base_url = environment.get("STERNPOST_BASE_URL") or (str(address["url"]) if address else "")
    if not base_url:
        start = own_command("up", home=settings.home)
        raise StoreUnavailable(
            f"no Sternpost runs on {str(settings.home)!r}; start it: {start}; "
            "or say where it runs: STERNPOST_BASE_URL=http://HOST:4100 STERNPOST_API_KEY=sp-..."
        )
    if key:
        return ApiClient(base_url, {"authorization": f"Bearer {key}"})
    if not is_server_installed():
        raise ServerNotInstalled(
            "set STERNPOST_API_KEY to a key of that server; acting as the owner of the data folder "
            + NEEDS_SERVER
        )
    from sternpost.assembly.local import owner_session  # noqa: PLC0415  # SQLAlchemy costs 0.2 s

    return ApiClient(base_url, {"cookie": _cookies(base_url, owner_session(settings))})


def _cookies(base_url: str, token: str) -> str:
    """Write the session under both names: which one the server reads hangs on its public URL."""
    port = urllib.parse.urlsplit(base_url).port or 0
    return "; ".join(f"{name}={token}" for name in (host_cookie(), port_cookie(port)))


def _as_error(error: urllib.error.HTTPError) -> SternpostError:
    try:
        answer = cast("dict[str, object]", json.load(error))
        inner = answer.get("error")  # of `/v1`, whose errors are OpenAI's
        words = cast("dict[str, object]", inner) if isinstance(inner, dict) else answer
        detail = str(words.get("detail") or words.get("message") or "")
    except ValueError:
        detail = ""
    kinds = {
        400: BadRequest,
        401: KeyRefused,
        403: KeyRefused,
        404: NotFound,
        409: Conflict,
        413: BodyTooLarge,
        422: BadRequest,
    }
    return kinds.get(error.code, StoreUnavailable)(detail or f"the server answered {error.code}")
