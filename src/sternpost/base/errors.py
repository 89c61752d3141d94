"""The one error tree; how an error is written on the wire belongs to `dialects` and `server`.

SternpostError
|- RequestError                what the caller sent can't be served           4xx
|  |- BadRequest 400, BodyTooLarge 413, NotFound 404, Conflict 409, MethodRefused 405
|  |- NotSupported 422
|  |- EncodingRefused 415, HostRefused 421
|  |- KeyRefused 401, PermissionRefused 403
|  |- ModelUnknown 404, ProviderNotConfigured 424
|  `- RateLimited 429
|- UpstreamError               a model provider sent no valid response        502, 504
|  |- UpstreamRefused, UpstreamUnreachable, UpstreamTimedOut, StreamTruncated, CredentialsUnavailable
|  `- AllTargetsFailed
|- ModelCallError              a model call that Sternpost made itself failed 502
|  `- ModelCallRefused, ModelCallDelayed, ModelCallFailed
|- Stopping                    Sternpost is on its way out                    503
|- StoreError                  a store of ours is unavailable                 503
|  `- JournalFull, StorageFull, StoreUnavailable, QueryTimedOut, RowsRefused
`- ConfigurationError          settings or sternpost.yaml can't be used       exit code 2
   `- AlreadyRunning, ServerNotInstalled, NewerData
"""

from collections.abc import Mapping
from typing import ClassVar


class SternpostError(Exception):
    """Sternpost failed here; its log has the details.

    A message is for a person: what failed and what to do next, never a secret or prompt text.
    """

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class RequestError(SternpostError):
    """What the caller sent can't be served."""

    code = "bad_request"
    status = 400


class BadRequest(RequestError):
    """A request that can't be read. `param` names the field at fault."""

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class BodyTooLarge(RequestError):
    """The body is larger than `STERNPOST_MAX_BODY_BYTES`; send less, or raise the setting."""

    code = "request_too_large"
    status = 413


class NotSupported(RequestError):
    """A part of another product's API that Sternpost does not serve; the message says what to do instead."""

    code = "not_supported"
    status = 422  # not 501: clients would send it again


class EncodingRefused(RequestError):
    """The body's `Content-Encoding` is not supported; send gzip, deflate, zstd or none."""

    code = "unsupported_content_encoding"
    status = 415


class HostRefused(RequestError):
    """The request is for another host name; add it to `STERNPOST_ALLOWED_HOSTS` if it is this server's."""

    code = "host_refused"
    status = 421


class NotFound(RequestError):
    """Nothing is served at this path, or there is no such object in this project."""

    code = "not_found"
    status = 404


class MethodRefused(RequestError):
    """The path exists, the method does not; `Allow` names those that do."""

    code = "method_not_allowed"
    status = 405


class Conflict(RequestError):
    """The object was changed or created by somebody else meanwhile; read it again."""

    code = "conflict"
    status = 409


class KeyRefused(RequestError):
    """The key is missing, unknown, revoked or expired; the message says which."""

    code = "invalid_api_key"
    status = 401


class PermissionRefused(RequestError):
    """The key or the session may not do this."""

    code = "permission_denied"
    status = 403


class ModelUnknown(RequestError):
    """No provider or route has this name; the message names the nearest."""

    code = "model_not_found"
    status = 404


class ProviderNotConfigured(RequestError):
    """The provider is known but has no key; the message names the variable to set."""

    code = "provider_not_configured"
    status = 424


class RateLimited(RequestError):
    """A limit of ours is reached; a slot frees up after `retry_after_s` seconds."""

    code = "rate_limit_exceeded"
    status = 429

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UpstreamError(SternpostError):
    """A model provider returned an invalid response."""

    code = "upstream_error"
    status = 502
    is_sent = True  # whether anything of the request may have reached the provider


