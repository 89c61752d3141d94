"""What the fake provider says in Gemini's dialect, and what it refuses as Google does.

After https://ai.google.dev/api/generate-content and https://ai.google.dev/gemini-api/docs/thought-signatures.
Models whose name begins with `gemini-3` check the signatures of calls. `parallel` in a model's name asks for
two calls, `nameless` leaves the ids of calls out.

| fault | what happens |
|---|---|
| a status | that status, with an error body; `429` with a delay of 0.05 s |
| key | 400 with the reason API_KEY_INVALID |
| day | 429 for the quota of a day |
| context | 400: too many tokens |
| array | 503 in an array of one |
| blocked | 200 without candidates: the prompt was refused |
| cut, no-done | the stream ends without `finishReason` |
| error-event | an error inside the stream, after one chunk |
| malformed | a frame that is no JSON, after one chunk |
"""

import base64
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from tests.support import fake_coder as coder

TEXT = "A forklift lifts what is heavy with a fork and a mast."
THOUGHT = "Ropes, then drums."
SIGNATURE = base64.b64encode(b"a signature of the fake Gemini").decode()
UNSIGNED = "skip_thought_signature_validator"
PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n fake").decode()
_METHODS = "generateContent|streamGenerateContent|countTokens|batchEmbedContents|predict|embedContent"
_PATH = re.compile(rf"/models/([^/:]+):({_METHODS})\b")
_TOP = {"contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "labels", "serviceTier"}
_TOP |= {"safetySettings", "cachedContent", "model"}
_STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}
_STATUS |= {429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}


@dataclass(frozen=True)
class Reply:
    status: int
    frames: list[bytes]  # one: a whole answer
    is_stream: bool = False


def model_of(path: str) -> str:
    """Return the model of a path as Google writes it; empty: it is another's."""
    found = _PATH.search(path.partition("?")[0])
    return unquote(found[1]) if found else ""


def reply(path: str, body: bytes, fault: str, play: str = "") -> Reply:
    method = _PATH.search(path)[2]  # type: ignore[index] - `model_of` found it
    request = json.loads(body)
    if fault.isdigit() or fault in {"key", "day", "context", "array"}:
        return Reply(*_failure(fault))
    if method == "countTokens":
        asked = request.get("generateContentRequest", request)
        return Reply(200, [_dump({"totalTokens": _tokens(asked), "promptTokensDetails": []})])
    if method == "batchEmbedContents":
        return Reply(200, [_embeddings(request)])
    if method in {"predict", "embedContent"}:
        return _vertex_embeddings(method, model_of(path), request)
    model = model_of(path).partition("?")[0]
    refusal = _refusal(request, model)
    if refusal:
        return Reply(400, [_error(400, refusal)])
    chunks = list(_chunks(request, model, fault, play))
    if method == "generateContent":
        return Reply(200, [_dump(_joined(chunks))])
    if fault in {"cut", "no-done"}:
        chunks = chunks[:-1]
    frames = [b"data: " + _dump(chunk) + b"\r\n\r\n" for chunk in chunks]
    if fault == "error-event":
        frames[1:] = [b"data: " + _error(503, "The model is overloaded.") + b"\r\n\r\n"]
    if fault == "malformed":
        frames[1:] = [b'data: {"candidates": [{"con\r\n\r\n']
    return Reply(200, frames, is_stream=True)


def _failure(fault: str) -> tuple[int, list[bytes]]:
    if fault == "key":
        info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
        return 400, [_error(400, "API key not valid. Please pass a valid API key.", info)]
    if fault == "context":
        words = "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
        return 400, [_error(400, words)]
    if fault == "array":
        return 503, [b"[" + _error(503, "The model is overloaded. Please try again later.") + b"]"]
    if fault in {"429", "day"}:
        quota = "GenerateRequestsPerDayPerProjectPerModel" if fault == "day" else "GenerateRequestsPerMinute"
        violation = {
            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
            "violations": [{"quotaId": quota}],
        }
        delay = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.05s"}
        words = "You exceeded your current quota, please check your plan and billing details."
        return 429, [_error(429, words, violation, delay)]
    return int(fault), [_error(int(fault), f"The fake Gemini answers {fault}.")]


