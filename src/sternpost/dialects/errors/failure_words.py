"""What providers' codes, sentences and statuses say of the class of an error; reads no body.

Sources: the pages on errors of each provider's documentation, and bodies that they sent. A code wins; a
sentence is looked at where there is none, or one that says little; then the status.
"""

import re
from collections.abc import Mapping
from typing import Final

from sternpost.dialects.protocols import FailureKind

KIND_BY_CODE: Final[Mapping[str, FailureKind]] = {
    "context_length_exceeded": "context_too_long",
    "string_above_max_length": "context_too_long",
    "exceed_context_size_error": "context_too_long",  # llama.cpp
    "tokens_limit_reached": "context_too_long",  # GitHub Models, with a 413
    "content_filter": "policy",
    "content_policy_violation": "policy",
    "image_content_policy_violation": "policy",
    "bio_policy": "policy",
    "misalignment_policy_violation": "policy",
    "ResponsibleAIPolicyViolation": "policy",  # Azure's inner code, where the outer one is missing
    "moderation_blocked": "policy",  # OpenAI's images
    "data_inspection_failed": "policy",  # Alibaba, as is the next
    "DataInspectionFailed": "policy",
    "DeploymentNotFound": "not_found",  # Azure
    "invalid_model": "not_found",  # Mistral
    "model_decommissioned": "not_found",  # Groq
    "model_not_supported": "not_found",  # Hugging Face
    "unknown_model": "not_found",  # GitHub Models, as is the next
    "unavailable_model": "not_found",
    "invalid_api_key": "auth",
    "authentication_error": "auth",
    "insufficient_quota": "quota",
    "billing_error": "quota",
    "billing_hard_limit_reached": "quota",
    "billing_not_active": "quota",
    "exceeded_current_quota_error": "quota",  # Moonshot
    "Arrearage": "quota",  # Alibaba
    "credit_limit": "quota",  # Together
    "permission_error": "permission",
    "permission_denied": "permission",
    "model_not_found": "not_found",
    "not_found_error": "not_found",
    "rate_limit_exceeded": "rate_limited",
    "rate_limit_error": "rate_limited",
    "rate_limit_reached_error": "rate_limited",  # Moonshot
    "timeout_error": "timeout",
    "overloaded_error": "overloaded",
    "engine_overloaded": "overloaded",
    "engine_overloaded_error": "overloaded",  # Moonshot
    "capacity_exceeded": "overloaded",  # Groq's flex tier
    "request_too_large": "too_large",
    "api_error": "server",
    "server_error": "server",
}
_MODEL = r"(?:the )?(?:requested )?model:? [`'\"]?[\w./:@+-]+[`'\"]? "


def _any(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE)


# The first that matches wins.
KIND_BY_WORDS: Final[tuple[tuple[re.Pattern[str], FailureKind], ...]] = (
    (
        _any(
            r"maximum context length|context[ _]length|context window|context size|prompt is too long",
            r"exceed(?:s|ed)? (?:the )?(?:model's )?(?:maximum|max) (?:number of |input )?tokens",
            r"exceed context limit|reduce the length of the (?:messages|prompt)|maximum prompt length",
            r"too many (?:input )?tokens in|too many tokens: |prompt has too many tokens",
            r"input is too long|exceeded model token limit|longer than the maximum model length",
            r"range of input length|`inputs` (?:tokens \+|must have less than)",
        ),
        "context_too_long",
    ),
    (
        _any(
            r"content (?:management )?policy|safety system|content[ _]filter|usage (?:polic|guideline)",
            r"content exists risk|considered high risk|inappropriate content",
            r"input was flagged|requires moderation",
        ),
        "policy",
    ),
    (
        _any(
            r"exceeded your current quota|credit balance is too low|account is not active",
            r"insufficient (?:credits|balance|funds|quota)|limited to [\d,]+ API calls / month",
            r"used all available credits|doesn't have any credits|monthly included credits",
            r"(?:monthly |reached (?:its|your) )?spending (?:limit|cap)|key limit exceeded",
            r"(?:check|enable) (?:your )?(?:plan and )?billing|requires billing|billing to be enabled",
            r"payment (?:is )?required|account is in good standing|exceeded its monthly",
        ),
        "quota",
    ),
    (
        _any(
            r"(?:incorrect|invalid|expired|revoked|missing) api[ _]key",
            r"api[ _]key (?:is |was |has been |has )?(?:not valid|invalid|expired|revoked|disabled)",
            r"api key was reported as leaked|unregistered callers",  # Google's for a 403
        ),
        "auth",
    ),
    (
        _any(
            _MODEL + r"(?:does not exist|not exist|(?:was |is )?not found|is not (?:available|supported))",
            _MODEL + r"(?:has been (?:decommissioned|deprecated|retired)|is no longer)",
            r"model not (?:found|exist)|no such model|unknown model|not a valid model",
            r"invalid model(?: id| name| identifier)?\s*[:'\"`]|model identifier is invalid",
            r"does not have access to (?:the )?model",
        ),
        "not_found",
    ),
)
# Of statuses that say little: with a 429 the limit is the caller's, whatever it is called.
BUSY: Final = _any(
    r"\boverloaded\b|at (?:full )?capacity|over capacity|temporarily unavailable|server is busy"
)
VAGUE_STATUSES: Final = frozenset({400, 403, 404, 409, 412, 418, 422, 424})
KIND_BY_STATUS: Final[Mapping[int, FailureKind]] = {
    401: "auth",
    402: "quota",
    403: "permission",
    404: "not_found",
    407: "server",  # of a proxy on the way
    408: "timeout",
    409: "server",
    410: "not_found",
    413: "too_large",
    421: "server",
    423: "server",
    424: "server",  # Bedrock's ModelError, and Hugging Face's servers when a generation fails
    425: "server",
    429: "rate_limited",
    431: "too_large",
    451: "permission",
    498: "overloaded",  # Groq: no room in the flex tier
    499: "server",  # what is between us and the provider gave up
    503: "overloaded",
    504: "timeout",
    509: "rate_limited",
    522: "timeout",  # Cloudflare, as are 520 to 530
    524: "timeout",
    529: "overloaded",
    598: "timeout",
    599: "timeout",
}
STATUS_BY_KIND: Final[Mapping[FailureKind, int]] = {
    "bad_request": 400,
    "too_large": 413,
    "context_too_long": 400,
    "unsupported": 400,
    "policy": 400,
    "auth": 401,
    "quota": 429,
    "permission": 403,
    "not_found": 404,
    "rate_limited": 429,
    "timeout": 504,
    "overloaded": 503,
    "server": 502,
}
VAGUE: Final = frozenset[FailureKind]({"rate_limited", "permission"})  # the words may say more
