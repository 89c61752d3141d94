"""Who sends a request to the management API: a session's cookie or a key; not what they may do."""

from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import Request

from sternpost.base.errors import KeyRefused, PermissionRefused
from sternpost.base.threads import in_thread
from sternpost.capabilities.access import rules
from sternpost.capabilities.access.browser import Site
from sternpost.capabilities.access.records import Caller
from sternpost.capabilities.access.service import AccessService
from sternpost.contracts.call import Principal
from sternpost.contracts.key_scope import ALL_SCOPES, KeyScope

CSRF_HEADER = "x-sternpost-csrf"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Guard:
    """Identifies senders for `sternpost.api`. `check_key` is `KeyRing.check`.

    needed: which scopes a key needs for a method and a path; None: no key may do it, only a person.
    """

    service: AccessService
    check_key: Callable[[str], Principal]
    needed: Callable[[str, str], frozenset[KeyScope] | None]
    site: Site = field(default_factory=Site)

    async def __call__(self, request: Request) -> Caller:
        """Identify the sender; a key, if one is sent, wins over the cookie.

        Raises: KeyRefused when neither is valid, PermissionRefused for a change without its CSRF token or
        from a page of another site, and for what the key has no scope for.
        """
        if presented := _presented_key(request):
            principal = self.check_key(presented)
            self._refuse_without_scope(principal, request)
            return Caller(
                principal.project_id,
                key_id=principal.key_id,
                key_name=principal.key_name,
                models=principal.models,
                scopes=principal.scopes,
                environment=principal.environment,
            )
        token = request.cookies.get(self.site.cookie, "")
        session = await in_thread(self.service.session_of, token) if token else None
        if session is None:
            raise KeyRefused(
                "you are not signed in; open a sign-in link, or send `Authorization: Bearer sp-...`"
            )
        if request.method not in _SAFE_METHODS:
            self.site.refuse_foreign(request.headers)
            sent = request.headers.get(CSRF_HEADER, "")
            if not rules.is_same_secret(sent, session.csrf_token):
                raise PermissionRefused(
                    f"this change was not sent by the signed-in page; send its CSRF token as `{CSRF_HEADER}`"
                )
        return Caller(session.project_id, session.user, scopes=ALL_SCOPES, csrf_token=session.csrf_token)

    def _refuse_without_scope(self, principal: Principal, request: Request) -> None:
        needed = self.needed(request.method, request.url.path)
        if needed is None:
            raise PermissionRefused("this can't be done with a key; sign in to the web UI and do it there")
        for scope in sorted(needed):
            rules.refuse_without(scope, principal)


def _presented_key(request: Request) -> str:
    bearer = request.headers.get("authorization", "")
    if bearer[:7].lower() == "bearer ":
        return bearer[7:].strip()
    return request.headers.get("x-api-key", "")
