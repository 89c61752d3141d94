"""What the fake provider says as Bedrock, and whether a request was signed as AWS wants it.

It knows the account `AKIDSTERNPOST`, the Bedrock API key `bedrock-api-key`, an account whose credentials ran
out (`AKIDEXPIRED`) and one without rights (`AKIDDENIED`). Shapes:
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html and .../ConverseStream.html.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.support import event_stream as wire

API_KEY = "bedrock-api-key"
REGION = "eu-central-1"
SECRETS = {
    "AKIDSTERNPOST": "secret-of-sternpost",
    "AKIDEXPIRED": "old-secret",
    "AKIDDENIED": "secret-without-rights",
}
_PATH = re.compile(r"^/model/([^/?]+)/(converse|converse-stream|count-tokens)$")
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d+)/([^/]+)/([^/]+)/aws4_request,"
    r" SignedHeaders=([^,]+), Signature=([0-9a-f]+)$"
)
_NAMES = {
    400: "ValidationException", 403: "AccessDeniedException", 404: "ResourceNotFoundException",
    408: "ModelTimeoutException", 424: "ModelErrorException", 429: "ThrottlingException",
    500: "InternalServerException", 503: "ServiceUnavailableException",
}  # fmt: skip
CONTENT_TYPE = "application/vnd.amazon.eventstream"


def model_of(path: str) -> str:
    """Return the model of a path of Bedrock's; "" for any other path."""
    found = _PATH.match(path)
    return unquote(found[1]) if found else ""


def is_stream(path: str) -> bool:
    return path.endswith("/converse-stream")


def refusal(method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, str, str] | None:
    """Say what is wrong with the sender: status, exception, words; None when nothing is."""
    written = headers.get("authorization", "")
    if written == f"Bearer {API_KEY}":
        return None
    found = _AUTHORIZATION.match(written)
    if found is None:
        return 403, "AccessDeniedException", "Authentication failed: Please make sure your API Key is valid."
    key, _, region, service, names, signature = found.groups()
    if key not in SECRETS or (region, service) != (REGION, "bedrock"):
        return 403, "UnrecognizedClientException", "The security token included in the request is invalid."
    if signature != signature_of(key, method, path, {n: headers[n] for n in names.split(";")}, body):
        return 403, "InvalidSignatureException", "The request signature we calculated does not match."
    if key == "AKIDEXPIRED":
        return 403, "ExpiredTokenException", "The security token included in the request is expired"
    if key == "AKIDDENIED":
        user = "arn:aws:iam::123456789012:user/sternpost"
        return 403, "AccessDeniedException", f"User: {user} is not authorized to perform: bedrock:InvokeModel"
    return None


def signature_of(key: str, method: str, path: str, signed: Mapping[str, str], body: bytes) -> str:
    """Sign what arrived with botocore, as it arrived: the escapes of the path are not resolved."""
    request = AWSRequest(method=method, url=f"http://{signed['host']}{path}", data=body, headers=dict(signed))
    request.context["timestamp"] = signed["x-amz-date"]
    signer = SigV4Auth(Credentials(key, SECRETS[key]), "bedrock", REGION)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return signer.signature(text, request)