def _error(status: int, message: str, *details: dict[str, Any]) -> bytes:
    error: dict[str, Any] = {"code": status, "message": message, "status": _STATUS.get(status, "UNKNOWN")}
    return _dump({"error": {**error, "details": list(details)} if details else error})


def _refusal(request: dict[str, Any], model: str) -> str:
    """Say what Google would answer 400 to; empty: nothing."""
    unknown = sorted(set(request) - _TOP)
    if unknown:
        return f"Invalid JSON payload received. Unknown name {unknown[0]!r}: Cannot find field."
    if not request.get("contents"):
        return "* GenerateContentRequest.contents: contents is not specified"
    thinking = request.get("generationConfig", {}).get("thinkingConfig", {})
    if "thinkingLevel" in thinking and "thinkingBudget" in thinking:
        return "You can only set only one of thinking budget and thinking level."
    waiting: list[tuple[str, str | None]] = []
    for content in request["contents"]:
        calls = [part for part in content["parts"] if "functionCall" in part]
        given = [part["functionResponse"] for part in content["parts"] if "functionResponse" in part]
        if waiting and sorted(one["name"] for one in given) != sorted(name for name, _ in waiting):
            return "Please ensure that the number of function response parts is equal to the number of calls."
        if {one["id"] for one in given if "id" in one} - {call_id for _, call_id in waiting}:
            return "A function response has the id of no call."
        if any(not isinstance(one["response"], dict) for one in given):
            return "Proto field is not repeating, cannot start list: function_response.response"
        waiting = [(part["functionCall"]["name"], part["functionCall"].get("id")) for part in calls]
        signature = calls[0].get("thoughtSignature") if calls else None
        if calls and model.startswith("gemini-3") and signature not in {SIGNATURE, UNSIGNED}:
            return "Function call is missing a thought_signature in functionCall parts."
    return ""


def _chunks(request: dict[str, Any], model: str, fault: str, play: str) -> Iterator[dict[str, Any]]:
    head = {"responseId": f"resp-{zlib.crc32(_dump(request)):08x}", "modelVersion": model.partition("+")[0]}
    prompt = _tokens(request)
    if fault == "blocked":
        feedback = {"blockReason": "SAFETY", "safetyRatings": [_rating("HIGH", is_blocked=True)]}
        usage = {"promptTokenCount": prompt, "totalTokenCount": prompt}
        yield {**head, "promptFeedback": feedback, "usageMetadata": usage}
        return
    turn = coder.turn_of(request) if play == "coder" else None
    parts = list(_turn_parts(turn) if turn else _parts(request, model))
    thoughts = 5 if any(part.get("thought") for part in parts) else 0
    counted = {"promptTokenCount": prompt, "thoughtsTokenCount": thoughts}
    for number, part in enumerate(parts, 1):
        candidate: dict[str, Any] = {"content": {"role": "model", "parts": [part]}, "index": 0}
        if number == len(parts):
            candidate |= {"finishReason": "STOP", "safetyRatings": [_rating("NEGLIGIBLE", is_blocked=False)]}
        usage = {**counted, "candidatesTokenCount": number, "totalTokenCount": prompt + thoughts + number}
        yield {**head, "candidates": [candidate], "usageMetadata": usage}


def _parts(request: dict[str, Any], model: str) -> Iterator[dict[str, Any]]:
    config = request.get("generationConfig", {})
    last = request["contents"][-1]["parts"]
    tools = request.get("tools") or []
    if config.get("thinkingConfig", {}).get("includeThoughts"):
        yield {"text": THOUGHT, "thought": True}
    if tools and not any("functionResponse" in part for part in last):
        yield from _calls(tools[0]["functionDeclarations"][0]["name"], model)
    elif "IMAGE" in config.get("responseModalities", []):
        yield {"inlineData": {"mimeType": "image/png", "data": PICTURE}}
    elif schema := config.get("responseJsonSchema") or config.get("responseSchema"):
        yield {"text": json.dumps(_example(schema))}
    else:
        blobs = [part["inlineData"] for part in last if "inlineData" in part]
        seen = "".join(f"I see {_type_of(blob)} of {len(blob['data'])} letters. " for blob in blobs)
        words = (seen + TEXT).split(" ")
        yield from ({"text": word if i == 0 else f" {word}"} for i, word in enumerate(words))
        if model.startswith("gemini-3"):
            yield {"text": "", "thoughtSignature": SIGNATURE}