class UpstreamRefused(UpstreamError):
    """An error answer of a provider, passed on with its status and message."""

    code = "upstream_refused"

    def __init__(
        self,
        message: str,
        *,
        http_status: int,
        wire_code: str = "",
        error_type: str = "",
        param: str | None = None,
        retry_after_s: float | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.details: Mapping[str, object] = details or {}
        self.http_status = http_status
        self.wire_code = wire_code
        self.error_type = error_type
        self.param = param
        self.retry_after_s = retry_after_s


class UpstreamUnreachable(UpstreamError):
    """A model provider could not be reached, or broke the connection."""

    code = "upstream_unreachable"

    def __init__(self, message: str, *, is_sent: bool = True) -> None:
        super().__init__(message)
        self.is_sent = is_sent


class UpstreamTimedOut(UpstreamError):
    """A model provider took longer than a timeout allows."""

    code = "upstream_timeout"
    status = 504


class CredentialsUnavailable(UpstreamError):
    """Sternpost can't authenticate to the provider; the message says what to install or set."""

    code = "provider_credentials_unavailable"
    is_sent = False


class StreamTruncated(UpstreamError):
    """A stream ended without its terminal marker; what arrived before is kept and priced."""

    code = "stream_truncated"


class AllTargetsFailed(UpstreamError):
    """Every target of the route failed; the message says why each did."""

    code = "all_targets_failed"


class ModelCallError(SternpostError):
    """A model call that Sternpost made itself, e.g. for an evaluation, failed; the message says how."""

    code = "model_call_failed"
    status = 502


class ModelCallRefused(ModelCallError):
    """The call can't succeed as it is: change the model, the key or the request.

    `http_status` and `wire_code` are those of the gateway's answer.
    """

    code = "model_call_refused"

    def __init__(self, message: str, *, http_status: int, wire_code: str = "") -> None:
        super().__init__(message)
        self.http_status = http_status
        self.wire_code = wire_code


class ModelCallDelayed(ModelCallError):
    """A limit is reached, or the gateway can't be reached; the same call works after `retry_after_s` seconds.

    `is_gateway_away`: no call of anybody gets through.
    """

    code = "model_call_delayed"
    status = 503

    def __init__(self, message: str, *, retry_after_s: float, is_gateway_away: bool = False) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.is_gateway_away = is_gateway_away


class ModelCallFailed(ModelCallError):
    """The provider failed; a retry may help. `retry_after_s`: how long it asks to wait."""

    def __init__(self, message: str, *, http_status: int = 502, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.retry_after_s = retry_after_s


class Stopping(SternpostError):
    """Sternpost is stopping and could not wait any longer; send the request again."""

    code = "server_stopping"
    status = 503


class StoreError(SternpostError):
    """A store of Sternpost is unavailable."""

    code = "store_error"
    status = 503


class JournalFull(StoreError):
    """The journal accepts no records: the disk or its queue is full."""

    code = "journal_full"


class StorageFull(StoreError):
    """There is no room for the file; delete files or free some space in the data folder."""

    code = "storage_full"
    status = 507


class StoreUnavailable(StoreError):
    """A store is unavailable or starting; calls go on, try again in a moment."""

    code = "store_unavailable"


class QueryTimedOut(StoreError):
    """The query took longer than `STERNPOST_QUERY_TIMEOUT_S`, or was cancelled; use a shorter time range."""

    code = "query_timeout"
    status = 504


class RowsRefused(StoreError):
    """The trace store rejects rows for their content; those rows are set aside and the others are stored.

    `is_certain`: the engine named the rows themselves; else the error is one that nobody thought of, and only
    rows beside them that are accepted prove whose fault it is.
    """

    code = "rows_refused"

    def __init__(self, message: str, *, is_certain: bool) -> None:
        super().__init__(message)
        self.is_certain = is_certain


class ConfigurationError(SternpostError):
    """A setting or sternpost.yaml can't be used; the message names the place."""

    code = "configuration_error"


class AlreadyRunning(ConfigurationError):
    """Another Sternpost runs on the same data folder."""

    code = "already_running"


class ServerNotInstalled(ConfigurationError):
    """A command needs the server, and only the SDK and the client commands are installed."""

    code = "server_not_installed"


class NewerData(ConfigurationError):
    """Tables or traces were made by a newer Sternpost; start that one, or restore a backup from before."""

    code = "newer_data"