def read_ask(path: str, body: bytes, options: Mapping[str, str]) -> dict[str, Any]:
    """Read what matters of a request, as the fields of an Ask."""
    request = json.loads(body)
    tools = [
        tool["toolSpec"]["name"]
        for tool in request.get("toolConfig", {}).get("tools", ())
        if "toolSpec" in tool
    ]
    chosen = request.get("toolConfig", {}).get("toolChoice", {}).get("tool", {}).get("name")
    is_answered = any("toolResult" in block for block in request["messages"][-1]["content"])
    is_thinking = "thinking" in request.get("additionalModelRequestFields", {})
    return {
        "dialect": "bedrock",
        "model": model_of(path).partition("?")[0],
        "is_stream": is_stream(path),
        "prompt_tokens": max(1, len(body) // 4),
        "chunk_count": int(options.get("chunks", "8")),
        "tool_name": (chosen or tools[0]) if tools and not is_answered else "",
        "wants_usage": True,
        "cached_tokens": int(options.get("cached", "0")),
        "previous_id": "thinking" if is_thinking else "",
    }


def count(path: str, body: bytes) -> tuple[int, bytes]:
    """Count for Claude, as AWS does for the models themselves; for all else there is no count."""
    if not model_of(path).startswith("anthropic."):
        return 400, error_body(400, "The provided model doesn't support counting tokens.")
    return 200, json.dumps(
        {"inputTokens": len(json.loads(body)["input"]["converse"]["messages"]) * 7}
    ).encode()


def usage(ask: Any, fault: str) -> dict[str, Any]:
    fresh = ask.prompt_tokens - ask.cached_tokens
    total = ask.prompt_tokens + ask.completion_tokens
    counts: dict[str, Any] = {
        "inputTokens": fresh,
        "outputTokens": ask.completion_tokens,
        "totalTokens": total + 1000 if fault == "wrong-usage" else total,
    }
    if ask.cached_tokens:
        counts |= {"cacheReadInputTokens": ask.cached_tokens, "cacheWriteInputTokens": 0}
    return counts


def whole(ask: Any, fault: str) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    if ask.previous_id == "thinking":
        content.append({"reasoningContent": {"reasoningText": {"text": "Ropes.", "signature": "c2ln"}}})
    if ask.has_text:
        content.append({"text": ask.text})
    for call in ask.calls("tooluse"):
        use = {"toolUseId": call.id, "name": call.name, "input": json.loads(call.arguments)}
        content.append({"toolUse": use})
    answer: dict[str, Any] = {
        "metrics": {"latencyMs": 7},
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": "tool_use" if ask.tool_name else "end_turn",
    }
    return answer if fault == "no-usage" else {**answer, "usage": usage(ask, fault)}


def frames(ask: Any, fault: str) -> list[bytes]:
    """Return the frames of a stream, the last of which ends it."""
    made: list[tuple[str, dict[str, Any]]] = [("messageStart", {"role": "assistant"})]
    index = 0
    if ask.previous_id == "thinking":
        thoughts = ({"text": "Ropes."}, {"signature": "c2ln"})
        made += [_delta(0, {"reasoningContent": thought}) for thought in thoughts]
        made.append(("contentBlockStop", {"contentBlockIndex": 0}))
        index = 1
    if ask.has_text:
        made += [_delta(index, {"text": piece}) for piece in ask.pieces]
        made.append(("contentBlockStop", {"contentBlockIndex": index}))
        index += 1
    for at, call in enumerate(ask.calls("tooluse"), index):
        start = {"toolUse": {"toolUseId": call.id, "name": call.name}}
        made.append(("contentBlockStart", {"contentBlockIndex": at, "start": start}))
        third = len(call.arguments) // 3 + 1
        pieces = [call.arguments[begin : begin + third] for begin in range(0, len(call.arguments), third)]
        made += [_delta(at, {"toolUse": {"input": piece}}) for piece in pieces]
        made.append(("contentBlockStop", {"contentBlockIndex": at}))
    made.append(("messageStop", {"stopReason": "tool_use" if ask.tool_name else "end_turn"}))
    metadata: dict[str, Any] = {"metrics": {"latencyMs": 7}}
    made.append(("metadata", metadata if fault == "no-usage" else {**metadata, "usage": usage(ask, fault)}))
    return [wire.event(name, payload) for name, payload in made]


def _delta(index: int, delta: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return "contentBlockDelta", {"contentBlockIndex": index, "delta": delta}


def error_body(status: int, message: str) -> bytes:
    return json.dumps({"message": message}).encode()


def error_headers(status: int, name: str = "") -> dict[str, str]:
    exception = name or _NAMES.get(status, "InternalServerException")
    return {"x-amzn-errortype": f"{exception}:http://internal.amazon.com/coral/com.amazon.bedrock/"}


def error_frame() -> bytes:
    return wire.exception("serviceUnavailableException", "Overloaded")


def malformed_frame() -> bytes:
    return wire.bad_sum(wire.event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "bad"}}))
