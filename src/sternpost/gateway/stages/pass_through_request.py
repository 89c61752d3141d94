"""What of a pass-through request goes to the provider, and what of the answer comes back; sends nothing."""

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote, unquote_plus

import msgspec

from sternpost.base.errors import BadRequest
from sternpost.contracts.key_scope import KeyScope
from sternpost.contracts.provider import Provider
from sternpost.dialects.json_text.raw_object import check_length
from sternpost.dialects.protocols import UpstreamCodec
from sternpost.gateway.exchange import Headers

# Of the caller's headers only these go on. Keys, cookies, accounts and addresses never do.
_PASSING = frozenset(
    {
        "accept", "accept-language", "anthropic-beta", "anthropic-version", "content-disposition",
        "content-encoding", "content-language", "content-range", "content-type", "idempotency-key",
        "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "openai-beta",
        "range",
    }
)  # fmt: skip
# Google's resumable uploads speak in headers, and so do guardrails, latency and tier of Bedrock.
_PASSING_PREFIXES = ("x-goog-upload-", "x-amzn-bedrock-")
_OURS = frozenset({"content-type"})  # set for JSON bodies of ours; here the caller says what the body is
# Of the provider's headers only these come back: about the content, about when to ask again, and what SDKs
# read. Its account, limits, cookies, servers and addresses (Location, Link) stay behind.
_RETURNING = frozenset(
    {
        "accept-ranges", "anthropic-beta", "anthropic-version", "cache-control", "content-disposition",
        "content-encoding", "content-language", "content-length", "content-range", "content-type", "etag",
        "expires", "last-modified", "openai-model", "openai-processing-ms", "openai-version", "retry-after",
        "retry-after-ms", "vary", "x-amzn-errortype", "x-amzn-requestid", "x-should-retry",
    }
)  # fmt: skip
# Token counts and latency of Bedrock; Google's resumable uploads can't go on without theirs.
_RETURNING_PREFIXES = ("x-amzn-bedrock-", "x-goog-upload-")
_DECODED = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd"})  # the client has unpacked these
_MODEL_IN_PATH = re.compile(r"/models/([^/:]+)|^/model/([^/]+)/")
_GOOGLE_VERSION = re.compile(r"/v\d\w*(?=/|\Z)")
_GOOGLE_PATH = re.compile(r"/(?:upload/)?v\d\w*/")
_VERSIONED = re.compile(r".*(/v\d\w*)$")
_VERSION_IN_PATH = re.compile(r"(/v\d\w*)/")
_IN_QUERY = "".join(map(chr, range(0x21, 0x7F))).replace("#", "")
_IN_PATH = _IN_QUERY.replace("?", "")
_MOST_DECODINGS = 3
# Calls of a model at a provider's own paths; all else is about its account: files, stored replies, jobs.
# Written out, not guessed: what is not known here asks for the wider scope.
_CALLS = (
    r"(?:chat/|fim/|agents/)?completions", r"responses(?:/compact|/input_tokens)?",
    r"decisions", r"embeddings", r"(?:chat/)?moderations", r"classifications", r"ocr",
    r"images/(?:generations|edits|variations)",
    r"audio/(?:speech|transcriptions|translations)", r"messages(?:/count_tokens)?", r"complete", r"re-?rank",
    r"score", r"(?:de)?tokenize", r"chat", r"generate", r"embed", r"classify", r"summarize",
    r"(?:[^/]+/)*models/[^/:]+:(?:(?:streamG|g)enerateContent|batchEmbedContents|embedContent|embedText"
    r"|countTokens|predict|(?:streamR|r)awPredict)",
    r"model/[^/]+/(?:converse(?:-stream)?|invoke(?:-with-response-stream)?|count-tokens)",
)  # fmt: skip
_BEFORE = r"(?:(?:api|openai|inference|compatible-mode|paas|v\d\w*|deployments/[^/]+)/)*"
_CALL = re.compile(f"/{_BEFORE}(?:{'|'.join(_CALLS)})/?")
_LISTS_MODELS = re.compile(f"/{_BEFORE}(?:models(?:/[^:]+)?|tags)")


class _Named(msgspec.Struct):
    model: str = ""  # anything else is not read, however large


_NAMED = msgspec.json.Decoder(_Named)


