"""Sends what another client sends, signed for one provider; how it is signed belongs to its signer."""

from dataclasses import replace

from sternpost.contracts.upstream import Signer, UpstreamClient, UpstreamReply, UpstreamRequest

_REFUSED = frozenset({401, 403})


class SigningClient:
    """Implements `contracts.upstream.UpstreamClient` over a shared client, which it never closes."""

    def __init__(self, client: UpstreamClient, signer: Signer) -> None:
        self._client = client
        self._signer = signer

    async def send(self, request: UpstreamRequest) -> UpstreamReply:
        """Sign and send; once more with new credentials when the old ones were refused."""
        reply = await self._send(request)
        if reply.status in _REFUSED and request.upload is None and await self._signer.renew():
            reply.close()
            return await self._send(request)
        return reply

    async def close(self) -> None: ...

    async def _send(self, request: UpstreamRequest) -> UpstreamReply:
        signed = await self._signer.sign(request)
        return await self._client.send(replace(request, headers={**request.headers, **signed}))