def _turn_parts(turn: coder.Turn) -> Iterator[dict[str, Any]]:
    """Say a turn of a coding agent's model; its first call is signed."""
    yield {"text": turn.text}
    for number, call in enumerate(turn.calls):
        signed = {"thoughtSignature": SIGNATURE} if number == 0 else {}
        yield {
            "functionCall": {"name": call.name, "args": json.loads(call.arguments), "id": call.id},
            **signed,
        }


def _type_of(blob: dict[str, str]) -> str:
    """Google's own SDK writes this one name with an underscore, which the API takes, too."""
    return blob.get("mimeType") or blob["mime_type"]


def _calls(name: str, model: str) -> Iterator[dict[str, Any]]:
    cities = ["Paris", "Rome"] if "parallel" in model else ["Paris"]
    for number, city in enumerate(cities):
        call: dict[str, Any] = {"name": name, "args": {"city": city}}
        if "nameless" not in model:
            call["id"] = f"fc{number}{model.encode().hex()[:6]}"
        signed = {"thoughtSignature": SIGNATURE} if number == 0 else {}
        yield {"functionCall": call, **signed}


def _example(schema: dict[str, Any]) -> Any:
    kind = str(schema.get("type", "string")).lower()
    if kind == "object":
        return {name: _example(inner) for name, inner in schema.get("properties", {}).items()}
    if kind == "array":
        return [_example(schema.get("items", {}))]
    return {"integer": 7, "number": 1.5, "boolean": True}.get(kind, "Paris")


def _joined(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the whole answer of a stream's chunks."""
    last = chunks[-1]
    if "candidates" not in last:
        return last
    parts = [part for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"]]
    candidate = {**last["candidates"][0], "content": {"role": "model", "parts": parts}}
    return {**last, "candidates": [candidate]}


def _rating(probability: str, *, is_blocked: bool) -> dict[str, Any]:
    rating = {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": probability}
    return {**rating, "blocked": True} if is_blocked else rating


def _embeddings(request: dict[str, Any]) -> bytes:
    asked = request["requests"]
    size = asked[0].get("embedContentConfig", {}).get("outputDimensionality") or 4
    texts = [one["content"]["parts"][0]["text"] for one in asked]
    vectors = [[(len(text) + place) / 8 for place in range(size)] for text in texts]
    return _dump({"embeddings": [{"values": vector} for vector in vectors]})


def _vertex_embeddings(method: str, model: str, request: dict[str, Any]) -> Reply:
    if method == "embedContent":
        size = request.get("outputDimensionality") or 4
        text = request["content"]["parts"][0]["text"]
        usage = {"promptTokenCount": len(text), "totalTokenCount": len(text)}
        return Reply(200, [_dump({"embedding": {"values": [len(text) / 8] * size}, "usageMetadata": usage})])
    texts = [one["content"] for one in request["instances"]]
    if len(texts) > (1 if model.startswith("gemini-") else 250):
        return Reply(400, [_error(400, f"{len(texts)} instance(s) is more than this model takes.")])
    size = request.get("parameters", {}).get("outputDimensionality") or 4
    found = [
        {"embeddings": {"values": [len(text) / 8] * size, "statistics": {"token_count": len(text)}}}
        for text in texts
    ]
    return Reply(200, [_dump({"predictions": found})])


def _tokens(request: dict[str, Any]) -> int:
    return max(1, len(json.dumps(request["contents"])) // 4)


def _dump(value: Any) -> bytes:
    return json.dumps(value).encode()
