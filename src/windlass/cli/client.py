"""How commands talk to the running Windlass: HTTP on its port, with a key or as the folder's owner."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from windlass.assembly.environment import process_environment
from windlass.base.errors import BadRequest, KeyRefused, NotFound, StoreUnavailable, WindlassError
from windlass.base.settings import Settings
from windlass.server.instance import running_address

_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class ApiClient:
    """One server and the credential to use there."""

    base_url: str
    headers: Mapping[str, str]

    def get(self, path: str, query: Mapping[str, object | None] | None = None) -> dict[str, object]:
        """Fetch one JSON object.

        Raises: StoreUnavailable when nothing answers; NotFound, KeyRefused, BadRequest as the server says.
        """
        pairs = {name: str(value) for name, value in (query or {}).items() if value is not None}
        url = f"{self.base_url}{path}" + (f"?{urllib.parse.urlencode(pairs)}" if pairs else "")
        request = urllib.request.Request(url, headers=dict(self.headers))  # noqa: S310  # http(s) by construction
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as reply:  # noqa: S310
                return cast("dict[str, object]", json.load(reply))
        except urllib.error.HTTPError as error:
            raise _as_error(error) from None
        except OSError as error:
            raise StoreUnavailable(
                f"nothing answers at {self.base_url} ({error.__class__.__name__}); start it with: windlass up"
            ) from None


def connect(settings: Settings) -> ApiClient:
    """Choose the server and the credential.

    WINDLASS_API_KEY (and WINDLASS_BASE_URL) when set; else whoever can read the data folder is its owner.
    Raises: StoreUnavailable when no Windlass runs on the folder.
    """
    environment = process_environment()
    key = environment.get("WINDLASS_API_KEY")
    address = running_address(settings.home)
    base_url = environment.get("WINDLASS_BASE_URL") or (str(address["url"]) if address else "")
    if not base_url:
        raise StoreUnavailable(f"no Windlass runs on {str(settings.home)!r}; start it with: windlass up")
    if key:
        return ApiClient(base_url, {"authorization": f"Bearer {key}"})
    from windlass.assembly.local import owner_session  # noqa: PLC0415  # SQLAlchemy costs 0.2 s

    return ApiClient(base_url, {"cookie": f"windlass_session={owner_session(settings)}"})


def _as_error(error: urllib.error.HTTPError) -> WindlassError:
    try:
        detail = str(json.load(error).get("detail", ""))
    except ValueError:
        detail = ""
    kinds = {400: BadRequest, 401: KeyRefused, 403: KeyRefused, 404: NotFound, 422: BadRequest}
    return kinds.get(error.code, StoreUnavailable)(detail or f"the server answered {error.code}")
