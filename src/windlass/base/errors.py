"""The one error tree; how an error is written on the wire belongs to `dialects` and `server`.

WindlassError
|- RequestError                what the caller sent can't be served           4xx
|  |- BadRequest 400, BodyTooLarge 413, NotFound 404, Conflict 409, MethodRefused 405
|  |- KeyRefused 401, PermissionRefused 403
|  |- ModelUnknown 404, ProviderNotConfigured 424
|  `- RateLimited 429
|- UpstreamError               a model provider answered badly or not at all  502, 504
|  |- UpstreamRefused, UpstreamUnreachable, UpstreamTimedOut, StreamTruncated
|  `- AllTargetsFailed
|- StoreError                  a store of ours can't serve                    503
|  `- JournalFull, StoreUnavailable, QueryTimedOut
`- ConfigurationError          settings or windlass.yaml can't be used        exit code 2
   `- AlreadyRunning
"""

from typing import ClassVar


class WindlassError(Exception):
    """An error that a person reads: what failed and what to do next, never a secret or prompt text."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class RequestError(WindlassError):
    code = "bad_request"
    status = 400


class BadRequest(RequestError):
    """A request that can't be read. `param` names the field at fault."""

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class BodyTooLarge(RequestError):
    code = "request_too_large"
    status = 413


class NotFound(RequestError):
    code = "not_found"
    status = 404


class MethodRefused(RequestError):
    code = "method_not_allowed"
    status = 405


class Conflict(RequestError):
    code = "conflict"
    status = 409


class KeyRefused(RequestError):
    code = "invalid_api_key"
    status = 401


class PermissionRefused(RequestError):
    code = "permission_denied"
    status = 403


class ModelUnknown(RequestError):
    code = "model_not_found"
    status = 404


class ProviderNotConfigured(RequestError):
    code = "provider_not_configured"
    status = 424


class RateLimited(RequestError):
    """A limit of ours is reached; a slot frees up after `retry_after_s` seconds."""

    code = "rate_limit_exceeded"
    status = 429

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UpstreamError(WindlassError):
    code = "upstream_error"
    status = 502


class UpstreamRefused(UpstreamError):
    """An error answer of a provider, passed on with its status and its own words."""

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
    ) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.wire_code = wire_code
        self.error_type = error_type
        self.param = param
        self.retry_after_s = retry_after_s


class UpstreamUnreachable(UpstreamError):
    code = "upstream_unreachable"


class UpstreamTimedOut(UpstreamError):
    code = "upstream_timeout"
    status = 504


class StreamTruncated(UpstreamError):
    code = "stream_truncated"


class AllTargetsFailed(UpstreamError):
    code = "all_targets_failed"


class StoreError(WindlassError):
    code = "store_error"
    status = 503


class JournalFull(StoreError):
    code = "journal_full"


class StoreUnavailable(StoreError):
    code = "store_unavailable"


class QueryTimedOut(StoreError):
    code = "query_timeout"
    status = 504


class ConfigurationError(WindlassError):
    code = "configuration_error"


class AlreadyRunning(ConfigurationError):
    code = "already_running"