def needed_scope(method: str, path: str) -> KeyScope:
    """Return what a key needs for a provider's own path: `calls` for calls of a model and lists of models."""
    if method == "POST":
        is_call = _CALL.fullmatch(path)
    else:
        is_call = _LISTS_MODELS.fullmatch(path) if method in {"GET", "HEAD"} else None
    return KeyScope.CALLS if is_call else KeyScope.PROVIDER_ACCOUNT


def provider_url(base_url: str, path: str, query: str, presented_key: str) -> str:
    """Join what the caller asked for to the provider's address, its escapes untouched.

    The caller's own key is taken out of the query. Raises: BadRequest for a path that would leave the base.
    """
    _check_path(path)
    kept = [
        pair for pair in query.split("&") if pair and unquote_plus(pair.partition("=")[2]) != presented_key
    ]
    base, version = _VERSIONED.match(base_url.rstrip("/")), _VERSION_IN_PATH.match(path)
    if base and version and base[1] == version[1]:  # SDKs whose own base URL ends before the version
        path = path[len(version[1]) :]
    url = base_url.rstrip("/") + quote(path, safe=_IN_PATH, encoding="latin-1")
    return url + "?" + quote("&".join(kept), safe=_IN_QUERY, encoding="latin-1") if kept else url


def base_for(provider: Provider, codec: UpstreamCodec, path: str) -> str:
    """Return the address that a path is joined to.

    Google's SDKs write the version into the path, at times behind `/upload`: it replaces that of the address.
    """
    version = _GOOGLE_VERSION.search(provider.base_url)
    if not codec.traits.repeats_version_in_path or version is None or not _GOOGLE_PATH.match(path):
        return provider.base_url
    return provider.base_url[: version.start()]


def provider_query(query: str, provider: Provider, codec: UpstreamCodec) -> str:
    """Add what every request to the provider carries, but for what the caller wrote himself.

    A key of the caller's own account at Google would win over ours, so it is taken out.
    """
    asked = [pair for pair in query.split("&") if pair and not _is_key(pair, codec)]
    written = {pair.partition("=")[0] for pair in asked}
    fixed = [pair for pair in provider.query.split("&") if pair and pair.partition("=")[0] not in written]
    return "&".join([*asked, *fixed])


def _is_key(pair: str, codec: UpstreamCodec) -> bool:
    names = codec.traits.key_parameters
    return bool(names) and unquote_plus(pair.partition("=")[0]) in names


def _check_path(path: str) -> None:
    """Refuse dot segments however they are escaped: clients and servers resolve them differently."""
    plain = path
    for _ in range(_MOST_DECODINGS):
        segments = re.split(r"[/\\]", plain)
        if any(segment.partition(";")[0] in {".", ".."} for segment in segments):
            raise BadRequest("the path may not have `.` or `..` as a segment")
        plain = unquote(plain)
    if any(ord(letter) < 0x20 or ord(letter) == 0x7F for letter in plain):
        raise BadRequest("the path may not have control characters")


def provider_headers(asked: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of the target and those of the caller that may pass.

    own: of every request to the target, its key among them; no header that passes can replace that.
    """
    bound = {name.strip().lower() for name in asked.get("connection", "").split(",")}
    passing = {name: value for name, value in asked.items() if _passes(name) and name not in bound}
    return {**{name: value for name, value in own.items() if name not in _OURS}, **passing}


def _passes(name: str) -> bool:
    return name in _PASSING or name.startswith(_PASSING_PREFIXES)


def returned_headers(answered: Mapping[str, str]) -> Headers:
    """Return what the caller may see of the provider's headers."""
    unpacked: frozenset[str] = frozenset()
    if answered.get("content-encoding", "").strip().lower() in _DECODED:
        unpacked = frozenset({"content-encoding", "content-length"})
    return [
        (name.encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in answered.items()
        if (name in _RETURNING or name.startswith(_RETURNING_PREFIXES)) and name not in unpacked
    ]


def model_of(path: str, body: bytes) -> str:
    """Find the model, for limits and prices: in the path as Google and AWS write it, or in a JSON body.

    Raises: BadRequest for a name longer than any.
    """
    if found := _MODEL_IN_PATH.search(path):
        return unquote(found[1] or found[2])
    try:
        return check_length(_NAMED.decode(body).model)
    except (msgspec.DecodeError, RecursionError):
        return ""
